"""Chorus: what every process does that has the handler, each once and in its own name; nobody claims it."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from slackmq.answer import Answer, answer_of
from slackmq.claiming.mark import mark
from slackmq.claiming.marks import Reading
from slackmq.dead import LONGEST_REASON
from slackmq.errors import Ambiguous, MessageGone, MessageLocked, TooManyReactions
from slackmq.hooks import Claimed, Failed, Finished, Lost
from slackmq.message import Claim, Mrkdwn, Outcome, Receipt, seconds
from slackmq.notes import Record
from slackmq.points import pause
from slackmq.policy import Accept, Wait, doubtful
from slackmq.queue.progress import Progress
from slackmq.redaction import redacted
from slackmq.slack.markup import escape

if TYPE_CHECKING:
    from collections.abc import Callable

    from slackmq.errors import LeaseLost
    from slackmq.message import Message
    from slackmq.nameplate import Nameplate
    from slackmq.queue.awaited import Undone
    from slackmq.queue.parts import Parts
    from slackmq.queue.sightings import Sighting
    from slackmq.queue.watch import Watch

__all__ = ["Chorus"]

_log = logging.getLogger("slackmq.queue")
_DOUBT = 5.0
"""Seconds by which the estimate of Slack's time may be off, and the time in which one process follows another."""
_ENDLESS = 86_400.0 * 365
"""Seconds until such a claim lapses: nobody could take it over."""
_AT_ONCE = timedelta(0)


