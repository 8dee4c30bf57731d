"""The past of a channel beyond what every scan reads: what waits from before, and what was delayed."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from slackmq.errors import Ambiguous
from slackmq.message import seconds
from slackmq.policy import scan_period
from slackmq.queue.far import read_far
from slackmq.queue.held import AHEAD, stretches

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from slackmq.clock import Clock
    from slackmq.policy import Timing
    from slackmq.queue.sightings import Sightings
    from slackmq.slack.api import Page, Slack

__all__ = ["Past"]

_log = logging.getLogger("slackmq.watch")
_STRETCH = 86_400.0
"""Seconds of a channel's past that are read at once, looking for what waits from before the window."""
_LONGEST_STRETCH = 16 * _STRETCH
_FEW = 200
"""So few messages in a stretch make the next one twice as long."""
_OVERDUE = 4
"""So many stretches of the past, in which delayed messages wait for their end, are read with each scan, in turn, and
fewer where several processes scan."""
_READS = 48.0
"""Reads of history a minute that all processes of the app shall need for scans and such stretches, of the 50 that they
have (docs.slack.dev/apis/web-api/rate-limits, Tier 3)."""


class Past:
    """Reads what lies further back.

    Args:
        slack: the workspace.
        channel: id of the channel.
        sightings: what is known of it.
        keep: takes in what a read shows.
        news: waits until something is seen, so many seconds at most.
        timing: how far back the channel is read anyway.
        clock: the time of this process.

    Attributes:
        slack: as given, as are `channel` and `timing`.
        since: how far back everything was read, in seconds since 1970.
    """

    def __init__(
        self,
        slack: Slack,
        channel: str,
        sightings: Sightings,
        *,
        keep: Callable[[Page], object],
        news: Callable[[float | None], Awaitable[None]],
        timing: Timing,
        clock: Clock,
    ) -> None:
        self.slack = slack
        self.channel = channel
        self._sightings = sightings
        self._keep = keep
        self._news = news
        self.timing = timing
        self._clock = clock
        self._turn = 0
        self._credit = 0.0
        self.since = math.inf

    async def known(self, running: Callable[[], bool]) -> None:
        """See to it that all is known that waits from before the window, as far back as workers look.

        Args:
            running: whether it is read by itself, all the time.
        """
        while running() and self.since:
            await self._news(self.timing.scan.total_seconds())
        if self.since:
            await self.look_back()

    async def look_back(self) -> None:
        """Once, find what waits from before the window: a whole fleet may have rested for days."""
        begin = latest = self.slack.now() - self.timing.window.total_seconds()
        reach = await read_far(self.slack, self.channel, reach=self.timing.reach.total_seconds())
        stretch = _STRETCH
        while latest > reach:
            oldest = max(reach, latest - stretch)
            try:
                page = await self.slack.history(self.channel, oldest=oldest, latest=latest)
            except Ambiguous as error:
                await self._rest(error)
                continue
            self.since = latest = oldest
            self._keep(page)  # whether every copy of a key was seen, the next scan tells: it begins at the oldest
            self._sightings.forget(before=begin)
            stretch = min(2 * stretch, _LONGEST_STRETCH) if len(page.rows) < _FEW else _STRETCH
        self.since = 0.0  # as far back as anything may wait

    async def call_up(self) -> None:
        """Read delayed messages again when their time comes; until then little of them is kept."""
        held = self._sightings.held
        while True:
            first = held.next_due()
            left = None if first is None else first - AHEAD - self.slack.now()
            if left is None or left > 0:
                await self._news(left)
                continue
            try:
                await self.due()
            except Ambiguous as error:
                await self._rest(error)

    async def due(self) -> set[str]:
        """Read those messages again whose time has come, or comes soon; what was seen."""
        messages = self._sightings.held.due(self.slack.now() + AHEAD)
        return await self.read(messages)

    async def overdue(self, *, before: float, connections: int | None) -> set[str]:
        """Read some of those deferred messages again that have not ended; what was seen.

        Only a read tells what the other processes did about them.

        Args:
            before: only those that were posted before this moment, in seconds since 1970.
            connections: how many sockets the app has open: so many processes scan as often as this one.
        """
        waiting = self._sightings.overdue(before=before)
        parts, scanning = stretches(waiting), connections or 1
        each = _READS / scanning * scan_period(self.timing, connections, busy=True) / 60
        self._credit = min(_OVERDUE, self._credit + max(0.0, each - 1))
        chosen = [parts[(self._turn + n) % len(parts)] for n in range(min(int(self._credit), len(parts)))]
        self._turn += len(chosen)
        self._credit -= len(chosen)
        return await self.read([ts for ts in waiting if any(oldest < seconds(ts) <= to for oldest, to in chosen)])

    async def read(self, messages: Collection[str]) -> set[str]:
        """Read some messages, neighbours with one call; what was seen, and what stands between them."""
        shown: set[str] = set()
        for oldest, latest in stretches(messages):
            page = await self.slack.history(self.channel, oldest=oldest, latest=latest)
            self._keep(page)
            shown |= {row.ts for row in page.rows}
            for ts in messages:
                if oldest < seconds(ts) <= latest and ts not in shown:
                    self._sightings.let_go(ts)  # it was deleted meanwhile
        return shown

    async def _rest(self, error: Ambiguous) -> None:
        _log.warning("could not read %s: %s", self.channel, error)
        await self._clock.sleep(self.timing.scan.total_seconds())
