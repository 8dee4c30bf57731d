"""Queues and workers for code that does not await."""

from __future__ import annotations

import functools
import os
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from slackmq.errors import ConfigurationError
from slackmq.policy import accept_jobs
from slackmq.portal import Blocking, blocking, wait_for
from slackmq.queue import AsyncQueue
from slackmq.queue import Lease as AsyncLease
from slackmq.queue.setting import agreed
from slackmq.slack.connect import open_events, open_slack, resolve
from slackmq.task import BlockingTask
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterator, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from anyio.from_thread import BlockingPortal

    from slackmq.claiming.marks import Marks
    from slackmq.handlers import Handlers
    from slackmq.hooks import Hook
    from slackmq.message import Claim, Message, Receipt
    from slackmq.options import Rate
    from slackmq.policy import Timing, Verdict
    from slackmq.queue.controls import Controls
    from slackmq.queue.setting import Choice
    from slackmq.queue.show import Decor
    from slackmq.slack.api import Channel
    from slackmq.slack.connect import Settings
    from slackmq.task import Task

__all__ = ["Lease", "Queue", "Worker"]

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R")


class Lease:
    """A claim, extended in the background while inside `with`.

    Leaving acknowledges the message; leaving with an exception fails it for good; an interruption (Ctrl-C) releases
    it. Who wants it otherwise calls `ack`, `fail` or `release` inside. A thread cannot be stopped: if the claim is
    lost, `lost` says so at once, and leaving raises `LeaseLost`.
    """

    def __init__(self, portal: BlockingPortal, lease: AsyncLease) -> None:
        self._there = portal, lease
        self._inside: AbstractContextManager[Message] = portal.wrap_async_context_manager(lease)

    def __enter__(self) -> Message:
        return self._inside.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, Exception):
            # An interruption is this thread's affair: raised again on the loop's thread, it would end the loop.
            if self.receipt is None and self.lost is None:
                self.release()
            kind = error = trace = None
        self._inside.__exit__(kind, error, trace)

    @property
    def claim(self) -> Claim:
        """The claim as it stands: token and deadline change with every extension."""
        return self._there[1].claim

    @property
    def receipt(self) -> Receipt | None:
        """How it ended, once it did."""
        return self._there[1].receipt

    @property
    def lost(self) -> Exception | None:
        """Why it was lost, if it was."""
        return self._there[1].lost

    @property
    def cancelled(self) -> bool:
        """Whether somebody wants the job cancelled, as far as this process has heard."""
        return self._there[1].cancelled

    ack = blocking(AsyncLease.ack)
    fail = blocking(AsyncLease.fail)
    release = blocking(AsyncLease.release)
    drop = blocking(AsyncLease.drop)


