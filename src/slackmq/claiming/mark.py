"""The mark that ends a job: put there once, for as long as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from slackmq.errors import AlreadyReacted, Ambiguous, LeaseLost, MessageGone
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from slackmq.clock import Clock
    from slackmq.message import Message
    from slackmq.slack.api import Slack

__all__ = ["mark"]

_PAUSE = 1.0
"""Seconds between the first two tries."""
_LONGEST_PAUSE = 15.0


async def mark(slack: Slack, message: Message, emoji: str, *, clock: Clock, until: float | None = None) -> bool:
    """Put an emoji on a message, until Slack says that it stands.

    Args:
        slack: the workspace.
        message: where.
        emoji: which.
        clock: the time of this process.
        until: when to give up, on its monotonic clock; None: never.

    Returns:
        False if somebody with this token had put it there before, or the message is gone. After an unanswered try
        that may have been this very call, and nobody can tell: of two that both take the mark for theirs one is wrong
        (models/reaction.pml, BELIEF).

    Raises:
        TooManyReactions: Slack takes no further emoji on this message.
        LeaseLost: Slack has not said so in time; it may stand there all the same.
    """
    with anyio.move_on_after(None if until is None else until - clock.monotonic()):
        return await _mark(slack, message, emoji, clock)
    raise LeaseLost("The claim ran out before Slack took the mark of its end.")


async def _mark(slack: Slack, message: Message, emoji: str, clock: Clock) -> bool:
    pause = _PAUSE
    while True:
        try:
            await slack.react(message.channel, message.ts, emoji, urgency=Urgency.DONE)
        except AlreadyReacted:
            return False
        except MessageGone:
            return False
        except Ambiguous:
            await clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        else:
            return True
