"""Opened: what a queue has only while it is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slackmq.policy import Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from anyio.abc import TaskGroup

    from slackmq.message import Claim
    from slackmq.queue.approving import Approving
    from slackmq.queue.asking import Asking
    from slackmq.queue.cancelling import Cancelling
    from slackmq.queue.chorus import Chorus
    from slackmq.queue.contest import Contest
    from slackmq.queue.controls import Controls
    from slackmq.queue.doorbell import Doorbell
    from slackmq.queue.keeping import Keeping
    from slackmq.queue.naming import Naming
    from slackmq.queue.pick import Pick
    from slackmq.queue.poster import Poster
    from slackmq.queue.queue import AsyncQueue
    from slackmq.queue.redrive import Redrive
    from slackmq.queue.steward import Steward
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
        chorus: does what is for every bot.
        keeping: extends and ends claims.
        approving: asks people about jobs.
        poster: posts jobs.
        naming: takes what a job shall wait for.
        asking: waits for answers.
        pick: claims messages by name.
        cancelling: cancels jobs.
        redrive: posts dead jobs again.
        steward: makes who does what people ask by emoji.
        turnstile: lets one of all processes post what each would.
        doorbell: tells of buttons and Home tabs.
        tasks: what runs in the background.
        background: what runs once somebody claims.
        watching: whether that runs.
    """

    identity: Identity
    channel: Channel
    watch: Watch
    contest: Contest
    chorus: Chorus
    keeping: Keeping
    approving: Approving
    poster: Poster
    naming: Naming
    asking: Asking
    pick: Pick
    cancelling: Cancelling
    redrive: Redrive
    steward: Callable[[AsyncQueue, Controls], Steward]
    turnstile: Turnstile
    doorbell: Doorbell
    tasks: TaskGroup
    background: list[Callable[[], Coroutine[Any, Any, None]]]
    watching: bool = False

    def start(self) -> None:
        """Watch the channel from now on."""
        if not self.watching:
            self.watching = True
            for run in self.background:
                self.tasks.start_soon(run)

    async def next(self, stopped: Callable[[], bool]) -> Claim | None:
        """The next claim that is won; None once it is stopped.

        Raises:
            SlackError: Slack refuses to show the channel.
        """
        while not stopped():
            if self.watch.failure is not None:
                raise self.watch.failure
            part = self.chorus.choose()
            if not isinstance(part, Wait):
                claim = await self.chorus.begin(part)
            elif isinstance(chosen := self.contest.choose(), Wait):
                claim = None
                await self.watch.news(
                    min((wait.delay for wait in (part, chosen) if wait.delay is not None), default=None)
                )
            else:
                claim = await self.contest.act(chosen)
            if claim is not None:
                return claim
        return None

    def keeper(self, claim: Claim) -> Keeping | Chorus:
        """What extends and ends a claim."""
        return self.chorus if self.chorus.has(claim) else self.keeping
