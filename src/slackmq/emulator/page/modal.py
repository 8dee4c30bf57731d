"""Modals and home tabs as values, and what a person entered into one as Slack's methods want it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from slackmq.emulator.elements import elements_of
from slackmq.emulator.page.blocks import blocks
from slackmq.emulator.page.element import field_name
from slackmq.emulator.page.loose import row_in, text_in, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from slackmq.emulator.page.blocks import Block
    from slackmq.emulator.page.view import Directory

__all__ = ["Surface", "entered", "given", "surface"]

_LISTS = frozenset({"checkboxes", "file_input"})
_NO_FIELDS = frozenset({"button", "workflow_button", "overflow", "image", "mrkdwn", "plain_text"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """A modal or a home tab.

    Attributes:
        submit: what its button says, "" if there is none.
        close: what the other button says.
        below: True if another modal lies under it.
        hash: differs after every change.
    """

    id: str
    app: str
    title: str
    submit: str
    close: str
    below: bool
    hash: str
    blocks: tuple[Block, ...]


def surface(row: Mapping[str, Any], directory: Directory) -> Surface:
    """Draw a view."""
    below = bool(row.get("previous_view_id"))
    return Surface(
        id=words(row.get("id")),
        app=words(row.get("app_id")),
        title=text_in(row.get("title")),
        submit=text_in(row.get("submit")),
        close=text_in(row.get("close")) or ("Back" if below else "Cancel"),
        below=below,
        hash=words(row.get("hash")),
        blocks=blocks(row.get("blocks"), directory, row_in(row.get("state")).get("values")),
    )


def entered(row: Mapping[str, Any], field: Callable[[str], Sequence[str]]) -> dict[str, dict[str, object]]:
    """What was entered into a view: block -> action -> what Slack's client would say.

    Args:
        row: the view as Slack's JSON.
        field: the values of a field of the form; empty if nothing was chosen.
    """
    values: dict[str, dict[str, object]] = {}
    for block, element in elements_of(row.get("blocks", ())):
        ident, action, kind = words(block.get("block_id")), words(element.get("action_id")), words(element.get("type"))
        if action and kind not in _NO_FIELDS:
            values.setdefault(ident, {})[action] = given(kind, field(field_name(ident, action)))
    return values


def given(kind: str, texts: Sequence[str]) -> object:
    """The values of a form's field, as `emulator.interactions.click` and `emulator.modals.submit` take them."""
    filled = [text for text in texts if text]
    if kind.startswith("multi_") or kind in _LISTS:
        return filled
    if not filled:
        return None
    if kind == "datetimepicker":
        return _seconds(filled[0])
    if kind == "rich_text_input":
        section = {"type": "rich_text_section", "elements": [{"type": "text", "text": filled[0]}]}
        return {"type": "rich_text", "elements": [section]}
    return filled[0]


def _seconds(local: str) -> str | None:
    """A date and time of this machine's clock as seconds since 1970; None for what is none."""
    try:
        return str(int(datetime.fromisoformat(local).timestamp()))
    except ValueError:
        return None
