"""Generation reactions: attempt k is owned by whoever of the app adds the k-th emoji. No emoji is ever removed.

Each (message, k) is a register that is written once: there is no unlocking, so nothing can be unlocked by mistake,
and k is the fencing token. The holder extends by taking k + 1 itself, on the very register a successor would take.
Where no emoji is left, after the last one or on a message that takes no more, the thread's log goes on.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import anyio

from slackmq import policy
from slackmq.claiming.logged import log_of
from slackmq.claiming.mark import mark
from slackmq.claiming.marks import Reading
from slackmq.claiming.way import Held
from slackmq.envelope import JOB, finished
from slackmq.errors import (
    AlreadyReacted,
    Ambiguous,
    InvariantBreach,
    LeaseLost,
    MessageGone,
    MessageLocked,
    Refused,
    TooManyReactions,
)
from slackmq.message import Outcome, seconds
from slackmq.slack.api import Metadata, Urgency

if TYPE_CHECKING:
    from slackmq.claiming.logged import Logged
    from slackmq.claiming.marks import Marks
    from slackmq.claiming.traces import Traces
    from slackmq.clock import Clock
    from slackmq.message import Claim, Message
    from slackmq.policy import Action, Facts, Timing
    from slackmq.slack.api import Row, Slack

__all__ = ["ReactionClaiming"]

_SPARE = 2.0
"""With fewer reactions to spare than this, one for a new claim and one for an extension, a job is marked by an edit."""
_PAUSE = 1.0
"""Seconds between tries of a call that went unanswered."""


class ReactionClaiming:
    """Claims for the replicas of one app, as emoji of its bot user. Implements `Claiming`.

    Args:
        slack: the workspace.
        logged: where it goes on when no emoji is left.
        marks: which emoji stand for what.
        timing: the time constants.
        clock: the time of this process.
    """

    first = 1
    settles = False
    shared = False
    revocable = False

    def __init__(self, slack: Slack, logged: Logged, *, marks: Marks, timing: Timing, clock: Clock) -> None:
        self.generations = len(marks.generations)
        self._slack = slack
        self._logged = logged
        self._marks = marks
        self._timing = timing
        self._clock = clock
        self._me = ""

    async def open(self) -> None:
        """Learn who we are."""
        self._me = (await self._slack.identity()).user

    def read(self, row: Row, traces: Traces, now: float) -> None:
        """Take in the marks, and what our own bot wrote; other people's emoji mean nothing."""
        traces.take_in(self._marks.of_row(row, self._me), now)

    def decide(self, message: Message, traces: Traces, facts: Facts) -> Action:
        """The common rules; a claim in the log lapses by Slack's clock."""
        hold = log_of(traces.record).hold if traces.record.entries else None
        if hold is not None and hold.generation >= facts.generation:
            server = facts.age + seconds(message.ts)
            lapsed = hold.expires + self._timing.margin.total_seconds()
            until = lapsed if hold.retry_at is None else traces.again_at(hold.retry_at)
            facts = replace(facts, generation=hold.generation, retry_in=until - server)
        return policy.decide(facts, self._timing)

    async def take(self, message: Message, traces: Traces, generation: int, *, lease: float) -> Held | None:
        """Add the generation's emoji, once; where none can be added, write it into the thread."""
        if generation > self.generations or traces.full:
            return await self._take_logged(message, traces, generation, lease)
        emoji = self._marks.generations[generation - 1]
        # A claim that waits for its budget longer than it would last is better left to others.
        with anyio.move_on_after(lease / 2):
            try:
                sent = await self._slack.react(message.channel, message.ts, emoji, urgency=Urgency.CLAIM)
            except Ambiguous:
                return None
            except TooManyReactions:
                traces.full = True
            else:
                return Held(token=generation, deadline=sent + lease)
        return await self._take_logged(message, traces, generation, lease) if traces.full else None

    async def _take_logged(self, message: Message, traces: Traces, generation: int, lease: float) -> Held | None:
        taken = await self._logged.take(message, traces, generation, lease=lease)
        if taken is None:
            return None
        row = await self._slack.row(message.channel, message.ts)
        reading = self._marks.of_row(row, self._me) if row else Reading()
        if row is None or reading.ended is not None or reading.generation >= generation:
            await self._logged.withdraw(message, traces, taken.hold)
            traces.take_in(reading, self._clock.monotonic())
            return None
        return Held(token=generation, deadline=taken.sent + lease)

    async def extend(self, claim: Claim, traces: Traces, *, lease: float) -> Claim:
        """Add the next generation's emoji, until it stands or the deadline is over; without emoji, write a note."""
        hold = log_of(traces.record).hold if traces.record.entries else None
        if hold is not None and hold.generation == claim.token:
            return await self._logged.extend(claim, traces, lease=lease, about=hold.op)
        if claim.token >= self.generations or traces.full:
            return await self._go_on_logged(claim, traces, lease)
        first_try: float | None = None
        while (left := claim.deadline - self._clock.monotonic()) > 0:
            trying = self._clock.monotonic()
            with anyio.move_on_after(left):
                try:
                    sent = await self._add_next(claim)
                except AlreadyReacted:
                    return self._explain(claim, first_try, lease)
                except MessageGone as error:
                    raise LeaseLost(f"The claim cannot be extended: {error.cause}", remedy=error.remedy) from error
                except TooManyReactions:
                    traces.full = True
                    return await self._go_on_logged(claim, traces, lease)
                except Ambiguous:
                    first_try = trying if first_try is None else first_try
                    await self._clock.sleep(_PAUSE)
                else:
                    start = sent if first_try is None else first_try
                    return replace(claim, token=claim.token + 1, deadline=start + lease)
        raise LeaseLost("The claim ran out before Slack confirmed its extension.")

    async def _go_on_logged(self, claim: Claim, traces: Traces, lease: float) -> Claim:
        """Go on in the log while the emoji still holds: nobody else may write a claim there before our deadline."""
        left = claim.deadline - self._clock.monotonic()
        with anyio.move_on_after(left):
            taken = await self._logged.take(claim.message, traces, claim.token + 1, lease=lease, settle=False)
            if taken is not None and self._clock.monotonic() < claim.deadline:
                return replace(claim, token=claim.token + 1, deadline=taken.sent + lease)
        raise LeaseLost("The claim ran out before Slack confirmed its extension.")

    async def _add_next(self, claim: Claim) -> float:
        emoji = self._marks.generations[claim.token]
        return await self._slack.react(claim.message.channel, claim.message.ts, emoji, urgency=Urgency.BEAT)

    def _explain(self, claim: Claim, first_try: float | None, lease: float) -> Claim:
        """The next generation is taken: by an unanswered try of our own, or by somebody else?"""
        if self._clock.monotonic() >= claim.deadline:
            raise LeaseLost("The claim ran out, and somebody else holds the message now.")
        if first_try is None:
            raise InvariantBreach(
                f"Generation {claim.token + 1} of {claim.message.ts} was taken before the claim on it had lapsed.",
                remedy="Let all processes that work this channel use the same lease and margin.",
            )
        # Nobody else may take it before our deadline, so the earlier try did.
        return replace(claim, token=claim.token + 1, deadline=first_try + lease)

    async def finish(self, claim: Claim, traces: Traces, outcome: Outcome) -> bool:  # noqa: ARG002  # the mark says all
        """Say that it is done in the job's own message if emoji are short; else add the done or dead emoji.

        Done and dead are two emoji, so who is first with the one may still be second with the other. Giving up is left
        to the successor once the claim is over; and whoever may have one looks again whether it said otherwise.
        """
        short = self._slack.spare("react") < _SPARE
        done = outcome is Outcome.DONE
        if done and short and await self._stamp(claim):
            return True
        try:
            until = None if done else claim.deadline
            stands = await mark(self._slack, claim.message, self._marks.of(outcome), clock=self._clock, until=until)
        except MessageLocked:
            if done and await self._stamp(claim):
                return True
            raise
        sure = done and self._clock.monotonic() < claim.deadline
        return stands and (sure or not await self._contradicted(claim.message, outcome))

    async def _contradicted(self, message: Message, outcome: Outcome) -> bool:
        """Whether the other mark of an end stands there too, or nobody can tell."""
        await self._clock.sleep(self._timing.skew.total_seconds())
        other = self._marks.of(Outcome.DEAD if outcome is Outcome.DONE else Outcome.DONE)
        try:
            row = await self._slack.row(message.channel, message.ts)
        except (Ambiguous, Refused):
            return True
        return row is None or self._me in row.reactions.get(other, frozenset())

    async def _stamp(self, claim: Claim) -> bool:
        """Edit the job's message, whose budget is another one; False if only the emoji can say who was first.

        An edit is no register: whoever edits last wins. So only the first attempt does it, in its own time, and what
        it says stays true however late it takes effect.
        """
        message = claim.message
        ours = message.kind is not None and message.author == self._me
        if not ours or claim.attempt > 1:
            return False
        identity = await self._slack.identity()
        stamped = finished(message, link=partial(identity.link, message.channel))
        with anyio.move_on_after(claim.deadline - self._clock.monotonic()):
            try:
                metadata = Metadata(type=JOB, payload=stamped.payload)
                await self._slack.edit(
                    message.channel, message.ts, stamped.text, metadata=metadata, urgency=Urgency.DONE
                )
            except (Ambiguous, Refused):
                return False
            return self._clock.monotonic() < claim.deadline
        return False

    async def confirm(self, message: Message, outcome: Outcome) -> None:
        """Nothing: here the thread tells of an end only where no mark could be put."""

    def release(self, claim: Claim, traces: Traces) -> tuple[str, str]:
        """The claim's op if it stands in the log; an emoji is named by its number alone."""
        hold = log_of(traces.record).hold if traces.record.entries else None
        return (hold.op, "") if hold is not None and hold.generation == claim.token else ("", "")
