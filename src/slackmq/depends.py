"""Depends: what a handler needs besides its arguments, opened for each attempt and closed after it."""

from __future__ import annotations

import inspect
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, get_args, overload

from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
    from contextlib import AsyncExitStack, ExitStack

__all__ = ["Depends", "Needs"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Opener:
    """The function that makes a value."""

    function: Callable[[], Any]


@overload
def Depends(function: Callable[[], AsyncGenerator[_T]], /) -> _T: ...
@overload
def Depends(function: Callable[[], Generator[_T, Any, Any]], /) -> _T: ...
@overload
def Depends(function: Callable[[], Awaitable[_T]], /) -> _T: ...
@overload
def Depends(function: Callable[[], _T], /) -> _T: ...
def Depends(function: Callable[[], Any], /) -> Any:  # noqa: N802  # the name that FastAPI gave it
    """What a function makes, for a parameter of a handler.

    As in `db: Annotated[Database, Depends(open_database)]`. Where programs post the task, the default value
    `db: Database = Depends(open_database)` says the same, and type checkers see that nobody has to give it.

    The function is called for each attempt, inside all middleware. One that yields once goes on when the attempt is
    over, with what the handler raised. For a plain handler it runs on the same thread and does not await; for an async
    handler it runs in the loop, so it awaits what takes time.
    """
    return _Opener(function)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a handler's parameters depend on.

    Attributes:
        openers: the functions that make the values, by parameter.
    """

    openers: Mapping[str, _Opener]

    @classmethod
    def read(cls, parameters: Mapping[str, inspect.Parameter], *, awaits: bool, owner: str) -> Needs:
        """What these parameters, with their annotations as types, depend on.

        Raises:
            ConfigurationError: a handler that does not await needs what must be awaited.
        """
        found: dict[str, _Opener] = {}
        for name, parameter in parameters.items():
            for each in (parameter.default, *get_args(parameter.annotation)[1:]):
                if isinstance(each, _Opener):
                    found[name] = each
        for name, opener in found.items():
            function = opener.function
            if not awaits and (inspect.isasyncgenfunction(function) or inspect.iscoroutinefunction(function)):
                raise ConfigurationError(
                    f"{owner}: {name} must be awaited, and the handler does not await.",
                    remedy="Make the handler `async def`, or what opens it a plain function.",
                )
        return cls(openers=found)

    def plain(self, stack: ExitStack) -> dict[str, Any]:
        """The values, for a handler that does not await; what yields is closed by the stack."""
        return {
            name: stack.enter_context(contextmanager(opener.function)())
            if inspect.isgeneratorfunction(opener.function)
            else opener.function()
            for name, opener in self.openers.items()
        }

    async def awaited(self, stack: AsyncExitStack) -> dict[str, Any]:
        """The values, for a handler that awaits; what yields is closed by the stack."""
        values: dict[str, Any] = {}
        for name, opener in self.openers.items():
            if inspect.isasyncgenfunction(opener.function):
                values[name] = await stack.enter_async_context(asynccontextmanager(opener.function)())
            elif inspect.isgeneratorfunction(opener.function):
                values[name] = stack.enter_context(contextmanager(opener.function)())
            else:
                made = opener.function()
                values[name] = await made if inspect.isawaitable(made) else made
        return values
