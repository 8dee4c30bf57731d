"""Blocking twins of async methods: they run on an event loop's thread, and whoever calls them waits."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError, Future, wait
from contextlib import ExitStack
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

__all__ = ["Blocking", "blocking", "standing_portal", "wait_for"]

_NAP = 1.0
"""Seconds after which whoever waits looks for signals."""
_WINDING_DOWN = 15.0
"""Seconds that an interrupted call may take to give back what it holds."""

_A = TypeVar("_A")
_A_co = TypeVar("_A_co", covariant=True)
_P = ParamSpec("_P")
_R = TypeVar("_R")


class _Stands(Protocol[_A_co]):
    """What stands for an async object on the loop's thread."""

    @property
    def _there(self) -> tuple[BlockingPortal, _A_co]: ...


def blocking(method: Callable[Concatenate[_A, _P], Awaitable[_R]]) -> Callable[Concatenate[_Stands[_A], _P], _R]:
    """The blocking twin of an async method: same parameters, same result, same docstring."""

    @wraps(method)
    def call(self: _Stands[_A], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        portal, there = self._there  # pyright: ignore[reportPrivateUsage]  # a method of the class, written outside it
        return wait_for(portal, lambda: method(there, *args, **kwargs))

    return call


def wait_for(portal: BlockingPortal, start: Callable[[], Awaitable[_R]]) -> _R:
    """Run on the loop's thread and wait for it; when interrupted (Ctrl-C), cancel it and wait for its end."""
    ended = threading.Event()

    async def run() -> _R:
        try:
            return await start()
        finally:
            ended.set()

    try:
        future = portal.start_task_soon(run)
    except RuntimeError as error:
        if _on_a_loop():  # nobody may wait there
            raise
        raise _closed() from error
    try:
        # A signal that comes just before a thread goes to sleep does not wake it up, so nobody sleeps for long.
        while not wait((future,), timeout=_NAP).done:
            pass
        return future.result()
    except CancelledError:
        raise _closed() from None
    except BaseException:
        if future.cancel():
            ended.wait(_WINDING_DOWN)
        raise


def _closed() -> ConfigurationError:
    return ConfigurationError("It was closed meanwhile.", remedy="Use a queue or a store inside `with`.")


def _on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def standing_portal(name: str) -> BlockingPortal:
    """An event loop on a thread that lives as long as the process and does not keep it alive; stop it with `stop`.

    Args:
        name: of the thread.
    """
    ready: Future[BlockingPortal] = Future()

    async def stand() -> None:
        async with BlockingPortal() as portal:
            ready.set_result(portal)
            await portal.sleep_until_stopped()

    threading.Thread(target=anyio.run, args=(stand,), name=name, daemon=True).start()
    return ready.result()


class Blocking(Generic[_A]):
    """Stands for an async object that is opened, on a loop's thread of its own, inside `with`.

    Args:
        what: what it is, for errors.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._stack = ExitStack()
        self._opened: tuple[BlockingPortal, _A] | None = None

    def __enter__(self) -> Self:
        if self._opened is not None:
            remedy = f"Enter `with {self._what}:` once."
            raise ConfigurationError(f"The {self._what} is open already.", remedy=remedy)
        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal())
            there = stack.enter_context(portal.wrap_async_context_manager(self._connected()))
            self._stack = stack.pop_all()
        self._opened = portal, there
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened = None
        # The error stays on this side: closing is the same with and without it.
        self._stack.close()

    @property
    def _there(self) -> tuple[BlockingPortal, _A]:
        if self._opened is None:
            remedy = f"Use it inside `with {self._what}:`."
            raise ConfigurationError(f"The {self._what} is not open.", remedy=remedy)
        return self._opened

    def _connected(self) -> AbstractAsyncContextManager[_A]:
        """The object, open while inside; each kind says how."""
        raise AssertionError(f"{type(self).__name__} does not say how it is opened")