class Queue(Blocking[AsyncQueue]):
    """A channel as a queue of jobs, for code that does not await; everything works inside `with queue:`.

    Any number of threads may use one queue at once.

    Args:
        channel: "#name" or id.
        settings: which Slack, and as whom; None: by the environment at the moment of entering.
        select: says of each message whether it shall be claimed here; by default every job and nothing typed. It
            runs on the loop's thread, as hooks do.
        claim: how to be the only one, as in `App`.
        peers: user ids of the bots of other apps that share the work; None: with "pin" every bot in the channel.
        bots: whether what bots say, and what comes with a file, is selected from as if a person had typed it.
        show: an emoji or a pin on what is being worked on, for people; never read back.
        marks: which emoji stand for what.
        timing: the time constants; the same in all processes that work the channel.
        hooks: told of everything that happens.
        worker: the name of this process, shown to people, by which jobs may be meant for it; drawn at random if None.
        labels: what can be said of this process, as "gpu" or "room=attic".
        dead_letters: "#name" or id of a channel in which each job that died has a message; None: its thread says it.
    """

    def __init__(
        self,
        channel: str,
        *,
        settings: Settings | None = None,
        select: Callable[[Message], Verdict] = accept_jobs,
        claim: Choice = "auto",
        peers: Collection[str] | None = None,
        bots: bool = False,
        show: Decor | None = None,
        marks: Marks | None = None,
        timing: Timing | None = None,
        hooks: Sequence[Hook] = (),
        worker: str | None = None,
        labels: Collection[str] = (),
        dead_letters: str | None = None,
    ) -> None:
        self._channel = channel
        self._settings = settings
        self._select = select
        self._claim: Choice = claim
        self._peers = peers
        self._bots = bots
        self._show: Decor | None = show
        self._marks = marks
        self._timing = timing
        self._hooks = hooks
        self._worker = worker
        self._labels = labels
        self._dead_letters = dead_letters
        super().__init__("queue")

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[AsyncQueue]:
        settings = self._settings or resolve(os.environ)
        async with open_slack(settings) as slack:
            setting = await agreed(
                slack,
                self._channel,
                self._claim,
                timing=self._timing,
                marks=self._marks,
                socket=settings.app_token is not None,
                peers=bool(self._peers),
            )
            async with AsyncQueue(
                slack,
                self._channel,
                events=open_events(settings),
                select=self._select,
                claim=setting.way,
                peers=self._peers,
                bots=self._bots,
                show=self._show,
                marks=self._marks,
                timing=self._timing,
                hooks=self._hooks,
                worker=self._worker,
                labels=self._labels,
                dead_letters=self._dead_letters,
                setting=setting,
            ) as queue:
                yield queue

    @property
    def channel(self) -> Channel:
        """The channel."""
        return self._there[1].channel

    @property
    def received_at(self) -> float | None:
        """When the channel was last read or heard of, on the process's monotonic clock; None before the first time."""
        return self._there[1].received_at

    def task(self, task: Task[_Q, _P, _R]) -> BlockingTask[_Q, _P, _R]:
        """A task that is posted here: `queue.task(resize).post("cat.png", width=300)`."""
        portal, queue = self._there
        return BlockingTask(task.to(queue), functools.partial(wait_for, portal))

    def claims(self) -> Iterator[Lease]:
        """Claims, one after the other, for as long as the queue is open and not stopped.

        Several threads may iterate at once, each over its own `claims()`; no message is given to two of them.

        Raises:
            SlackError: Slack refuses to show the channel: the token was revoked, a scope is missing, the bot was
                removed from the channel.
        """
        portal, claims = self._there[0], self._there[1].claims()
        while (lease := wait_for(portal, lambda: anext(claims, None))) is not None:
            try:
                yield Lease(portal, lease)
            except GeneratorExit:
                with suppress(ConfigurationError):  # a queue that was closed has ended them
                    wait_for(portal, claims.aclose)
                raise

    def hold(self, claim: Claim) -> Lease:
        """A lease that keeps a claim alive inside `with`."""
        return Lease(self._there[0], self._there[1].hold(claim))

    @contextmanager
    def claim_once(
        self, message: Message | str | None = None, *, key: str | None = None, wait: bool = False
    ) -> Generator[Lease | None]:
        """A claim for whoever asks first: `with queue.claim_once(ts) as claim:` and then `if claim:`.

        Inside, `claim` is a `Lease`, or None where somebody else was first; how one leaves is how it ends.

        Args:
            message: what to claim, or its ts: any message that stands in the channel, whoever posted it.
            key: instead of a message, a name of what shall happen once, as "backup/2026-11-27"; see `AsyncQueue`.
            wait: wait while somebody else has it, and take over if their claim lapses; None comes once it has ended.

        Raises:
            ConfigurationError: neither or both are given; on entering, the channel has no such message.
        """
        portal, queue = self._there
        once = queue.claim_once(message, key=key, wait=wait)
        claim = wait_for(portal, once.claim)
        if claim is None:
            yield None
            return
        lease = self.hold(claim)
        try:
            with lease:
                yield lease
        finally:
            wait_for(portal, lambda: once.tidy(lease.claim))

    def limit(self, rate: Rate | None) -> None:
        """Let `claims()` claim no more messages in a time than that from now on; None: as many as there are."""
        self._there[0].call(self._there[1].limit, rate)

    def stop(self) -> None:
        """Let every `claims()` end once its current contest is decided; claims that are held stay held."""
        self._there[0].call(self._there[1].stop)

    post = blocking(AsyncQueue.post)
    post_batch = blocking(AsyncQueue.post_batch)
    claim = blocking(AsyncQueue.claim)
    extend = blocking(AsyncQueue.extend)
    answer = blocking(AsyncQueue.answer)
    body = blocking(AsyncQueue.body)
    ack = blocking(AsyncQueue.ack)
    fail = blocking(AsyncQueue.fail)
    release = blocking(AsyncQueue.release)
    inspect = blocking(AsyncQueue.inspect)
    cancel = blocking(AsyncQueue.cancel)
    dead_letters = blocking(AsyncQueue.dead_letters)
    redrive = blocking(AsyncQueue.redrive)


class Worker:
    """Works a queue until told to stop; plain handlers run on threads, async ones on the loop's thread.

    Args:
        queue: an open queue, made with `select=handlers.select`.
        handlers: the functions that do the work.
        concurrency: how many messages are worked on at once.
        drain: how long running handlers may go on after `drain()`; what is left then is handed back.
        rate: how many messages are begun in a time at most, as "10/m".
        controls: with which emoji people steer jobs, and who may; None: nobody's do.
    """

    def __init__(
        self,
        queue: Queue,
        handlers: Handlers,
        *,
        concurrency: int = 4,
        drain: timedelta = timedelta(seconds=30),
        rate: Rate | str | None = None,
        controls: Controls | None = None,
    ) -> None:
        portal, there = queue._there  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # two faces of one room
        worker = AsyncWorker(there, handlers, concurrency=concurrency, drain=drain, rate=rate, controls=controls)
        self._there, self._queue, self._handlers = (portal, worker), there, handlers

    def run(self, *, burst: bool = False) -> None:
        """Work until `drain` is called, by another thread or a signal handler; Ctrl-C hands back what is running.

        With `burst` it ends by itself once nothing waits, see `AsyncWorker.run`.

        Raises:
            SlackError: Slack refuses for good: the token was revoked, a scope is missing, the bot was removed.
        """
        with self._handlers.posting_to(self._queue):
            wait_for(self._there[0], functools.partial(self._there[1].run, burst=burst))

    def drain(self) -> None:
        """Claim nothing more; `run` returns when what is running has ended or was handed back."""
        self._there[0].call(self._there[1].drain)
