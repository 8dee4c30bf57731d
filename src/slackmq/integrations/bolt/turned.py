"""A listener of Bolt for the one time that it was claimed for: its parts are counted, and its errors kept."""

from __future__ import annotations

import functools
import inspect
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from slackmq.integrations.turn import Turn

__all__ = ["Turned"]


class Turned:
    """Stands for a listener, which is over when its function and all its lazy ones are.

    That the function is over Bolt's completion handler says; each lazy function says it itself.

    Args:
        listener: the listener.
        turn: what ends with it.
    """

    def __init__(self, listener: Any, turn: Turn) -> None:
        self._listener = listener
        self._turn = turn
        self._lock = threading.Lock()
        self._left = 1 + len(listener.lazy_functions)
        self._error: BaseException | None = None
        self._begun = False
        self.lazy_functions = [self._lazy(function) for function in listener.lazy_functions]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def run_ack_function(self, *, request: Any, response: Any) -> Any:
        """What the listener does."""
        self._begun = True
        try:
            answer = self._listener.run_ack_function(request=request, response=response)
        except BaseException as error:  # sys.exit() too, and being cancelled: it has not done its work
            self._error = error
            raise
        return self._awaited(answer) if inspect.isawaitable(answer) else answer

    async def _awaited(self, answer: Any) -> Any:
        try:
            return await answer
        except BaseException as error:
            self._error = error
            raise

    def part_ended(self, error: BaseException | None = None) -> None:
        """One part has ended; the last one ends the turn."""
        with self._lock:
            self._error = self._error or error
            self._left -= 1
            over = self._left == 0
        if over:
            unbegun = None if self._begun else RuntimeError("the listener was not run: Bolt's start handler raised")
            self._turn.end(self._error or unbegun)

    def _lazy(self, function: Callable[..., Any]) -> Callable[..., Any]:
        # Bolt looks at the wrapped function's own parameters, and runs either kind as it is.
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run_async(*args: Any, **kwargs: Any) -> Any:
                with self._part():
                    return await function(*args, **kwargs)

            return run_async

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with self._part():
                return function(*args, **kwargs)

        return run

    @contextmanager
    def _part(self) -> Generator[None]:
        """Inside is a part, which ends on leaving."""
        try:
            yield
        except BaseException as error:
            self.part_ended(error)
            raise
        else:
            self.part_ended()
