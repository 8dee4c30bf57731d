"""Recent: the timestamps of messages, each for as long as it may matter."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from slackmq.message import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Recent"]


class Recent:
    """Timestamps that are forgotten when they are old.

    Args:
        keep: for how many seconds each counts, at least.
    """

    def __init__(self, *, keep: float) -> None:
        self._keep = keep
        self._known: dict[str, None] = {}

    def add(self, ts: str, *, now: float) -> None:
        """Remember a message, and forget what is too old by now, in seconds since 1970."""
        for old in [*takewhile(lambda each: seconds(each) < now - self._keep, self._known)]:
            del self._known[old]
        self._known[ts] = None

    def __contains__(self, ts: object) -> bool:
        return ts in self._known

    def __iter__(self) -> Iterator[str]:
        """What is remembered, in the order in which it came."""
        return iter(self._known)
