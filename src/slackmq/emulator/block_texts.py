"""Texts of Block Kit as Slack writes them back: with what the app left out at its default."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from slackmq.emulator.state import Row

__all__ = ["spelled_out"]

_DEFAULTS: dict[str, Row] = {"plain_text": {"emoji": True}, "mrkdwn": {"verbatim": False}}
"""Type of text -> its optional field, with the value that Slack's captures of interactive payloads show."""


def spelled_out(block: Row) -> Row:
    """The same block; every text in it says whether names of emoji are drawn, or whether it is verbatim."""
    return cast("Row", _spelled(block))


def _spelled(node: object) -> object:
    match node:
        case dict():
            row = {key: _spelled(value) for key, value in cast("Row", node).items()}
            kind, text = row.get("type"), row.get("text")
            return {**_DEFAULTS.get(kind, {}), **row} if isinstance(kind, str) and isinstance(text, str) else row
        case list():
            return [_spelled(value) for value in cast("list[object]", node)]
        case _:
            return node
