"""Lets the armed faults happen at the doors: cuts connections, holds answers back, answers with errors."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiohttp import web

from slackmq.emulator.faults import Failure, Plan
from slackmq.emulator.lag import READS, Lag
from slackmq.emulator.sent import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from slackmq.emulator.faults import Fate, Faults
    from slackmq.emulator.server import Done, Server

__all__ = ["Weather"]

_DOORS = {"api": "", "services": "webhook", "actions": "response_url", "commands": "response_url", "upload": "upload"}
"""First part of the path -> the name by which `Faults.methods` means it; of /api/ it is the method's own."""


class Weather:
    """The faults of a running emulator; fair until `arm`.

    Args:
        server: the workspace behind its order of calls, whose clock counts.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._servers: list[Server] = []
        self._plan: Plan | None = None
        self._lag: Lag | None = None
        self._told: list[Callable[[], None]] = []
        self._late: set[asyncio.Task[None]] = set()
        self.join(server)

    def join(self, server: Server) -> None:
        """Let the same faults happen to one more workspace."""
        self._servers.append(server)
        server.listen(self._heard)

    def watch(self, told: Callable[[], None]) -> None:
        """Call `told` whenever faults are armed or disarmed, and when a call suffered."""
        self._told.append(told)

    def arm(self, faults: Faults, seed: int = 0) -> None:
        """From now on let these faults happen; those that were armed before end, and counting begins anew."""
        self._plan = Plan(seed=seed, faults=faults)
        self._lag = Lag(plan=self._plan, replies=self._replies) if faults.lag else None
        self._stir()

    def disarm(self) -> None:
        """From now on nothing goes wrong; what is delayed already still comes late."""
        self._plan = self._lag = None
        self._stir()

    @property
    def armed(self) -> dict[str, Any] | None:
        """Seed, faults, and how often each was suffered; None if nothing is armed."""
        plan = self._plan
        return (
            None
            if plan is None
            else {"seed": plan.seed, "faults": plan.faults.to_json(), "suffered": dict(plan.suffered)}
        )

    def arrivals(self, listener: str, event: str, at: int) -> Iterable[int]:
        """When an event comes to somebody: never, once or twice."""
        return (at,) if self._plan is None else self._plan.arrivals(listener, event, at)

    def shown(self, method: str, args: Mapping[str, object], reply: Mapping[str, Any]) -> Mapping[str, Any]:
        """An answer as a reader sees it who is behind."""
        if self._lag is None or method not in READS:
            return reply
        return self._lag.shown(method, args, reply, self._server.now())

    async def close(self) -> None:
        """Forget what has not taken effect yet."""
        for task in self._late:
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Let a request meet its fate."""
        if self._plan is None:
            return await handler(request)
        place, _, rest = request.path.lstrip("/").partition("/")
        if place == "t":  # a further workspace's own doors: /t/acme/services/…
            place, _, rest = rest.partition("/")[2].partition("/")
        if place not in _DOORS:
            return await handler(request)
        fate = self._plan.fate(await self._caller(request, place), _DOORS[place] or rest)
        if fate.failure is not None:
            self._stir()
        if fate.failure is Failure.LATE_EFFECT and place == "upload":
            return _cut(request)  # its bytes went with the connection
        return await self._meet(fate, request, handler)

    async def _meet(
        self, fate: Fate, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        match fate.failure:
            case None:
                return await handler(request)
            case Failure.LIMITED:
                return _refused("ratelimited", 429, {"Retry-After": str(fate.retry_after)})
            case Failure.ERROR_BEFORE:
                return _refused("service_unavailable", 503)
            case Failure.ERROR_AFTER:
                await handler(request)
                return _refused("fatal_error", 500)
            case Failure.LATENCY:
                response = await handler(request)
                await _pause(fate.seconds)
                return response
            case Failure.LATE_EFFECT:
                self._later(fate.seconds, request, handler)
            case Failure.LOST_ANSWER:
                await handler(request)
            case Failure.LOST_REQUEST:
                pass
        return _cut(request)

    def _later(
        self,
        seconds: float,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> None:
        async def work() -> None:
            await _pause(seconds)
            with suppress(web.HTTPException):  # there is nobody to tell
                await handler(request)

        task = asyncio.get_running_loop().create_task(work())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _caller(self, request: web.Request, place: str) -> str:
        """Whose call it is; reads the body, which stays readable for those who come after, cut off or not."""
        with suppress(web.HTTPRequestEntityTooLarge, *UNREADABLE):  # the door will say so
            if request.content_type == "multipart/form-data":
                await request.post()
            elif place != "upload":
                await request.read()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else None
        callers = (server.workspace.authorize(given) for server in self._servers)
        return next((found.app or found.user for found in callers if not isinstance(found, str)), "")

    def _replies(self, channel: str, thread: str) -> Sequence[tuple[str, str]]:
        """Ts and author of every reply in a thread, of whichever workspace has the channel."""
        found = (server.workspace.replies(channel, thread) for server in self._servers)
        return next(filter(None, found), ())

    def _stir(self) -> None:
        for told in self._told:
            told()

    def _heard(self, done: Done) -> None:
        if self._lag is not None:
            for event in done.outcome.events:
                self._lag.heard(event, done.at)


def _cut(request: web.Request) -> web.Response:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _refused(error: str, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"ok": False, "error": error}, status=status, headers=headers)


async def _pause(seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()
