"""What waits for its time, or for others: of each such message as little as possible, until it may be begun."""

from __future__ import annotations

import heapq
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from slackmq.message import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from slackmq.message import Json, Message

__all__ = ["AHEAD", "FAR", "Held", "Stretch", "stretches"]

AHEAD = 60.0
"""Seconds before its time at which a delayed message is read again, so that one read does for all of a minute."""
FAR = 2 * AHEAD
"""What is due sooner is kept as it is: it might be read again before reads must show it."""
_NOTHING: Mapping[str, Json] = MappingProxyType({})
_LINE = 80
"""Characters that are kept of what people read."""
_FEW = 100
"""So many places in the order may be empty without being worth a look."""
_GAP = 3600.0
"""Seconds between two messages that are read with one call, at most."""
_WHOLE = 86_400.0
"""Seconds that one such call covers, at most."""

Stretch = tuple[float, float]
"""A part of a channel's past: later than the first, and up to the second, in seconds since 1970."""


class Held:
    """The messages of one channel whose time has not come, or that wait for others.

    Their arguments are not kept: what waits for months must not cost memory, and is read again when it is due.
    """

    def __init__(self) -> None:
        self._by_ts: dict[str, Message] = {}
        self._order: list[tuple[float, str]] = []

    def __contains__(self, ts: object) -> bool:
        return ts in self._by_ts

    def __len__(self) -> int:
        return len(self._by_ts)

    def __iter__(self) -> Iterator[Message]:
        """What is kept of each."""
        yield from list(self._by_ts.values())

    def get(self, ts: str) -> Message | None:
        """What is kept of a message; None if it is not held."""
        return self._by_ts.get(ts)

    def add(self, message: Message) -> None:
        """Remember a message until it may be begun."""
        if message.ts not in self._by_ts:
            self._by_ts[message.ts] = replace(message, body=_NOTHING, text=message.text[:_LINE])
            if message.after:  # when those are done nobody knows
                return
            heapq.heappush(self._order, (message.due, message.ts))
            if len(self._order) > 2 * len(self._by_ts) + _FEW:  # most were deleted long before their time
                self._order = [(each.due, each.ts) for each in self._by_ts.values() if not each.after]
                heapq.heapify(self._order)

    def drop(self, ts: str) -> Message | None:
        """Forget a message: its time has come, or it was deleted."""
        return self._by_ts.pop(ts, None)

    def next_due(self) -> float | None:
        """When the next one is due that waits for nothing else, in seconds since 1970; None if there is none."""
        while self._order and self._order[0][1] not in self._by_ts:
            heapq.heappop(self._order)
        return self._order[0][0] if self._order else None

    def due(self, now: float) -> list[str]:
        """The timestamps of those whose time has come; they are held until they are dropped."""
        if (first := self.next_due()) is None or first > now:
            return []
        return [ts for ts, message in self._by_ts.items() if message.due <= now and not message.after]


def stretches(messages: Iterable[str]) -> list[Stretch]:
    """The parts of a channel's past in which some messages stand, each for one read."""
    found: list[Stretch] = []
    for ts in sorted(map(seconds, messages)):
        if found and ts - found[-1][1] <= _GAP and ts - found[-1][0] <= _WHOLE:
            found[-1] = (found[-1][0], ts)
        else:
            found.append((ts - 1, ts))
    return found
