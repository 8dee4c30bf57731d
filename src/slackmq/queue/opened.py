"""Opened: what a queue has only while it is open, and how it is put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.policy import Wait
from slackmq.queue.asking import Asking
from slackmq.queue.contest import Contest
from slackmq.queue.pick import Pick
from slackmq.queue.poster import Poster
from slackmq.queue.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import TaskGroup

    from slackmq.claiming.marks import Marks
    from slackmq.claiming.thread import Thread
    from slackmq.claiming.way import Claiming
    from slackmq.clock import Clock
    from slackmq.hooks import Hook
    from slackmq.message import Claim, Message
    from slackmq.policy import Timing, Verdict
    from slackmq.queue.ending import Ending
    from slackmq.queue.sightings import Sightings
    from slackmq.slack.api import Channel, Events, Identity, Slack

__all__ = ["Opened", "opened"]


@dataclass(slots=True)
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


async def opened(
    slack: Slack,
    name: str,
    tasks: TaskGroup,
    *,
    events: Events,
    select: Callable[[Message], Verdict],
    sightings: Sightings,
    claiming: Claiming,
    ending: Ending,
    thread: Thread,
    marks: Marks,
    timing: Timing,
    clock: Clock,
    hook: Hook,
    worker: str,
    peers: frozenset[str] | None,
    bots: bool,
) -> Opened:
    """Put together what works a channel; the arguments are what `AsyncQueue` got and made of it."""
    identity = await slack.identity()
    channel = await slack.channel(name)
    watch = Watch(
        slack,
        events,
        channel=channel.id,
        me=identity.user,
        sightings=sightings,
        select=select,
        marks=marks,
        claiming=claiming,
        timing=timing,
        clock=clock,
        hook=hook,
        peers=peers,
        bots=bots,
    )
    contest = Contest(
        slack,
        claiming,
        watch=watch,
        sightings=sightings,
        thread=thread,
        ending=ending,
        timing=timing,
        clock=clock,
        worker=worker,
        hook=hook,
    )
    poster = Poster(slack, channel=channel.id, me=identity.user, shared=claiming.shared, clock=clock, hook=hook)
    longest = timing.scan.total_seconds()
    asking = Asking(slack, watch, sightings, thread, clock=clock, longest=longest)
    pick = Pick(slack, claiming, watch, contest, poster, sightings=sightings, timing=timing, clock=clock)

    return Opened(identity, channel, watch, contest, poster, asking, pick, tasks)
