"""VirtualLoop: an asyncio event loop whose time jumps to the next timer instead of passing."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
import math
import sys
import warnings
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from slackmq.simulation.order import forget, ordered

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator

__all__ = ["OWNER", "Complaint", "Deadlock", "Owner", "VirtualLoop", "run"]

T = TypeVar("T")


class Owner(Protocol):
    """Whose code a callback is: it may hold the callback back, or drop it."""

    def stops(self, callback: asyncio.Handle) -> bool:
        """True if the callback must not run now; whoever says so keeps it, or lets it go for ever."""
        ...


OWNER: contextvars.ContextVar[Owner | None] = contextvars.ContextVar("slackmq_simulation_owner", default=None)
"""Who owns the code that runs in this context; None: the simulation itself."""


class Deadlock(RuntimeError):
    """Nothing is ready and no timer is set, so the awaited result can never come."""


class Complaint(RuntimeError):
    """A callback raised, or a task failed and nobody asked why."""


class _Killed(BaseException):
    """Thrown into what is left of a dead task, until it gives up."""


class _Handle(asyncio.TimerHandle):
    __slots__ = ("owner",)

    owner: Owner | None

    def run(self) -> None:
        """Run the callback in its context; an exception goes to the loop's exception handler."""
        self._run()  # type: ignore[misc, unused-ignore]


