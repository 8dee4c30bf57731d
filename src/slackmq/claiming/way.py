"""What every way of being the only one can do, as one Protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from slackmq.message import Claim, Message, Outcome

__all__ = ["Claiming"]


class Claiming(Protocol):
    """A way to be the only one.

    Promised: of all calls of `take` and `extend` for one message and one generation, by whatever process of the app,
    at most one succeeds. Generations only rise. Nothing is ever handed back by undoing.

    Not promised: that a failed `take` left no trace. After an unanswered call the generation may be taken without an
    owner; it is passed over like one whose holder died.
    """

    generations: int
    """How many generations a message has; when they are used up nobody can claim it."""

    async def take(self, message: Message, generation: int, *, lease: float) -> float | None:
        """Try to take a generation.

        Args:
            message: what to claim.
            generation: the one after the highest that is known to be taken.
            lease: seconds that it lasts.

        Returns:
            The deadline on this process's monotonic clock if the generation is ours; None if it is not, or if no
            answer came: then it is not ours either, whatever happened.

        Raises:
            AlreadyReacted: somebody has it.
            Refused: Slack will not have it at all.
        """
        ...

    async def extend(self, claim: Claim, *, lease: float) -> Claim:
        """Take the next generation as the holder of this one.

        Raises:
            LeaseLost: the deadline passed first, or no generation is left.
            InvariantBreach: somebody else took it although the claim had not lapsed.
        """
        ...

    async def finish(self, message: Message, outcome: Outcome) -> bool:
        """Mark a message done or dead; tried until Slack says that the mark stands.

        Returns:
            False if somebody else had put the mark there before, or the message is gone.

        Raises:
            TooManyReactions: Slack takes no further mark on this message; say it in the thread.
        """
        ...
