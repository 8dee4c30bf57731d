"""Blocking twins of async methods: they run on an event loop's thread, and whoever calls them waits."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, wait
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.from_thread import BlockingPortal

__all__ = ["blocking", "wait_for"]

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


def blocking(method: Callable[Concatenate[_A, _P], Awaitable[_R]]) -> Callable[Concatenate[_Standing[_A], _P], _R]:
    """The blocking twin of an async method: same parameters, same result, same docstring."""

    @wraps(method)
    def call(self: _Standing[_A], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
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

    future = portal.start_task_soon(run)
    try:
        # A signal that comes just before a thread goes to sleep does not wake it up, so nobody sleeps for long.
        while not wait((future,), timeout=_NAP).done:
            pass
        return future.result()
    except CancelledError:
        raise ConfigurationError("It was closed meanwhile.", remedy="Use a queue or a store inside `with`.") from None
    except BaseException:
        if future.cancel():
            ended.wait(_WINDING_DOWN)
        raise
