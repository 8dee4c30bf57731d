"""What every way of being the only one can do, as one Protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from slackmq.claiming.traces import Traces
    from slackmq.message import Claim, Message, Outcome
    from slackmq.policy import Action, Facts
    from slackmq.slack.api import Row

__all__ = ["WAYS", "Claiming", "Held", "Way"]

Way = Literal["reaction", "pin", "native"]
"""How to be the only one: emoji of one app, the pin of several, or the delivery of an event to one socket."""
WAYS: tuple[Way, ...] = ("reaction", "pin", "native")
"""All of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A generation that is ours: its fencing token, and its deadline on this process's monotonic clock."""

    token: int
    deadline: float


class Claiming(Protocol):
    """A way to be the only one.

    Promised: of all calls of `take` and `extend` for one message that succeed, no two carry one token, a later one
    carries a higher one, and none succeeds while an earlier one has not lapsed or been given back.

    Not promised: that a failed `take` left no trace. After an unanswered call the generation may be taken without an
    owner; it is passed over like one whose holder died.
    """

    generations: int
    """How many claims and extensions a message takes cheaply; later ones cost a note each."""
    first: int
    """The generation that may be taken when nobody has begun: 1, or 0 where it needs no call."""
    settles: bool
    """Whether `take` has looked at the message again, late enough, before it says that a generation is ours."""

    shared: bool
    """Whether bots of other apps take part."""
    revocable: bool
    """Whether a person can take a claim away: then `traces.put_back` says that somebody did."""

    async def open(self) -> None:
        """Learn who we are."""
        ...

    def read(self, row: Row, traces: Traces, now: float) -> None:
        """Take in what a read of the message shows, at `now` on the monotonic clock, *after* the read."""
        ...

    def decide(self, message: Message, traces: Traces, facts: Facts) -> Action:
        """What may be done about a message that nobody in this process is working on."""
        ...

    async def take(self, message: Message, traces: Traces, generation: int, *, lease: float) -> Held | None:
        """Try to take a generation.

        Args:
            message: what to claim.
            traces: what is known of it; what is learnt is added.
            generation: the one after the highest that is known to be taken.
            lease: seconds that it lasts.

        Returns:
            None if it is not ours, or if no answer came: then it is not ours either, whatever happened.

        Raises:
            AlreadyReacted: somebody has it.
            Refused: Slack will not have it at all.
        """
        ...

    async def extend(self, claim: Claim, traces: Traces, *, lease: float) -> Claim:
        """Prolong a claim as its holder.

        Raises:
            LeaseLost: the deadline passed first.
            InvariantBreach: somebody else took it although the claim had not lapsed.
        """
        ...

    async def finish(self, claim: Claim, traces: Traces, outcome: Outcome) -> bool:
        """Mark a message done or dead; tried until Slack says that the mark stands.

        Returns:
            False if somebody else had put the mark there before, or the message is gone.

        Raises:
            TooManyReactions: Slack takes no further mark on this message; say it in the thread.
            MessageLocked: it takes neither mark nor reply.
        """
        ...

    async def confirm(self, message: Message, outcome: Outcome) -> None:
        """Put the mark of an end that only the thread tells, if it can be put."""
        ...

    def release(self, claim: Claim, traces: Traces) -> tuple[str, str]:
        """What a note must name that gives a claim back: the claim's op in the thread, or the user behind a pin."""
        ...
