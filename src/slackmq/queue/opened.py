"""Opened: what a queue has only while it is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.policy import Wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import TaskGroup

    from slackmq.message import Claim
    from slackmq.queue.asking import Asking
    from slackmq.queue.contest import Contest
    from slackmq.queue.pick import Pick
    from slackmq.queue.poster import Poster
    from slackmq.queue.turnstile import Turnstile
    from slackmq.queue.watch import Watch
    from slackmq.slack.api import Channel, Identity

__all__ = ["Opened"]


@dataclass(slots=True, kw_only=True)
class Opened:
    """What a queue has only while it is open.

    Attributes:
        identity: who it is.
        channel: where it works.
        watch: reads the channel.
        contest: chooses messages and claims them.
        poster: posts jobs.
        asking: waits for answers.
        pick: claims messages by name.
        turnstile: lets one of all processes post what each would.
        tasks: what runs in the background.
        watching: whether `watch` reads all the time.
    """

    identity: Identity
    channel: Channel
    watch: Watch
    contest: Contest
    poster: Poster
    asking: Asking
    pick: Pick
    turnstile: Turnstile
    tasks: TaskGroup
    watching: bool = False

    async def next(self, stopped: Callable[[], bool]) -> Claim | None:
        """The next claim that is won; None once it is stopped.

        Raises:
            SlackError: Slack refuses to show the channel.
        """
        while not stopped():
            if self.watch.failure is not None:
                raise self.watch.failure
            chosen = self.contest.choose()
            if isinstance(chosen, Wait):
                await self.watch.news(chosen.delay)
            elif claim := await self.contest.act(chosen):
                return claim
        return None
