"""`python -m tests.benchmarks.memory`: what two workers hold while 100,000 jobs pass, in virtual time.

What is weighed is all that can be reached from the queues, the workers and their hooks, but not the workspace, which
keeps every message as Slack does. Keys are remembered for the window, so the window is an hour here, and each look
comes as long after it was tidied up: the weight must be the same at each.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import resource
import sys
import types
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import anyio
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry

from slackmq.handlers import Handlers
from slackmq.policy import Timing
from slackmq.queue import AsyncQueue
from slackmq.queue.controls import Controls
from slackmq.simulation.clock import SimClock
from slackmq.simulation.faults import Faults
from slackmq.simulation.loop import run
from slackmq.simulation.world import World
from slackmq.slack import pacing
from slackmq.slack.client import Client
from slackmq.slack.wire import Reply
from slackmq.telemetry.opentelemetry import Tracing
from slackmq.telemetry.prometheus import Metrics
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

_HOUR = 3600.0
_TIMING = Timing(
    window=timedelta(hours=1), reach=timedelta(hours=2), rescan=timedelta(minutes=1), scan=timedelta(seconds=20)
)
_BUDGETS = 100
"""So many times as many calls a minute as Slack allows: what is weighed is memory."""
_LATENCY = 0.05
_PER_LOOK = 2 * _HOUR
"""Virtual seconds between two looks: twice the window, which is tidied up once an hour."""
_FLAT = 1.1
"""The last look may weigh so many times what the first one did, or a MiB more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What stood in memory at one moment.

    Attributes:
        jobs: posted so far.
        objects: that can be reached.
        mebibytes: what they take.
        resident: MiB of the whole process at most so far, with the workspace and all messages in it.
    """

    jobs: int
    objects: int
    mebibytes: float
    resident: float

    def __str__(self) -> str:
        return f"| {self.jobs:,} | {self.objects:,} | {self.mebibytes:.1f} | {self.resident:.0f} |"


class _Wire:
    """Calls by the bot; none goes astray."""

    def __init__(self, world: World, clock: SimClock) -> None:
        self._world = world
        self._clock = clock
        self._caller = world.authorize(world.app["bot_token"])

    async def call(self, method: str, args: Mapping[str, object]) -> Reply:
        await self._clock.sleep(_LATENCY)
        reply = self._world.workspace.apply(self._world.micros(), self._caller, method, args).reply
        return Reply(status=200, body=reply, date=float(self._world.micros() // 1_000_000))

    async def aclose(self) -> None:
        return


_NOT_OURS = (
    *(type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.CodeType, types.FrameType),
    *(types.CoroutineType, types.AsyncGeneratorType, asyncio.Future, asyncio.AbstractEventLoop, _Wire, World),
)


def weigh(roots: Sequence[object]) -> tuple[int, int]:
    """How many objects can be reached, and how many bytes they take: code, loops and the workspace left out."""
    seen: set[int] = set()
    waiting, size = list(roots), 0
    while waiting:
        found = waiting.pop()
        if id(found) in seen or isinstance(found, _NOT_OURS):
            continue
        seen.add(id(found))
        size += sys.getsizeof(found)
        waiting += gc.get_referents(found)
    return len(seen), size


class Flow:
    """A channel with two workers, and what they weigh while jobs pass.

    Args:
        seed: of the dice.
    """

    def __init__(self, seed: int = 0) -> None:
        self._world = World(seed, Faults())
        self._dice = Random(seed)  # noqa: S311  # a simulation's dice must be repeatable
        self._roots: list[object] = []
        self.posted = 0
        self.looks: list[Look] = []
        self.handlers = Handlers()
        self.handlers.task(name="work", concurrency=8)(self._work)

    async def _work(self, n: int, note: str) -> str:
        await anyio.sleep(1.0)
        if n % 100 == 0 and not note:
            raise ValueError(f"job {n} has no note")
        return f"did {n} {note}"

    def queue(self, name: str) -> tuple[AsyncQueue, SimClock]:
        """One more process of the app, with hooks and a clock of its own."""
        clock = SimClock(Random(f"{name}/{self._dice.random()}"))  # noqa: S311  # as above
        hooks = (Metrics(CollectorRegistry()), Tracing(TracerProvider()))
        slack = Client(_Wire(self._world, clock), clock=clock)
        queue = AsyncQueue(
            slack,
            "#jobs",
            claim="reaction",
            select=self.handlers.select,
            timing=_TIMING,
            clock=clock,
            hooks=hooks,
            worker=name,
        )
        self._roots += [queue, hooks]
        return queue, clock

    def look(self) -> Look:
        """Weigh everything now."""
        gc.collect()
        objects, size = weigh(self._roots)
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.looks.append(Look(jobs=self.posted, objects=objects, mebibytes=size / 2**20, resident=resident))
        return self.looks[-1]

    async def jobs(self, queue: AsyncQueue, count: int, *, looks: int, told: Callable[[Look], None]) -> None:
        """Post so many jobs at one pace, and look so many times, the last time when all have ended."""
        pause = looks * _PER_LOOK / count
        began, look = anyio.current_time(), 1
        for number in range(count):
            await anyio.sleep_until(began + number * pause)
            note = "with a note " * (number % 20)
            key = f"key/{number}" if number % 10 == 0 else None
            await queue.post("work", {"n": number, "note": note}, key=key)
            self.posted += 1
            if anyio.current_time() >= began + look * _PER_LOOK - pause:
                told(self.look())
                look += 1

    async def delayed(self, queue: AsyncQueue, count: int, *, told: Callable[[Look], None]) -> None:
        """Post jobs for a day later; look before, while they wait, and when they have been done and forgotten."""
        await anyio.sleep(_PER_LOOK)
        told(self.look())
        for number in range(count):
            await queue.post("work", {"n": number, "note": "a" * 1000}, delay=timedelta(days=1, seconds=number))
            self.posted += 1
        await anyio.sleep(_PER_LOOK)
        told(self.look())
        await anyio.sleep(86_400 + count + 3 * _PER_LOOK)
        told(self.look())

    async def worked(self, scene: Callable[[AsyncQueue], Awaitable[None]]) -> None:
        """Let a scene happen while two workers work."""
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(anyio.create_task_group())
            for name in ("one", "two"):
                queue, clock = self.queue(name)
                await stack.enter_async_context(queue)
                controls = Controls(allowed=["U012AB3CD"])
                worker = AsyncWorker(queue, self.handlers, concurrency=8, controls=controls, clock=clock)
                self._roots.append(worker)
                tasks.start_soon(worker.run)
            poster, _ = self.queue("poster")
            await scene(await stack.enter_async_context(poster))
            tasks.cancel_scope.cancel()


def main(argv: Sequence[str] | None = None) -> int:
    """Weigh; 1 if it grew."""
    parser = argparse.ArgumentParser(prog="nox -s memory --", description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--delayed", type=int, default=10_000)
    parser.add_argument("--looks", type=int, default=10)
    options = parser.parse_args(argv)

    def told(look: Look) -> None:
        sys.stdout.write(f"{look}\n")
        sys.stdout.flush()

    logging.disable()  # jobs fail on purpose
    pacing.LIMITS = {method: limit * _BUDGETS for method, limit in pacing.LIMITS.items()}
    sys.stdout.write("| jobs | objects | MiB | resident |\n|---|---|---|---|\n")
    flow, held = Flow(), Flow()
    if options.jobs:
        run(partial(flow.worked, partial(flow.jobs, count=options.jobs, looks=options.looks, told=told)))
    if options.delayed:
        run(partial(held.worked, partial(held.delayed, count=options.delayed, told=told)))
    return int(any(each.looks and _grew(each.looks) for each in (flow, held)))


def _grew(looks: Sequence[Look]) -> bool:
    """Whether what is held at the end is more than at the beginning, but for what hardly counts."""
    return looks[-1].mebibytes > max(_FLAT * looks[0].mebibytes, looks[0].mebibytes + 1)


if __name__ == "__main__":
    sys.exit(main())
