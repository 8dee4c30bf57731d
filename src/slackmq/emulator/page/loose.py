"""JSON that strangers wrote, looked at without trust: what is of the wrong shape is as if it were absent."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["row_in", "rows", "safe_link", "text_in", "words"]

_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)


def rows(given: object) -> list[Mapping[str, Any]]:
    """The objects in a list; none if it is no list."""
    if not isinstance(given, list | tuple):
        return []
    return [cast("Mapping[str, Any]", row) for row in cast("list[object]", given) if isinstance(row, dict)]


def row_in(given: object) -> Mapping[str, Any]:
    """The object; empty if it is none."""
    return cast("Mapping[str, Any]", given) if isinstance(given, dict) else {}


def words(given: object) -> str:
    """The text; "" if it is none."""
    return given if isinstance(given, str) else ""


def text_in(given: object) -> str:
    """What a text object of Block Kit says as plain text, or a text itself."""
    row = row_in(given)
    return unescape(words(row.get("text"))) if row else words(given)


def safe_link(given: object) -> str:
    """An address that one may follow from the page: http, https or mailto; "" for any other."""
    address = unescape(words(given)).strip()
    return address if _LINK.match(address) else ""
