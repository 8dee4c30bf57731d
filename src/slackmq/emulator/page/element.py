"""What one uses in Block Kit as values for the page: buttons, menus and boxes, and pictures and texts among them.

Apps may write anything into an element: what is of the wrong shape is left out, never an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from slackmq.emulator.page.loose import row_in, safe_link, text_in, words
from slackmq.emulator.page.mrkdwn import plainly, shown
from slackmq.emulator.page.options import chosen, groups_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from slackmq.emulator.page.options import Group
    from slackmq.emulator.page.view import Directory

__all__ = ["Element", "drawn_text", "element", "field_name", "picture"]

_ICONS = {"trash": "🗑"}
"""Slack's names of icons; for others a button's words stand."""
_INPUT_TYPES = {
    "email_text_input": "email",
    "url_text_input": "url",
    "number_input": "number",
    "datepicker": "date",
    "timepicker": "time",
    "datetimepicker": "datetime-local",
    "plain_text_input": "text",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Something to use, or a picture or text among such things.

    Attributes:
        kind: Slack's type, as "button" or "static_select".
        name: of the field in a form.
        text: a button's words, a picture's description, or drawn text.
        input: the type of the browser's own box, if it is one.
        live: True if the app is told of each use, and not only when a modal is submitted.
        confirm: what is asked before the app is told; "" for nothing.
    """

    kind: str
    name: str
    block: str
    action: str
    text: str | Markup
    value: str
    style: str
    url: str
    label: str
    placeholder: str
    input: str
    multiple: bool
    multiline: bool
    live: bool
    confirm: str
    groups: tuple[Group, ...]
    chosen: tuple[str, ...]
    limits: Mapping[str, int | float | str]


def field_name(block: str, action: str) -> str:
    """The name of an element's field in a form: different for every block and action."""
    return f"{len(block)}.{block}.{action}"


def drawn_text(given: object, directory: Directory) -> Markup:
    """Draw a text object: mark-up if it says mrkdwn, plain words and emoji otherwise."""
    row = row_in(given)
    text = words(row.get("text")) if row else words(given)
    return plainly(text) if row.get("type") == "plain_text" else shown(text, directory.names)


def element(
    row: Mapping[str, Any], block: str, directory: Directory, entered: Mapping[str, Any], *, live: bool
) -> Element:
    """Draw an element.

    Args:
        row: the element as Slack's JSON.
        block: the block_id of the block that it stands in.
        directory: names, and who looks.
        entered: what was entered into the block: action -> value.
        live: True if the app is told of each use.
    """
    kind, action = words(row.get("type")), words(row.get("action_id"))
    placeholder = text_in(row.get("placeholder"))
    return Element(
        kind=kind,
        name=field_name(block, action),
        block=block,
        action=action,
        text=_words_of(kind, row, directory),
        value=words(row.get("value")),
        style=style if (style := words(row.get("style"))) in {"primary", "danger"} else "",
        url=safe_link(row.get("url")) if kind != "image" else picture(row.get("image_url")),
        label=words(row.get("accessibility_label"))
        or placeholder
        or text_in(row.get("text"))
        or kind.replace("_", " "),
        placeholder=placeholder,
        input=_INPUT_TYPES.get(kind, ""),
        multiple=kind.startswith("multi_") or (kind == "file_input" and row.get("max_files") != 1),
        multiline=row.get("multiline") is True or kind == "rich_text_input",
        live=live,
        confirm=_question(row_in(row.get("confirm"))),
        groups=groups_of(row, directory),
        chosen=chosen(row, row_in(entered.get(action))),
        limits=_limits(row),
    )


def _words_of(kind: str, row: Mapping[str, Any], directory: Directory) -> str | Markup:
    match kind:
        case "image":
            return words(row.get("alt_text"))
        case "mrkdwn" | "plain_text":
            return drawn_text(row, directory)
        case "url":
            return words(row.get("text")) or words(row.get("url"))
        case "icon_button":
            return _ICONS.get(words(row.get("icon")), "") or plainly(text_in(row.get("text")))
        case _:
            return plainly(words(row_in(row.get("text")).get("text")))


def _limits(row: Mapping[str, Any]) -> dict[str, int | float | str]:
    """What the browser itself can hold a box to; the names are those of HTML."""
    found: dict[str, int | float | str] = {}
    for name, attribute in (("min_length", "minlength"), ("max_length", "maxlength")):
        if isinstance(row.get(name), int):
            found[attribute] = row[name]
    for name, attribute in (("min_value", "min"), ("max_value", "max")):
        if row.get(name) is not None:
            found[attribute] = str(row[name])
    endings = row.get("filetypes")
    if row.get("type") == "file_input" and isinstance(endings, list):
        found["accept"] = ",".join(f".{words(one)}" for one in cast("list[object]", endings))
    if row.get("type") == "number_input" and row.get("is_decimal_allowed") is True:
        found["step"] = "any"
    return found


def _question(row: Mapping[str, Any]) -> str:
    return "\n\n".join(filter(None, [text_in(row.get("title")), text_in(row.get("text"))]))


def picture(given: object) -> str:
    """The address of a picture that the page may show; "" for any other."""
    address = safe_link(given)
    return "" if address.startswith("mailto:") else address
