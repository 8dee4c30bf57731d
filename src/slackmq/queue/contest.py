"""The contest for messages: which one to try next, and how to win it fairly."""

from __future__ import annotations

import hashlib
import logging
import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, assert_never

import anyio

from slackmq import policy
from slackmq.claiming.logged import ended_by
from slackmq.claiming.marks import Reading
from slackmq.errors import AlreadyReacted, Ambiguous, LeaseLost, MessageGone, MessageLocked, TooManyReactions
from slackmq.hooks import Claimed, Rejected
from slackmq.message import Claim, seconds
from slackmq.points import pause
from slackmq.policy import Accept, Facts, Ignore, Read, Take, Wait
from slackmq.queue.refusing import why_not
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from slackmq.claiming.thread import Thread
    from slackmq.claiming.way import Claiming, Held
    from slackmq.clock import Clock
    from slackmq.hooks import Hook
    from slackmq.message import Receipt
    from slackmq.policy import Action, Timing
    from slackmq.queue.ending import Ending
    from slackmq.queue.gate import Gate
    from slackmq.queue.sightings import Sighting, Sightings
    from slackmq.queue.watch import Watch
    from slackmq.slack.api import Slack

__all__ = ["Chosen", "Contest"]

_log = logging.getLogger("slackmq.contest")
_HEAD = 64
"""So many of the oldest messages are tried in an order of this process's own; the order of the rest is by age. With 16,
three busy workers tried the same message often enough to spend every sixth reaction in vain."""
_COURTESY = 2.0
"""Seconds for which a message that was only read is left to the process that got its event."""
_SHORTEST = 1.0
"""Seconds that a claim must have left when the work begins."""
_FULL = 60.0
"""Seconds until a message on which Slack takes no further emoji, or nothing at all, is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A message, and what to do about it now."""

    sighting: Sighting
    action: Action