class _Task(asyncio.Task[Any]):
    """A task whose hash is its number, so that sets of tasks have the same order in every run."""

    def __init__(self, coro: Coroutine[Any, Any, Any], *, number: int, **settings: Any) -> None:
        self._number = number
        super().__init__(coro, **settings)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs callbacks one after another in virtual time; no threads, no sockets, nothing waits.

    Callbacks that are due at the same time run in the order in which they were scheduled. Contexts that name an
    `OWNER` are asked before each of their callbacks.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._ready: deque[_Handle] = deque()
        self._timers: list[tuple[float, int, _Handle]] = []
        self._numbers = itertools.count()
        self._tasks: list[_Task] = []
        self._prune_at = 1_000
        self._running = False
        self._stopping = False
        self._closed = False
        self._complaints: list[str] = []

    # time and callbacks

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def call_soon(  # type: ignore[override]  # typeshed types the arguments with a TypeVarTuple
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Run `callback` in this instant, after what is ready already."""
        handle = self._handle(self._now, callback, args, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]  # there is one thread

    def call_at(  # type: ignore[override]  # as call_soon
        self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Run `callback` at a virtual time."""
        handle = self._handle(when, callback, args, context)
        if when < math.inf:  # sleeping for ever is no reason to jump there
            heapq.heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def call_later(  # type: ignore[override]  # as call_soon
        self, delay: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Run `callback` after `delay` virtual seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def again(self, handle: asyncio.Handle) -> None:
        """Take back a callback that its owner held."""
        if isinstance(handle, _Handle):
            self._ready.append(handle)

    def _handle(
        self, when: float, callback: Callable[..., object], args: tuple[Any, ...], context: contextvars.Context | None
    ) -> _Handle:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        if context is None:
            context = contextvars.copy_context()
        handle = _Handle(when, callback, args, self, context)
        handle.owner = context.get(OWNER)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Asyncio's timers tell their loop; this one finds out when their time comes."""

    # futures and tasks

    def create_future(self) -> Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(  # asyncio allows more
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
        **_: Any,
    ) -> asyncio.Task[T]:
        """Start a task, which belongs to the owner of its context."""
        if len(self._tasks) > self._prune_at:
            self._tasks = [task for task in self._tasks if not task.done()]
            self._prune_at = 1_000 + 2 * len(self._tasks)
        number = next(self._numbers)
        task = _Task(coro, number=number, loop=self, name=name or f"sim-{number}", context=context)  # type: ignore[arg-type]
        self._tasks.append(task)  # a task whose owner died is referenced by nobody else
        return task

    def get_task_factory(self) -> None:
        """None: tasks are made by `create_task`."""

    def get_debug(self) -> bool:
        """False: debugging would read the real time."""
        return False

    def set_debug(self, enabled: bool) -> None:  # noqa: FBT001  # asyncio's signature
        """Does nothing."""

    # running

    def run_forever(self) -> None:
        """Run until `stop`.

        Raises:
            Deadlock: nothing can happen any more.
        """
        hooks = sys.get_asyncgen_hooks()
        asyncio._set_running_loop(self)  # noqa: SLF001  # how asyncio wants a loop to announce itself
        sys.set_asyncgen_hooks(finalizer=self._finalize)
        self._running = True
        try:
            while not self._stopping:
                self._turn()
        finally:
            self._running = self._stopping = False
            asyncio._set_running_loop(None)  # noqa: SLF001  # as above
            sys.set_asyncgen_hooks(*hooks)

    def run_until_complete(self, future: Awaitable[T]) -> T:  # type: ignore[override]  # typeshed has overloads
        """Run until the future is done, and return its result."""
        outcome = asyncio.ensure_future(future, loop=self)
        outcome.add_done_callback(lambda _: self.stop())
        self.run_forever()
        return outcome.result()

    def stop(self) -> None:
        """Stop after this turn."""
        self._stopping = True

    def is_running(self) -> bool:
        """True inside `run_forever`."""
        return self._running

    def is_closed(self) -> bool:
        """True after `close`."""
        return self._closed

    def _turn(self) -> None:
        timers, ready = self._timers, self._ready
        if not ready:
            while timers and timers[0][2].cancelled():
                heapq.heappop(timers)
            if not timers:
                raise Deadlock(self._who_waits())
            self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            ready.append(heapq.heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle.cancelled() or (handle.owner is not None and handle.owner.stops(handle)):
                continue
            handle.run()

    def _who_waits(self) -> str:
        waiting = [task.get_name() for task in self._tasks if not task.done()]
        return f"Nothing is ready and no timer is set at {self._now:.3f} s; these tasks wait for ever: {waiting}"

    # the end

    def close(self) -> None:
        """Close, and dispose of the tasks that are left without letting them do anything more in this loop."""
        if self._closed:
            return
        self._closed = True
        self._ready.clear()
        self._timers.clear()
        left, self._tasks = [task for task in self._tasks if not task.done()], []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a dying task starts is never awaited
            for task in left:
                _dispose(task)
                forget(task)

    async def shutdown_asyncgens(self) -> None:
        """Nothing to do: a generator that was left open ends with the loop."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  # asyncio's
        """Nothing to do: there are no threads."""

    def _finalize(self, agen: AsyncGenerator[Any, Any]) -> None:
        if not self._closed:
            self.create_task(agen.aclose())

    # complaints

    @property
    def complaints(self) -> tuple[str, ...]:
        """What callbacks raised and nobody caught."""
        return tuple(self._complaints)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Note that something went wrong where nobody could catch it."""
        if not self._closed:
            self._complaints.append(f"{context.get('message')}: {context.get('exception')!r}")

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """As `call_exception_handler`."""
        self.call_exception_handler(context)


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main` in a loop of its own and dispose of all that it leaves behind.

    Raises:
        Complaint: a callback raised meanwhile.
        Deadlock: nothing can happen any more and `main` is not done.
    """
    loop = VirtualLoop()  # type: ignore[abstract]  # sockets, pipes, signals and threads do not exist here
    try:
        with ordered():
            result = loop.run_until_complete(loop.create_task(main(), name="main"))
    finally:
        loop.close()
    if loop.complaints:
        raise Complaint("; ".join(loop.complaints))
    return result


def _dispose(task: _Task) -> None:
    """End a task's coroutine without its loop: it may clean up, but whatever it awaits raises."""
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001  # as asyncio.gather does
    coro = task.get_coro()
    for _ in range(100):
        try:
            coro.throw(_Killed())
        except BaseException:  # noqa: BLE001  # whatever the last words are, nobody listens
            return
