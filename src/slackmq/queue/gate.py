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
        self._running: dict[str, list[Sighting]] = {}

    def wait(self, sighting: Sighting) -> float:
        """Seconds until a message may be begun; infinity: until another one has ended."""
        verdict = sighting.verdict
        if not isinstance(verdict, Accept):
            return 0.0
        wait = self._until(None, self.rate)
        if verdict.options.rate is not None:
            wait = max(wait, self._until(verdict.handler, verdict.options.rate))
        most = verdict.options.concurrency
        return math.inf if most is not None and len(self._busy(verdict.handler)) >= most else wait

    def begin(self, sighting: Sighting) -> None:
        """Count a message that is about to be claimed."""
        verdict = sighting.verdict
        if not isinstance(verdict, Accept):
            return
        now = self._clock.monotonic()
        if self.rate is not None:
            self._begun.setdefault(None, deque()).append(now)
        if verdict.options.rate is not None:
            self._begun.setdefault(verdict.handler, deque()).append(now)
        if verdict.options.concurrency is not None:
            self._running.setdefault(verdict.handler, []).append(sighting)

    def undo(self, sighting: Sighting) -> None:
        """Count a message no more that somebody else has claimed."""
        verdict = sighting.verdict
        if not isinstance(verdict, Accept):
            return
        if self.rate is not None and self._begun.get(None):
            self._begun[None].pop()
        if verdict.options.rate is not None and self._begun.get(verdict.handler):
            self._begun[verdict.handler].pop()
        if sighting in (running := self._running.get(verdict.handler, [])):
            running.remove(sighting)

    def _busy(self, handler: str) -> list[Sighting]:
        """What a handler works on: whatever has ended is busy no more."""
        running = [sighting for sighting in self._running.get(handler, ()) if sighting.busy]
        if handler in self._running:
            self._running[handler] = running  # one that is tried again counts once
        return running

    def _until(self, handler: str | None, rate: Rate | None) -> float:
        """Seconds until no more than the rate allows were begun within its time."""
        begun = self._begun.get(handler)
        if rate is None or not begun:
            return 0.0
        span, now = rate.per.total_seconds(), self._clock.monotonic()
        while begun and begun[0] <= now - span:
            begun.popleft()
        return 0.0 if len(begun) < rate.count else begun[-rate.count] + span - now
