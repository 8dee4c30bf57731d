"""Ticking: posts what a program wants posted by itself, once, although every replica keeps the time."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio

from slackmq.clock import SYSTEM
from slackmq.errors import Ambiguous
from slackmq.schedule import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slackmq.clock import Clock
    from slackmq.queue.turnstile import Turnstile
    from slackmq.schedule import Schedule

__all__ = ["Ticking"]

_log = logging.getLogger("slackmq.schedule")
_AGAIN = 10.0
"""Seconds until it is tried again where no answer came."""
_STRETCH = timedelta(days=1)
"""How much of the past is read first; then twice as much, and again."""
_SOON = timedelta(hours=1)
"""How long after its time a tick is looked for that must be older than the reach."""


class Ticking:
    """Keeps the time of some schedules.

    Args:
        turnstile: lets one process pass.
        schedules: what is posted when.
        reach: how far back the channel is read for the last tick that was posted.
        clock: the time of this process.
    """

    def __init__(
        self, turnstile: Turnstile, schedules: Iterable[Schedule], *, reach: timedelta, clock: Clock = SYSTEM
    ) -> None:
        self._turnstile = turnstile
        self._schedules = tuple(schedules)
        self._reach = reach
        self._clock = clock

    async def run(self) -> None:
        """Post what is due, until cancelled.

        Raises:
            SlackError: Slack refuses a post.
        """
        begun = self._now()
        last = await self._look_back()
        async with anyio.create_task_group() as tasks:
            for number, schedule in enumerate(self._schedules):
                tasks.start_soon(self._keep, schedule, *last.get(number, (begun, None)))

    async def _keep(self, schedule: Schedule, since: datetime, latest: str | None) -> None:
        while True:
            now = self._now()
            try:
                for tick in schedule.due(since=since, now=now):
                    latest = await self._post(schedule, tick, latest)
                    since = tick
            except Ambiguous as error:
                await self._rest(error)
                continue
            since = max(since, now)
            await self._turnstile.until(schedule.ticks.after(since).timestamp())

    async def _look_back(self) -> dict[int, tuple[datetime, str]]:
        """The last tick of each schedule that anybody posted, and its ts."""
        found: dict[int, tuple[datetime, str]] = {}
        latest, stretch = self._now(), _STRETCH
        end = latest - self._reach
        while latest > end and len(found) < len(self._schedules):
            oldest = max(end, latest - stretch)
            posted = await self._between(PREFIX, oldest, latest)
            for number, schedule in enumerate(self._schedules):
                if last := _newest(schedule, posted):
                    found.setdefault(number, last)
            latest, stretch = oldest, 2 * stretch
        for number, schedule in enumerate(self._schedules):
            if number not in found and (last := await self._long_ago(schedule, end)):
                found[number] = last
        return found

    async def _long_ago(self, schedule: Schedule, end: datetime) -> tuple[datetime, str] | None:
        """The last tick before the reach of what is due so seldom, sought where it must stand if it was posted."""
        tick = schedule.ticks.before(end + timedelta(seconds=1))
        if tick is None:
            return None
        return _newest(schedule, await self._between(schedule.prefix, tick, tick + _SOON))

    async def _between(self, prefix: str, oldest: datetime, latest: datetime) -> dict[str, str]:
        while True:
            try:
                return await self._turnstile.between(prefix, oldest.timestamp(), latest.timestamp())
            except Ambiguous as error:
                await self._rest(error)

    async def _rest(self, error: Ambiguous) -> None:
        _log.warning("it is tried again: %s", error)
        await self._clock.sleep(_AGAIN)

    async def _post(self, schedule: Schedule, tick: datetime, latest: str | None) -> str | None:
        """Post a tick, or leave it to another process; the ts of its post, as far as it is known."""
        key = schedule.key(tick)
        async with self._turnstile.turn(key, after=latest) as ours:
            if ours:
                task = schedule.task.keyed(key)
                return (await (task.post(tick=tick) if task.takes("tick") else task.post())).ts
        standing = self._turnstile.standing(key)
        return latest if standing is None else standing.ts

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._turnstile.now(), UTC)


def _newest(schedule: Schedule, posted: dict[str, str]) -> tuple[datetime, str] | None:
    """The last tick of a schedule among some posts, and its ts."""
    ticks = [(tick, ts) for key, ts in posted.items() if (tick := schedule.tick_of(key))]
    return max(ticks, default=None)
