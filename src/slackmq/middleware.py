"""Middleware: functions around handlers, for what all of them need: logging, a transaction, another kind of error."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar, cast

import anyio.from_thread
from anyio import get_cancelled_exc_class

from slackmq.errors import ConfigurationError
from slackmq.job import Job
from slackmq.parameters import place
from slackmq.threads import on_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CallNext", "Middleware", "PlainCallNext", "PlainMiddleware", "checked", "wrapped"]

CallNext = Callable[[], Awaitable[object]]
"""Runs what is inside, and gives its result; what that raises goes through."""
PlainCallNext = Callable[[], object]
"""The same for a plain function: it returns when what is inside has ended."""
Middleware = Callable[[Job, CallNext], Awaitable[object]]
"""A function that awaits: it gets the job and what comes next, awaits that once, and returns a result."""
PlainMiddleware = Callable[[Job, PlainCallNext], object]
"""The same without `async` and `await`, on a thread of its own."""

_F = TypeVar("_F", bound=Callable[..., object])


def checked(function: _F) -> _F:
    """The function, once it is sure that it can stand around handlers.

    Raises:
        ConfigurationError: it cannot be called with the job and with what comes next, or it yields.
    """
    if not callable(function):
        raise ConfigurationError(f"{function!r} is no function.", remedy="Middleware takes (job, call_next).")
    try:
        inspect.signature(function).bind(None, None)
    except TypeError as error:
        raise ConfigurationError(
            f"{place(function)} is no middleware: {error}.", remedy="It takes two arguments: (job, call_next)."
        ) from error
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigurationError(f"{place(function)} yields.", remedy="Call call_next() once, and return.")
    return function


def wrapped(layers: Sequence[Middleware | PlainMiddleware], job: Job, inside: CallNext) -> CallNext:
    """What runs all layers, the first of them outermost, and the handler inside them."""
    for layer in reversed(layers):
        inside = _Layer(layer, job, inside)
    return inside


class _Layer:
    """One layer around what is inside it."""

    def __init__(self, function: Middleware | PlainMiddleware, job: Job, inside: CallNext) -> None:
        self._function = function
        self._job = job
        self._inside = inside
        self._called = False

    async def __call__(self) -> object:
        function, job = self._function, self._job
        if _awaits(function):
            result = function(job, self._next)
        else:
            plain = cast("PlainMiddleware", function)
            result = await on_thread(lambda: plain(job, self._next_of_a_thread), job)
        return await result if inspect.isawaitable(result) else result

    def _next_of_a_thread(self) -> object:
        result, error = anyio.from_thread.run(self._outcome)
        if error is not None:
            raise error
        return result

    async def _outcome(self) -> tuple[object, BaseException | None]:
        """The result or the error as a value: a `SystemExit` on its way to a thread would end the loop."""
        try:
            return await self._next(), None
        except get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001  # raised again on the thread
            return None, error

    async def _next(self) -> object:
        if self._called:
            raise RuntimeError(f"{place(self._function)} called call_next() twice: the handler runs once an attempt")
        self._called = True
        return await self._inside()


def _awaits(function: Callable[..., object]) -> bool:
    """Whether a function, or an object that can be called, is to run in the loop."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004  # whether it awaits, not whether it can be called
