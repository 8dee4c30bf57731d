"""Middleware for either kind of Bolt app, which guards the app from its first request on."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.middleware.middleware import Middleware

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slack_bolt.request import BoltRequest
    from slack_bolt.request.async_request import AsyncBoltRequest
    from slack_bolt.response import BoltResponse

    from slackmq.integrations.bolt.door import Door

__all__ = ["ExactlyOne"]


class ExactlyOne(Middleware, AsyncMiddleware):
    """Guards an app from its first request on, as `exactly_one_middleware` returns it.

    The first request waits until it is connected. If it cannot be, no listener runs, and the next request tries again.

    Args:
        make: makes the door of the app.
    """

    def __init__(self, make: Callable[[], Door]) -> None:
        self._make = make
        self._door: Door | None = None
        self._lock = threading.Lock()
        self._waiting: asyncio.Future[None] | None = None

    def process(
        self,
        *,
        req: BoltRequest,  # noqa: ARG002  # Bolt passes it
        resp: BoltResponse,  # noqa: ARG002  # as above
        next: Callable[[], BoltResponse],  # noqa: A002  # Bolt's name
    ) -> BoltResponse | None:
        """Called by Bolt for each request."""
        with self._lock:
            if self._door is None:
                door = self._make()
                door.open()
                self._door = door
        return next()

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,  # noqa: ARG002  # as above
        resp: BoltResponse,  # noqa: ARG002  # as above
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002  # as above
    ) -> BoltResponse | None:
        """Called by Bolt for each request."""
        while self._door is None:
            if self._waiting is None:
                await self._open()
            else:
                await asyncio.wait([self._waiting])
        return await next()

    async def _open(self) -> None:
        waiting = self._waiting = asyncio.get_running_loop().create_future()
        try:
            door = self._make()
            await door.open_async()
            self._door = door
        finally:
            self._waiting = None
            waiting.set_result(None)

    def close(self) -> None:
        """Stop claiming, for good: listeners that run are waited for, ten seconds at most."""
        if self._door is not None:
            self._door.close()
