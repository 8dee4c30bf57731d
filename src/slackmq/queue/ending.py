"""How a claim ends: the note in the thread first, the mark second, and only then is it let go."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from slackmq.batch import rest_of
from slackmq.dead import LONGEST_REASON
from slackmq.errors import LeaseLost, MessageLocked, TooManyReactions
from slackmq.hooks import Finished
from slackmq.message import Outcome, Receipt
from slackmq.notes import Note
from slackmq.points import pause, reach
from slackmq.policy import Accept
from slackmq.queue.telling import Telling
from slackmq.redaction import redacted
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from datetime import timedelta

    from slackmq.answer import Answer
    from slackmq.claiming.thread import Thread
    from slackmq.claiming.way import Claiming
    from slackmq.clock import Clock
    from slackmq.hooks import Hook
    from slackmq.message import Claim
    from slackmq.notes import Kind
    from slackmq.queue.dead_letters import DeadLetters
    from slackmq.queue.parcels import Parcels
    from slackmq.queue.sightings import Sighting
    from slackmq.queue.telling import Told
    from slackmq.slack.api import Slack

__all__ = ["Ending"]

_log = logging.getLogger("slackmq.queue")


class Ending:
    """Ends claims.

    Args:
        slack: the workspace, for its clock.
        claiming: the way in which they were claimed.
        thread: where notes go.
        parcels: where answers go that are too long for a note, or expire.
        clock: the time of this process.
        worker: the name under which it writes.
        hook: told of every end.
        letters: where letters about what is dead go, if anywhere.
    """

    def __init__(
        self,
        slack: Slack,
        claiming: Claiming,
        thread: Thread,
        *,
        parcels: Parcels,
        clock: Clock,
        worker: str,
        hook: Hook,
        letters: DeadLetters | None = None,
    ) -> None:
        self._slack = slack
        self._claiming = claiming
        self._thread = thread
        self._clock = clock
        self._worker = worker
        self._hook = hook
        self._letters = letters
        self._parcels = parcels
        self._telling = Telling(slack, parcels)

    async def done(self, sighting: Sighting, claim: Claim, answer: Answer) -> Receipt:
        """The work is done. The answer is written before the mark, so that a crash between them repeats it.

        After the deadline the mark goes first: if somebody else has finished meanwhile, the answer is theirs.
        """
        lapsed = self._clock.monotonic() >= claim.deadline
        if not lapsed:
            await self.answer(sighting, claim, answer)
        effective = await self._mark(sighting, claim, Outcome.DONE)
        if lapsed and effective:
            await self.answer(sighting, claim, answer)
        receipt = self._receipt(sighting, claim, Outcome.DONE, effective=effective)
        if effective and claim.message.file:
            await self._parcels.remove(claim.message.file)
        return receipt

    async def answer(self, sighting: Sighting, claim: Claim, answer: Answer) -> None:
        """Write an answer into the thread, if there is any."""
        if answer.text is None:
            return
        life = sighting.verdict.options.result_expires if isinstance(sighting.verdict, Accept) else None
        told = await self._telling.told(claim.message, answer, life=life)
        await self.note(sighting, claim, "answer", told.text, why=told.why, told=told)

    async def dead(self, sighting: Sighting, claim: Claim, reason: str, *, attempts: int, trace: str = "") -> Receipt:
        """It will not be tried again; the thread says why, once, and then the letter.

        After the deadline the letter comes last: if somebody else has finished meanwhile, it is theirs.
        """
        known, lapsed = sighting.record.refused, self._clock.monotonic() >= claim.deadline
        reason, job = redacted(reason), rest_of(claim.message, sighting.record.settled.done)
        if not known:
            await self.note(sighting, claim, "refusal", f":x: {reason}", why=reason[:LONGEST_REASON])
            await pause("after_dead_note")
        if self._letters is not None and not lapsed:
            await self._letters.write(job, reason, attempts=attempts, trace=trace, look=known)
        effective = await self._mark(sighting, claim, Outcome.DEAD)
        if self._letters is not None and lapsed and effective:
            await self._letters.write(job, reason, attempts=attempts, trace=trace, look=True)
        return self._receipt(sighting, claim, Outcome.DEAD, effective=effective)

    async def cancelled(self, sighting: Sighting, claim: Claim) -> Receipt:
        """Somebody wanted it cancelled; the thread says who. It ends as dead does, and is no failure."""
        if not sighting.record.refused:
            by = sighting.wanted_by
            reason = redacted(f"cancelled by {by}" if by else "cancelled")
            await self.note(sighting, claim, "refusal", f":no_entry_sign: {reason}", why=reason[:LONGEST_REASON])
        effective = await self._mark(sighting, claim, Outcome.DEAD)
        return self._receipt(sighting, claim, Outcome.DEAD, effective=effective)

    async def released(
        self, sighting: Sighting, claim: Claim, text: str, *, retry_in: timedelta, failed: bool
    ) -> Receipt:
        """It may be claimed again in `retry_in`, by anybody, without waiting for the deadline."""
        retry_at = self._slack.now() + retry_in.total_seconds()
        await pause("before_release")
        about, base = self._claiming.release(claim, sighting)
        await self.note(sighting, claim, "release", text, retry_at=retry_at, failed=failed, about=about, base=base)
        return self._receipt(sighting, claim, Outcome.RELEASED, effective=True)

    async def handed_back(self, sighting: Sighting, claim: Claim, *, retry_in: timedelta) -> Receipt:
        """It may be claimed again in `retry_in`, and the attempt does not count."""
        later = f", for {retry_in.total_seconds():.0f} s from now" if retry_in else ""
        text = f":leftwards_arrow_with_hook: handed back by {self._worker}{later}"
        return await self.released(sighting, claim, text, retry_in=retry_in, failed=False)

    async def begin(self, sighting: Sighting, claim: Claim) -> None:
        """Write down that an execution begins that is not the first, so that attempts are counted."""
        await self.note(sighting, claim, "attempt", f":repeat: attempt {claim.attempt}, by {self._worker}")

    async def note(
        self,
        sighting: Sighting,
        claim: Claim,
        kind: Kind,
        text: str,
        *,
        retry_at: float | None = None,
        failed: bool = True,
        about: str = "",
        base: str = "",
        why: str = "",
        told: Told | None = None,
    ) -> None:
        """Write a note into the thread, once; see `slackmq.notes.Note` for what it may say."""
        settled = sighting.record.settled
        note = Note(
            note=kind,
            op=self._clock.new_id(),
            token=claim.token,
            attempt=claim.attempt,
            retry_at=retry_at,
            failed=failed,
            worker=self._worker,
            about=about,
            base=base,
            result=told.result if told else "",
            why=why,
            file=told.file if told else "",
            form=told.form if told else "",
            expires=told.expires if told else None,
        )
        note = msgspec.structs.replace(note, **settled.fields(settled.unnoted(), results=kind != "answer"))
        await self._thread.write(claim.message, note, text, sighting.record, urgency=Urgency.DONE)

    async def _mark(self, sighting: Sighting, claim: Claim, outcome: Outcome) -> bool:
        await pause("before_done")
        try:
            effective = await self._claiming.finish(claim, sighting, outcome)
        except TooManyReactions:
            # People have filled the message with emoji: the thread says what the mark would have said.
            kind: Kind = "dead" if outcome is Outcome.DEAD else "done"
            first = sighting.record.ended is None
            await self.note(sighting, claim, kind, f"{kind}; Slack takes no further emoji on this message")
            # A note is no register: whose claim has lapsed by now may have a successor who says the same.
            effective = first and self._clock.monotonic() < claim.deadline
        except MessageLocked as error:
            # Neither emoji nor thread can say it. It stays unfinished, and is done once more when it can be marked.
            raise LeaseLost(
                f"It is {outcome.value}, and cannot be marked so: {error.cause}", remedy=error.remedy
            ) from error
        reach("after_done_ok")
        sighting.ended, sighting.ended_at = outcome, self._clock.monotonic()
        return effective

    def _receipt(self, sighting: Sighting, claim: Claim, outcome: Outcome, *, effective: bool) -> Receipt:
        sighting.busy = False
        sighting.close()
        self._hook(Finished(claim=claim, outcome=outcome, effective=effective))
        return Receipt(message=claim.message, token=claim.token, outcome=outcome, effective=effective)
