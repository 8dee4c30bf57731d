"""Claims of bots of different apps: the pin is the register that they share, taken once; then the thread's log decides.

A pin can be taken off by anybody, so it is no lock by itself. The mark beside it, which no unpinning wipes away, makes
it a register that is written once; where it lapsed, or a person took it off, the job goes on by the log.
"""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio

from slackmq import policy
from slackmq.claiming.log import micros
from slackmq.claiming.logged import log_of
from slackmq.claiming.mark import mark
from slackmq.claiming.marks import Reading
from slackmq.claiming.way import Held
from slackmq.errors import (
    AlreadyPinned,
    AlreadyReacted,
    Ambiguous,
    LeaseLost,
    MessageGone,
    MessageLocked,
    TooManyPins,
    TooManyReactions,
)
from slackmq.message import Outcome, seconds
from slackmq.notes import Note
from slackmq.points import pause
from slackmq.policy import Read, Take, Wait
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from slackmq.claiming.log import Log
    from slackmq.claiming.logged import Logged
    from slackmq.claiming.marks import Marks
    from slackmq.claiming.thread import Thread
    from slackmq.claiming.traces import Traces
    from slackmq.clock import Clock
    from slackmq.message import Claim, Message
    from slackmq.notes import Kind
    from slackmq.policy import Action, Facts, Timing
    from slackmq.slack.api import Row, Slack

__all__ = ["SETTLING", "PinClaiming"]

_log = logging.getLogger("slackmq.pin")
_PAUSE = 1.0
"""Seconds between tries of a call that went unanswered."""
_MARKING = 3.0
"""Seconds after the pin within which its mark must stand, or the message is looked at once more."""
SETTLING = timedelta(seconds=_MARKING + 1.0)
"""How long a pin takes, besides the skew, until it may be trusted: its mark may be late, and it is looked at once more,
for which a second is reckoned. A lease that is shorter has lapsed by then, so every first claim would be in vain."""
_DOUBT = 2.0
"""Seconds by which the estimate of Slack's time may be early."""
_BARE = 24.0
"""Seconds for which a message must have been seen used and without a pin before it counts as given up: more than three
times the skew, a scan, and the time that a holder needs to notice and stop."""
_STAGGER = 1.5
"""Seconds between the first and the second bot that may pin a message, and so on: enough for the event of the pin."""


_RANKS = 4
"""So many places the order of bots has before they know each other."""