class Chorus:
    """Does what is for every bot. Implements `slackmq.queue.lease.Keeper`.

    What this process did stands in the thread under its name, and there only: the check mark says that somebody did it.
    A process that was given a name looks there for what it did before its start; one without does only what was
    posted since.

    Args:
        parts: what the queue is made of.
        watch: what reads the channel.
        here: what this process is called.
        since: when it started, by Slack's clock, in seconds since 1970.
    """

    def __init__(self, parts: Parts, watch: Watch, *, here: Nameplate, since: float) -> None:
        self._parts = parts
        self._watch = watch
        self._here = here
        self._since = since
        self._todo = parts.sightings.for_every_bot
        self._attempts: dict[str, int] = {}
        """ts -> the attempt that comes next, of what was begun or looked up."""

    def choose(self) -> Sighting | Wait:
        """What to begin next, or how long there is nothing."""
        if self._watch.paused:
            return Wait()
        least = math.inf
        for sighting in list(self._todo.values()):
            wait = self._wait(sighting)
            if wait is None:
                self._drop(sighting)
            elif wait <= 0:
                return sighting
            else:
                least = min(least, wait)
        return Wait(delay=None if least == math.inf else least)

    @property
    def waits(self) -> bool:
        """Whether there is something that this process will do before long."""
        now = self._parts.slack.now()
        todo = [sighting for sighting in self._todo.values() if sighting.message.due <= now and not sighting.busy]
        return any(self._parts.sightings.canonical(each.message) and self._wait(each) is not None for each in todo)

    async def begin(self, sighting: Sighting) -> Claim | None:
        """Begin it, unless the thread says that a process of this name has done it before."""
        sighting.busy = True
        if sighting.failed is not None:
            await self._refuse(sighting, sighting.failed)
            return None
        self._parts.gate.begin(sighting)
        claim: Claim | None = None
        try:
            if sighting.message.ts in self._attempts or not self._may_be_repeated(sighting.message):
                claim = self._claim(sighting)
            elif await self._is_left(sighting):
                claim = self._claim(sighting)
                text = f":repeat: {self._here.name}: attempt {claim.attempt}, begun after a start"
                await self._parts.ending.note(sighting, claim, "attempt", text)
        finally:
            sighting.busy = claim is not None
            if claim is None:
                self._parts.gate.undo(sighting)
        if claim is not None:
            self._parts.hook(Claimed(claim=claim))
            await pause("after_claim_ok")
        return claim

    async def _refuse(self, sighting: Sighting, failed: Undone) -> None:
        """End what waited for something that will not be done; whoever marks it first says why."""
        slack, message = self._parts.slack, sighting.message
        link = (await slack.identity()).link(message.channel, failed.ts)
        try:
            first = await mark(slack, message, self._parts.marks.dead, clock=self._parts.clock)
        except (MessageLocked, TooManyReactions) as error:
            _log.warning("cannot mark %s as dead: %s", message.ts, error)
        else:
            if first:
                await self._give_up(
                    sighting, self._claim(sighting), f"to be begun after {link}, which {failed.end.value}"
                )
        sighting.busy = False
        self._drop(sighting)

    def has(self, claim: Claim) -> bool:
        """Whether a claim is one of these."""
        sighting = self._parts.sightings.get(claim.message.ts)
        return sighting is not None and sighting.for_every_bot

    async def extend(self, claim: Claim) -> Claim:
        """Nothing to do: it does not lapse."""
        return replace(claim, deadline=self._parts.clock.monotonic() + _ENDLESS)

    async def ack(self, claim: Claim, answer: str | Answer | None = None) -> Receipt:
        """This process has done it: its answer is written, and the check mark is put if nobody has."""
        told = answer if isinstance(answer, Answer) else answer_of(answer)
        sighting = self._sighting(claim)
        await pause("before_done")
        await self._parts.ending.answer(sighting, claim, replace(told, text=self._signed(told.text or "done")))
        if sighting.ended is None:
            await self._mark(sighting)
        return self._end(sighting, claim, Outcome.DONE)

    async def fail(self, claim: Claim, reason: str, *, retry_in: timedelta | None = None, trace: str = "") -> Receipt:  # noqa: ARG002  # one process of many: no letter
        """This process failed: it tries again, or says that it will not. For the others that means nothing."""
        reason = redacted(reason)
        self._parts.hook(Failed(claim=claim, reason=reason))
        sighting, name = self._sighting(claim), self._here.name
        if retry_in is None:
            await self._give_up(sighting, claim, reason)
            return self._end(sighting, claim, Outcome.DEAD)
        delay = retry_in.total_seconds()
        text = f":warning: {name}: attempt {claim.attempt} failed: {reason} — again in {delay:.0f} s"
        retry_at = self._parts.slack.now() + delay
        await self._parts.ending.note(sighting, claim, "release", text, retry_at=retry_at)
        self._attempts[claim.message.ts] = claim.attempt + 1
        sighting.not_before = self._parts.clock.monotonic() + delay
        return self._receipt(sighting, claim, Outcome.RELEASED)

    async def release(self, claim: Claim, *, retry_in: timedelta = _AT_ONCE) -> Receipt:
        """This process stops, or does it later: the attempt does not count."""
        sighting = self._sighting(claim)
        sighting.not_before = self._parts.clock.monotonic() + retry_in.total_seconds()
        if claim.attempt in _noted(sighting.record, self._here.name, "attempt"):
            text = f":leftwards_arrow_with_hook: {self._here.name} stops, and does it when it is back"
            retry_at = self._parts.slack.now()
            await self._parts.ending.note(sighting, claim, "release", text, retry_at=retry_at, failed=False)
        return self._receipt(sighting, claim, Outcome.RELEASED)

    async def drop(self, claim: Claim) -> Receipt:
        """Somebody wants it cancelled, and says so in the thread."""
        return self._end(self._sighting(claim), claim, Outcome.DEAD)

    def is_cancelled(self, claim: Claim) -> bool:
        """Whether somebody wants it cancelled, as far as this process has heard."""
        return self._sighting(claim).cancelled

    async def put_back(self, claim: Claim, *, within: float) -> bool:  # noqa: ARG002  # whichever it is
        """Nobody can take it away."""
        await self._parts.clock.sleep(within)
        return False

    def is_unheard(self, claim: Claim) -> bool:  # noqa: ARG002  # whichever it is
        """Nobody needs to hear of it."""
        return False

    def let_go(self, claim: Claim, reason: LeaseLost) -> None:
        """Take note that it was left without an end."""
        self._sighting(claim).busy = False
        self._parts.hook(Lost(claim=claim, reason=str(reason)))
        self._watch.wake()

    def progress(self, claim: Callable[[], Claim]) -> Progress:
        """What shows how far this process is; each has a reply of its own."""
        slack, thread, clock = self._parts.slack, self._parts.thread, self._parts.clock
        return Progress(slack, thread, Record(), claim=claim, clock=clock, worker=self._here.name, signed=True)

    def _wait(self, sighting: Sighting) -> float | None:
        """Seconds until it may be begun, infinity until something is seen; None: never."""
        message, now, server = sighting.message, self._parts.clock.monotonic(), self._parts.slack.now()
        if sighting.busy or (sighting.uncleared and sighting.failed is None):
            return math.inf
        if isinstance(sighting.verdict, Accept) and not sighting.for_every_bot:
            return math.inf  # somebody here is about to cancel it
        if not sighting.for_every_bot or sighting.gone or sighting.cancelled or server > self._until(sighting):
            return None
        if self._here.drawn and message.due < self._since:
            return None
        sure = sighting.settled or sighting.ended is not None or not doubtful(message)
        if not sure or not self._parts.sightings.canonical(message):
            return math.inf
        wait = max(sighting.not_before - now, message.due - server)
        if self._may_be_repeated(message):
            wait = max(wait, self._since + self._watch.lag.skew - server)
        return max(wait, self._parts.gate.wait(sighting)) if wait <= 0 else wait

    def _until(self, sighting: Sighting) -> float:
        """Until when it is begun, or begun anew: after that an answer would only surprise."""
        message, verdict = sighting.message, sighting.verdict
        if message.kind is None and isinstance(verdict, Accept):
            return seconds(message.ts) + verdict.options.within.total_seconds()
        return message.expires or message.due + self._parts.timing.window.total_seconds()

    def _may_be_repeated(self, message: Message) -> bool:
        """Whether an earlier process of this name may have done it."""
        return not self._here.drawn and message.due < self._since + _DOUBT

    async def _is_left(self, sighting: Sighting) -> bool:
        """Whether the thread does not say that a process of this name has ended it."""
        message, record, verdict = sighting.message, sighting.record, sighting.verdict
        try:
            await self._parts.thread.read(message, record)
        except Ambiguous:
            sighting.not_before = self._parts.clock.monotonic() + self._parts.timing.scan.total_seconds()
            return False
        except MessageGone:
            sighting.gone = True
            return False
        if _noted(record, self._here.name, "answer", "refusal"):
            self._drop(sighting)
            return False
        handed_back = _noted(record, self._here.name, "release", failed=False)
        spent = _noted(record, self._here.name, "attempt", "release") - handed_back
        self._attempts[message.ts] = attempt = max(spent, default=0) + 1
        if isinstance(verdict, Accept) and attempt > verdict.options.attempts:
            why = f"Given up after {attempt - 1} attempts: the last one began and was never heard of again."
            await self._give_up(sighting, self._claim(sighting), why)
            self._drop(sighting)
            return False
        return True

    def _claim(self, sighting: Sighting) -> Claim:
        attempt = self._attempts.setdefault(sighting.message.ts, 1)
        deadline = self._parts.clock.monotonic() + _ENDLESS
        return Claim(message=sighting.message, token=attempt, attempt=attempt, deadline=deadline)

    async def _give_up(self, sighting: Sighting, claim: Claim, reason: str) -> None:
        text = f":x: {self._here.name}: {reason}"
        await self._parts.ending.note(sighting, claim, "refusal", text, why=reason[:LONGEST_REASON])

    async def _mark(self, sighting: Sighting) -> None:
        """Say on the message itself that somebody has done it."""
        try:
            await mark(self._parts.slack, sighting.message, self._parts.marks.done, clock=self._parts.clock)
        except (MessageLocked, TooManyReactions) as error:
            _log.warning("cannot mark %s as done: %s", sighting.message.ts, error)
        else:
            sighting.take_in(Reading(ended=Outcome.DONE), self._parts.clock.monotonic())

    def _signed(self, text: str) -> str:
        """A text with the name of this process before it; mark-up stays mark-up."""
        name = self._here.name
        return Mrkdwn(f"{escape(name)}: {text}") if isinstance(text, Mrkdwn) else f"{name}: {text}"

    def _end(self, sighting: Sighting, claim: Claim, outcome: Outcome) -> Receipt:
        self._drop(sighting)
        return self._receipt(sighting, claim, outcome)

    def _receipt(self, sighting: Sighting, claim: Claim, outcome: Outcome) -> Receipt:
        sighting.busy = False
        self._parts.hook(Finished(claim=claim, outcome=outcome, effective=True))
        self._watch.wake()
        return Receipt(message=claim.message, token=claim.token, outcome=outcome, effective=True)

    def _drop(self, sighting: Sighting) -> None:
        """Nothing is left to do here."""
        self._todo.pop(sighting.message.ts, None)
        self._attempts.pop(sighting.message.ts, None)
        if not sighting.for_every_bot:
            self._parts.sightings.reopen(sighting)

    def _sighting(self, claim: Claim) -> Sighting:
        """What is known of a message that this process has in hand; it is not forgotten meanwhile."""
        sighting = self._parts.sightings.get(claim.message.ts)
        if sighting is None:
            raise AssertionError("unreachable: what is busy is not forgotten")
        return sighting


def _noted(record: Record, worker: str, *kinds: str, failed: bool | None = None) -> set[int]:
    """The attempts of which a process of this name wrote a note of one of these kinds."""
    return {
        note.attempt
        for _, _, note in record.entries.values()
        if note.worker == worker and note.note in kinds and failed in (None, note.failed)
    }
