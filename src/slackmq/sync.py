"""The same library for code that does not await: the queue's verbs over an event loop on a thread of its own."""

from __future__ import annotations

import os
import threading
from concurrent.futures import CancelledError, wait
from contextlib import ExitStack, asynccontextmanager
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, Self, TypeVar

from anyio.from_thread import start_blocking_portal

from slackmq.claiming.marks import Marks
from slackmq.errors import ConfigurationError
from slackmq.policy import Timing, accept_jobs
from slackmq.queue import AsyncQueue
from slackmq.queue import Lease as AsyncLease
from slackmq.queue.setting import agree, setting_of
from slackmq.slack.connect import open_events, open_slack, resolve
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from anyio.from_thread import BlockingPortal

    from slackmq.handlers import Handlers
    from slackmq.hooks import Hook
    from slackmq.message import Claim, Message, Receipt
    from slackmq.policy import Verdict
    from slackmq.queue.setting import Choice, Setting
    from slackmq.slack.api import Slack
    from slackmq.slack.connect import Settings

__all__ = ["Lease", "Queue", "Worker"]

_NAP = 1.0
"""Seconds after which whoever waits looks for signals."""
_WINDING_DOWN = 15.0
"""Seconds that an interrupted call may take to give back what it holds."""

_A = TypeVar("_A")
_A_co = TypeVar("_A_co", covariant=True)
_P = ParamSpec("_P")
_R = TypeVar("_R")


class _Standing(Protocol[_A_co]):
    """What stands for an async object on the loop's thread."""

    @property
    def _there(self) -> tuple[BlockingPortal, _A_co]: ...


