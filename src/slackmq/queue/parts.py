"""Parts: what a queue is made of, and how the rest is built of it once the channel is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slackmq.claiming.thread import Thread
from slackmq.claiming.ways import claiming_by
from slackmq.errors import ConfigurationError
from slackmq.policy import placed
from slackmq.queue.agreement import Agreement
from slackmq.queue.approving import Approving
from slackmq.queue.asking import Asking
from slackmq.queue.cancelling import Cancelling
from slackmq.queue.chorus import Chorus
from slackmq.queue.collector import Collector
from slackmq.queue.contest import Contest
from slackmq.queue.dead_letters import DeadLetters
from slackmq.queue.doorbell import Doorbell
from slackmq.queue.ending import Ending
from slackmq.queue.gate import Gate
from slackmq.queue.janitor import Janitor
from slackmq.queue.keeping import Keeping
from slackmq.queue.naming import Naming
from slackmq.queue.opened import Opened
from slackmq.queue.parcels import Parcels
from slackmq.queue.pick import Pick
from slackmq.queue.poster import Poster
from slackmq.queue.pressing import Pressing
from slackmq.queue.redrive import Redrive
from slackmq.queue.roles import Roles
from slackmq.queue.show import Show
from slackmq.queue.sightings import Sightings
from slackmq.queue.steward import Steward
from slackmq.queue.turnstile import Turnstile
from slackmq.queue.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

    from anyio.abc import TaskGroup

    from slackmq.claiming.marks import Marks
    from slackmq.claiming.way import Claiming, Way
    from slackmq.clock import Clock
    from slackmq.hooks import Hook
    from slackmq.message import Message
    from slackmq.nameplate import Nameplate
    from slackmq.policy import Timing, Verdict
    from slackmq.queue.controls import Controls
    from slackmq.queue.queue import AsyncQueue
    from slackmq.queue.setting import Setting
    from slackmq.queue.show import Decor
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
        parcels: what is too large for a message.
        ending: how claims end.
        marks: which emoji stand for what.
        peers: user ids of the bots of other apps that take part; None: every bot.
        bots: whether what bots say is selected from as if a person had typed it.
        timing: the time constants.
        clock: the time of this process.
        here: what it is called, and what can be said of it.
        hook: told of everything that happens.
        letters: where letters about what is dead go, if anywhere.
        show: decorates what is worked on, if anything does.
        gate: how many messages may be begun now.
        roles: who is in which user group.
        setting: how the channel is worked, where that was agreed.
    """

    slack: Slack
    events: Doorbell
    select: Callable[[Message], Verdict]
    claiming: Claiming
    sightings: Sightings
    thread: Thread
    parcels: Parcels
    ending: Ending
    marks: Marks
    peers: frozenset[str] | None
    bots: bool
    timing: Timing
    clock: Clock
    here: Nameplate
    hook: Hook
    letters: DeadLetters | None
    show: Show | None
    gate: Gate
    roles: Roles
    setting: Setting | None = None

    @classmethod
    def made(
        cls,
        slack: Slack,
        *,
        events: Events,
        select: Callable[[Message], Verdict],
        claim: Way,
        peers: Collection[str] | None,
        bots: bool,
        show: Decor | None,
        marks: Marks,
        timing: Timing,
        clock: Clock,
        here: Nameplate,
        hook: Hook,
        dead_letters: str | None,
        setting: Setting | None,
    ) -> Parts:
        """The parts of a queue whose claims are made in this way, as `AsyncQueue` is told."""
        worker = here.name
        skew, among = timing.skew.total_seconds(), None if peers is None else frozenset(peers)
        thread = Thread(slack, clock=clock, skew=skew, shared=claim == "pin", peers=among)
        claiming = claiming_by(claim, slack, thread, marks=marks, timing=timing, clock=clock, worker=worker)
        parcels, letters = Parcels(slack, clock=clock), None
        if dead_letters is not None:
            letters = DeadLetters(slack, dead_letters, clock=clock, skew=skew, worker=worker, shared=claiming.shared)
        return cls(
            slack=slack,
            events=Doorbell(events),
            select=lambda message: placed(select(message), message, here),
            claiming=claiming,
            sightings=Sightings(window=timing.window.total_seconds()),
            thread=thread,
            parcels=parcels,
            ending=Ending(
                slack, claiming, thread, parcels=parcels, clock=clock, worker=worker, hook=hook, letters=letters
            ),
            marks=marks,
            peers=among,
            bots=bots,
            timing=timing,
            clock=clock,
            here=here,
            hook=hook,
            letters=letters,
            gate=Gate(clock=clock),
            roles=Roles(slack, clock=clock),
            show=Show(slack, show, emoji=marks.watched, clock=clock) if show else None,
            setting=setting,
        )

    @property
    def worker(self) -> str:
        """The name of this process."""
        return self.here.name

    async def open(self, name: str, tasks: TaskGroup) -> Opened:
        """Find the channel and ourselves, and build what works there.

        Args:
            name: "#name" or id of the channel.
            tasks: where what runs in the background runs.
        """
        identity, channel = await self.slack.identity(), await self.slack.channel(name)
        await self.claiming.open()
        if self.letters is not None:
            await self.letters.open()
            if self.letters.channel == channel.id:
                remedy = "Make a channel of their own for them."
                raise ConfigurationError(f"#{channel.name} cannot take its own dead letters.", remedy=remedy)
        watch = self._watch(identity, channel)
        watch.eager = bool(self.here.labels)
        contest, poster = self._contest(watch), self._poster(identity, channel)
        pick = self._pick(watch, contest, poster)
        return Opened(
            identity=identity,
            channel=channel,
            watch=watch,
            contest=contest,
            chorus=Chorus(self, watch, here=self.here, since=self.slack.now()),
            keeping=Keeping(self, watch),
            approving=Approving(self, watch),
            poster=poster,
            naming=Naming(self.slack, channel.id, clock=self.clock, skew=self.timing.skew.total_seconds()),
            asking=self._asking(watch),
            pick=pick,
            cancelling=self._cancelling(channel, pick, contest),
            redrive=self._redrive(),
            steward=self._steward,
            turnstile=Turnstile(self.slack, watch, self.sightings, clock=self.clock),
            doorbell=self.events,
            tasks=tasks,
            background=self._background(watch, identity, channel),
        )

    def _background(
        self, watch: Watch, identity: Identity, channel: Channel
    ) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        collector = Collector(
            self.slack,
            channel.id,
            me=identity.user,
            sightings=self.sightings,
            parcels=self.parcels,
            clock=self.clock,
            worker=self.worker,
        )
        background: list[Callable[[], Coroutine[Any, Any, None]]] = [watch.run, collector.run]
        if self.events.rings:
            background.append(Pressing(self, watch).run)
        if self.claiming.revocable:
            me, worker = identity.user, self.worker
            janitor = Janitor(self.slack, self.sightings, self.timing, clock=self.clock, worker=worker, me=me)
            background.append(janitor.run)
        if self.show is not None:
            background.append(self.show.run)
        if self.setting is not None:
            background.append(Agreement(self.slack, channel, self.setting, watch=watch, clock=self.clock).run)
        return background

    def _cancelling(self, channel: Channel, pick: Pick, contest: Contest) -> Cancelling:
        return Cancelling(
            self.slack,
            pick,
            contest,
            sightings=self.sightings,
            thread=self.thread,
            marks=self.marks,
            clock=self.clock,
            channel=channel.id,
            worker=self.worker,
        )

    def _steward(self, queue: AsyncQueue, controls: Controls) -> Steward:
        inside = queue.opened
        if inside is None:
            raise ConfigurationError("The queue is not open.", remedy="Use it inside `async with queue:`.")
        return Steward(self.slack, queue, inside, controls, roles=self.roles, marks=self.marks, clock=self.clock)

    def _redrive(self) -> Redrive:
        return Redrive(
            self.slack,
            clock=self.clock,
            timing=self.timing,
            hook=self.hook,
            shared=self.claiming.shared,
            letters=self.letters,
        )

    def _watch(self, identity: Identity, channel: Channel) -> Watch:
        return Watch(
            self.slack,
            self.events,
            channel=channel.id,
            me=identity.user,
            sightings=self.sightings,
            select=self.select,
            named=not self.here.drawn,
            marks=self.marks,
            claiming=self.claiming,
            thread=self.thread,
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
            gate=self.gate,
        )

    def _poster(self, identity: Identity, channel: Channel) -> Poster:
        return Poster(
            self.slack,
            channel=channel.id,
            me=identity.user,
            shared=self.claiming.shared,
            parcels=self.parcels,
            clock=self.clock,
            hook=self.hook,
            reach=self.timing.reach,
        )

    def _asking(self, watch: Watch) -> Asking:
        longest = self.timing.scan.total_seconds()
        return Asking(self.slack, watch, self.sightings, self.thread, self.parcels, clock=self.clock, longest=longest)

    def _pick(self, watch: Watch, contest: Contest, poster: Poster) -> Pick:
        sightings, timing = self.sightings, self.timing
        return Pick(
            self.slack, self.claiming, watch, contest, poster, sightings=sightings, timing=timing, clock=self.clock
        )
