"""Proxy: stands between processes and workspace, signs each write with its sender, and lets calls go astray."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from tests.kills.pages import now
from tests.kills.plan import Fate

from slackmq.simulation.record import Disturbed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from tests.kills.pages import Pages
    from tests.kills.plan import Plan

WRITES = frozenset({"chat.postMessage", "chat.update", "reactions.add", "pins.add", "pins.remove"})
SENDER, SENT = "x_process", "x_sent"
"""Arguments that no method knows; the workspace's record keeps them, so each effect tells who sent it and when."""

_SLOW = 0.25
"""Parts of a lease. A claim is extended after half of it, so an answer that takes so long may be what it lapses by."""


class Proxy:
    """One address for each process: http://…/<name>/api/.

    Args:
        upstream: base of the workspace's Web API.
        plan: what goes astray.
        pages: where it is written down.
        pid: the process of a name, None if it is dead.
    """

    def __init__(self, upstream: str, plan: Plan, pages: Pages, pid: Callable[[str], int | None]) -> None:
        self.calm = False
        """Nothing goes astray any more."""
        self.under_way = 0
        """Calls that will take effect late."""
        self.astray = 0
        self._upstream = upstream
        self._plan = plan
        self._pages = pages
        self._pid = pid
        self._late: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._base = ""

    def url(self, process: str) -> str:
        """The base of the Web API for a process."""
        return f"{self._base}/{process}/api/"

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Listen on a free port of this machine."""
        app = web.Application()
        app.add_routes([web.route("*", "/{process}/api/{method}", self._call)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self._base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=8)) as session:
            self._session = session
            try:
                yield
            finally:
                for task in self._late:
                    task.cancel()
                await runner.cleanup()

    async def _call(self, request: web.Request) -> web.Response:
        process, method = request.match_info["process"], request.match_info["method"]
        body = await request.read()
        if method in WRITES:
            body = json.dumps({**json.loads(body), SENDER: process, SENT: now()}).encode()
            if self._pages.withhold(process).exists():
                return await self._withhold(request, process, method, body)
        fate = Fate.PASSES if self.calm else self._plan.fate()
        if fate is not Fate.PASSES:
            self.astray += 1
            self._disturbed(process, f"{method}: {fate.value}")
        began = now()
        answer = await self._befall(fate, request, method, body)
        if fate is Fate.PASSES and (took := now() - began) > _SLOW * self._plan.lease:
            self._disturbed(process, f"{method}: answered after {took:.2f} s, by a machine that has too much to do")
        return answer

    async def _befall(self, fate: Fate, request: web.Request, method: str, body: bytes) -> web.Response:
        match fate:
            case Fate.LOST_REQUEST:
                return _cut(request)
            case Fate.LATE:
                task = asyncio.create_task(self._later(request, method, body))
                self._late.add(task)
                task.add_done_callback(self._late.discard)
                return _cut(request)
            case Fate.ERROR_BEFORE:
                return web.Response(status=503, text="no")
            case Fate.LIMITED:
                return web.json_response(
                    {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "1"}
                )
            case Fate.SLOW:
                await asyncio.sleep(self._plan.delay() / 3)  # noqa: TID251  # real time is the point
            case Fate.LOST_ANSWER | Fate.ERROR_AFTER | Fate.PASSES:
                pass
        answer = await self._forward(request, method, body)
        if fate is Fate.LOST_ANSWER:
            return _cut(request)
        return web.Response(status=503, text="no") if fate is Fate.ERROR_AFTER else answer

    async def _forward(self, request: web.Request, method: str, body: bytes) -> web.Response:
        assert self._session is not None
        kept = ("Authorization", "Content-Type")
        headers = {name: request.headers[name] for name in kept if name in request.headers}
        try:
            async with self._session.request(
                request.method, f"{self._upstream}{method}", params=request.query, data=body or None, headers=headers
            ) as answer:
                data = await answer.read()
                return web.Response(status=answer.status, body=data, content_type=answer.content_type, charset="utf-8")
        except (aiohttp.ClientError, OSError) as error:
            self._disturbed(request.match_info["process"], f"{method}: no workspace ({type(error).__name__})")
            return _cut(request)

    async def _later(self, request: web.Request, method: str, body: bytes) -> None:
        self.under_way += 1
        try:
            await asyncio.sleep(self._plan.delay())  # noqa: TID251  # real time is the point
            await self._forward(request, method, body)
        finally:
            self.under_way -= 1

    async def _withhold(self, request: web.Request, process: str, method: str, body: bytes) -> web.Response:
        """Let the call take effect, and end its sender before it can know."""
        self._pages.withhold(process).unlink()
        await self._forward(request, method, body)
        self._disturbed(process, f"kill after the effect of {method}")
        if pid := self._pid(process):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return _cut(request)

    def _disturbed(self, process: str, what: str) -> None:
        self._pages.tell(Disturbed(at=now(), process=process, what=what))


def _cut(request: web.Request) -> web.Response:
    """Close the connection instead of answering."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
