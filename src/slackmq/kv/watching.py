"""Watching: the changes that one watcher has still to be given."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from slackmq.kv.entry import Change

__all__ = ["Watching"]


class Watching:
    """Keeps the changes of keys that begin like this, in order, until they are taken.

    Args:
        prefix: of the keys.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._waiting: deque[Change] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def offer(self, changes: Iterable[Change]) -> None:
        """Keep those that concern it."""
        self._waiting.extend(change for change in changes if change.key.startswith(self._prefix))

    def taken(self) -> Iterator[Change]:
        """What waits, one by one."""
        while self._waiting:
            yield self._waiting.popleft()
