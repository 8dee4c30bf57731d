"""Block Kit as values for the page: blocks, their elements, and the older attachments.

Apps may write anything into a block: what is of the wrong shape is left out, never an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import escape

from slackmq.emulator.page.loose import row_in, rows, safe_link, text_in, words
from slackmq.emulator.page.mrkdwn import plainly, shown
from slackmq.emulator.page.options import chosen, groups_of
from slackmq.emulator.page.rich import rich

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from slackmq.emulator.page.options import Group
    from slackmq.emulator.page.view import Directory

__all__ = ["Attachment", "Block", "Element", "attachments", "blocks", "drawn_text", "field_name"]

_COLOURS = {"good": "#2eb886", "warning": "#daa038", "danger": "#a30200"}
"""Slack's names (docs.slack.dev, "Secondary message attachments")."""
_HEX = re.compile(r"#?([0-9A-Fa-f]{6})")

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block; of an unknown kind only its name is shown.

    Attributes:
        text: what is written in it, drawn.
        link: where a video is watched.
        credit: who made a video, and who shows it.
        picture: the address of its image, "" for none; `text` is then its description.
    """

    kind: str
    id: str
    text: Markup
    fields: tuple[Markup, ...] = ()
    elements: tuple[Element, ...] = ()
    accessory: Element | None = None
    picture: str = ""
    title: str = ""
    link: str = ""
    credit: str = ""
    hint: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """An attachment of the older kind; `colour` is six digits with #, "" for none."""

    pretext: Markup
    colour: str
    author: str
    title: str
    link: str
    text: Markup
    fields: tuple[tuple[str, Markup], ...]
    footer: str
    picture: str
    blocks: tuple[Block, ...]


def blocks(given: object, directory: Directory, state: object = None) -> tuple[Block, ...]:
    """Draw a list of blocks.

    Args:
        given: the blocks as Slack's JSON.
        directory: names, and who looks.
        state: what was entered into a view: block -> action -> value.
    """
    return tuple(_block(row, directory, row_in(state)) for row in rows(given))


def attachments(given: object, directory: Directory) -> tuple[Attachment, ...]:
    """Draw a list of attachments."""
    return tuple(
        Attachment(
            colour=_colour(row.get("color")),
            pretext=shown(words(row.get("pretext")), directory.names),
            author=text_in(row.get("author_name")),
            title=text_in(row.get("title")),
            link=safe_link(row.get("title_link")),
            text=shown(
                words(row.get("text")) or ("" if row.get("blocks") else words(row.get("fallback"))), directory.names
            ),
            fields=tuple(
                (text_in(f.get("title")), drawn_text(f.get("value"), directory)) for f in rows(row.get("fields"))
            ),
            footer=text_in(row.get("footer")),
            picture=_picture(row.get("image_url")),
            blocks=blocks(row.get("blocks"), directory),
        )
        for row in rows(given)
    )


def field_name(block: str, action: str) -> str:
    """The name of an element's field in a form: different for every block and action."""
    return f"{len(block)}.{block}.{action}"


def drawn_text(given: object, directory: Directory) -> Markup:
    """Draw a text object: mark-up if it says mrkdwn, plain words and emoji otherwise."""
    row = row_in(given)
    text = words(row.get("text")) if row else words(given)
    return plainly(text) if row.get("type") == "plain_text" else shown(text, directory.names)


def _block(row: Mapping[str, Any], directory: Directory, state: Mapping[str, Any]) -> Block:
    kind, ident = words(row.get("type")), words(row.get("block_id"))
    entered = row_in(state.get(ident))
    elements: tuple[Element, ...] = ()
    accessory: Element | None = None
    if kind in {"actions", "context", "context_actions"}:
        live = kind != "context"
        elements = tuple(_element(one, ident, directory, entered, live=live) for one in rows(row.get("elements")))
    if kind == "input" and row_in(row.get("element")):
        live = row.get("dispatch_action") is True
        elements = (_element(row_in(row.get("element")), ident, directory, entered, live=live),)
    if kind == "section" and row_in(row.get("accessory")):
        accessory = _element(row_in(row.get("accessory")), ident, directory, entered, live=True)
    return Block(
        kind=kind,
        id=ident,
        text=_text(row, directory),
        fields=tuple(drawn_text(field, directory) for field in rows(row.get("fields"))),
        elements=elements,
        accessory=accessory,
        picture=_picture(row.get("image_url") or row.get("thumbnail_url"))
        or _picture(row_in(row.get("slack_file")).get("url")),
        title=text_in(row.get("title")),
        link=safe_link(row.get("title_url")) or safe_link(row.get("video_url")),
        credit=", ".join(filter(None, (words(row.get("author_name")), words(row.get("provider_name"))))),
        hint=text_in(row.get("hint")),
        optional=row.get("optional") is True,
    )


def _text(row: Mapping[str, Any], directory: Directory) -> Markup:
    match words(row.get("type")):
        case "rich_text":
            return rich(row, directory.names)
        case "image" | "video":
            return escape(words(row.get("alt_text")))
        case "input":
            return plainly(words(row_in(row.get("label")).get("text")))
        case _:
            return drawn_text(row.get("text"), directory)


def _element(
    row: Mapping[str, Any], block: str, directory: Directory, entered: Mapping[str, Any], *, live: bool
) -> Element:
    kind, action = words(row.get("type")), words(row.get("action_id"))
    placeholder = text_in(row.get("placeholder"))
    return Element(
        kind=kind,
        name=field_name(block, action),
        block=block,
        action=action,
        text=_words_of(kind, row, directory),
        value=words(row.get("value")),
        style=words(row.get("style")) if row.get("style") in {"primary", "danger"} else "",
        url=safe_link(row.get("url")) if kind != "image" else _picture(row.get("image_url")),
        label=words(row.get("accessibility_label")) or placeholder or kind.replace("_", " "),
        placeholder=placeholder,
        input=_INPUT_TYPES.get(kind, ""),
        multiple=kind.startswith("multi_"),
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
    if row.get("type") == "number_input" and row.get("is_decimal_allowed") is True:
        found["step"] = "any"
    return found


def _question(row: Mapping[str, Any]) -> str:
    return "\n\n".join(filter(None, [text_in(row.get("title")), text_in(row.get("text"))]))


def _picture(given: object) -> str:
    """The address of a picture that the page may show; "" for any other."""
    address = safe_link(given)
    return "" if address.startswith("mailto:") else address


def _colour(given: object) -> str:
    found = _HEX.fullmatch(words(given))
    return f"#{found[1]}" if found else _COLOURS.get(words(given), "")