def _blocking(method: Callable[Concatenate[_A, _P], Awaitable[_R]]) -> Callable[Concatenate[_Standing[_A], _P], _R]:
    """The blocking twin of an async method: same parameters, same result, same docstring."""

    @wraps(method)
    def call(self: _Standing[_A], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        portal, there = self._there  # pyright: ignore[reportPrivateUsage]  # a method of the class, written outside it
        return _wait(portal, lambda: method(there, *args, **kwargs))

    return call


def _wait(portal: BlockingPortal, start: Callable[[], Awaitable[_R]]) -> _R:
    """Run on the loop's thread and wait for it; when interrupted (Ctrl-C), cancel it and wait for its end."""
    ended = threading.Event()

    async def run() -> _R:
        try:
            return await start()
        finally:
            ended.set()

    future = portal.start_task_soon(run)
    try:
        # A signal that comes just before a thread goes to sleep does not wake it up, so nobody sleeps for long.
        while not wait((future,), timeout=_NAP).done:
            pass
        return future.result()
    except CancelledError:
        raise ConfigurationError("The queue was closed meanwhile.", remedy="Use it inside `with queue:`.") from None
    except BaseException:
        if future.cancel():
            ended.wait(_WINDING_DOWN)
        raise


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

    ack = _blocking(AsyncLease.ack)
    fail = _blocking(AsyncLease.fail)
    release = _blocking(AsyncLease.release)


class Queue:
    """A channel as a queue of jobs, for code that does not await; everything works inside `with queue:`.

    Any number of threads may use one queue at once.

    Args:
        channel: "#name" or id.
        settings: which Slack, and as whom; None: by the environment at the moment of entering.
        select: says of each message whether it shall be claimed here; by default every job and nothing typed. It
            runs on the loop's thread, as hooks do.
        claim: how to be the only one, as in `App`.
        marks: which emoji stand for what.
        timing: the time constants; the same in all processes that work the channel.
        hooks: told of everything that happens.
        worker: the name of this process, shown to people; drawn at random if None.
    """

    def __init__(
        self,
        channel: str,
        *,
        settings: Settings | None = None,
        select: Callable[[Message], Verdict] = accept_jobs,
        claim: Choice = "auto",
        marks: Marks | None = None,
        timing: Timing | None = None,
        hooks: Sequence[Hook] = (),
        worker: str | None = None,
    ) -> None:
        self._channel = channel
        self._settings = settings
        self._select = select
        self._claim: Choice = claim
        self._marks = marks
        self._timing = timing
        self._hooks = hooks
        self._worker = worker
        self._stack = ExitStack()
        self._opened: tuple[BlockingPortal, AsyncQueue] | None = None

    def __enter__(self) -> Self:
        if self._opened is not None:
            raise ConfigurationError("The queue is open already.", remedy="Enter `with queue:` once.")
        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal())
            queue = stack.enter_context(portal.wrap_async_context_manager(self._connected()))
            self._stack = stack.pop_all()
        self._opened = portal, queue
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened = None
        # The error stays on this side: closing is the same with and without it.
        self._stack.close()

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[AsyncQueue]:
        settings = self._settings or resolve(os.environ)
        async with open_slack(settings) as slack:
            setting = await self._agreed(slack, socket=settings.app_token is not None)
            async with AsyncQueue(
                slack,
                self._channel,
                events=open_events(settings),
                select=self._select,
                claim=setting.way,
                marks=self._marks,
                timing=self._timing,
                hooks=self._hooks,
                worker=self._worker,
            ) as queue:
                yield queue

    async def _agreed(self, slack: Slack, *, socket: bool) -> Setting:
        marks, timing = self._marks or Marks(), self._timing or Timing()
        mine = setting_of(self._claim, timing=timing, marks=marks, socket=socket, peers=False)
        return await agree(slack, await slack.channel(self._channel), mine, choice=self._claim)

    @property
    def _there(self) -> tuple[BlockingPortal, AsyncQueue]:
        if self._opened is None:
            raise ConfigurationError("The queue is not open.", remedy="Use it inside `with queue:`.")
        return self._opened

    def claims(self) -> Iterator[Lease]:
        """Claims, one after the other, for as long as the queue is open and not stopped.

        Several threads may iterate at once, each over its own `claims()`; no message is given to two of them.

        Raises:
            SlackError: Slack refuses to show the channel: the token was revoked, a scope is missing, the bot was
                removed from the channel.
        """
        portal, queue = self._there
        claims = queue.claims()
        while (lease := _wait(portal, lambda: anext(claims, None))) is not None:
            try:
                yield Lease(portal, lease)
            except GeneratorExit:
                _wait(portal, claims.aclose)
                raise

    def hold(self, claim: Claim) -> Lease:
        """A lease that keeps a claim alive inside `with`."""
        portal, queue = self._there
        return Lease(portal, queue.hold(claim))

    def stop(self) -> None:
        """Let every `claims()` end once its current contest is decided; claims that are held stay held."""
        portal, queue = self._there
        portal.call(queue.stop)

    post = _blocking(AsyncQueue.post)
    claim = _blocking(AsyncQueue.claim)
    extend = _blocking(AsyncQueue.extend)
    answer = _blocking(AsyncQueue.answer)
    ack = _blocking(AsyncQueue.ack)
    fail = _blocking(AsyncQueue.fail)
    release = _blocking(AsyncQueue.release)
    inspect = _blocking(AsyncQueue.inspect)


class Worker:
    """Works a queue until told to stop; plain handlers run on threads, async ones on the loop's thread.

    Args:
        queue: an open queue, made with `select=handlers.select`.
        handlers: the functions that do the work.
        concurrency: how many messages are worked on at once.
        drain: how long running handlers may go on after `drain()`; what is left then is handed back.
    """

    def __init__(
        self,
        queue: Queue,
        handlers: Handlers,
        *,
        concurrency: int = 4,
        drain: timedelta = timedelta(seconds=30),
    ) -> None:
        portal, there = queue._there  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # two faces of one room
        self._there = portal, AsyncWorker(there, handlers, concurrency=concurrency, drain=drain)
        self._queue = there
        self._handlers = handlers

    def run(self) -> None:
        """Work until `drain` is called, by another thread or a signal handler; Ctrl-C hands back what is running.

        Raises:
            SlackError: Slack refuses for good: the token was revoked, a scope is missing, the bot was removed.
        """
        portal, worker = self._there
        with self._handlers.posting_to(self._queue):
            _wait(portal, worker.run)

    def drain(self) -> None:
        """Claim nothing more; `run` returns when what is running has ended or was handed back."""
        portal, worker = self._there
        portal.call(worker.drain)
