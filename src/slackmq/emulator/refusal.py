"""Slack's "no": raised by a method, answered as `{"ok": false, "error": code}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Refusal"]


class Refusal(Exception):
    """A method did nothing, and says why.

    Attributes:
        code: Slack's error code.
        facts: what the reply holds beside `ok` and `error`.
    """

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts: Mapping[str, Any] = facts
