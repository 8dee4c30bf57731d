"""Follower: keeps up with the log of a channel; events are hints, history is the truth."""

from __future__ import annotations

import logging
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import anyio

from slackmq.errors import Ambiguous, SlackMQError
from slackmq.kv.errors import RecordForeign, RecordTooNew, SecretMismatch, StoreMoved
from slackmq.kv.ledger import Ledger
from slackmq.kv.reading import is_record, record_of
from slackmq.kv.record import Record, micros
from slackmq.kv.skew import Skew
from slackmq.kv.snapshot import SNAPSHOT, Manifest, read_manifest
from slackmq.points import pause
from slackmq.slack.api import Arrived, Changed, Connected, Deleted, Disconnected

if TYPE_CHECKING:
    from collections.abc import Callable

    from slackmq.clock import Clock
    from slackmq.kv.errors import RecordRejected
    from slackmq.kv.ledger import Settled
    from slackmq.kv.log import State
    from slackmq.kv.record import Chain
    from slackmq.kv.seal import Seal
    from slackmq.policy import Timing
    from slackmq.slack.api import Event, Events, Page, Row, Slack

__all__ = ["DATED", "Follower"]

_log = logging.getLogger("slackmq.kv")
_RESCAN = 60.0
"""Seconds behind what is settled from where on every read reads: what shows up there was late."""
_GAP = 1.2
"""Seconds between two reads: 50 reads a minute are allowed (docs.slack.dev/reference/methods/conversations.history)."""
_BURST = 4
"""So many reads may follow each other at once after a rest. A read that waits for its budget is old when it comes."""
DATED = 1.0
"""Seconds by which Slack's Date header may be behind Slack's clock: it has whole seconds, rounded down."""
_PATIENCE = 60.0
"""Seconds for which a record whose writer knew more than is here may wait for what is missing to show up."""
_TICK = 0.001


