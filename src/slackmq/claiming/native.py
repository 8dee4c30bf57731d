"""Native claims: the socket that got the event holds generation 0 without a call; from then on it is reactions.

For handlers that may run twice: Slack delivers an event to one socket only, but nothing forbids it to deliver one
twice without saying so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq import policy
from slackmq.claiming.reaction import ReactionClaiming
from slackmq.claiming.way import Held
from slackmq.message import seconds
from slackmq.policy import Read, Take, Wait

if TYPE_CHECKING:
    from slackmq.claiming.traces import Traces
    from slackmq.message import Message
    from slackmq.policy import Action, Facts

__all__ = ["NativeClaiming"]

_DOUBT = 2.0
"""Seconds by which the estimate of Slack's time may be off."""
_SLACK = 10.0
"""Seconds that must be left of a lease for a message to be begun without a call."""


class NativeClaiming(ReactionClaiming):
    """Claims for the replicas of one app, the first of which costs nothing. Implements `Claiming`."""

    first = 0

    def decide(self, message: Message, traces: Traces, facts: Facts) -> Action:
        """The common rules; a message that nobody marked belongs to the socket that got it, for a lease.

        Not so what waits for others: when it may be begun, nobody knows any more who got its event.
        """
        if message.after:
            return super().decide(message, traces, facts)
        if facts.generation == 0 and policy.patience(facts, self._timing) is None:
            if facts.unread:
                return Read()
            if facts.retry_in is not None:
                return Take(generation=1) if facts.retry_in <= 0 else Wait(delay=facts.retry_in)
        action = super().decide(message, traces, facts)
        if not isinstance(action, Take) or action.generation != 1:
            return action
        margin = self._timing.margin.total_seconds()
        if traces.fresh_event and facts.age + _DOUBT <= facts.lease - margin - _SLACK:
            return Take(generation=0)
        lapsed_in = facts.lease + margin - facts.age
        return Wait(delay=lapsed_in) if lapsed_in > 0 else action

    async def take(self, message: Message, traces: Traces, generation: int, *, lease: float) -> Held | None:
        """Generation 0 is ours because its event came here; it lasts a lease from the moment it was posted."""
        if generation:
            return await super().take(message, traces, generation, lease=lease)
        traces.fresh_event = False  # begun once and never again without a mark
        age = self._slack.now() + _DOUBT - seconds(message.ts)
        return Held(token=0, deadline=self._clock.monotonic() + lease - age)
