"""The WebSocket door at /link/, where apps listen: tickets, connections, acknowledgements, and one timer."""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from aiohttp import WSCloseCode, WSMsgType, web

from slackmq.emulator.delivery import Delivery, round_robin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.server import Done, Server

__all__ = ["PING_EVERY", "Sockets"]

PING_EVERY = 10.0
"""Seconds between the server's pings. Slack's client for Node gives up after 30 s without one (its
`serverPingTimeoutMS`)."""

_SILENT = 60.0
"""Seconds after which a connection that said nothing, not even a pong, is taken for dead."""

_TICKETS = 1000
"""Tickets kept; the oldest unused one is forgotten."""


@dataclass(eq=False, slots=True, kw_only=True)
class _Link:
    """One open connection. `outbox` ends with None: then the connection is closed."""

    name: str
    app: str
    socket: web.WebSocketResponse
    outbox: asyncio.Queue[Mapping[str, Any] | None] = field(default_factory=asyncio.Queue["Mapping[str, Any] | None"])


class Sockets:
    """All Socket Mode connections of all apps.

    Args:
        server: whose events are delivered.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._tickets: dict[str, str] = {}
        self._links: dict[str, _Link] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._stirred = asyncio.Event()
        server.listen(self._heard)

    def routes(self) -> list[web.RouteDef]:
        """GET /link/."""
        return [web.get("/link/", self._open)]

    def invite(self, app: str) -> str:
        """A path with a ticket for one connection of the app."""
        ticket = secrets.token_urlsafe(16)
        self._tickets[ticket] = app
        while len(self._tickets) > _TICKETS:
            del self._tickets[next(iter(self._tickets))]
        return f"/link/?ticket={ticket}&app_id={app}"

    def dismiss(self, reason: str, *, app: str | None = None) -> int:
        """Send "disconnect" to all connections, or to an app's, and close them; returns how many there were.

        A `warning` is only announced, as Slack does some seconds before it closes the connection itself.
        """
        links = [link for link in self._links.values() if app in {None, link.app}]
        for link in links:
            frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-local"}}
            link.outbox.put_nowait(frame)
            if reason != "warning":
                link.outbox.put_nowait(None)
        return len(links)

    async def run(self) -> None:
        """Send what is due when it is due, until cancelled."""
        while True:
            self._stirred.clear()
            now = self._server.now()
            for delivery in self._deliveries.values():
                for name, frame in delivery.due(now):
                    if name in self._links:
                        self._links[name].outbox.put_nowait(frame)
            turns = [turn for delivery in self._deliveries.values() if (turn := delivery.next_due()) is not None]
            with suppress(TimeoutError):
                async with asyncio.timeout((min(turns) - now) / 1e6 if turns else None):
                    await self._stirred.wait()

    def _heard(self, done: Done) -> None:
        for event in done.outcome.events:
            for app in self._server.workspace.audience(event):
                self._delivery(app).offer(self._server.workspace.wrap(event, app, done.at), done.at)
                self._stirred.set()
        if done.method == "emulator.apps.revoke":
            self.dismiss("link_disabled", app=str(done.args.get("app", "")))

    def _delivery(self, app: str) -> Delivery:
        if app not in self._deliveries:
            self._deliveries[app] = Delivery(app=app, new_id=_uuid, choose=round_robin())
        return self._deliveries[app]

    async def _open(self, request: web.Request) -> web.StreamResponse:
        app = self._tickets.pop(request.query.get("ticket", ""), None)
        if app is None:
            raise web.HTTPForbidden(text="This ticket is unknown or used: ask apps.connections.open for a new one.\n")
        socket = web.WebSocketResponse(autoping=False, autoclose=True, timeout=1.0, max_msg_size=1024 * 1024)
        await socket.prepare(request)
        link = _Link(name=secrets.token_hex(8), app=app, socket=socket)
        delivery = self._delivery(app)
        first = delivery.connected(link.name, self._server.now())
        link.outbox.put_nowait(first)
        if first["type"] == "disconnect":
            link.outbox.put_nowait(None)
        else:
            self._links[link.name] = link
        try:
            await self._serve(link, delivery)
        finally:
            self._links.pop(link.name, None)
            delivery.disconnected(link.name, self._server.now())
            self._stirred.set()
        return socket

    async def _serve(self, link: _Link, delivery: Delivery) -> None:
        """Read, write and ping until one of the three ends."""
        self._stirred.set()
        tasks = [
            asyncio.create_task(self._read(link, delivery)),
            asyncio.create_task(_write(link)),
            asyncio.create_task(_ping(link)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await link.socket.close(code=WSCloseCode.GOING_AWAY)

    async def _read(self, link: _Link, delivery: Delivery) -> None:
        while True:
            message = await link.socket.receive(timeout=_SILENT)
            match message.type:
                case WSMsgType.TEXT:
                    envelope = _envelope(message.data)
                    if envelope is not None and delivery.acknowledged(envelope):
                        self._stirred.set()
                case WSMsgType.PING:
                    await link.socket.pong(message.data)
                case WSMsgType.PONG | WSMsgType.BINARY:
                    pass
                case _:
                    return


async def _write(link: _Link) -> None:
    while (frame := await link.outbox.get()) is not None:
        await link.socket.send_json(frame)


async def _ping(link: _Link) -> None:
    never = asyncio.Event()
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(PING_EVERY):
                await never.wait()
        await link.socket.ping()


def _envelope(text: str) -> str | None:
    """The envelope that a client acknowledges; None if it says something else."""
    try:
        said: object = json.loads(text)
    except ValueError:
        return None
    envelope = cast("dict[str, object]", said).get("envelope_id") if isinstance(said, dict) else None
    return envelope if isinstance(envelope, str) else None


def _uuid() -> str:
    digits = secrets.token_hex(16)
    return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])