class Contest:
    """Chooses messages and claims them.

    Args:
        slack: the workspace.
        claiming: the way to be the only one.
        watch: what keeps the sightings up to date.
        sightings: what is known of the channel.
        thread: where notes are read.
        ending: how messages end that no handler may see.
        timing: the time constants.
        clock: the time of this process.
        worker: its name.
        hook: told of claims and refusals.
        gate: how many may be begun now.
    """

    def __init__(
        self,
        slack: Slack,
        claiming: Claiming,
        *,
        watch: Watch,
        sightings: Sightings,
        thread: Thread,
        ending: Ending,
        timing: Timing,
        clock: Clock,
        worker: str,
        hook: Hook,
        gate: Gate,
    ) -> None:
        self._slack = slack
        self._claiming = claiming
        self._watch = watch
        self._sightings = sightings
        self._thread = thread
        self._ending = ending
        self._timing = timing
        self._clock = clock
        self._worker = worker
        self._hook = hook
        self._gate = gate
        self._shortlist: list[Sighting] = []
        self._idle: tuple[int, float] | None = None
        """Nothing is to be done as long as no more than this was seen, and until then on the monotonic clock."""

    def choose(self) -> Chosen | Wait:
        """What to do next, or how long there is nothing to do."""
        if self._watch.paused:
            return Wait()
        return self._from_shortlist() or self._from_memory() or self._from_all()

    def _from_memory(self) -> Wait | None:
        """What another task of this process found a moment ago: all that wait are woken by the same news."""
        if self._idle is None or self._idle[0] != self._watch.seen:
            return None
        left = self._idle[1] - self._clock.monotonic()
        return Wait(delay=None if left == math.inf else left) if left > 0 else None

    def _from_shortlist(self) -> Chosen | None:
        """The next of those that were the best when all were looked at, if there still is something to do for it."""
        while self._shortlist:
            sighting = self._shortlist.pop()
            if sighting.open and not sighting.busy:
                now = self._clock.monotonic()
                action = self._courteous(sighting, self._facts(sighting, now, self._slack.now()))
                if not isinstance(action, Wait) and sighting.not_before <= now:
                    return Chosen(sighting=sighting, action=action)
        return None

    def _from_all(self) -> Chosen | Wait:
        head: list[Chosen] = []
        delays: list[float] = []
        for chosen in self._considered():
            if not isinstance(chosen.action, Wait):
                head.append(chosen)
            elif chosen.action.delay is not None:
                delays.append(chosen.action.delay)
            if len(head) == _HEAD:
                break
        if head:
            # Those whose event came here came nowhere else. Among the rest each process has an order of its own, so
            # that those who read the same messages try different ones.
            head.sort(key=self._turn, reverse=True)
            best = head.pop()
            if (
                len(head) + 1 == _HEAD and not self._sightings.ranked
            ):  # a backlog: to look at all of it again for each message would cost a job's time
                self._shortlist = [chosen.sighting for chosen in head[_HEAD // 2 :]]
            return best
        wait = Wait(delay=min(delays, default=None))
        until = math.inf if wait.delay is None else self._clock.monotonic() + wait.delay
        self._idle = (self._watch.seen, until)
        return wait

    def consider(self, sighting: Sighting) -> Action:
        """What may be done about one message now."""
        return self._decide(sighting, self._facts(sighting, self._clock.monotonic(), self._slack.now()))

    def _decide(self, sighting: Sighting, facts: Facts) -> Action:
        return self._claiming.decide(sighting.message, sighting, facts)

    def _considered(self) -> Iterator[Chosen]:
        now, server = self._clock.monotonic(), self._slack.now()
        for sighting in self._sightings.open():
            if sighting.busy:
                continue
            if sighting.not_before > now:
                yield Chosen(sighting=sighting, action=Wait(delay=sighting.not_before - now))
            else:
                facts = self._facts(sighting, now, server)
                yield Chosen(sighting=sighting, action=self._courteous(sighting, facts))

    def _courteous(self, sighting: Sighting, facts: Facts) -> Action:
        action = self._decide(sighting, facts)
        if isinstance(action, Take) and (wait := self._gate.wait(sighting)) > 0:
            return Wait(delay=None if wait == math.inf else wait)
        if isinstance(action, Take) and action.generation == 1 and not sighting.heard and facts.age < _COURTESY:
            return Wait(delay=_COURTESY - facts.age)
        return action

    def _facts(self, sighting: Sighting, now: float, server: float) -> Facts:
        message = sighting.message
        given_back = sighting.record.releases.get(sighting.generation)
        retry_at = None if given_back is None else sighting.again_at(given_back)
        return Facts(
            verdict=sighting.verdict,
            age=server - seconds(message.ts),
            known=now - sighting.seen_at,
            canonical=self._sightings.canonical(message),
            doubtful=policy.doubtful(message),
            settled=sighting.settled,
            settled_for=0.0 if sighting.settled_at is None else now - sighting.settled_at,
            generation=sighting.generation,
            idle=now - sighting.first_seen.get(sighting.generation, now),
            lease=sighting.lease,
            unread=sighting.unread,
            retry_in=None if retry_at is None else retry_at + self._courtesy(sighting) - server,
            typed=message.kind is None,
            replied=sighting.latest_reply is not None,
            dropped_in=sighting.dropped_at - server,
            due_in=0.0 if message.delay is None or sighting.cancelled or sighting.failed else message.due - server,
            waits=sighting.uncleared and sighting.failed is None and not _to_be_dropped(sighting, server),
        )

    def _courtesy(self, sighting: Sighting) -> float:
        """Seconds for which an attempt that failed elsewhere is left to whoever tried it: all know when it is due."""
        failed = sighting.record.failed_elsewhere(sighting.generation, self._worker)
        return _COURTESY + self._timing.scan.total_seconds() if failed else 0.0

    def _turn(self, chosen: Chosen) -> tuple[tuple[bool, int], bool, bytes]:
        """The lowest goes first."""
        message, heard = chosen.sighting.message, chosen.sighting.heard
        rank = hashlib.blake2b(f"{self._worker}/{message.ts}".encode(), digest_size=8).digest()
        return chosen.sighting.rank, not heard, rank

    async def act(self, chosen: Chosen) -> Claim | None:
        """Do what was chosen; returns the claim if one was won."""
        sighting = chosen.sighting
        sighting.busy = True
        claim: Claim | None = None
        try:
            match chosen.action:
                case Take(generation=generation):
                    self._gate.begin(sighting)
                    claim = await self.win(sighting, generation)
                case Read():
                    await self._read(sighting)
                case Wait():
                    pass
                case _ as unreachable:
                    assert_never(unreachable)
        finally:
            sighting.busy = claim is not None
            if claim is None and isinstance(chosen.action, Take):
                self._gate.undo(sighting)
            self._idle = None
        return claim

    async def _read(self, sighting: Sighting) -> None:
        until = sighting.latest_reply
        try:
            await self._thread.read(sighting.message, sighting.record)
        except Ambiguous:
            self._leave_alone(sighting, self._timing.scan.total_seconds())
        except MessageGone:
            sighting.gone = True
        else:
            sighting.noted_until = until
            if self._heed(sighting) and sighting.ended is not None:
                await self._claiming.confirm(sighting.message, sighting.ended)

    async def read_threads(self) -> None:
        """Read the threads in which claims may be written or given back; a call each."""
        for sighting in self._sightings.with_threads():
            if sighting.unread and (sighting.generation or sighting.message.kind is not None):
                await self.read_thread(sighting)

    async def read_thread(self, sighting: Sighting) -> None:
        """Take in what a message's thread says."""
        try:
            await self._thread.read(sighting.message, sighting.record)
        except MessageGone:
            sighting.gone = True
        self._heed(sighting)

    def _heed(self, sighting: Sighting) -> bool:
        """Whether the thread says that the message has ended, where no mark does."""
        ended = ended_by(sighting.record)
        if ended is not None and sighting.ended is None:
            sighting.ended, sighting.ended_at = ended, self._clock.monotonic()
        return sighting.ended is not None

    async def win(self, sighting: Sighting, generation: int) -> Claim | None:
        """Take a generation of a message, and make sure that there is still something to do."""
        held = await self._take(sighting, generation)
        if held is None:
            return None
        sighting.take_in(Reading(generation=generation), self._clock.monotonic())
        await pause("after_claim_ok")
        claim = Claim(message=sighting.message, token=held.token, attempt=1, deadline=held.deadline)
        first = 1 if sighting.message.after else self._claiming.first  # what waited belongs to no socket
        if generation > first:
            successor: Claim | None = None
            with anyio.move_on_after(held.deadline - self._clock.monotonic()):
                successor = await self._succeed(sighting, claim, generation)
            if successor is None:
                return None
            claim = successor
        refused = True
        with anyio.move_on_after(claim.deadline - self._clock.monotonic()):  # then it is somebody else's to end
            refused = await self._refused(sighting, claim)
        if refused or claim.deadline - self._clock.monotonic() < _SHORTEST:
            return None
        self._hook(Claimed(claim=claim))
        return claim

    async def _take(self, sighting: Sighting, generation: int) -> Held | None:
        await pause("before_claim")
        try:
            held = await self._claiming.take(sighting.message, sighting, generation, lease=sighting.lease)
        except AlreadyReacted:
            sighting.take_in(Reading(generation=generation), self._clock.monotonic())
            return None
        except MessageGone:
            sighting.gone = True
            return None
        except (MessageLocked, TooManyReactions) as error:
            _log.warning("cannot claim %s: %s", sighting.message.ts, error)
            self._leave_alone(sighting, _FULL)
            return None
        if held is None:
            # No answer. Whether the generation is taken will be read; until then it is as good as somebody else's.
            self._leave_alone(sighting, self._timing.scan.total_seconds())
        return held

    def _leave_alone(self, sighting: Sighting, delay: float) -> None:
        sighting.not_before = self._clock.monotonic() + delay

    async def _succeed(self, sighting: Sighting, claim: Claim, generation: int) -> Claim | None:
        """Take over from an earlier holder: look again, count the attempt, write it down."""
        await pause("after_takeover")
        try:
            # Of several earlier holders one that was given up for dead may have ended it since.
            looked = self._claiming.settles or sighting.record.all_given_back(generation - 1)
            if not looked and not await self._look_again(sighting, claim):
                return None
            await self._thread.read(sighting.message, sighting.record, urgency=Urgency.CLAIM)
        except Ambiguous:
            return None
        except MessageGone:
            sighting.gone = True
            return None
        if self._heed(sighting):
            return None
        claim = replace(claim, attempt=sighting.record.attempts + 1)
        retry_at = 0.0 if self._claiming.settles else sighting.record.releases.get(generation - 1, 0.0)
        if retry_at > self._slack.now() + self._timing.skew.total_seconds() and not sighting.cancelled:
            # The earlier holder had given it back for later, which was not visible when this generation was taken.
            sighting.record.releases[claim.token] = retry_at
            return None
        over = sighting.record.refused or sighting.cancelled or sighting.uncleared
        if isinstance(sighting.verdict, Accept) and not over:
            await self._ending.begin(sighting, claim)
        return claim

    async def _look_again(self, sighting: Sighting, claim: Claim) -> bool:
        """Read the message once more, late enough to see a done mark that stood before our generation did."""
        await self._clock.sleep(self._watch.lag.skew)
        await pause("before_look")
        row = await self._slack.row(sighting.message.channel, sighting.message.ts)
        if row is None:
            sighting.gone = True
            return False
        reading = self._watch.read(row, sighting)
        return reading.ended is None and reading.generation <= claim.token

    async def _refused(self, sighting: Sighting, claim: Claim) -> bool:
        """End a message here and now that no handler may see."""
        if isinstance(sighting.verdict, Ignore):
            return True
        if sighting.cancelled:
            return await self._ended(sighting, self._ending.cancelled(sighting, claim))
        if sighting.uncleared and sighting.failed is None and claim.attempt > 1:
            return True  # somebody has begun it, or only meant to drop it: who knows what it waits for shall say
        link = partial((await self._slack.identity()).link, sighting.message.channel)
        reason = why_not(sighting, claim, now=self._slack.now(), link=link)
        if reason is None:
            return False
        self._hook(Rejected(message=sighting.message, reason=reason))
        return await self._ended(sighting, self._ending.dead(sighting, claim, reason, attempts=claim.attempt - 1))

    async def _ended(self, sighting: Sighting, ending: Awaitable[Receipt]) -> Literal[True]:
        try:
            await ending
        except LeaseLost as error:
            _log.warning("cannot end %s: %s", sighting.message.ts, error)
            self._leave_alone(sighting, _FULL)
        return True


def _to_be_dropped(sighting: Sighting, server: float) -> bool:
    """Whether what waits for others shall end all the same: cancelled, or expired before anybody began it.

    If somebody has, all were done by then, and this process will learn it; `server` in seconds since 1970.
    """
    expires = sighting.message.expires
    return sighting.cancelled or (expires is not None and expires < server and not sighting.begun)
