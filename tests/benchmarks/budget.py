"""Calls and throughput under the published limits, in virtual time: the product's own code, and the library of 2019."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any, Literal

import anyio

from slackmq.handlers import Handlers
from slackmq.queue import AsyncQueue
from slackmq.simulation import bounds
from slackmq.simulation.clock import SimClock
from slackmq.simulation.faults import NONE
from slackmq.simulation.loop import run
from slackmq.simulation.process import Process
from slackmq.simulation.scenario import replay
from slackmq.simulation.socket import SimEvents
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import World
from slackmq.slack.api import Arrived
from slackmq.slack.client import Client
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anyio.abc import TaskGroup

    from slackmq.claiming.way import Way
    from slackmq.slack.wire import Reply

WORKERS = 3
_WARM = 180.0
"""Virtual seconds in which the bursts that Slack tolerates are used up, before anything is counted."""
_KNOWN = 75.0
"""Seconds for which somebody must have had a hand free: the bound that is measured."""
_COUNTED = 600.0
"""Virtual seconds that are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a run cost.

    Attributes:
        jobs: how many ended while it was counted.
        per_minute: that, a minute.
        calls: calls by the workers a job, by method.
        limited: calls answered with 429, a job.
    """

    jobs: int
    per_minute: float
    calls: Mapping[str, float]
    limited: float


class _Counting:
    """A wire that counts."""

    def __init__(self, wire: SimWire, calls: Counter[str]) -> None:
        self._wire = wire
        self._calls = calls

    async def call(self, method: str, args: Mapping[str, object]) -> Reply:
        reply = await self._wire.call(method, args)
        self._calls["limited" if reply.status == 429 else method] += 1
        return reply

    async def aclose(self) -> None:
        return


class _Bench:
    """A workspace with its limits, and a person who always has a little more ready than the workers can do."""

    def __init__(self, *, every: float, apps: int) -> None:
        self.world = World(1, replace(NONE, limits=True), apps=apps)
        self.every = every
        self.calls: Counter[str] = Counter()
        self.done = 0

    def wire(self, name: str) -> _Counting:
        return _Counting(SimWire(self.world, name, self.world.app_of(name)["bot_token"]), self.calls)

    async def measured(self) -> Budget:
        await anyio.sleep(_WARM)
        self.calls.clear()
        self.done = 0
        await anyio.sleep(_COUNTED)
        calls = {name: count / max(1, self.done) for name, count in self.calls.items() if name != "limited"}
        return Budget(
            jobs=self.done,
            per_minute=self.done * 60 / _COUNTED,
            calls=calls,
            limited=self.calls["limited"] / max(1, self.done),
        )

    async def _last(self, tasks: TaskGroup) -> Budget:
        budget = await self.measured()
        tasks.cancel_scope.cancel()
        return budget

    async def produce(self) -> None:
        """A person's messages, so that posting costs the app nothing."""
        person = self.world.authorize(self.world.person["token"])
        for number in range(10_000):
            args: dict[str, Any] = {"channel": self.world.channel, "text": f"do {number}"}
            self.world.apply(person, "chat.postMessage", args, process="you", sent=self.world.now)
            await anyio.sleep(self.every)


class Ours(_Bench):
    """The product's own workers, and jobs of a program or of a person.

    Args:
        every: seconds between two jobs.
        way: how claims are made.
        apps: how many apps share the work; each has one worker if there are several.
        by: who posts.
    """

    def __init__(
        self, *, every: float, way: Way = "reaction", apps: int = 1, by: Literal["person", "program"] = "person"
    ) -> None:
        super().__init__(every=every, apps=apps)
        self._way: Way = way
        self._by = by
        self._workers = WORKERS if apps == 1 else apps

    async def main(self) -> Budget:
        """Measure."""
        for number in range(1, self._workers + 1):
            self._start(f"w{number}")
        async with anyio.create_task_group() as tasks:
            if self.every:
                tasks.start_soon(self.produce if self._by == "person" else self.post)
            return await self._last(tasks)
        raise AssertionError("unreachable: the measurement returns")

    def _queue(self, name: str, handlers: Handlers, clock: SimClock) -> AsyncQueue:
        return AsyncQueue(
            Client(self.wire(name), clock=clock),
            "#jobs",
            events=SimEvents(self.world.socket_of(name), name),
            select=handlers.select,
            claim=self._way,
            clock=clock,
            worker=name,
        )

    def _start(self, name: str) -> None:
        clock = SimClock(Random(name))  # noqa: S311  # a benchmark's dice must be repeatable
        handlers = self.handlers()

        async def work() -> None:
            async with self._queue(name, handlers, clock) as queue:
                await AsyncWorker(queue, handlers, clock=clock).run()

        Process(name).start(work)

    def handlers(self) -> Handlers:
        """What the workers do."""
        handlers = Handlers()

        @handlers.task
        async def job() -> None:
            self.done += 1

        @handlers.listen(r"do \d+")
        async def do() -> None:
            self.done += 1

        assert do is not None
        assert job is not None
        return handlers

    async def post(self) -> None:
        """A program's jobs."""
        clock = SimClock(Random("producer"))  # noqa: S311  # as above
        wire = SimWire(self.world, "p", self.world.app["bot_token"])  # what it costs to post is not counted
        async with AsyncQueue(Client(wire, clock=clock), "#jobs", claim=self._way, clock=clock) as queue:
            while True:
                await queue.post("job")
                await clock.sleep(self.every)


