"""Keeps a process's sightings of a channel up to date: events are hints, history is the truth."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import anyio

from slackmq import policy
from slackmq.claiming.traces import Traces
from slackmq.envelope import Letter
from slackmq.errors import Ambiguous, SlackError, first
from slackmq.message import seconds
from slackmq.points import pause
from slackmq.queue.lag import Lag
from slackmq.queue.letters import Letters
from slackmq.queue.lookout import Lookout
from slackmq.queue.past import Past
from slackmq.queue.sightings import Sighting
from slackmq.queue.standstill import Standstill
from slackmq.slack.api import TOMBSTONE, Added, Arrived, Changed, Connected, Deleted, Disconnected, Pinned, Unpinned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slackmq.claiming.marks import Marks, Reading
    from slackmq.claiming.thread import Thread
    from slackmq.claiming.way import Claiming
    from slackmq.clock import Clock
    from slackmq.errors import SlackMQError
    from slackmq.hooks import Hook
    from slackmq.message import Message
    from slackmq.policy import Timing, Verdict
    from slackmq.queue.sightings import Sightings
    from slackmq.slack.api import Event, Events, Page, Pin, Row, Slack

__all__ = ["Watch"]

_log = logging.getLogger("slackmq.watch")
_DEEP = 3600.0
"""Seconds between two scans of the whole window."""
_LEAST = 0.01
"""Seconds that a wait for news lasts at least."""
_TYPED = 3600.0
"""Seconds after which what a person typed is not looked for any more if nobody began it."""


class Watch:
    """Reads one channel, all the time.

    Args:
        slack: the workspace.
        events: hints of what happens there.
        channel: id of the channel.
        me: user id of this bot.
        sightings: where it is remembered.
        select: whether a handler here takes a message.
        named: whether this process has a name, by which jobs may be meant for it.
        marks: which emoji stand for what.
        claiming: what reads the claims of a message.
        thread: what reads its thread.
        timing: how often to read, and how far back.
        clock: the time of this process.
        peers: bots of other apps that may post jobs for us where several share the work; None: every bot.
        bots: whether what bots say, and what comes with a file, is as good as what a person typed.
        hook: told of how late Slack is.

    Attributes:
        running: whether it reads all the time.
        lag: how late it is, and the skew that follows.
        past: reads what lies further back.
        eager: whether it reads often though nothing is unfinished: of what is for this process another may be told.
    """

    def __init__(
        self,
        slack: Slack,
        events: Events,
        *,
        channel: str,
        me: str,
        sightings: Sightings,
        select: Callable[[Message], Verdict],
        named: bool,
        marks: Marks,
        claiming: Claiming,
        thread: Thread,
        timing: Timing,
        clock: Clock,
        peers: frozenset[str] | None = None,
        bots: bool = False,
        hook: Hook,
    ) -> None:
        self._slack = slack
        self._events = events
        self._channel = channel
        self._me = me
        self._sightings = sightings
        self._select = select
        self._named, self.eager = named, False
        self._marks = marks
        self._claiming = claiming
        self._timing = timing
        self._clock = clock
        self._hook = hook
        self.lag = Lag(skew=timing.skew.total_seconds(), longest=timing.lease.total_seconds() / 2)
        self._news = anyio.Event()
        self.cancelled = anyio.Event()
        """Set when what this process works on is seen to be cancelled, and again at each later read."""
        self.shown: frozenset[str] = frozenset()
        """What the last scan showed: all that is recent, and all that is known and unfinished."""
        self.seen = 0  # how often anything was
        self._rescan = object()
        self.connections: int | None = None
        """How many sockets the app had open when this process opened its own; None without one."""
        self._deaf = False
        self._deep_at: float | None = None
        self._read_at = math.inf
        self._unknown_claim = False
        self._letters = Letters(channel=channel, me=me, shared=claiming.shared, peers=peers, bots=bots)
        self.letter = self._letters.letter
        self.past = Past(slack, channel, sightings, keep=self._keep, news=self.news, timing=timing, clock=clock)
        self._lookout = Lookout(
            self.past, sightings, claiming=claiming, thread=thread, letter=self.letter, show=self._show, clock=clock
        )
        self.look_after = self._lookout.look
        self.received_at: float | None = None
        """When the channel was last read or heard of, on the monotonic clock."""
        self.wish: Callable[[str, str, Mapping[str, frozenset[str]]], None] | None = None
        """Who is told of everybody's emoji: channel, message, emoji and users."""
        self.running = False
        self._standstill = Standstill(slack, channel, shared=claiming.shared)
        self.failure: SlackMQError | None = None
        """Why watching ended, if it did: nothing will be seen any more."""

    def wake(self) -> None:
        """Let everybody who waits for news look again."""
        self.seen += 1
        self._news.set()
        self._news = anyio.Event()

    async def news(self, within: float | None) -> None:
        """Wait until something was seen, `within` seconds at most."""
        # Clocks differ a little: without a least wait a deadline a hair away would be asked for again and again.
        with anyio.move_on_after(None if within is None else max(within, _LEAST)):
            await self._news.wait()

    @property
    def paused(self) -> bool:
        """Whether somebody wants nothing to be begun in this channel."""
        return self._standstill.paused

    @property
    def channel(self) -> str:
        """Id of the channel."""
        return self._channel

    async def run(self) -> None:
        """Scan and listen until cancelled, or until Slack refuses; then `failure` says why."""
        self.running = True
        self._deep_at, self._read_at, self.past.since = None, math.inf, math.inf  # that was perhaps long ago
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._listen)
                tasks.start_soon(self._scan_always)
                tasks.start_soon(self._look_back)
                tasks.start_soon(self.past.call_up)
                tasks.start_soon(self._lookout.run, self.news)
        except* SlackError as group:
            self.give_up(first(group))

    def give_up(self, why: SlackMQError) -> None:
        """Let everybody who claims here be told why nothing will be claimed any more."""
        self.failure = self.failure or why
        _log.error("stopped watching %s: %s", self._channel, why)  # the sentence says it
        self.wake()

    async def _listen(self) -> None:
        async with self._events.listen() as events:
            async for event in events:
                self.received_at = self._clock.monotonic()
                self.hear(event)

    async def _scan_always(self) -> None:
        while True:
            rescan = self._rescan
            try:
                await self._standstill.look(skew=self.lag.skew)
                await self.scan()
            except Ambiguous as error:
                _log.warning("could not read %s: %s", self._channel, error)
            await self._rest(rescan)

    def _notice_pause(self, row: Row) -> None:
        """A message says that somebody paused or resumed."""
        if self._letters.trusts(row) and self._standstill.notice(row):
            self._rescan = object()

    async def _look_back(self) -> None:
        while self._deep_at is None:
            await self.news(None)
        await self.past.look_back()

    async def _rest(self, rescan: object) -> None:
        """Wait until the next scan is due: soon if something is unfinished, and at once when a socket has opened."""
        scanned = self._clock.monotonic()
        busy_since: float | None = None
        while self._rescan is rescan:
            now, talk = self._clock.monotonic(), self._slack.now() - _TYPED
            busy = self.eager or self._deaf or self._unknown_claim or self._sightings.unfinished(typed_since=talk)
            busy_since = None if not busy else busy_since or now
            left = (busy_since or scanned) + policy.scan_period(self._timing, self.connections, busy=busy) - now
            if left <= 0:
                return
            await self.news(left)

    async def scan(self) -> None:
        """Read the channel once: the recent part, and whatever is still open; now and then the whole window."""
        now = self._slack.now()
        window = self._timing.window.total_seconds()
        deep = self._deep_at is None or self._clock.monotonic() - self._deep_at >= _DEEP
        oldest = now - (window if deep else self._timing.rescan.total_seconds())
        if self.running or not deep:  # it may have been cut off since it read last
            oldest = min(oldest, self._read_at - self.lag.skew)
        unfinished = self._sightings.oldest_unfinished(typed_since=now - _TYPED)
        if unfinished is not None:
            oldest = min(oldest, unfinished - 1)
        self._unknown_claim = False
        page = await self._slack.history(self._channel, oldest=max(0.0, oldest))
        await pause("after_scan")
        self.shown = frozenset(row.ts for row in page.rows)
        self.lag.read(read_at=page.read_at, oldest=oldest, shown=frozenset(map(seconds, self.shown)))
        self.lag.tell(self._hook)
        self.shown |= await self.past.due() | await self.past.overdue(before=oldest, connections=self.connections)
        if deep:
            self.past.since = min(self.past.since, oldest)
        self.take_in(page)
        self._read_at = page.read_at
        if not self.running:
            self.shown |= await self._lookout.look()
        if deep:
            self._deep_at = self._clock.monotonic()
            self._sightings.forget(before=now - window)

    def take_in(self, page: Page) -> None:
        """Remember what a read of the channel showed."""
        now = self._keep(page)
        since = self.past.since if self.running else 0.0
        self._sightings.settle(read_at=page.read_at, skew=self.lag.skew, now=now, since=since)

    def _keep(self, page: Page) -> float:
        now = self.received_at = self._clock.monotonic()
        for row in page.rows:
            self._notice_pause(row)
            if self.wish is not None:
                self.wish(self._channel, row.ts, row.reactions)
            self._show(row)
        self._lookout.take_in(page.rows)
        self.wake()
        return now

    def _show(self, row: Row) -> None:
        """Take in a message as a read showed it."""
        if (sighting := self.see(row)) is not None:
            self._claiming.read(row, sighting, self._clock.monotonic())
            sighting.latest_reply = row.latest_reply or sighting.latest_reply
            self._heed(sighting)

    def hear(self, event: Event) -> None:
        """Remember what an event said."""
        match event:
            case Connected() | Disconnected():
                self._deaf = isinstance(event, Disconnected)
                self.connections = self.connections if isinstance(event, Disconnected) else event.connections
                self._rescan = object()  # what is missed while the socket is closed only history tells
            case Arrived(channel=self._channel):
                self._hear_of(event)
            case Changed(channel=self._channel, row=row):
                self._see_again(row)
            case Deleted(channel=self._channel, ts=ts):
                self._lookout.hint(ts, deleted=True)
                self._sightings.let_go(ts)
                if sighting := self._sightings.get(ts):
                    sighting.gone = True
            case Added(channel=self._channel, user=self._me):
                self._hear_mark(event)
            case Added() if self.wish is not None:
                self.wish(event.channel, event.ts, {event.emoji: frozenset({event.user})})
            case Pinned(channel=self._channel, ts=ts, pin=pin):
                self._hear_pin(ts, pin)
            case Unpinned(channel=self._channel, ts=ts):
                self._hear_pin(ts, None)
            case _:
                return
        self.wake()

    def _hear_of(self, event: Arrived) -> None:
        self._notice_pause(event.row)
        new = self._sightings.get(event.row.ts) is None
        if new and not event.redelivered:
            self.lag.heard(seconds(event.row.ts), self._slack.now())
            self.lag.tell(self._hook)
        if sighting := self.see(event.row):
            sighting.heard = True
            sighting.fresh_event = new and not event.redelivered

    def _hear_mark(self, event: Added) -> None:
        sighting = self._sightings.get(event.ts)
        if sighting is None and self._marks.generation(event.emoji):
            self._unknown_claim = True  # of a message whose own event went elsewhere: it is looked for soon
        elif sighting is None and self._marks.outcome(event.emoji):
            self._lookout.hint(event.ts)
        elif sighting is not None:
            sighting.echoed = max(sighting.echoed, self._marks.generation(event.emoji))
            reading = self._marks.read({event.emoji: frozenset({event.user})}, self._me)
            sighting.take_in(reading, self._clock.monotonic())
            self._heed(sighting)

    def _heed(self, sighting: Sighting) -> None:
        """Pass on what marks order: to be the next one, or to stop."""
        self._sightings.ranked = self._sightings.ranked or sighting.first
        if sighting.cancelled and sighting.busy:
            self.cancelled.set()
            self.cancelled = anyio.Event()

    def _hear_pin(self, ts: str, pin: Pin | None) -> None:
        sighting = self._sightings.get(ts)
        if sighting is None:
            return
        if pin is None:
            sighting.taken_off = sighting.pin or sighting.taken_off
        sighting.seen_pin(pin, self._clock.monotonic())
        if pin is None and sighting.held_at is not None and sighting.open:
            sighting.put_back = True  # bots take off no pin of a message that has not ended

    def see(self, row: Row) -> Sighting | None:
        """Remember a message that a read or an event showed; None if it does not concern the queue."""
        known = self._sightings.get(row.ts)
        if known is not None and row.subtype == TOMBSTONE:
            known.gone = True
            return None
        if known is not None:
            return self._see_again(row)
        letter = self.letter(row)
        if letter is None:
            return None
        waits = letter.message.deferred and self._sightings.waits(letter.message, now=self._slack.now())
        if waits and not self._is_over(row):
            self._sightings.hold(letter.message)
            return None
        begun = self._marks.of_row(row, self._me).generation > 0
        begun = begun or self._me in row.reactions.get(self._marks.watched, ())
        verdict = policy.verdict_on(letter, self._select, begun=begun)
        if isinstance(verdict, policy.Ignore):
            self._sightings.let_go(row.ts)
            return None
        return self._remember(letter, verdict)

    def _is_over(self, row: Row) -> bool:
        """Whether a message has ended, or shall, whatever it waits for."""
        traces = Traces()
        self._claiming.read(row, traces, self._clock.monotonic())
        return traces.ended is not None or traces.cancelled

    def meet(self, message: Message) -> Sighting:
        """Remember a message that somebody shows in full, also one that nobody here takes."""
        known, letter = self._sightings.get(message.ts), Letter(message=message)
        return known or self._remember(letter, policy.verdict_on(letter, self._select))

    def _remember(self, letter: Letter, verdict: policy.Verdict) -> Sighting:
        selected, generations = self._select(letter.message), len(self._marks.generations)
        lease = policy.lease_of(letter.message, selected, self._timing, generations)
        new = Sighting(letter=letter, verdict=verdict, lease=lease, seen_at=self._clock.monotonic())
        self.eager = self.eager or new.for_every_bot or (self._named and bool(letter.message.on))
        return self._sightings.add(new)

    def _see_again(self, row: Row) -> Sighting | None:
        """A message that is known: only an edit changes what is known of its content."""
        known = self._sightings.get(row.ts)
        letter = self.letter(row) if known and row.edited else None
        if known and letter and letter.error and not known.busy:
            known.correct(letter, policy.verdict_on(letter, self._select, begun=known.generation > 0))
        if known and row.edited:
            known.take_in(self._marks.of_row(row, self._me), self._clock.monotonic())
        return known

    def read(self, row: Row, sighting: Sighting) -> Reading:
        """Look at a message again on behalf of its new holder: its marks, and whether it was edited."""
        reading = self._marks.of_row(row, self._me)
        self._claiming.read(row, sighting, self._clock.monotonic())
        letter = self.letter(row)
        if letter is not None and letter.error is not None:
            sighting.correct(letter, policy.verdict_on(letter, self._select, begun=True))
        return reading
