"""Interactive elements of Block Kit: where they stand, and what a person entered, as Slack tells the app."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from slackmq.emulator.block_shape import block_problems, nested
from slackmq.emulator.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from slackmq.emulator.state import Row

__all__ = ["elements_of", "entered", "found", "initial_values"]

_FIELDS = {
    "plain_text_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "number_input": "value",
    "rich_text_input": "rich_text_value",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "channels_select": "selected_channel",
    "multi_channels_select": "selected_channels",
    "conversations_select": "selected_conversation",
    "multi_conversations_select": "selected_conversations",
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "overflow": "selected_option",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "checkboxes": "selected_options",
    "file_input": "files",
}
"""Type of element -> the field that holds what was entered (docs.slack.dev, "Block elements")."""
_INITIAL = {
    "value": "initial_value",
    "selected_users": "initial_users",
    "selected_channels": "initial_channels",
    "selected_conversations": "initial_conversations",
    "selected_options": "initial_options",
}


def elements_of(blocks: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """Each interactive element with its block; what is malformed is no element."""
    for block in blocks:
        if any(True for _ in block_problems(block, "")):
            continue
        for place in ("accessory", "element"):
            if place in block:
                yield block, block[place]
        if block["type"] in {"actions", "context_actions"}:
            yield from ((block, element) for element in block["elements"])
        if block["type"] == "card":
            yield from ((block, element) for element in block.get("actions", ()))
        yield from elements_of(nested(block))


def found(blocks: Iterable[Row], action: str, block_id: str) -> tuple[Row, Row]:
    """The element with this action_id, and its block; `block_id` "" takes the first one.

    Raises:
        Refusal: action_not_found.
    """
    for block, element in elements_of(blocks):
        if element.get("action_id") == action and block_id in {"", block.get("block_id")}:
            return block, element
    raise Refusal("action_not_found")


def entered(element: Row, given: object) -> Row:
    """What Slack tells of an element that a person used: its type and the field with what was entered.

    Args:
        element: the element.
        given: a text, an option's value, an id, or a list of them; options may also be given whole. A button is
            clicked whatever is given.

    Raises:
        Refusal: option_not_found.
    """
    kind = element.get("type", "")
    if kind == "feedback_buttons":
        return {"type": kind} | _feedback(element, given)
    if kind in {"button", "workflow_button", "icon_button"}:
        return {key: element[key] for key in ("text", "value", "style") if key in element} | {"type": kind}
    name = _FIELDS.get(kind, "value")
    value: object = given
    if name == "selected_option" and given is not None:
        value = _option(element, given)
    elif name == "selected_options":
        value = [_option(element, one) for one in _many(given)]
    elif name.endswith("s") and name.startswith("selected_"):
        value = _many(given)
    elif name == "selected_date_time" and given is not None:
        value = int(str(given)) if str(given).isdecimal() else None
    return {"type": kind, name: value}


def initial_values(blocks: Iterable[Row]) -> dict[str, dict[str, Row]]:
    """What a modal's inputs hold before anybody touched them, by block and action."""
    values: dict[str, dict[str, Row]] = {}
    for block, element in elements_of(blocks):
        if element.get("type") in _FIELDS and element.get("type") != "overflow" and "action_id" in element:
            name = _FIELDS[element["type"]]
            initial = element.get(_INITIAL.get(name, name.replace("selected_", "initial_")))
            empty: object = [] if name in {"selected_options", "files"} or name.endswith("s") else None
            row = {"type": element["type"], name: empty if initial is None else initial}
            values.setdefault(str(block.get("block_id")), {})[element["action_id"]] = row
    return values


def _feedback(element: Row, given: object) -> Row:
    """The one of two buttons that has this value, as Bolt's types show it."""
    for name in ("positive_button", "negative_button"):
        button: object = element.get(name)
        if isinstance(button, dict) and cast("Row", button).get("value") == given:
            return {key: value for key, value in cast("Row", button).items() if key in {"text", "value"}}
    raise Refusal("option_not_found")


def _many(given: object) -> list[object]:
    if given is None:
        return []
    return [*cast("list[object]", given)] if isinstance(given, list) else [given]


def _option(element: Row, given: object) -> Row:
    if isinstance(given, dict):
        return cast("Row", given)
    options: list[Row] = [*element.get("options", ())]
    for group in element.get("option_groups", ()):
        options += group.get("options", ())
    for option in options:
        if option.get("value") == given:
            return option
    if str(element.get("type")).endswith("external_select"):
        return {"text": {"type": "plain_text", "text": str(given), "emoji": True}, "value": str(given)}
    raise Refusal("option_not_found")