class Follower:
    """Reads one channel, and settles its records.

    Args:
        slack: the workspace.
        events: hints of what happens there.
        timing: how often to read, and the skew.
        clock: the time of this process.
        seal: the channel's.
        authors: user ids of those who may write; None: everybody.
        told: gets what was settled, at once.

    Attributes:
        ledger: what was seen.
        skew: how long after a record no read can have missed it.
        rejected: how many messages looked like records and count for nobody.
        foreign: why one of them was rejected that was signed with a key that is not known here, if there was one.
        failure: why following ended, if it did: nothing will be settled any more.
        archived: the newest snapshot that was seen, if any.
        oldest: the oldest record that was seen, in microseconds by Slack's clock.
    """

    def __init__(
        self,
        slack: Slack,
        events: Events,
        *,
        timing: Timing,
        clock: Clock,
        seal: Seal,
        authors: frozenset[str] | None,
        told: Callable[[Settled], None],
    ) -> None:
        self.ledger = Ledger()
        self.skew = Skew(timing.skew.total_seconds())
        self.rejected = 0
        self.foreign: RecordForeign | None = None
        self.failure: SlackMQError | None = None
        self.archived: Manifest | None = None
        self.oldest = 1 << 62
        self._slack = slack
        self._events = events
        self._channel = seal.channel
        self._timing = timing
        self._clock = clock
        self._seal = seal
        self._authors = authors
        self._told = told
        self._refused: set[str] = set()
        self._wanted: list[int] = []
        self._asked = False
        self._begun = self._ended = 0
        self._connected = self._running = False
        self._spent = clock.monotonic()  # until then the budget for reads is used up, but for a burst
        self._news = anyio.Event()
        self._wake = anyio.Event()
        self._read_at = 0.0

    @property
    def state(self) -> State:
        """The state that is settled."""
        return self.ledger.state

    def chain(self) -> Chain:
        """What is known of the log, for a writer to say."""
        return self.state.chain()

    async def read(self, base: State | None = None) -> None:
        """Read the log once, from its beginning or from a snapshot on."""
        if base is not None:
            self.ledger = Ledger(base)
        await self._read()

    def begin(self) -> None:
        """See to it that what was read is whole.

        Raises:
            LogBroken: records were deleted or edited.
            SecretMismatch: the store has another key, or is encrypted.
            RecordTooNew: a record was written by a newer version.
            StoreMoved: the store goes on in another channel.
        """
        if self.failure is None and self.ledger.suspect is not None:
            self.failure = self.ledger.suspect
        self._check()

    async def run(self) -> None:
        """Read and listen until cancelled, or until it fails; then `failure` says why."""
        self._running = True
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._listen)
                await self._read_always()
        except* SlackMQError as group:
            self._fail(_first(group))

    def end(self, why: SlackMQError) -> None:
        """Tell all who wait that the store was closed."""
        if self.failure is None:
            self.failure = why
        self._announce()

    def remember(self, oldest: int, archived: Manifest | None) -> None:
        """Take note of what was seen before this process began: the oldest record, and the newest snapshot."""
        self.oldest = min(self.oldest, oldest)
        if archived is not None and (self.archived is None or self.archived.upto < archived.upto):
            self.archived = archived

    async def shows(self, at: int) -> bool:
        """Whether the channel shows a record of this ts, in microseconds."""
        row = await self._slack.row(self._channel, f"{at // 1_000_000}.{at % 1_000_000:06d}")
        return row is not None and isinstance(record_of(row, seal=self._seal, authors=self._authors), Record)

    async def settle(self, at: int) -> None:
        """Wait until everything up to a moment, in microseconds by Slack's clock, is settled.

        Raises:
            SlackMQError: following has failed.
        """
        self._want(at)
        while self.state.now < at:
            self._check()
            await self._news.wait()

    async def fresh(self) -> None:
        """Settle everything that any process was told to be written before this was called."""
        ticket = self._begun + 1
        self._asked = True
        self._wake.set()
        while self._ended < ticket:
            self._check()
            await self._news.wait()
        # Slack dated its answer to a call that was sent after this began, so this began before that second was over.
        await self.settle(round((self._slack.now() + DATED) * 1_000_000))

    async def news(self, within: float | None = None) -> None:
        """Wait until something was settled, `within` seconds at most.

        Raises:
            SlackMQError: following has failed.
        """
        self._check()
        with anyio.move_on_after(within):
            await self._news.wait()
        self._check()

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _fail(self, error: SlackMQError) -> None:
        if self.failure is not None:
            return
        self.failure = error
        if self._running and not isinstance(error, StoreMoved):  # before, whoever opens the store is told
            _log.error("stopped following %s: %s", self._channel, error)  # the sentence says it
        self._announce()

    def _announce(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    def _want(self, at: int) -> None:
        if at > self.state.now:
            heappush(self._wanted, at)
            self._wake.set()

    # events

    async def _listen(self) -> None:
        async with self._events.listen() as events:
            async for event in events:
                self._hear(event)

    def _hear(self, event: Event) -> None:
        match event:
            case Connected() | Disconnected():
                self._connected = isinstance(event, Connected)
                self._asked = True  # what was missed while the socket was closed only history tells
                self._wake.set()
            case Arrived(channel=self._channel, row=row):
                if self._see(row):
                    self._want(micros(row.ts))
            case Changed(channel=self._channel, row=row) if is_record(row):
                _log.warning("somebody edited the record %s", row.ts)
            case Deleted(channel=self._channel, ts=ts):
                _log.warning("somebody deleted the message %s; if it was a record, repair the store", ts)
            case _:
                pass

    # reading

    async def _read_always(self) -> None:
        failures = 0
        while True:
            await self._rest()
            try:
                await self._read()
                failures = 0
            except Ambiguous as error:
                failures += 1
                _log.warning("could not read %s: %s", self._channel, error)
                await self._clock.sleep(min(30.0, 2.0**failures) * (0.5 + self._clock.random() / 2))
            self._check()

    async def _rest(self) -> None:
        """Wait until a read is due: soon after what somebody waits for can be settled, now and then otherwise."""
        begun = self._clock.monotonic()
        period = (self._timing.quiet if self._connected else self._timing.scan).total_seconds()
        while True:
            now = self._clock.monotonic()
            left = max(self._spent - (_BURST - 1) * _GAP - now, min(begun + period - now, self._due()))
            if left <= 0:
                self._asked = False
                return
            self._wake = anyio.Event()
            with anyio.move_on_after(max(left, _TICK)):
                await self._wake.wait()

    def _due(self) -> float:
        """Seconds until a read would settle what is waited for."""
        while self._wanted and self._wanted[0] <= self.state.now:
            heappop(self._wanted)
        if self._asked:
            return 0.0
        if self.ledger.suspect is not None:
            return _GAP * 2
        if not self._wanted:
            return float("inf")
        return self._wanted[0] / 1_000_000 + self.skew.seconds + _TICK - self._slack.now()

    async def _read(self) -> None:
        self._begun += 1
        self._spent = max(self._spent, self._clock.monotonic()) + _GAP
        number, asked = self._begun, self._asked
        behind = self.ledger.floor if self.ledger.suspect else self.state.now - round(_RESCAN * 1_000_000)
        oldest = max(0, behind) / 1_000_000
        try:
            page = await self._slack.history(self._channel, oldest=oldest)
        except BaseException:
            self._asked = asked or self._asked or number > self._ended + 1
            raise
        await pause("after_scan")
        self._take_in(page)
        self._ended = number

    def _take_in(self, page: Page) -> None:
        """Take note of what a read showed."""
        settled, shown = self.state.now, list[int]()
        for row in page.rows:
            new = self._see(row)
            at = micros(row.ts)
            if new and at / 1_000_000 < self._read_at:
                self.skew.missed(self._read_at - at / 1_000_000)
            if new:
                shown.append(at)
            if new and at <= settled:
                _log.warning("the record %s showed up too late; the skew is %.1f s now", row.ts, self.skew.seconds)
        self._check()  # where a record cannot be read, nothing after it is known
        self._read_at = max(self._read_at, page.read_at)
        self._told(self.ledger.settle(round((page.read_at - self.skew.seconds) * 1_000_000)))
        for at in shown:
            self._want(at)  # no event may tell of it, and it shall not wait for the next read that is due anyway
        if self.state.closed:
            self._fail(StoreMoved(self.state.successor))
        suspect = self.ledger.suspect
        if suspect is not None and self._slack.now() - self.state.now / 1_000_000 > _PATIENCE:
            self._fail(suspect)
        self._announce()

    def _see(self, row: Row) -> bool:
        """Take note of a message; whether it is a record that was not seen before."""
        at = micros(row.ts)
        if at in self.ledger:
            return False
        if row.metadata is not None and row.metadata.type == SNAPSHOT:
            self._archive(row)
        if at <= self.ledger.floor:
            return False  # it is in the state already, whatever key it was signed with
        found = record_of(row, seal=self._seal, authors=self._authors)
        if isinstance(found, Record):
            self.oldest = min(self.oldest, at)
            return self.ledger.see(at, row.user, found)
        if isinstance(found, RecordTooNew | SecretMismatch):
            self._fail(found)
        elif found is not None and row.ts not in self._refused:
            self._refuse(row.ts, found)
        return False

    def _archive(self, row: Row) -> None:
        if row.metadata is None or (self._authors is not None and row.user not in self._authors):
            return
        manifest = read_manifest(row.metadata.payload, author=row.user, seal=self._seal)
        if isinstance(manifest, Manifest) and (self.archived is None or self.archived.upto < manifest.upto):
            self.archived = manifest

    def _refuse(self, ts: str, why: RecordRejected) -> None:
        self._refused.add(ts)
        self.rejected += 1
        self.foreign = why if isinstance(why, RecordForeign) else self.foreign
        _log.warning("the message %s counts for nobody: %s", ts, why)


def _first(group: BaseExceptionGroup[SlackMQError]) -> SlackMQError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
