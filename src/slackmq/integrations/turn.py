"""Turn: one execution of a listener, whose end somebody on another loop waits for."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

__all__ = ["Turn"]


class Turn:
    """One execution of a listener; of one part, unless more are added. A context manager around a part ends it.

    Args:
        context: what the listener may want to know: the idempotency `key`, the fencing `token`, the `attempt`.
        loop: the loop on which somebody waits for its end.

    Attributes:
        error: what it ended with, if it did not end well.
    """

    def __init__(self, context: Mapping[str, Any], loop: asyncio.AbstractEventLoop) -> None:
        self.context = dict(context)
        self.error: BaseException | None = None
        self._loop = loop
        self._lock = threading.Lock()
        self._left = 1
        self._ended = asyncio.Event()

    def add(self, parts: int = 1) -> None:
        """It has so many parts more; may be called from any thread, before the last one has ended."""
        with self._lock:
            self._left += parts

    def end(self, error: BaseException | None) -> None:
        """One part has ended, and the turn with the last; may be called from any thread."""
        with self._lock:
            self.error = self.error or error
            self._left -= 1
            over = self._left == 0
        if over:
            self._loop.call_soon_threadsafe(self._ended.set)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    async def wait(self) -> None:
        """Wait for its end."""
        await self._ended.wait()