class _Classic(_Bench):
    """What slackmq 0.1.2 of 2019 did: each bot hears everything (RTM), tries to pin, acts, unpins 3 s later."""

    async def main(self) -> Budget:
        wires = [self.wire(f"w{number}") for number in range(WORKERS)]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._hear, wires)
            tasks.start_soon(self.produce)
            return await self._last(tasks)
        raise AssertionError("unreachable: the measurement returns")

    async def _hear(self, wires: list[_Counting]) -> None:
        async with (
            anyio.create_task_group() as tasks,
            SimEvents(self.world.socket_of("w1"), "w0").listen() as events,
        ):
            async for event in events:
                if isinstance(event, Arrived):
                    for wire in wires:
                        tasks.start_soon(self._handle, wire, event.row.ts)

    async def _handle(self, wire: _Counting, ts: str) -> None:
        args = {"channel": self.world.channel, "timestamp": ts}
        if (await wire.call("pins.add", args)).body.get("ok"):
            self.done += 1
            await anyio.sleep(3)
            await wire.call("pins.remove", args)


def saturated(way: Way = "reaction", *, by: Literal["person", "program"] = "person", apps: int = 1) -> Budget:
    """Ours, with more work than the limits let through."""
    every = 1.0 if way != "pin" else 2.6 / apps
    return run(Ours(every=every, way=way, by=by, apps=apps).main)


def relaxed(way: Way = "reaction", *, apps: int = 1) -> Budget:
    """Ours, fault-free and well below the limits: what a job costs."""
    return run(Ours(every=6.0, way=way, apps=apps).main)


def idle() -> float:
    """Calls a minute by three workers of a queue in which nothing happens."""
    bench = Ours(every=0.0)
    run(bench.main)
    return sum(bench.calls.values()) * 60 / _COUNTED


def classic() -> Budget:
    """The claim of 2019 under the load of `saturated`; a message on which every bot was refused is lost."""
    return run(_Classic(every=1.5, apps=1).main)


def scan(unfinished: int) -> float:
    """Seconds of this machine that one read of a channel costs in which so many messages are unfinished."""

    async def main() -> float:
        world = World(1, NONE)
        person = world.authorize(world.person["token"])
        for number in range(unfinished):
            args: dict[str, Any] = {"channel": world.channel, "text": f"do {number}"}
            world.apply(person, "chat.postMessage", args, process="you", sent=world.now)
        handlers = Handlers()
        handlers.listen(r"do \d+")(_nothing)
        clock = SimClock(Random("scan"))  # noqa: S311  # as above
        client = Client(SimWire(world, "w1", world.app["bot_token"]), clock=clock)
        async with AsyncQueue(client, "#jobs", select=handlers.select, clock=clock) as queue:
            await queue.inspect()
            begun = time.process_time()
            await queue.inspect()
            return time.process_time() - begun

    return run(main)


async def _nothing() -> None:
    return


def takeovers(seeds: int = 300) -> list[float]:
    """Seconds from the last claim of a killed worker to the next one by another, sorted: one every second run."""
    runs = (replay(seed, "C1").truth for seed in range(seeds))
    return sorted(took for truth in runs for _, _, took in bounds.takeovers(truth, within=_KNOWN))


if __name__ == "__main__":
    for measure in (relaxed, saturated, idle, classic):
        print(measure.__name__, measure())  # noqa: T201  # a quick look
