"""Sweep: finds what nobody works on, for whoever claims it by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.message import seconds
from slackmq.policy import Ignore, Take, Wait

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from slackmq.clock import Clock
    from slackmq.message import Message
    from slackmq.queue.opened import Opened
    from slackmq.slack.api import Slack

__all__ = ["Sweep"]

_AGAIN = 20.0
"""Seconds after which a message is found again, if it was not claimed meanwhile."""


class Sweep:
    """What may be claimed now, as `AsyncQueue.sweep` gives it.

    Args:
        inside: the parts of the open queue.
        stopped: whether to find nothing more.
        clock: the time of this process.
        slack: the workspace, for its clock.
        courtesy: for how many seconds a message that nobody has begun is left to whoever got its event.
    """

    def __init__(
        self,
        inside: Opened,
        stopped: Callable[[], bool],
        *,
        clock: Clock,
        slack: Slack,
        courtesy: Callable[[Message], float],
    ) -> None:
        self._inside = inside
        self._stopped = stopped
        self._clock = clock
        self._slack = slack
        self._courtesy = courtesy

    async def messages(self) -> AsyncGenerator[Message]:
        """One after the other, until the queue is stopped; one that is not claimed comes again.

        Raises:
            SlackError: Slack refuses to show the channel.
        """
        watch, contest = self._inside.watch, self._inside.contest
        while not self._stopped():
            if watch.failure is not None:
                raise watch.failure
            chosen = contest.choose()
            if isinstance(chosen, Wait):
                await watch.news(chosen.delay)
            elif not isinstance(chosen.action, Take):
                await contest.act(chosen)
            else:
                message = chosen.sighting.message
                begun = chosen.sighting.generation > 0
                early = 0.0 if begun else self._courtesy(message) - (self._slack.now() - seconds(message.ts))
                chosen.sighting.not_before = self._clock.monotonic() + (early if early > 0 else _AGAIN)
                if early <= 0:
                    yield message

    def decline(self, message: Message) -> None:
        """Nobody here takes it after all: find it no more."""
        self._inside.watch.meet(message).verdict = Ignore()
