"""Lookout: learns how those ended that others wait for, from whatever is read; what nothing shows it reads, seldom."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from slackmq.claiming.logged import ended_by
from slackmq.claiming.traces import Traces
from slackmq.errors import Ambiguous, MessageGone, SlackError
from slackmq.message import Message, Outcome, seconds
from slackmq.notes import Record
from slackmq.policy import ONCE, Accept
from slackmq.queue.awaited import End
from slackmq.queue.far import note_far
from slackmq.queue.held import AHEAD
from slackmq.slack.api import TOMBSTONE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from slackmq.claiming.thread import Thread
    from slackmq.claiming.way import Claiming
    from slackmq.clock import Clock
    from slackmq.envelope import Letter
    from slackmq.queue.past import Past
    from slackmq.queue.sightings import Sightings
    from slackmq.slack.api import Row

__all__ = ["Lookout"]

_log = logging.getLogger("slackmq.watch")
_SOON = 3.0
"""Seconds between the first looks at a message that somebody waits for and nothing shows; then twice as many."""
_SELDOM = 3600.0
"""Seconds between two such looks at most: what takes months costs a read an hour, neighbours one together."""
_SURE = 30.0
"""Seconds between two reads that show no message, and then it was deleted: longer than a read was ever late."""
_PACE = 3.0
"""Seconds between two looks: what is heard of meanwhile is read together."""


@dataclass(slots=True)
class _Look:
    """When to look at a message that somebody waits for.

    Attributes:
        at: when, on the monotonic clock.
        pause: seconds to rest after that.
        hinted: something was heard of its end, so what waits for it alone is read with it.
        missing: since when reads do not show it.
        replied: ts of the newest reply in its thread.
        read: the same when its thread was last read, and what it said.
    """

    at: float
    pause: float = _SOON
    hinted: bool = False
    missing: float | None = None
    replied: str | None = None
    read: str | None = None
    record: Record | None = None


class Lookout:
    """Looks after what others wait for.

    Events and the memory of this process are hints: what counts is a read of the message, for that every process sees
    alike, whoever ended it.

    Args:
        past: reads what stands further back.
        sightings: what is known of the channel, and who waits for what.
        claiming: what reads the end of a message.
        thread: what says it where no mark does.
        letter: the message of a row.
        show: takes in a row anew.
        clock: the time of this process.
    """

    def __init__(
        self,
        past: Past,
        sightings: Sightings,
        *,
        claiming: Claiming,
        thread: Thread,
        letter: Callable[[Row], Letter | None],
        show: Callable[[Row], object],
        clock: Clock,
    ) -> None:
        self._past = past
        self._sightings = sightings
        self._awaited = sightings.awaited
        self._claiming = claiming
        self._thread = thread
        self._letter = letter
        self._show = show
        self._clock = clock
        self._looks: dict[str, _Look] = {}
        self._hinted: set[str] = set()
        self._called: set[str] = set()
        self._noted = False

    async def run(self, news: Callable[[float | None], Awaitable[None]]) -> None:
        """Look after them until cancelled; `news` waits until something is seen, so many seconds at most."""
        while True:
            try:
                await self._note_far()
                if not await self.look():
                    await news(self._rest())
                    continue
            except Ambiguous as error:
                _log.warning("could not read %s: %s", self._past.channel, error)
            await self._clock.sleep(_PACE)

    async def look(self) -> set[str]:
        """Read what is due to be read: messages that others wait for, and those whose waiting is over."""
        wanted = self._due()
        if not wanted:
            return set()
        shown = await self._past.read(wanted)
        now = self._clock.monotonic()
        for ts in wanted & self._looks.keys():
            look = self._looks[ts]
            look.at, look.pause, look.hinted = now + look.pause, min(2 * look.pause, _SELDOM), False
            if ts not in shown:
                self._miss(ts, look, now)
            elif not self._tracked(ts) and look.replied != look.read:
                await self._read_thread(ts, look)
        self._heed()
        return shown

    def take_in(self, rows: Iterable[Row]) -> None:
        """Learn from a read of the channel, after all that it showed was taken in."""
        awaited = set(self._awaited)
        if not awaited and not self._called:
            return
        by_ts = {row.ts: row for row in rows}
        for ts in sorted(awaited & by_ts.keys()):
            self._notice(by_ts[ts])
        self._heed()
        for ts in sorted(self._called & by_ts.keys()):
            self._show(by_ts[ts])

    def hint(self, ts: str, *, deleted: bool = False) -> None:
        """Something was heard of the end of a message."""
        if ts not in self._awaited:
            return
        if deleted:
            sighting = self._sightings.get(ts)
            done = sighting is not None and sighting.ended is Outcome.DONE
            self._awaited.learn(ts, End.DONE if done else End.GONE)  # who tidies up deletes what is done
            self._heed()
        known = self._looks.get(ts) or _Look(at=0.0)
        self._looks[ts] = replace(known, at=self._clock.monotonic(), pause=_SOON, hinted=True)

    def _notice(self, row: Row) -> None:
        """Learn from one message that somebody waits for, as a read shows it."""
        now, sighting = self._clock.monotonic(), self._sightings.get(row.ts)
        look = self._looks.setdefault(row.ts, _Look(at=now))
        look.missing, look.replied = None, row.latest_reply
        record = sighting.record if sighting else look.record or Record()
        traces = Traces(record=record, watchers=sighting.watchers if sighting else frozenset())
        self._claiming.read(row, traces, now)
        ended = traces.ended or ended_by(record)
        if row.subtype == TOMBSTONE:
            self._awaited.learn(row.ts, End.GONE)
        elif ended is not None:
            dead = End.CANCELLED if traces.cancelled else End.DEAD
            self._awaited.learn(row.ts, End.DONE if ended is Outcome.DONE else dead)
        elif self._untaken(row, traces):
            self._awaited.learn(row.ts, End.UNTAKEN)
        else:
            if sighting or row.ts in self._sightings.held:
                self._awaited.follow(row.ts, self._sightings.elder(row.ts))
            if self._tracked(row.ts) or look.replied == look.read:
                look.at = max(look.at, now + look.pause)  # what other reads show needs no look

    def _untaken(self, row: Row, traces: Traces) -> bool:
        """Whether it is no job and nobody made it one: talk never ends."""
        letter = self._letter(row)
        job = letter is not None and letter.message.kind not in {None, ONCE}
        begun = traces.generation > 0 or bool(traces.record.entries)
        return (
            not job
            and not begun
            and self._past.slack.now() - seconds(row.ts) > self._past.timing.window.total_seconds()
        )

    def _tracked(self, ts: str) -> bool:
        """Whether this process would work on it, and so reads what its thread says."""
        sighting = self._sightings.get(ts)
        return sighting is not None and isinstance(sighting.verdict, Accept)

    def _miss(self, ts: str, look: _Look, now: float) -> None:
        """A read should have shown it."""
        if look.missing is None:
            look.missing, look.at = now, now + _SURE
        elif now - look.missing >= _SURE:
            self._awaited.learn(ts, End.GONE)

    async def _read_thread(self, ts: str, look: _Look) -> None:
        """Learn what only its thread may say: on some messages Slack takes no mark."""
        sighting, until = self._sightings.get(ts), look.replied
        look.record = sighting.record if sighting else look.record or Record()
        try:
            await self._thread.read(Message(channel=self._past.channel, ts=ts, author="", key=""), look.record)
        except MessageGone:
            self._awaited.learn(ts, End.GONE)
        else:
            look.read = until
            if ended := ended_by(look.record):
                self._awaited.learn(ts, End.DONE if ended is Outcome.DONE else End.DEAD)

    def _heed(self) -> None:
        """Pass on what was learnt: to what is known in full, and to what must be read for that."""
        for ts in self._awaited.stirred():
            sighting = self._sightings.get(ts)
            if sighting is not None:
                self._sightings.clear(sighting)
            else:
                self._called.add(ts)

    def _due(self) -> set[str]:
        """What to read now."""
        now, server, awaited = self._clock.monotonic(), self._past.slack.now(), set(self._awaited)
        for ts in sorted(awaited):
            sighting = self._sightings.get(ts)
            if ts not in self._looks:
                known = sighting is not None or ts in self._sightings.held
                self._looks[ts] = _Look(at=now + (AHEAD if known else 0.0))
            if sighting is not None and not sighting.open and ts not in self._hinted:
                self._hinted.add(ts)
                self.hint(ts, deleted=sighting.gone)
        for ts in self._looks.keys() - awaited:
            del self._looks[ts]
        self._hinted &= awaited
        looks = {ts for ts, look in self._looks.items() if look.at <= now}
        hinted = [ts for ts in looks if self._looks[ts].hinted]
        return looks | {each for ts in hinted for each in self._awaited.last_for(ts)} | self._over(server)

    def _over(self, server: float) -> set[str]:
        """What is held, waits no longer, and must be read for its arguments."""
        sightings = self._sightings
        timed = {message.ts for message in sightings.held if any(at <= server for at in _times(message))}
        held = ((ts, sightings.held.get(ts)) for ts in self._called | timed)
        self._called = {ts for ts, message in held if message and not sightings.waits(message, now=server)}
        return self._called

    def _rest(self) -> float | None:
        """Seconds until something is due by itself; None if nothing is."""
        now, server = self._clock.monotonic(), self._past.slack.now()
        looks = [look.at - now for look in self._looks.values()]
        times = [at - server for message in self._sightings.held for at in _times(message) if at > server]
        return min((*looks, *times), default=None)

    async def _note_far(self) -> None:
        """See to it that what has waited for days is found by whoever starts when all others have ended."""
        half = self._past.timing.reach.total_seconds() / 2
        oldest = min((message for message in self._sightings.held if message.after), key=_posted, default=None)
        if self._noted or oldest is None or self._past.slack.now() - seconds(oldest.ts) < half:
            return
        self._noted = True
        since = min(map(seconds, oldest.after)) - self._past.timing.window.total_seconds()  # an elder counts so long
        try:
            await note_far(self._past.slack, self._past.channel, since=since)
        except SlackError as error:
            _log.warning("cannot note that %s waits since days: %s", oldest.ts, error)


def _posted(message: Message) -> float:
    return seconds(message.ts)


def _times(message: Message) -> Iterator[float]:
    """When to look at a job that waits for others, whatever became of them, in seconds since 1970."""
    if message.after and message.delay is not None:
        yield message.due - AHEAD
    if message.after and message.expires is not None:
        yield message.expires
