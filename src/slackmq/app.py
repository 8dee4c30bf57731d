"""App: a channel, the functions that work it, and the connection that both need."""

from __future__ import annotations

import logging
import os
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from slackmq.claiming.way import WAYS
from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError
from slackmq.handlers import Handlers
from slackmq.home.tab import Tab
from slackmq.nameplate import Nameplate
from slackmq.queue import AsyncQueue
from slackmq.queue.setting import agreed
from slackmq.slack.connect import open_events, open_slack, resolve
from slackmq.slack.polling import NoEvents
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Sequence
    from types import TracebackType

    from slackmq.claiming.marks import Marks
    from slackmq.clock import Clock
    from slackmq.home.home import Home
    from slackmq.hooks import Hook
    from slackmq.middleware import Middleware, PlainMiddleware
    from slackmq.options import Rate
    from slackmq.policy import Timing
    from slackmq.queue.controls import Controls
    from slackmq.queue.setting import Choice
    from slackmq.queue.show import Decor
    from slackmq.slack.api import Events, Slack
    from slackmq.slack.connect import Settings

__all__ = ["App"]

_log = logging.getLogger("slackmq.app")


class App:
    """A program that works a channel: `@app.listen` for what people type, `@app.task` for what programs post.

    Nothing is read from the environment and nothing is opened before `async with app:`.

    Args:
        channel: "#name" or id of the channel.
        claim: how claims are made; the same in all processes that work the channel. "reaction": the replicas of one
            app, by emoji. "pin": bots of several apps. "native": the replicas of one app, for handlers that may run
            twice: the first attempt costs no call. "auto": as the channel is set, see `slackmq.queue.setting`; where
            nobody has set it yet, "pin" if there are peers or other apps lately posted jobs for everybody, and
            "reaction" if not.
        peers: user ids of the bots of other apps that share the work; None: with "pin" every bot in the channel.
        show: an emoji or a pin on what is being worked on, for people; never read back.
        timing: the time constants; the same in all processes that work the channel.
        marks: which emoji stand for what.
        hooks: told of everything that happens.
        clock: the time of this process.
        dead_letters: "#name" or id of a channel in which each job that died has a message; None: its thread says it.
        controls: with which emoji people steer jobs, and who may; None: nobody's do.
        home: what the app's Home tab shows while a worker works, and who may press its buttons; None: nothing.
        middleware: what runs around every handler, the first outermost; see `Handlers.middleware`.

    Attributes:
        channel: as given.
        controls: as given.
        home: as given.
        handlers: the functions registered so far.
    """

    def __init__(
        self,
        channel: str,
        *,
        claim: Choice = "auto",
        peers: Collection[str] | None = None,
        show: Decor | None = None,
        timing: Timing | None = None,
        marks: Marks | None = None,
        hooks: Sequence[Hook] = (),
        clock: Clock = SYSTEM,
        dead_letters: str | None = None,
        controls: Controls | None = None,
        home: Home | None = None,
        middleware: Sequence[Middleware | PlainMiddleware] = (),
    ) -> None:
        if claim not in {"auto", *WAYS}:
            raise ConfigurationError(f"There is no way to claim called {claim!r}.", remedy='Use claim="auto".')
        if not channel.strip("# "):
            raise ConfigurationError("The app has no channel.", remedy='Name one: App(channel="#jobs").')
        self.channel = channel
        self.controls = controls
        self.home = home
        self.handlers = Handlers()
        self.listen = self.handlers.listen
        self.task = self.handlers.task
        self.explain = self.handlers.explain
        self.middleware = self.handlers.middleware
        for around in middleware:
            self.middleware(around)
        self.every = self.handlers.every
        self._claim: Choice = claim
        self._peers = peers
        self._show: Decor | None = show
        self._timing = timing
        self._marks = marks
        self._hooks = tuple(hooks)
        self._clock = clock
        self._dead_letters = dead_letters
        self._queue: AsyncQueue | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        if self._queue is not None:
            raise ConfigurationError("The app is connected already.", remedy="Enter `async with app:` once.")
        self._queue = await self._stack.enter_async_context(self.connected())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._queue = None
        return await self._stack.__aexit__(kind, error, trace)

    @property
    def queue(self) -> AsyncQueue:
        """The open queue.

        Raises:
            ConfigurationError: the app is not connected.
        """
        if self._queue is None:
            raise ConfigurationError("The app is not connected.", remedy="Use it inside `async with app:`.")
        return self._queue

    def worker(
        self, concurrency: int = 4, *, drain: timedelta = timedelta(seconds=30), rate: Rate | str | None = None
    ) -> AsyncWorker:
        """A worker for this app's functions on the open queue; `await app.worker().run()` works until told to stop.

        Args:
            concurrency: how many messages are worked on at once.
            drain: how long running handlers may go on after the worker was told to stop.
            rate: how many messages are begun in a time at most, as "10/m".

        Raises:
            ConfigurationError: the app is not connected.
        """
        return AsyncWorker(
            self.queue,
            self.handlers,
            concurrency=concurrency,
            drain=drain,
            rate=rate,
            controls=self.controls,
            clock=self._clock,
        )

    @asynccontextmanager
    async def connected(
        self,
        settings: Settings | None = None,
        *,
        worker: str | None = None,
        labels: Collection[str] = (),
        hooks: Sequence[Hook] = (),
    ) -> AsyncGenerator[AsyncQueue]:
        """Connect by these settings, and let tasks post meanwhile; what `async with app:` does, with a choice.

        Args:
            settings: which Slack, and as whom; None: by the environment of this moment.
            worker: the name of this process, shown to people, by which jobs may be meant for it; drawn at random if
                None.
            labels: what can be said of this process, as "gpu" or "room=attic".
            hooks: told of everything that happens, besides the app's own.

        Raises:
            ConfigurationError: no token, or settings that cannot be meant.
        """
        here = Nameplate.made(worker, labels, draw=self._clock.new_id)
        settings = replace(settings or resolve(os.environ), worker=here.name)
        events = open_events(settings, clock=self._clock)
        async with (
            open_slack(settings, clock=self._clock) as slack,
            self._over(slack, events, here, hooks) as queue,
        ):
            yield queue

    @asynccontextmanager
    async def over(
        self,
        slack: Slack,
        events: Events | None = None,
        *,
        worker: str | None = None,
        labels: Collection[str] = (),
        hooks: Sequence[Hook] = (),
    ) -> AsyncGenerator[AsyncQueue]:
        """The app's queue over a Slack that is connected already, open while inside; tasks post to it meanwhile.

        Args:
            slack: the workspace.
            events: hints of what happens; without them the channel is only read.
            worker: the name of this process, as in `connected`.
            labels: what can be said of it, as in `connected`.
            hooks: told of everything that happens, besides the app's own.
        """
        here = Nameplate.made(worker, labels, draw=self._clock.new_id)
        async with self._over(slack, events, here, hooks) as queue:
            yield queue

    @asynccontextmanager
    async def _over(
        self, slack: Slack, events: Events | None, here: Nameplate, hooks: Sequence[Hook]
    ) -> AsyncGenerator[AsyncQueue]:
        setting = await agreed(
            slack,
            self.channel,
            self._claim,
            timing=self._timing,
            marks=self._marks,
            socket=events is not None and not isinstance(events, NoEvents),
            peers=bool(self._peers),
        )
        queue = AsyncQueue(
            slack,
            self.channel,
            events=events,
            select=self.handlers.select,
            claim=setting.way,
            peers=self._peers,
            show=self._show,
            marks=self._marks,
            timing=self._timing,
            clock=self._clock,
            hooks=(*self._hooks, *hooks),
            worker=here,
            dead_letters=self._dead_letters,
            setting=setting,
        )
        async with queue:
            self._furnish(queue, slack)
            with self.handlers.posting_to(queue):
                yield queue

    def _furnish(self, queue: AsyncQueue, slack: Slack) -> None:
        """Let the Home tab be shown while a worker works."""
        if self.home is None or queue.opened is None:
            return
        if not queue.opened.doorbell.rings:
            _log.warning("the Home tab stays empty: without Socket Mode nobody hears that it is opened")
            return
        channels = list(dict.fromkeys([self.channel, *self.home.channels]))
        tab = Tab(slack, self.home, channels, clock=self._clock, worker=queue.worker)
        queue.opened.doorbell.tell(tab.notice)
        queue.opened.background.append(tab.run)
