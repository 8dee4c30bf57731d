"""What anyio needs for simulations: children cancelled in the order in which they began, the dead forgotten."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

from anyio._backends import _asyncio as backend

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Generator
    from weakref import WeakKeyDictionary

__all__ = ["forget", "ordered"]


class _Ordered(dict[Any, None]):
    """A set that remembers the order of insertion: as much of one as anyio uses."""

    def add(self, item: object) -> None:
        self[item] = None

    def remove(self, item: object) -> None:
        del self[item]

    def discard(self, item: object) -> None:
        self.pop(item, None)


class _Scope(backend.CancelScope):
    """A cancel scope whose children have an order; anyio keeps them in a set, whose order is that of addresses."""

    __slots__ = ()

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._child_scopes = _Ordered()  # type: ignore[assignment]  # stands in for a set


@contextlib.contextmanager
def ordered() -> Generator[None]:
    """Inside, anyio's new cancel scopes are ordered."""
    original = backend.CancelScope
    backend.CancelScope = _Scope  # type: ignore[misc]  # the class is looked up in the module at every use
    try:
        yield
    finally:
        backend.CancelScope = original  # type: ignore[misc]


def forget(task: asyncio.Task[Any]) -> None:
    """Drop what anyio remembers of a task that will never end by itself; nothing else would."""
    # Weak only in its keys, and each value holds its key by way of the scope.
    states = cast("WeakKeyDictionary[Any, Any]", backend._task_states)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
    states.pop(task, None)
