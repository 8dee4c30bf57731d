"""Parts: what a queue is made of, and how the rest is built of it once the channel is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.queue.asking import Asking
from slackmq.queue.contest import Contest
from slackmq.queue.opened import Opened
from slackmq.queue.pick import Pick
from slackmq.queue.poster import Poster
from slackmq.queue.turnstile import Turnstile
from slackmq.queue.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import TaskGroup

    from slackmq.claiming.marks import Marks
    from slackmq.claiming.thread import Thread
    from slackmq.claiming.way import Claiming
    from slackmq.clock import Clock
    from slackmq.hooks import Hook
    from slackmq.message import Message
    from slackmq.policy import Timing, Verdict
    from slackmq.queue.ending import Ending
    from slackmq.queue.sightings import Sightings
    from slackmq.slack.api import Channel, Events, Identity, Slack

__all__ = ["Parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is there before a queue is opened.

    Attributes:
        slack: the workspace.
        events: hints of what happens.
        select: says of each message whether it shall be claimed here.
        claiming: the way to be the only one.
        sightings: what is known of the channel.
        thread: where notes are written and read.
        ending: how claims end.
        marks: which emoji stand for what.
        peers: user ids of the bots of other apps that take part; None: every bot.
        bots: whether what bots say is selected from as if a person had typed it.
        timing: the time constants.
        clock: the time of this process.
        worker: its name.
        hook: told of everything that happens.
    """

    slack: Slack
    events: Events
    select: Callable[[Message], Verdict]
    claiming: Claiming
    sightings: Sightings
    thread: Thread
    ending: Ending
    marks: Marks
    peers: frozenset[str] | None
    bots: bool
    timing: Timing
    clock: Clock
    worker: str
    hook: Hook

    async def open(self, name: str, tasks: TaskGroup) -> Opened:
        """Find the channel and ourselves, and build what works there.

        Args:
            name: "#name" or id of the channel.
            tasks: where what runs in the background runs.
        """
        identity, channel = await self.slack.identity(), await self.slack.channel(name)
        await self.claiming.open()
        watch = self._watch(identity, channel)
        contest, poster = self._contest(watch), self._poster(identity, channel)
        return Opened(
            identity=identity,
            channel=channel,
            watch=watch,
            contest=contest,
            poster=poster,
            asking=self._asking(watch),
            pick=self._pick(watch, contest, poster),
            turnstile=Turnstile(self.slack, watch, self.sightings, clock=self.clock),
            tasks=tasks,
        )

    def _watch(self, identity: Identity, channel: Channel) -> Watch:
        return Watch(
            self.slack,
            self.events,
            channel=channel.id,
            me=identity.user,
            sightings=self.sightings,
            select=self.select,
            marks=self.marks,
            claiming=self.claiming,
            timing=self.timing,
            clock=self.clock,
            hook=self.hook,
            peers=self.peers,
            bots=self.bots,
        )

    def _contest(self, watch: Watch) -> Contest:
        return Contest(
            self.slack,
            self.claiming,
            watch=watch,
            sightings=self.sightings,
            thread=self.thread,
            ending=self.ending,
            timing=self.timing,
            clock=self.clock,
            worker=self.worker,
            hook=self.hook,
        )

    def _poster(self, identity: Identity, channel: Channel) -> Poster:
        return Poster(
            self.slack,
            channel=channel.id,
            me=identity.user,
            shared=self.claiming.shared,
            clock=self.clock,
            hook=self.hook,
            reach=self.timing.reach,
        )

    def _asking(self, watch: Watch) -> Asking:
        longest = self.timing.scan.total_seconds()
        return Asking(self.slack, watch, self.sightings, self.thread, clock=self.clock, longest=longest)

    def _pick(self, watch: Watch, contest: Contest, poster: Poster) -> Pick:
        sightings, timing = self.sightings, self.timing
        return Pick(
            self.slack, self.claiming, watch, contest, poster, sightings=sightings, timing=timing, clock=self.clock
        )
