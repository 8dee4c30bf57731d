"""Keeping: claims of this process, from the moment they are won to their end."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from slackmq.answer import Answer, answer_of
from slackmq.claiming.marks import Reading
from slackmq.envelope import Letter
from slackmq.hooks import Extended, Failed, Lost
from slackmq.policy import Accept, lease_of
from slackmq.queue.progress import Progress
from slackmq.queue.sightings import Sighting
from slackmq.queue.tally import Tally
from slackmq.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from slackmq.errors import LeaseLost
    from slackmq.message import Claim, Message, Receipt
    from slackmq.queue.parts import Parts
    from slackmq.queue.watch import Watch

__all__ = ["Keeping"]

_AT_ONCE = timedelta(0)


class Keeping:
    """Extends claims and ends them. Implements `slackmq.queue.lease.Keeper`.

    Args:
        parts: what the queue is made of.
        watch: what reads the channel.
    """

    def __init__(self, parts: Parts, watch: Watch) -> None:
        self._parts = parts
        self._watch = watch

    async def extend(self, claim: Claim) -> Claim:
        """Prolong a claim; see `AsyncQueue.extend`."""
        sighting = self._sighting(claim)
        extended = await self._parts.claiming.extend(claim, sighting, lease=self.lease_of(claim.message))
        if not self._parts.claiming.settles:  # there a token is the number of a generation; elsewhere it is a time
            sighting.take_in(Reading(generation=extended.token), self._parts.clock.monotonic())
        self._parts.hook(Extended(claim=extended))
        return extended

    async def ack(self, claim: Claim, answer: str | Answer | None = None) -> Receipt:
        """End a claim: the work is done."""
        told = answer if isinstance(answer, Answer) else answer_of(answer)
        sighting = self._sighting(claim)
        receipt = await self._parts.ending.done(sighting, claim, told)
        counted = isinstance(sighting.verdict, Accept) and sighting.verdict.options.concurrency is not None
        if counted or claim.message.ts in self._parts.sightings.awaited:
            self._watch.wake()  # what waits for it may wait for nothing else
        return receipt

    async def fail(self, claim: Claim, reason: str, *, retry_in: timedelta | None = None, trace: str = "") -> Receipt:
        """End a claim: the attempt failed."""
        reason = redacted(reason)
        self._parts.hook(Failed(claim=claim, reason=reason))
        sighting = self._sighting(claim)
        if retry_in is None:
            receipt = await self._parts.ending.dead(sighting, claim, reason, attempts=claim.attempt, trace=trace)
            self._watch.wake()
            return receipt
        text = f":warning: attempt {claim.attempt} failed: {reason} — again in {retry_in.total_seconds():.0f} s"
        receipt = await self._parts.ending.released(sighting, claim, text, retry_in=retry_in, failed=True)
        self._watch.wake()
        return receipt

    async def release(self, claim: Claim, *, retry_in: timedelta = _AT_ONCE) -> Receipt:
        """End a claim: somebody else may start in `retry_in`."""
        receipt = await self._parts.ending.handed_back(self._sighting(claim), claim, retry_in=retry_in)
        self._watch.wake()
        return receipt

    async def drop(self, claim: Claim) -> Receipt:
        """End a claim: somebody wants the job cancelled."""
        receipt = await self._parts.ending.cancelled(self._sighting(claim), claim)
        self._watch.wake()
        return receipt

    def is_cancelled(self, claim: Claim) -> bool:
        """Whether somebody wants a claimed job cancelled, as far as this process has heard."""
        return self._sighting(claim).cancelled

    def progress(self, claim: Callable[[], Claim]) -> Progress:
        """What shows how far the work on a claim is; `claim` gives it as it stands."""
        thread, record = self._parts.thread, self._sighting(claim()).record
        return Progress(
            self._parts.slack, thread, record, claim=claim, clock=self._parts.clock, worker=self._parts.worker
        )

    def tally(self, claim: Callable[[], Claim], numbers: Sequence[int]) -> Tally:
        """What counts what of a batch is settled; `claim` gives the claim, `numbers` are those of its jobs."""
        parts, sighting = self._parts, self._sighting(claim())
        return Tally(
            parts.slack,
            parts.thread,
            sighting.record,
            claim=claim,
            numbers=numbers,
            clock=parts.clock,
            worker=parts.worker,
            width=parts.gate.width(sighting),
            turn=partial(parts.gate.turn, sighting),
        )

    async def put_back(self, claim: Claim, *, within: float) -> bool:
        """Wait until a person takes a claim away, `within` seconds at most; whether one did."""
        until = self._parts.clock.monotonic() + within
        if not self._parts.claiming.revocable:
            await self._parts.clock.sleep(within)
            return False
        sighting = self._sighting(claim)
        while (left := until - self._parts.clock.monotonic()) > 0 and not sighting.put_back:
            await self._watch.news(left)
        return sighting.put_back

    def is_unheard(self, claim: Claim) -> bool:
        """Whether the event of a claim came to this very process, so that no other was told, or there was none."""
        return claim.token <= self._sighting(claim).echoed

    def let_go(self, claim: Claim, reason: LeaseLost) -> None:
        """Take note that a claim of this process is lost."""
        sighting = self._sighting(claim)
        sighting.busy = False
        sighting.close()
        self._parts.hook(Lost(claim=claim, reason=str(reason)))
        self._watch.wake()

    def _sighting(self, claim: Claim) -> Sighting:
        """What is known of a claimed message; of one that was forgotten meanwhile, as little as possible."""
        known = self._parts.sightings.get(claim.message.ts)
        return known or Sighting(letter=Letter(message=claim.message), verdict=self._parts.select(claim.message))

    def lease_of(self, message: Message) -> float:
        """Seconds that a claim on a message lasts."""
        sighting = self._parts.sightings.get(message.ts)
        if sighting is not None:
            return sighting.lease
        return lease_of(message, self._parts.select(message), self._parts.timing, self._parts.claiming.generations)
