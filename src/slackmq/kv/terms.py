"""Terms: leaderships for code that does not await; a thread cannot be stopped, so it has to look whether it leads."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from slackmq.kv.errors import LockLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import TracebackType

    from slackmq.kv.lock import Lock

__all__ = ["Term", "Terms"]


class Term:
    """One leadership of this process: `with term:`; waits until it is elected, and gives it up on leaving.

    While `token` is not 0 this process leads, unless it stands still. If the leadership was lost meanwhile, leaving
    raises `LockLost`, but not where the term is one of a loop: there `lost` says it, and the loop goes on.

    Attributes:
        lost: why it ended, if it was not given up.
    """

    def __init__(self, hold: Callable[[], AbstractContextManager[Lock]], *, again: bool) -> None:
        self.lost: LockLost | None = None
        self._hold = hold
        self._again = again
        self._lock: Lock | None = None
        self._stack = ExitStack()

    @property
    def token(self) -> int:
        """The fencing token; 0 while this process does not lead."""
        return self._lock.token if self._lock else 0

    @property
    def key(self) -> str:
        """The key that stands for the leadership, for `Batch.held`; "" before it is entered."""
        return self._lock.key if self._lock else ""

    def remaining(self) -> timedelta:
        """How long this process leads still, if it is not renewed; zero or less: not any more."""
        return self._lock.remaining() if self._lock else timedelta(0)

    def __enter__(self) -> Self:
        self.lost = None
        self._lock = self._stack.enter_context(self._hold())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stack.close()
        except LockLost as lost:
            self.lost = lost
            if not self._again and error is None:  # an error of the caller's own says more
                raise


class Terms:
    """One leadership that several processes want: `with store.elect("x") as term:` leads once.

    `for term in store.elect("x"):` with `with term:` inside leads again and again.

    Args:
        hold: makes the lock that stands for it.
    """

    def __init__(self, hold: Callable[[], AbstractContextManager[Lock]]) -> None:
        self._hold = hold
        self._one = Term(hold, again=False)

    def __enter__(self) -> Term:
        return self._one.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._one.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[Term]:
        while True:
            yield Term(self._hold, again=True)
