"""Turn: one execution of a listener, whose end somebody on another loop waits for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Turn"]


class Turn:
    """One execution of a listener.

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
        self._ended = asyncio.Event()

    def end(self, error: BaseException | None) -> None:
        """It has ended; may be called from any thread."""
        self.error = self.error or error
        self._loop.call_soon_threadsafe(self._ended.set)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    async def wait(self) -> None:
        """Wait for its end."""
        await self._ended.wait()
