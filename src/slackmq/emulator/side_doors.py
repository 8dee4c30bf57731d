"""Further ports of the same workspace, one for each process that shall be told from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from aiohttp import web

from slackmq.emulator.socket_mode import port_of
from slackmq.emulator.workspace import is_write

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Collection, Mapping

__all__ = ["SideDoor", "SideDoors"]

_MEANT = ("timestamp", "thread_ts", "ts")
"""Arguments by which a method says which message it is about."""


class SideDoor:
    """One more port, at which the workspace answers as at its own.

    Attributes:
        port: its number.
        origin: scheme, host and port.
    """

    def __init__(self, site: web.TCPSite, host: str, port: int) -> None:
        self.port = port
        self.origin = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._site = site
        self._shut = False
        self._transports: WeakSet[asyncio.Transport] = WeakSet()

    def cut(self) -> int:
        """Break off all connections that came through it, as a network does; returns how many there were."""
        open_ = [transport for transport in self._transports if not transport.is_closing()]
        for transport in open_:
            transport.abort()
        return len(open_)

    def shut(self) -> None:
        """Break off all connections, and whatever comes from now on, until `unshut`."""
        self._shut = True
        self.cut()

    def unshut(self) -> None:
        """Let everybody in again."""
        self._shut = False

    def lets(self, transport: asyncio.Transport) -> bool:
        """Whether a request may come in by this connection, of which note is taken."""
        self._transports.add(transport)
        return not self._shut

    async def close(self) -> None:
        """Listen no more."""
        self.cut()
        await self._site.stop()


class SideDoors:
    """All side doors of a server, and who came through which.

    Args:
        host: the address they are bound to.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._runner: web.AppRunner | None = None
        self._doors: dict[int, SideDoor] = {}
        self._hands: dict[str, int] = {}
        self._watchers: list[Callable[[], None]] = []

    @property
    def ports(self) -> Collection[int]:
        """The ports that are open now."""
        return self._doors.keys()

    def serve(self, runner: web.AppRunner) -> None:
        """Open what comes from now on for this application."""
        self._runner = runner

    async def open(self) -> SideDoor:
        """One more door, on a free port."""
        if self._runner is None:
            raise RuntimeError("a side door was opened before the server")
        site = web.TCPSite(self._runner, self._host, 0)
        await site.start()
        port: int = self._runner.addresses[-1][1]
        self._doors[port] = door = SideDoor(site, self._host, port)
        return door

    async def close(self, door: SideDoor) -> None:
        """Take a door away."""
        del self._doors[door.port]
        await door.close()

    def watch(self, told: Callable[[], None]) -> None:
        """Call `told` whenever a message came into other hands."""
        self._watchers.append(told)

    def ignore(self, told: Callable[[], None]) -> None:
        """Call it no more."""
        self._watchers.remove(told)

    def changed(self, ts: str) -> int | None:
        """The port through which a message was last changed, or answered."""
        return self._hands.get(f"changed {ts}")

    def told_of(self, ts: str) -> int | None:
        """The port through which the event of a message was last sent over Socket Mode."""
        return self._hands.get(f"told {ts}")

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Let a request through, or break its connection off."""
        transport = request.transport
        door = self._door(transport) if self._doors else None
        if door is not None and transport is not None and not door.lets(transport):
            transport.abort()
            return web.Response()
        return await handler(request)

    def called(self, request: web.Request, method: str, args: Mapping[str, Any], reply: Mapping[str, Any]) -> None:
        """Take note of a call that was answered."""
        if self._doors and reply.get("ok") and is_write(method) and (door := self._door(request.transport)):
            for name in _MEANT:
                self._note("changed", str(args.get(name) or ""), door)

    def told(self, transport: asyncio.BaseTransport | None, frame: Mapping[str, Any]) -> None:
        """Take note of an event that is sent."""
        if self._doors and (door := self._door(transport)):
            payload: Mapping[str, Any] = frame.get("payload") or {}
            event: Mapping[str, Any] = payload.get("event") or {}
            self._note("told", str(event.get("ts") or ""), door)

    def _note(self, how: str, ts: str, door: SideDoor) -> None:
        if ts:
            self._hands[f"{how} {ts}"] = door.port
            for told in self._watchers:
                told()

    def _door(self, transport: asyncio.BaseTransport | None) -> SideDoor | None:
        return self._doors.get(port_of(transport))
