"""The WebSocket door at /link/, where apps listen: tickets, connections, acknowledgements, and one timer."""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from aiohttp import WSCloseCode, WSMsgType, web

from slackmq.emulator.delivery import LIFETIME, Delivery, at_random, newest, round_robin
from slackmq.emulator.receipts import Receipts
from slackmq.emulator.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slackmq.emulator.delivery import Choose
    from slackmq.emulator.desk import Desk
    from slackmq.emulator.model import Payload
    from slackmq.emulator.server import Done, Server
    from slackmq.emulator.weather import Weather

__all__ = ["DISTRIBUTIONS", "PING_EVERY", "Connection", "Link", "Sockets", "port_of"]

PING_EVERY = 10.0
"""Seconds between the server's pings. Slack's client for Node gives up after 30 s without one (its
`serverPingTimeoutMS`)."""

_SILENT = 60.0
"""Seconds after which a connection that said nothing, not even a pong, is taken for dead."""

_TICKET_LIFE = 480
"""Seconds in which a ticket must be used; Slack does not say."""

_SHORT = 360_000_000
"""Microseconds that a connection lasts with `debug_reconnects=true` (docs.slack.dev, "Using Socket Mode")."""

DISTRIBUTIONS: Mapping[str, Callable[[], Choose]] = {
    "random": lambda: at_random(secrets.SystemRandom().random),
    "round_robin": round_robin,
    "newest": lambda: newest,
}
"""Ways to choose the connection that gets a payload. Which one Slack takes is not known: depend on none."""


