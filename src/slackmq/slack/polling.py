"""A source of events that has none: what happened, only reading the channel tells."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from slackmq.slack.api import Event

__all__ = ["NoEvents"]


class NoEvents:
    """Implements `slackmq.slack.api.Events` for apps without Socket Mode: it never yields, and never ends."""

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator[AsyncIterator[Event]]:
        """Yield an iterator whose first event never comes."""
        yield _Silence()


class _Silence:
    def __aiter__(self) -> _Silence:
        return self

    async def __anext__(self) -> Event:
        await anyio.sleep_forever()
        raise StopAsyncIteration  # pragma: no cover  # for ever is long
