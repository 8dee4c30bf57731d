"""A source of events that has none: what happened, only reading the channel tells."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from slackmq.slack.api import Connected

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from slackmq.slack.api import Event

__all__ = ["NoEvents"]


class NoEvents:
    """Implements `slackmq.slack.api.Events` for who hears nothing: no event ever comes, and it never ends.

    Args:
        connections: how many sockets the app has open elsewhere, about; it is told once. None: none that matter.
    """

    def __init__(self, connections: int | None = None) -> None:
        self._connections = connections

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator[AsyncIterator[Event]]:
        """Yield an iterator over next to nothing."""
        yield self._silence()

    async def _silence(self) -> AsyncIterator[Event]:
        if self._connections is not None:
            yield Connected(connections=self._connections)
        await anyio.sleep_forever()
