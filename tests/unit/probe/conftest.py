"""A workspace in virtual time for probes, and a line to it on which one thing can be made to go wrong."""

from __future__ import annotations

from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from slackmq.probe.bench import Bench
from slackmq.probe.examination import examine
from slackmq.probe.plan import planned
from slackmq.simulation.clock import SimClock
from slackmq.simulation.faults import NONE
from slackmq.simulation.loop import run
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import EPOCH, World
from slackmq.slack.wire import Reply

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from slackmq.probe.examination import Report
    from slackmq.probe.finding import Finding
    from slackmq.simulation.faults import Faults
    from slackmq.slack.socket import Socket

    Forward = Callable[[str, Mapping[str, object]], Awaitable[Reply]]
    Twist = Callable[["Place", int, str, Mapping[str, object], Forward], Awaitable[Reply]]
    Hearing = Callable[[Mapping[str, Any]], list[Mapping[str, Any]]]


async def honest(_place: Place, _app: int, method: str, args: Mapping[str, object], forward: Forward) -> Reply:
    return await forward(method, args)


class Place:
    """A workspace with two apps in #jobs.

    Attributes:
        twist: what a call goes through on its way.
        hearing: what becomes of a frame on its way: as many frames.
        calls: every call that was sent.
    """

    def __init__(self, faults: Faults = NONE) -> None:
        self.world = World(1, faults, apps=2)
        self.twist: Twist = honest
        self.hearing: Hearing = lambda frame: [frame]
        self.calls: list[str] = []
        self.told: list[Finding] = []

    def standing(self) -> list[Mapping[str, Any]]:
        """What a person sees in the channel."""
        world = self.world
        caller = world.authorize(world.person["token"])
        args = {"channel": world.channel, "limit": 200}
        now = 2 * EPOCH * 1_000_000
        return list(world.workspace.apply(now, caller, "conversations.history", args).reply["messages"])

    def bench(self, *, calls: int = 300, second: bool = True, sockets: bool = True, paced: bool = True) -> Bench:
        wires = [_Wire(self, number) for number in range(2 if second else 1)]
        clock = SimClock(Random(2))  # noqa: S311  # a simulation's dice must be repeatable
        dial = self._dial if sockets else None
        return Bench(wires, self.world.channel, clock=clock, calls=calls, paced=paced, dial=dial)

    async def examined(
        self, *, calls: int = 300, second: bool = True, sockets: bool = True, paced: bool = True, skew: float = 4.0
    ) -> Report:
        bench = self.bench(calls=calls, second=second, sockets=sockets, paced=paced)
        plan = planned(calls, second=second, sockets=sockets)
        return await examine(bench, plan, skew=skew, tell=self.told.append)

    def report(self, **settings: Any) -> Report:
        """What a whole examination finds."""

        async def main() -> Report:
            return await self.examined(**settings)

        return run(main)

    def finding(self, probe: str, **settings: Any) -> Finding:
        """What a whole examination finds in one probe."""
        return next(finding for finding in self.report(**settings).findings if finding.probe == probe)

    @asynccontextmanager
    async def _dial(self, url: str) -> AsyncGenerator[Socket]:
        socket = self.world.socket_of("w1")
        try:
            yield _Ears(self, url)
        finally:
            socket.disconnect(url)


class _Wire:
    """The line of one app, each call 0.1 s or so."""

    def __init__(self, place: Place, app: int) -> None:
        self._place = place
        self._app = app
        self._wire = SimWire(place.world, f"w{app + 1}", str(place.world.apps[app]["bot_token"]))

    async def call(self, method: str, args: Mapping[str, object]) -> Reply:
        self._place.calls.append(method)
        if method == "apps.connections.open":
            return Reply(status=200, body={"ok": True, "url": f"sim:{len(self._place.calls)}"})
        return await self._place.twist(self._place, self._app, method, args, self._wire.call)

    async def aclose(self) -> None:
        return


class _Ears:
    """One socket."""

    def __init__(self, place: Place, name: str) -> None:
        self._place = place
        self._inbox = place.world.socket_of("w1").connect(name)
        self._frames: list[Mapping[str, Any]] = []

    async def receive(self) -> Mapping[str, Any]:
        while not self._frames:
            self._frames += self._place.hearing(await self._inbox.get())
        return self._frames.pop(0)

    async def acknowledge(self, envelope: str) -> None:
        self._place.world.socket_of("w1").acknowledge(envelope)


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def place_with() -> Callable[[Faults], Place]:
    return Place