class PinClaiming:
    """Claims for bots of several apps, each with any number of processes. Implements `Claiming`.

    Args:
        slack: the workspace.
        logged: where claims after the first stand.
        thread: where their end is noted.
        marks: which emoji stand for what.
        timing: the time constants.
        clock: the time of this process.
        worker: the name under which it writes.
    """

    first = 1
    settles = True
    shared = True
    revocable = True

    def __init__(
        self,
        slack: Slack,
        logged: Logged,
        thread: Thread,
        *,
        marks: Marks,
        timing: Timing,
        clock: Clock,
        worker: str,
    ) -> None:
        self.generations = len(marks.generations)
        self._slack = slack
        self._logged = logged
        self._thread = thread
        self._marks = marks
        self._timing = timing
        self._clock = clock
        self._worker = worker
        self._margin = timing.margin.total_seconds()
        self._skew = timing.skew.total_seconds()
        self._me = ""
        self._apps: set[str] = set()
        """Who was seen to pin and to mark, as bots do."""
        self._warned = False

    async def open(self) -> None:
        """Learn who we are."""
        self._me = (await self._slack.identity()).user

    # what is known

    def read(self, row: Row, traces: Traces, now: float) -> None:
        """Take in pin, marks, and whether it ended: an end counts from whoever marked the pin or wrote a claim."""
        traces.seen_pin(row.pin, now)
        marked = row.reactions.get(self._marks.watched, frozenset())
        watchers = frozenset(user for user in marked if user == self._me or self._thread.trusts(user))
        traces.watchers |= watchers
        if row.pin is not None and row.pin.by in watchers:
            self._apps.add(row.pin.by)
        traces.used = traces.used or bool(watchers)
        workers = traces.watchers | {user for _, user, note in traces.record.entries.values() if note.note == "claim"}
        ended = next(
            (
                outcome
                for outcome in Outcome
                if outcome is not Outcome.RELEASED and row.reactions.get(self._marks.of(outcome), frozenset()) & workers
            ),
            None,
        )
        cancelled, first = self._wanted(row, self._marks.cancel), self._wanted(row, self._marks.first)
        traces.take_in(Reading(generation=int(traces.used), ended=ended, cancelled=cancelled, first=first), now)
        self._notice_unpinning(traces, now)

    def _wanted(self, row: Row, emoji: str) -> bool:
        """Whether a bot that works here has put an emoji on a message."""
        users = row.reactions.get(emoji, frozenset())
        return any(user == self._me or user in self._apps or self._thread.knows(user) for user in users)

    def _notice_unpinning(self, traces: Traces, now: float) -> None:
        """Our own pin is gone although we did not end: a person put the message back."""
        if traces.held_at is None or traces.ended is not None:
            return
        shown = traces.pin is not None and traces.pin.by == self._me
        if shown:
            traces.pin_shown = True
        elif traces.pin_shown or now - traces.held_at > 3 * self._skew:
            traces.put_back = True

    def decide(self, message: Message, traces: Traces, facts: Facts) -> Action:
        """Pin what is fresh, in the order of bots; go on in the log where the pin has lapsed."""
        wait = policy.patience(facts, self._timing)
        if wait is not None:
            return wait
        if not traces.used and not traces.capped and not facts.replied:
            return self._in_turn(message, facts)
        server = facts.age + seconds(message.ts)
        if self._adoptable(traces, facts, server):
            return Take(generation=1)
        if facts.unread:
            return Read()
        if facts.age - _DOUBT <= self._skew:
            return Wait(delay=self._skew + _DOUBT - facts.age)
        log = log_of(traces.record)
        due = self._due_at(traces, log, facts, server) - server
        return Wait(delay=due) if due > 0 else Take(generation=_next(log))

    def _in_turn(self, message: Message, facts: Facts) -> Action:
        """Pin when it is our turn, unless our budget is spent: who waits for that does not see who was faster."""
        delay = _STAGGER * self._rank(message) - (facts.settled_for if facts.doubtful else facts.known)
        delay = max(delay, 0.0 if self._slack.spare("pin") >= 1 else _PAUSE)
        return Wait(delay=delay) if delay > 0 else Take(generation=1)

    def _adoptable(self, traces: Traces, facts: Facts, server: float) -> bool:
        """Our app's pin without a mark: its process got no answer, or died between the two."""
        pin = traces.pin
        if pin is None or pin.by != self._me or traces.watchers or facts.replied:
            return False
        return server - pin.since < facts.lease / 2

    def _due_at(self, traces: Traces, log: Log, facts: Facts, server: float) -> float:
        """When the next claim may be written, seconds since 1970 by Slack's clock."""
        if log.hold is not None:
            given_up = log.hold.expires + self._margin
            return given_up if log.hold.retry_at is None else traces.again_at(log.hold.retry_at)
        given_back = [pin.retry_at for pin in log.pins.values() if pin.retry_at is not None]
        pin = traces.pin
        if pin is None:
            if given_back:
                return traces.again_at(max(given_back))
            bare_for = 0.0 if traces.bare_at is None else self._clock.monotonic() - traces.bare_at
            return server + (0.0 if traces.capped and not traces.used else _BARE - bare_for)
        told = log.pins.get(pin.by)
        if told is None:
            return pin.since + facts.lease + self._margin
        if told.retry_at is not None:
            return traces.again_at(told.retry_at)
        return told.expires(pin.since, facts.lease) + self._margin

    def _rank(self, message: Message) -> int:
        """This app's place among those that it knows, in the order in which they try to pin a message."""
        apps = self._apps | {self._me}
        if len(apps) < _RANKS - 1:  # as long as the others are not known, chance keeps us apart
            return _draw(self._me, message.ts)[0] % _RANKS
        return sorted(apps, key=lambda app: _draw(app, message.ts)).index(self._me)

    # claims

    async def take(self, message: Message, traces: Traces, generation: int, *, lease: float) -> Held | None:
        """Pin and mark a fresh message, or write a claim into the thread."""
        if generation > 1:
            return await self._take_logged(message, traces, generation, lease)
        if traces.used:
            return await self._adopt(message, traces, lease)
        if self._rank(message) and not await self._bare(message, traces):
            return None
        return await self._pin(message, traces, lease)

    async def _pin(self, message: Message, traces: Traces, lease: float) -> Held | None:
        # Its token must not be later than the pin: what is known of Slack's time before the call never is.
        token = round(self._slack.now() * 1_000_000)
        began = self._clock.monotonic()
        sent: float | None = None
        with anyio.move_on_after(lease / 2):
            try:
                sent = await self._slack.pin(message.channel, message.ts, urgency=Urgency.CLAIM)
            except TooManyPins as error:
                traces.capped = True
                self._warn(error)
                return None
            except AlreadyPinned:
                traces.used = True
                return None
            except Ambiguous:
                pass
        traces.used = True  # answered or not, it is tried once
        if sent is None:
            traces.bare_at = self._clock.monotonic()
            return None
        await pause("after_pin")
        pinned = self._clock.monotonic()
        tries = await self._watch(message, sent + lease / 2)
        if tries is None:
            return None
        marked = self._clock.monotonic()
        young = self._slack.now() + _DOUBT - seconds(message.ts) <= self._skew
        if not (young and tries == 1 and marked - began <= _MARKING):
            await self._clock.sleep(max(pinned + _MARKING, marked) + self._skew - marked)
            if not await self._alone(message, traces):
                return None
        return self._hold(traces, token, sent + lease)

    async def _bare(self, message: Message, traces: Traces) -> bool:
        """Look whether it bears no pin yet: whose turn came before may have pinned it, and a sibling heard of it.

        A read is one of 50 a minute, a pin one of 20.
        """
        row = await self._look(message, traces)
        return row is not None and not traces.used and traces.ended is None

    def _warn(self, error: TooManyPins) -> None:
        """Say once that messages are claimed in their threads now, which takes longer and costs more."""
        if not self._warned:
            self._warned = True
            _log.warning("%s Until then messages are claimed in their threads.", error)

    async def _adopt(self, message: Message, traces: Traces, lease: float) -> Held | None:
        """Go on with a pin of our app that nobody marked: the mark decides among our processes."""
        pin = traces.pin
        if pin is None or await self._watch(message, self._clock.monotonic() + lease / 4) is None:
            return None
        await self._clock.sleep(self._skew)
        if not await self._alone(message, traces):
            return None
        left = pin.since + lease - (self._slack.now() + _DOUBT)
        return self._hold(traces, pin.since * 1_000_000, self._clock.monotonic() + left)

    def _hold(self, traces: Traces, token: int, deadline: float) -> Held:
        traces.watchers |= {self._me}
        traces.held_at, traces.pin_shown, traces.put_back = self._clock.monotonic(), False, False
        return Held(token=token, deadline=deadline)

    async def _watch(self, message: Message, until: float) -> int | None:
        """Put the mark of the pin there: how many tries it took; None if another process of this app was first."""
        tries = 0
        while self._clock.monotonic() < until:
            tries += 1
            with anyio.move_on_after(until - self._clock.monotonic()):
                try:
                    await self._slack.react(message.channel, message.ts, self._marks.watched, urgency=Urgency.CLAIM)
                except Ambiguous:
                    await self._clock.sleep(_PAUSE)
                except (AlreadyReacted, MessageLocked, TooManyReactions):
                    return None  # after an unanswered try it may be ours, or another process's: nobody can tell
                else:
                    return tries
        return None

    async def _alone(self, message: Message, traces: Traces) -> bool:
        """Look late enough: the pin is ours, so is the only mark, nobody writes in the thread, and it has not ended."""
        row = await self._look(message, traces)
        if row is None or row.pin is None or traces.ended is not None:
            return False
        return row.pin.by == self._me and traces.watchers == frozenset({self._me}) and not row.replies

    async def _look(self, message: Message, traces: Traces) -> Row | None:
        try:
            row = await self._slack.row(message.channel, message.ts)
        except Ambiguous:
            return None
        if row is not None:
            self.read(row, traces, self._clock.monotonic())
            traces.latest_reply = row.latest_reply or traces.latest_reply
        return row

    async def _take_logged(self, message: Message, traces: Traces, generation: int, lease: float) -> Held | None:
        pin = traces.pin
        taken = await self._logged.take(
            message,
            traces,
            generation,
            lease=lease,
            base="" if pin is None else pin.by,
            since=0.0 if pin is None else float(pin.since),
        )
        if taken is None:
            return None
        row = await self._look(message, traces)
        other = row is not None and row.pin is not None and row.pin != pin
        if row is None or other or traces.ended is not None or log_of(traces.record).finished:
            await self._logged.withdraw(message, traces, taken.hold)
            return None
        traces.held_at, traces.put_back = None, False
        return Held(token=micros(taken.hold.ts), deadline=taken.sent + lease)

    async def extend(self, claim: Claim, traces: Traces, *, lease: float) -> Claim:
        """Write into the thread that it goes on, under the same token."""
        if traces.put_back:
            raise LeaseLost("Somebody took the pin off the message: it was put back.")
        about, base = self.release(claim, traces)
        return await self._logged.extend(claim, traces, lease=lease, about=about, base=base)

    def release(self, claim: Claim, traces: Traces) -> tuple[str, str]:
        """The op of a claim in the log, or this bot's user for its pin."""
        hold = log_of(traces.record).hold
        return (hold.op, "") if hold is not None and micros(hold.ts) == claim.token else ("", self._me)

    async def finish(self, claim: Claim, traces: Traces, outcome: Outcome) -> bool:
        """Mark the end; a claim of the log writes it there first, and the log says whether it counts."""
        about, _ = self.release(claim, traces)
        ours = self._clock.new_id()
        if about:
            kind: Kind = "dead" if outcome is Outcome.DEAD else "done"
            note = Note(note=kind, op=ours, token=claim.token, about=about, worker=self._worker)
            text = f"{kind}, by {self._worker}"
            await self._thread.write(claim.message, note, text, traces.record, urgency=Urgency.DONE)
            await pause("after_done_record")
        stands = await mark(self._slack, claim.message, self._marks.of(outcome), clock=self._clock)
        lapsed = self._clock.monotonic() >= claim.deadline
        if lapsed and not await self._reread(claim, traces):
            return False  # nobody can tell, and of two that take an end for theirs one would be wrong
        log = log_of(traces.record)
        return log.finished == ours if about else stands and not (lapsed and log.hold is not None)

    async def _reread(self, claim: Claim, traces: Traces) -> bool:
        """Read what others wrote while nothing of ours held; False if there was no answer, or nothing left to read."""
        await self._clock.sleep(self._skew)
        try:
            await self._thread.read(claim.message, traces.record, urgency=Urgency.CLAIM)
        except (Ambiguous, MessageGone):
            return False
        return True

    async def confirm(self, message: Message, outcome: Outcome) -> None:
        """Put the mark of an end that only the log tells, if Slack takes one: its author died between the two."""
        with suppress(TooManyReactions):
            await mark(self._slack, message, self._marks.of(outcome), clock=self._clock)


def _draw(app: str, ts: str) -> bytes:
    return hashlib.blake2b(f"{app}/{ts}".encode(), digest_size=8).digest()


def _next(log: Log) -> int:
    """The number of the next claim: the pin was the first."""
    return 2 if log.hold is None else log.hold.generation + 1
