"""Gate: how many messages this process may begin now, by what its handlers and its worker allow."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from slackmq.policy import Accept

if TYPE_CHECKING:
    from slackmq.clock import Clock
    from slackmq.options import Rate
    from slackmq.queue.sightings import Sighting

__all__ = ["Gate"]


class Gate:
    """Counts what was begun. What may not be begun yet is not claimed: another process may have it.

    Args:
        clock: the time of this process.

    Attributes:
        rate: how many messages may be begun in a time, whoever handles them; None: as many as there are.
    """

    def __init__(self, *, clock: Clock) -> None:
        self.rate: Rate | None = None
        self._clock = clock
        self._begun: dict[str | None, deque[float]] = {}
        self._running: dict[str, dict[Sighting, int]] = {}
        """By handler what it works on, and how many jobs of it at once."""

    def wait(self, sighting: Sighting) -> float:
        """Seconds until a message may be begun; infinity: until another one has ended."""
        verdict = sighting.verdict
        if not isinstance(verdict, Accept):
            return 0.0
        wait = self._paced(verdict)
        most = verdict.options.concurrency
        return math.inf if most is not None and self._busy(verdict.handler) >= most else wait

    def begin(self, sighting: Sighting) -> None:
        """Count a message that is about to be claimed."""
        verdict = sighting.verdict
        if not isinstance(verdict, Accept):
            return
        self._count(verdict)
        if (most := verdict.options.concurrency) is not None:
            hands = most - self._busy(verdict.handler) if sighting.message.batch else 1
            self._running.setdefault(verdict.handler, {})[sighting] = max(1, hands)

    def undo(self, sighting: Sighting) -> None:
        """Count a message no more that somebody else has claimed."""
        verdict = sighting.verdict
        if not isinstance(verdict, Accept):
            return
        if self.rate is not None and self._begun.get(None):
            self._begun[None].pop()
        if verdict.options.rate is not None and self._begun.get(verdict.handler):
            self._begun[verdict.handler].pop()
        self._running.get(verdict.handler, {}).pop(sighting, None)

    def width(self, sighting: Sighting) -> int | None:
        """How many jobs of a batch may be worked on at once: as many as its handler had free; None: it has no limit."""
        verdict = sighting.verdict
        if not isinstance(verdict, Accept) or verdict.options.concurrency is None:
            return None
        return self._running.get(verdict.handler, {}).get(sighting, 1)

    async def turn(self, sighting: Sighting) -> None:
        """Wait until one more job of a batch may be begun by the rates, and count it; its claim was the first one's."""
        verdict = sighting.verdict
        if not isinstance(verdict, Accept):
            return
        while (wait := self._paced(verdict)) > 0:
            await self._clock.sleep(wait)
        self._count(verdict)

    def _paced(self, verdict: Accept) -> float:
        """Seconds until the rates allow one more."""
        wait = self._until(None, self.rate)
        return wait if verdict.options.rate is None else max(wait, self._until(verdict.handler, verdict.options.rate))

    def _count(self, verdict: Accept) -> None:
        now = self._clock.monotonic()
        if self.rate is not None:
            self._begun.setdefault(None, deque()).append(now)
        if verdict.options.rate is not None:
            self._begun.setdefault(verdict.handler, deque()).append(now)

    def _busy(self, handler: str) -> int:
        """How many jobs a handler works on: whatever has ended is busy no more."""
        running = {sighting: hands for sighting, hands in self._running.get(handler, {}).items() if sighting.busy}
        if handler in self._running:
            self._running[handler] = running
        return sum(running.values())

    def _until(self, handler: str | None, rate: Rate | None) -> float:
        """Seconds until no more than the rate allows were begun within its time."""
        begun = self._begun.get(handler)
        if rate is None or not begun:
            return 0.0
        span, now = rate.per.total_seconds(), self._clock.monotonic()
        while begun and begun[0] <= now - span:
            begun.popleft()
        return 0.0 if len(begun) < rate.count else begun[-rate.count] + span - now
