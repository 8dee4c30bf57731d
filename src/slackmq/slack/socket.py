"""One Socket Mode connection as it is: every frame is shown, and none is acknowledged unasked."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

import aiohttp
import anyio

from slackmq.errors import Ambiguous

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

__all__ = ["Socket", "open_socket"]

_OPENING = 10.0
_FAREWELL = 1.0
_HEARTBEAT = 20.0
"""Seconds between pings."""


class Socket(Protocol):
    """One open connection."""

    async def receive(self) -> Mapping[str, Any]:
        """The next frame that is a JSON object.

        Raises:
            Ambiguous: the connection has ended.
        """
        ...

    async def acknowledge(self, envelope: str) -> None:
        """Tell Slack that the envelope with this id came through."""
        ...


@asynccontextmanager
async def open_socket(url: str) -> AsyncGenerator[Socket]:
    """A connection to the address that `apps.connections.open` gave, closed on leaving.

    Raises:
        Ambiguous: it cannot be opened.
    """
    async with aiohttp.ClientSession() as session:
        try:
            with anyio.fail_after(_OPENING):
                ws = await session.ws_connect(url, heartbeat=_HEARTBEAT)
        except (aiohttp.ClientError, OSError) as error:  # a timeout is an OSError
            raise Ambiguous(
                f"The socket does not open ({type(error).__name__}).",
                method="apps.connections.open",
                remedy="Let WebSockets (wss, port 443) out through the firewall or proxy.",
            ) from error
        try:
            yield _WebSocket(ws)
        finally:
            with anyio.move_on_after(_FAREWELL, shield=True):
                await ws.close()


class _WebSocket:
    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._ws = ws

    async def receive(self) -> Mapping[str, Any]:
        async for frame in self._ws:
            if frame.type is aiohttp.WSMsgType.TEXT:
                try:
                    value: object = json.loads(frame.data)
                except ValueError:
                    continue
                if isinstance(value, dict):
                    return cast("dict[str, Any]", value)
        raise Ambiguous(f"The socket was closed (code {self._ws.close_code}).", method="apps.connections.open")

    async def acknowledge(self, envelope: str) -> None:
        await self._ws.send_json({"envelope_id": envelope})
