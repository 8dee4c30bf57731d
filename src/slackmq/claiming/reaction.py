"""Generation reactions: attempt k is owned by whoever of the app adds the k-th emoji. No emoji is ever removed.

Each (message, k) is a register that is written once: there is no unlocking, so nothing can be unlocked by mistake,
and k is the fencing token. The holder extends by taking k + 1 itself, on the very register a successor would take.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from slackmq.errors import AlreadyReacted, Ambiguous, InvariantBreach, LeaseLost, MessageGone, TooManyReactions
from slackmq.message import Outcome
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from slackmq.claiming.marks import Marks
    from slackmq.clock import Clock
    from slackmq.message import Claim, Message
    from slackmq.slack.api import Slack

__all__ = ["ReactionClaiming"]

_PAUSE = 1.0
"""Seconds between tries of a call that went unanswered."""
_LONGEST_PAUSE = 15.0


class ReactionClaiming:
    """Claims for the replicas of one app, as emoji of its bot user. Implements `Claiming`."""

    def __init__(self, slack: Slack, *, marks: Marks, clock: Clock) -> None:
        self.generations = len(marks.generations)
        self._slack = slack
        self._marks = marks
        self._clock = clock

    async def take(self, message: Message, generation: int, *, lease: float) -> float | None:
        """Add the generation's emoji, once."""
        emoji = self._marks.generations[generation - 1]
        # A claim that waits for its budget longer than it would last is better left to others.
        with anyio.move_on_after(lease / 2):
            try:
                sent = await self._slack.react(message.channel, message.ts, emoji, urgency=Urgency.CLAIM)
            except Ambiguous:
                return None
            return sent + lease
        return None

    async def extend(self, claim: Claim, *, lease: float) -> Claim:
        """Add the next generation's emoji, until it stands or the deadline is over."""
        if claim.token >= self.generations:
            raise LeaseLost(
                f"The claim used up all {self.generations} generations of its message.",
                remedy="Give the handler a longer lease=, so that it is extended less often.",
            )
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
                    # Nobody else can take the next generation either, so what is left of this one is ours.
                    await self._clock.sleep(left)
                except Ambiguous:
                    first_try = trying if first_try is None else first_try
                    await self._clock.sleep(_PAUSE)
                else:
                    start = sent if first_try is None else first_try
                    return replace(claim, token=claim.token + 1, deadline=start + lease)
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

    async def finish(self, message: Message, outcome: Outcome) -> bool:
        """Add the done or dead emoji, for as long as it takes."""
        emoji = self._marks.dead if outcome is Outcome.DEAD else self._marks.done
        doubt = False
        pause = _PAUSE
        while True:
            try:
                await self._slack.react(message.channel, message.ts, emoji, urgency=Urgency.DONE)
            except AlreadyReacted:
                return doubt  # after an unanswered try the mark is most likely our own
            except MessageGone:
                return False
            except Ambiguous:
                doubt = True
                await self._clock.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                return True
