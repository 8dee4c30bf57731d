"""Round: a workspace, a proxy and a fleet; everything is broken for a while, healed, ended, and judged."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, assert_never

import aiohttp
from tests.kills.fleet import Fleet
from tests.kills.pages import Pages, now
from tests.kills.program import MIX, Life, live
from tests.kills.proxy import Proxy
from tests.kills.story import Verdict, truth_of, unfinished
from tests.kills.workspace import LocalWorkspace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.kills.plan import Blow, Plan
    from tests.kills.points import Kind, Point

    from slackmq.claiming.way import Way
    from slackmq.simulation.truth import Truth

WORKERS = 4
_LOOK = 0.5
_PATIENCE = 120.0
"""Seconds after the healing, besides twelve leases, in which everything must have ended: a post that went unanswered is
repeated after ten seconds, and a pin that a person took off is left alone for twenty-four."""


class Round:
    """One round in a folder of its own.

    Args:
        plan: what is broken.
        folder: where everything is written down.
        way: how claims are made; with pins the workers belong to three apps, else to one.
        points: places at which processes die, each once; without any, blows come as planned.
        rate: jobs a second.
    """

    def __init__(self, plan: Plan, folder: Path, *, way: Way, points: Sequence[Point] = (), rate: float = 3.0) -> None:
        self._plan = plan
        self._folder = folder
        self._way: Way = way
        self._rate = rate
        needed: dict[Kind, int] = {point.kind: 1 for point in points}
        self._mix: dict[Kind, int] = {**needed, "short": 1} if points else MIX
        self._points = {("p" if point.role == "producer" else "w") + point.name: point for point in points}
        self._pages = Pages(folder)
        self._apps = ("alpha", "beta", "gamma") if way == "pin" else ("alpha",)
        self._workspace = LocalWorkspace(folder, self._apps)
        self._stack = AsyncExitStack()
        self._began = 0.0

    async def play(self) -> Verdict:
        """From the first process to the verdict."""
        self._pages.make()
        async with self._stack:
            self._session = await self._stack.enter_async_context(aiohttp.ClientSession())
            self._stack.push_async_callback(self._workspace.kill)
            await self._workspace.start()
            self._fleet = Fleet(self._plan, self._pages, self._birth, live)
            self._proxy = Proxy(self._workspace.neighbour.base_url, self._plan, self._pages, self._fleet.pid)
            await self._stack.enter_async_context(self._proxy.open())
            self._stack.callback(self._fleet.close)
            keeping = asyncio.create_task(self._play())
            try:
                truth = await keeping
            finally:
                self._fleet.close()
            return self._verdict(truth)

    async def _play(self) -> Truth:
        self._began = now()
        for place in self._places():
            self._fleet.start(place)
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(self._fleet.keep())
            await (self._die_at_points() if self._points else self._strike(tasks))
            truth = await self._heal()
            keeping.cancel()
        return truth

    def _places(self) -> list[str]:
        # Where points are given nobody else works until the first has died: who comes after it dies nowhere.
        return ["p", *(self._points or [f"w{number}" for number in range(1, WORKERS + 1)])]

    def _birth(self, place: str, name: str, count: int) -> Life:
        number = sum(map(ord, place)) + (count if self._points else 0)
        app = self._workspace.neighbour.app(self._apps[number % len(self._apps)])
        # Some only read. Who shall die must hear of events, or others are always faster.
        listens = bool(self._points or number % 4) and not place.startswith("p")
        return Life(
            name=name,
            producer=place.startswith("p"),
            url=self._proxy.url(name),
            token=app.bot_token,
            app_token=app.app_token if listens else None,
            folder=self._folder,
            way=self._way,
            lease=self._plan.lease,
            seed=self._plan.seed,
            rate=self._rate,
            mix=self._mix,
            point=self._points.get(place) if count == 1 else None,
        )

    # what is broken

    async def _die_at_points(self) -> None:
        deadline = now() + self._plan.seconds
        while self._missed() and now() < deadline:  # noqa: ASYNC110  # the dead send no events
            await asyncio.sleep(0.1)  # noqa: TID251  # real time is the point

    def _missed(self) -> tuple[str, ...]:
        died = {life.point.name for life in self._fleet.ended if life.point}
        return tuple(point.name for point in self._points.values() if point.name not in died)

    async def _strike(self, tasks: asyncio.TaskGroup) -> None:
        for blow in self._plan.blows():
            await asyncio.sleep(max(0.0, self._began + blow.at - now()))  # noqa: TID251  # real time is the point
            await self._fall(blow, tasks)
        await asyncio.sleep(max(0.0, self._began + self._plan.seconds - now()))  # noqa: TID251  # real time is the point

    async def _fall(self, blow: Blow, tasks: asyncio.TaskGroup) -> None:
        match blow.what:
            case "kill":
                self._fleet.strike(signal.SIGKILL, blow.luck * 5 % 1, workers=blow.luck >= 1 / 5)
            case "fleet":
                self._fleet.strike_all(signal.SIGKILL)
            case "stop":
                tasks.create_task(self._fleet.stop(blow.luck, blow.seconds))
            case "drain":
                self._fleet.strike(signal.SIGTERM, blow.luck, workers=True)
            case "cut":
                self._fleet.disturb_all("sockets are cut")
                await self._workspace.cut_sockets(self._session)
            case "restart":
                await self._restart(blow.seconds)
            case _ as unreachable:
                assert_never(unreachable)

    async def _restart(self, seconds: float) -> None:
        """Kill the workspace, and start it again with its journal in the same place."""
        self._fleet.disturb_all("the workspace is killed")
        await self._workspace.kill()
        await asyncio.sleep(seconds)  # noqa: TID251  # real time is the point
        await self._workspace.start()
        self._fleet.disturb_all("the workspace is back")

    # the end

    async def _heal(self) -> Truth:
        self._proxy.calm = True
        self._fleet.disturb_all("heal")
        self._fleet.hush()
        deadline = now() + _PATIENCE + 12 * self._plan.lease
        while True:
            await asyncio.sleep(_LOOK)  # noqa: TID251  # real time is the point
            open_ = self._fleet.posting or self._proxy.under_way
            truth = await self._truth()
            if (not open_ and not unfinished(truth)) or now() > deadline:
                return truth

    async def _truth(self) -> Truth:
        calls = await self._workspace.calls(self._session)
        return truth_of(calls, self._pages.read(), lease=self._plan.lease, way=self._way)

    def _verdict(self, truth: Truth) -> Verdict:
        return Verdict(
            plan=f"{self._plan}",
            way=self._way,
            truth=truth,
            crashes=tuple(self._fleet.crashes),
            missed=self._missed(),
            kills=self._fleet.kills,
            astray=self._proxy.astray,
            seconds=now() - self._began,
        )
