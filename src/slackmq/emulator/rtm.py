"""The WebSocket door at /rtm/ for bots of the old kind: every event to every connection, and messages back."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from aiohttp import WSCloseCode, WSMsgType, web

from slackmq.emulator.receipts import Receipts
from slackmq.emulator.rtm_frames import Nonsense, Ping, Say, Typing, heard, read_frame, said
from slackmq.emulator.socket_mode import Connection, port_of
from slackmq.emulator.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slackmq.emulator.server import Done, Server
    from slackmq.emulator.weather import Weather

__all__ = ["LARGEST_FRAME", "MOST_CONNECTIONS", "Rtm"]

MOST_CONNECTIONS = 16
"""Open connections of one bot, as users of that time report; Slack's own number is not published."""
LARGEST_FRAME = 16 * 1024
"""Bytes; a larger frame ends the connection (docs.slack.dev, "RTM API")."""

_TICKET_LIFE = 30
"""Seconds in which the address must be used (docs.slack.dev, rtm.connect)."""
_SILENT = 120.0
"""Seconds after which a connection that said nothing is pinged; after as many more it is taken for dead."""


@dataclass(eq=False, slots=True, kw_only=True)
class _Line:
    """One open connection.

    Attributes:
        outbox: ends with None: then the connection is closed.
        agent: its User-Agent.
        saying: the arguments of the message that is being posted: its event is not told back to this connection.
    """

    token: str
    user: str
    name: str
    since: int
    transport: asyncio.Transport | None
    socket: web.WebSocketResponse
    agent: str = ""
    outbox: asyncio.Queue[Mapping[str, Any] | None] = field(default_factory=asyncio.Queue["Mapping[str, Any] | None"])
    saying: Mapping[str, object] | None = None


class Rtm:
    """All RTM connections.

    Args:
        server: whose events are told.
        receipts: where it is noted that an address was used.
        weather: decides which events are lost, doubled or late.
    """

    def __init__(self, server: Server, *, receipts: Receipts | None = None, weather: Weather | None = None) -> None:
        self._server = server
        self._weather = weather
        secret, notes = server.workspace.seed.secret, Receipts(None, 0) if receipts is None else receipts
        self._tickets = Tickets("rtm", secret=secret, receipts=notes, life=_TICKET_LIFE)
        self._lines: list[_Line] = []
        self._watchers: list[Callable[[], None]] = []
        server.listen(self._heard)

    def routes(self) -> list[web.RouteDef]:
        """GET /rtm/."""
        return [web.get("/rtm/{ticket}", self._open)]

    def invite(self, user: str) -> str:
        """A path for one connection of the user; a restart of the server leaves it good."""
        return f"/rtm/{self._tickets.draw(user, self._server.now())}?user_id={user}"

    def watch(self, told: Callable[[], None]) -> None:
        """Call `told` whenever a connection came or went."""
        self._watchers.append(told)

    def close(self) -> None:
        """Say goodbye to everybody; clients come back by themselves."""
        for line in self._lines:
            line.outbox.put_nowait({"type": "goodbye"})
            line.outbox.put_nowait(None)

    def _heard(self, done: Done) -> None:
        for event in done.outcome.events:
            frame = heard(event)
            for line in self._lines:
                if (
                    frame is not None
                    and line.saying is not done.args
                    and self._server.workspace.hears(line.user, event)
                ):
                    self._tell(line, frame, done.at)

    def _tell(self, line: _Line, frame: Mapping[str, Any], at: int) -> None:
        event = f"{frame['type']}/{frame.get('event_ts') or frame.get('ts')}"
        for when in (at,) if self._weather is None else self._weather.arrivals(line.user, event, at):
            if when == at:
                line.outbox.put_nowait(frame)
            else:
                asyncio.get_running_loop().call_later((when - at) / 1e6, line.outbox.put_nowait, frame)

    def connections(self) -> list[Connection]:
        """The open connections, oldest first."""
        return [
            Connection(
                id=line.name,
                kind="rtm",
                owner=line.user,
                since=line.since,
                agent=line.agent,
                port=port_of(line.transport),
            )
            for line in self._lines
        ]

    def cut(self, connection: str) -> bool:
        """Let a connection break off without a word, as a network does; False if there is none of this id."""
        lines = [line for line in self._lines if line.name == connection]
        for line in lines:
            if line.transport is not None:
                line.transport.abort()
        return bool(lines)

    async def _open(self, request: web.Request) -> web.StreamResponse:
        user = request.query.get("user_id", "")
        valid = await self._tickets.redeem(user, request.match_info["ticket"], self._server.now())
        socket = web.WebSocketResponse(autoping=True, timeout=1.0, max_msg_size=LARGEST_FRAME)
        await socket.prepare(request)
        line = _Line(
            token=self._server.workspace.token_of(user) if valid else "",
            user=user,
            name=secrets.token_hex(8),
            since=self._server.now(),
            transport=request.transport,
            socket=socket,
            agent=request.headers.get("User-Agent", ""),
        )
        refusal = self._refusal(user, valid=valid)
        if refusal is not None:
            await socket.send_json({"type": "error", "error": refusal})
            await socket.close(code=WSCloseCode.GOING_AWAY)
            return socket
        line.outbox.put_nowait({"type": "hello"})
        self._lines.append(line)
        self._tell_watchers()
        try:
            await self._serve(line)
        finally:
            self._lines.remove(line)
            self._tell_watchers()
        return socket

    def _tell_watchers(self) -> None:
        for told in self._watchers:
            told()

    def _refusal(self, user: str, *, valid: bool) -> Mapping[str, Any] | None:
        """Why a connection is not opened, in Slack's words where they are known."""
        if not valid:
            return {"code": 1, "msg": "Socket URL has expired"}
        if sum(line.user == user for line in self._lines) >= MOST_CONNECTIONS:
            return {"code": 1, "msg": "too many websockets"}
        return None

    async def _serve(self, line: _Line) -> None:
        tasks = [asyncio.create_task(self._read(line)), asyncio.create_task(_write(line))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await line.socket.close(code=WSCloseCode.GOING_AWAY)

    async def _read(self, line: _Line) -> None:
        silent = False
        while True:
            try:
                message = await line.socket.receive(timeout=_SILENT)
            except TimeoutError:
                if silent:
                    return
                silent = True
                await line.socket.ping()
                continue
            silent = False
            match message.type:
                case WSMsgType.TEXT:
                    await self._take(line, message.data)
                case WSMsgType.BINARY:
                    pass
                case _:
                    return

    async def _take(self, line: _Line, text: str) -> None:
        frame = read_frame(text)
        match frame:
            case Say(number=number, args=args):
                line.saying = args
                try:
                    answer = await self._server.call(line.token, "chat.postMessage", args)
                finally:
                    line.saying = None
                line.outbox.put_nowait(said(number, answer.reply))
            case Ping(pong=pong):
                line.outbox.put_nowait(pong)
            case Typing(channel=channel):
                told = {"type": "user_typing", "channel": channel, "user": line.user}
                for other in self._lines:
                    if other is not line and self._server.workspace.is_member(other.user, channel):
                        other.outbox.put_nowait(told)
            case Nonsense():
                pass
            case _:
                assert_never(frame)


async def _write(line: _Line) -> None:
    while (frame := await line.outbox.get()) is not None:
        await line.socket.send_json(frame)