@dataclass(eq=False, slots=True, kw_only=True)
class Link:
    """One open connection. `outbox` ends with None: then the connection is closed. `agent` is its User-Agent."""

    name: str
    app: str
    since: int
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    agent: str = ""
    outbox: asyncio.Queue[Mapping[str, Any] | None] = field(default_factory=asyncio.Queue["Mapping[str, Any] | None"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An open WebSocket.

    Attributes:
        kind: "socket_mode" or "rtm".
        owner: id of the app, or of the user of an RTM connection.
        since: when it was opened, in microseconds since 1970.
        agent: its User-Agent.
        port: of the server, by which it came.
    """

    id: str
    kind: str
    owner: str
    since: int
    agent: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Office:
    """One of the workspaces: what happens there, who is told what apps answer, and where it is noted what they got."""

    server: Server
    desk: Desk | None
    receipts: Receipts

    def serves(self, app: str) -> bool:
        """True if the app listens here: it says so in its manifest, or was installed without one."""
        workspace = self.server.workspace
        return workspace.has(app) and ((manifest := workspace.manifest(app)) is None or manifest.socket_mode)


class Sockets:
    """All Socket Mode connections of all apps.

    Args:
        server: whose events are delivered, and whose clock counts.
        desk: is told what apps answer to people.
        receipts: where it is noted that an event got through.
        distribution: one of `DISTRIBUTIONS`.
        weather: decides which events are lost, doubled or late.
        told: is told of each frame that is sent, with the transport that it is sent by.
    """

    def __init__(
        self,
        server: Server,
        desk: Desk | None = None,
        *,
        receipts: Receipts | None = None,
        distribution: str = "round_robin",
        weather: Weather | None = None,
        told: Callable[[asyncio.Transport | None, Mapping[str, Any]], None] | None = None,
    ) -> None:
        self._told = told
        self._server = server
        self._offices: dict[str, _Office] = {}
        self._choose = DISTRIBUTIONS[distribution]
        secret = server.workspace.seed.secret
        receipts = Receipts(None, 0) if receipts is None else receipts
        self._tickets = Tickets("link", secret=secret, receipts=receipts, life=_TICKET_LIFE)
        self._links: dict[str, Link] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._stirred = asyncio.Event()
        self._weather = weather
        self._watchers: list[Callable[[], None]] = []
        server.when_moved(self._stirred.set)
        self.join(server, desk, receipts=receipts)

    def join(self, server: Server, desk: Desk | None, *, receipts: Receipts | None = None) -> None:
        """Deliver the events of one more workspace, over the same connections: an app has them for all of its own."""
        receipts = Receipts(None, 0) if receipts is None else receipts
        office = _Office(server=server, desk=desk, receipts=receipts)
        self._offices[server.workspace.seed.team_id] = office
        server.listen(lambda done: self._heard(office, done))

    def routes(self) -> list[web.RouteDef]:
        """GET /link/."""
        return [web.get("/link/", self._open)]

    def invite(self, app: str) -> str:
        """A path with a ticket for one connection of the app; a restart of the server leaves it good."""
        return f"/link/?ticket={self._tickets.draw(app, self._server.now())}&app_id={app}"

    def distribute(self, distribution: str) -> None:
        """From now on choose connections this way: one of `DISTRIBUTIONS`."""
        self._choose = DISTRIBUTIONS[distribution]
        for delivery in self._deliveries.values():
            delivery.choose = self._choose()

    def listening(self) -> dict[str, int]:
        """The open connections of each app that has some."""
        return {app: len(delivery.connections) for app, delivery in self._deliveries.items() if delivery.connections}

    def watch(self, told: Callable[[], None]) -> None:
        """Call `told` whenever a connection came or went."""
        self._watchers.append(told)

    def connections(self) -> list[Connection]:
        """The open connections, oldest first."""
        return [
            Connection(
                id=link.name,
                kind="socket_mode",
                owner=link.app,
                since=link.since,
                agent=link.agent,
                port=port_of(link.transport),
            )
            for link in self._links.values()
        ]

    def cut(self, connection: str) -> bool:
        """Let a connection break off without a word, as a network does; False if there is none of this id."""
        link = self._links.get(connection)
        if link is not None and link.transport is not None:
            link.transport.abort()
        return link is not None

    def dismiss(self, reason: str, *, app: str | None = None) -> int:
        """Send "disconnect" to all connections, or to an app's, and close them; returns how many there were.

        After a `warning` the connection lasts some seconds more, as in Slack.
        """
        links = [link for link in self._links.values() if app in {None, link.app}]
        now = self._server.now()
        for link in links:
            self._delivery(link.app).retire(link.name, reason, now)
        self._send_due(now)
        self._stirred.set()
        return len(links)

    async def run(self) -> None:
        """Go on where an earlier run ended, and send what is due when it is due, until cancelled."""
        for office in self._offices.values():
            self._resume(office)
        while True:
            self._stirred.clear()
            now = self._server.now()
            self._send_due(now)
            await self._settle()
            for office in self._offices.values():
                if office.receipts.waiting:
                    await asyncio.to_thread(office.receipts.flush)
            turns = [turn for delivery in self._deliveries.values() if (turn := delivery.next_due()) is not None]
            with suppress(TimeoutError):
                async with asyncio.timeout((min(turns) - now) / 1e6 if turns else None):
                    await self._stirred.wait()

    def _resume(self, office: _Office) -> None:
        workspace, now = office.server.workspace, self._server.now()
        for done in office.server.recent():
            for event in done.outcome.events:
                for app in filter(office.serves, workspace.audience(event)):
                    payload = workspace.wrap(event, app, done.at)
                    if not office.receipts.knows(app, payload["event_id"]):
                        self._delivery(app).resume(payload, done.at, now)

    def _heard(self, office: _Office, done: Done) -> None:
        workspace = office.server.workspace
        for event in done.outcome.events:
            for app in filter(office.serves, workspace.audience(event)):
                self._offer(office, app, workspace.wrap(event, app, done.at), done.at)
        for payload in done.outcome.payloads:
            if office.serves(payload.app):
                self._hand(office, payload, done.at)
        app = str(done.args.get("app", ""))
        if done.method in {"emulator.apps.revoke", "emulator.apps.update"} and not self._serves(app):
            self.dismiss("link_disabled", app=app)

    def _offer(self, office: _Office, app: str, payload: Mapping[str, Any], at: int) -> None:
        arrivals = (at,) if self._weather is None else tuple(self._weather.arrivals(app, payload["event_id"], at))
        for when in arrivals:
            self._delivery(app).offer(payload, when)
            self._stirred.set()
        if not arrivals:  # a restart must not bring back what was lost
            office.receipts.note(app, payload["event_id"], at)

    def _hand(self, office: _Office, payload: Payload, now: int) -> None:
        interaction = f"{office.server.workspace.seed.team_id}/{payload.interaction}"
        self._delivery(payload.app).ask(payload.body, now, kind=payload.kind, interaction=interaction)
        self._stirred.set()

    def _serves(self, app: str) -> bool:
        return any(office.serves(app) for office in self._offices.values())

    def _send_due(self, now: int) -> None:
        for delivery in self._deliveries.values():
            for name, frame in delivery.due(now):
                link = self._links.get(name)
                if link is not None:
                    link.outbox.put_nowait(frame)
                    if self._told is not None:
                        self._told(link.transport, frame)
                    if frame["type"] == "disconnect" and frame["reason"] != "warning":
                        link.outbox.put_nowait(None)

    async def _settle(self) -> None:
        for delivery in self._deliveries.values():
            for settled in delivery.settled():
                team, _, interaction = settled.interaction.partition("/")
                desk = self._offices[team].desk
                if desk is not None:
                    await desk.settle(replace(settled, interaction=interaction))

    def _delivery(self, app: str) -> Delivery:
        if app not in self._deliveries:
            self._deliveries[app] = Delivery(
                app=app,
                new_id=_uuid,
                choose=self._choose(),
                through=lambda payload: self._through(app, payload),
            )
        return self._deliveries[app]

    def _through(self, app: str, payload: Mapping[str, Any]) -> None:
        self._offices[payload["team_id"]].receipts.note(app, payload["event_id"], self._server.now())

    async def _open(self, request: web.Request) -> web.StreamResponse:
        app, ticket = request.query.get("app_id", ""), request.query.get("ticket", "")
        if not await self._tickets.redeem(app, ticket, self._server.now()):
            raise web.HTTPForbidden(text="This ticket is unknown or used: ask apps.connections.open for a new one.\n")
        socket = web.WebSocketResponse(autoping=False, autoclose=True, timeout=1.0, max_msg_size=1024 * 1024)
        await socket.prepare(request)
        link = Link(
            name=secrets.token_hex(8),
            app=app,
            since=self._server.now(),
            socket=socket,
            transport=request.transport,
            agent=request.headers.get("User-Agent", ""),
        )
        delivery = self._delivery(app)
        lifetime = _SHORT if request.query.get("debug_reconnects") == "true" else LIFETIME
        first = delivery.connected(link.name, self._server.now(), lifetime=lifetime)
        link.outbox.put_nowait(first)
        if first["type"] == "disconnect":
            link.outbox.put_nowait(None)
        else:
            self._links[link.name] = link
            if not self._serves(app):
                delivery.retire(link.name, "link_disabled", self._server.now())
        self._tell_watchers()
        try:
            await self._serve(link, delivery)
        finally:
            self._links.pop(link.name, None)
            delivery.disconnected(link.name, self._server.now())
            self._stirred.set()
            self._tell_watchers()
        return socket

    def _tell_watchers(self) -> None:
        for told in self._watchers:
            told()

    async def _serve(self, link: Link, delivery: Delivery) -> None:
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

    async def _read(self, link: Link, delivery: Delivery) -> None:
        while True:
            message = await link.socket.receive(timeout=_SILENT)
            match message.type:
                case WSMsgType.TEXT:
                    envelope, payload = _answer(message.data)
                    if envelope is not None and delivery.acknowledged(envelope, payload):
                        self._stirred.set()
                case WSMsgType.PING:
                    await link.socket.pong(message.data)
                case WSMsgType.PONG | WSMsgType.BINARY:
                    pass
                case _:
                    return


async def _write(link: Link) -> None:
    while (frame := await link.outbox.get()) is not None:
        await link.socket.send_json(frame)


async def _ping(link: Link) -> None:
    never = asyncio.Event()
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(PING_EVERY):
                await never.wait()
        await link.socket.ping()


def _answer(text: str) -> tuple[str | None, dict[str, Any]]:
    """The envelope that a client acknowledges, and what it answers; None if it says something else."""
    try:
        said: object = json.loads(text)
    except (ValueError, RecursionError):
        return None, {}
    if not isinstance(said, dict):
        return None, {}
    values = cast("dict[str, object]", said)
    envelope, payload = values.get("envelope_id"), values.get("payload")
    answer = cast("dict[str, Any]", payload) if isinstance(payload, dict) else {}
    return (envelope, answer) if isinstance(envelope, str) else (None, {})


def port_of(transport: asyncio.BaseTransport | None) -> int:
    """The server's port by which a connection came; 0 if that cannot be told any more."""
    name: tuple[Any, ...] | None = None if transport is None else transport.get_extra_info("sockname")
    return int(name[1]) if name else 0


def _uuid() -> str:
    digits = secrets.token_hex(16)
    return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])
