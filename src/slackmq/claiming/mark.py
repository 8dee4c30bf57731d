"""The mark that ends a job: put there once, for as long as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.errors import AlreadyReacted, Ambiguous, MessageGone
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from slackmq.clock import Clock
    from slackmq.message import Message
    from slackmq.slack.api import Slack

__all__ = ["mark"]

_PAUSE = 1.0
"""Seconds between the first two tries."""
_LONGEST_PAUSE = 15.0


async def mark(slack: Slack, message: Message, emoji: str, *, clock: Clock) -> bool:
    """Put an emoji on a message, until Slack says that it stands.

    Returns:
        False if somebody with this token had put it there before, or the message is gone. After an unanswered try
        that may have been this very call, and nobody can tell: of two that both take the mark for theirs one is wrong
        (models/reaction.pml, BELIEF).

    Raises:
        TooManyReactions: Slack takes no further emoji on this message.
    """
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
