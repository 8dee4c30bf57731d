"""Bodies in files, under faults: what was posted is done with what was posted, and no file outlives its time."""

from __future__ import annotations

import gc
import logging
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.errors import SlackError
from slackmq.handlers import Handlers
from slackmq.options import Backoff
from slackmq.points import armed
from slackmq.queue import AsyncQueue
from slackmq.queue.collector import Collector
from slackmq.queue.ending import Ending
from slackmq.queue.parcels import Parcels
from slackmq.queue.sightings import Sightings
from slackmq.simulation.clock import SimClock
from slackmq.simulation.faults import cell
from slackmq.simulation.loop import run
from slackmq.simulation.nemesis import Nemesis
from slackmq.simulation.saboteur import Meddler
from slackmq.simulation.socket import SimEvents
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import World
from slackmq.slack.client import Client
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from slackmq.answer import Answer
    from slackmq.message import Claim, Receipt
    from slackmq.queue.sightings import Sighting
    from slackmq.simulation.process import Process

JOBS, SEEDS = 9, 3
PATIENCE = 3_600.0
"""Seconds after the last fault in which everything that stands must have ended."""
LATER = 9 * 86_400.0


def text(number: int) -> str:
    return f"{number} " + "x" * 9_000


class Program:
    def __init__(self, drama: Drama, process: Process) -> None:
        self._drama = drama
        self._process = process
        self._handlers = Handlers()
        self._worker: AsyncWorker | None = None

        @self._handlers.task(
            attempts=50, backoff=Backoff(first=timedelta(seconds=2)), result_expires=timedelta(hours=2)
        )
        async def print_out(number: int, content: str) -> str:
            drama.read.setdefault(number, []).append(content)
            await anyio.sleep(1)
            return f"printed {number}"

        assert print_out is not None

    def drain(self) -> None:
        if self._worker is not None:
            self._worker.drain()

    async def main(self) -> None:
        drama = self._drama
        with armed(Meddler(drama.world, self._process, drama.nemesis.kill)):
            slack, clock = drama.client(self._process.name)
            async with (
                AsyncQueue(
                    slack,
                    "#jobs",
                    events=SimEvents(drama.world.socket_of(self._process.name), self._process.name),
                    select=self._handlers.select,
                    clock=clock,
                    worker=self._process.name,
                ) as queue,
                anyio.create_task_group() as tasks,
            ):
                tasks.start_soon(self._post, queue)
                self._worker = AsyncWorker(queue, self._handlers, clock=clock)
                await self._worker.run()
                tasks.cancel_scope.cancel()

    async def _post(self, queue: AsyncQueue) -> None:
        while self._drama.left:
            number = self._drama.left.pop()
            with suppress(SlackError):  # whoever posts is told
                await queue.post("print_out", {"number": number, "content": text(number)}, key=str(number))
                self._drama.posted.add(number)
            await anyio.sleep(8)


class Drama:
    def __init__(self, seed: int, name: str) -> None:
        self.world = World(seed, cell(name, seed))
        self.left = list(range(JOBS))
        self.posted: set[int] = set()
        self.read: dict[int, list[str]] = {}
        self.states: dict[str, str] = {}
        self.nemesis = Nemesis(self.world, self._start)

    def client(self, name: str) -> tuple[Client, SimClock]:
        clock = SimClock(self.world.plan.dice(f"{name}/clock"))
        return Client(SimWire(self.world, name, self.world.app_of(name)["bot_token"]), clock=clock), clock

    def files(self) -> list[str]:
        files = self.world.workspace._state.files.values()
        return [file.name for file in files if file.completed and not file.deleted]

    def _start(self, process: Process) -> Program:
        program = Program(self, process)
        process.start(program.main)
        return program

    async def main(self) -> None:
        for place in ("w1", "w2", "w3"):
            self.nemesis.start(place)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.nemesis.run)
            slack, clock = self.client("look")
            async with AsyncQueue(slack, "#jobs", clock=clock, worker="look") as queue:
                with anyio.move_on_after(self.world.plan.faults.until + PATIENCE):
                    while await self._goes_on(queue):  # noqa: ASYNC110  # nobody here can tell
                        await anyio.sleep(60)
            tasks.cancel_scope.cancel()
        for process in self.nemesis.processes:
            process.kill()
        await anyio.sleep(LATER)
        slack, clock = self.client("w1z")
        await Collector(
            slack,
            self.world.channel,
            me=(await slack.identity()).user,
            sightings=Sightings(),
            parcels=Parcels(slack, clock=clock),
            clock=clock,
            worker="w1z",
        ).collect()

    async def _goes_on(self, queue: AsyncQueue) -> bool:
        if self.left or self.world.now < self.world.plan.faults.until:
            return True
        with suppress(SlackError):
            rows = await queue.inspect()
            self.states = {row.message.ts: row.state for row in rows if row.state != "duplicate"}
            return not set(self.states.values()) <= {"done", "dead"}
        return True


def play(seed: int, name: str) -> Drama:
    log, collecting = logging.getLogger("slackmq"), gc.isenabled()
    level = log.level
    gc.disable()
    log.setLevel(logging.CRITICAL)
    try:
        drama = Drama(seed, name)
        run(drama.main)
        return drama
    finally:
        log.setLevel(level)
        if collecting:
            gc.enable()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["none", "H2", "H3", "H4", "C1", "C2", "V2", "points"])
def test_what_was_posted_is_done_with_what_was_posted_and_no_file_outlives_its_time(name: str) -> None:
    for seed in range(SEEDS):
        drama = play(seed, name)
        where = f"{name}, seed {seed}"
        assert drama.posted, where
        assert set(drama.states.values()) == {"done"}, where
        assert drama.read.keys() >= drama.posted, where
        assert all(set(read) == {text(number)} for number, read in drama.read.items()), where
        assert drama.files() == [], where


def test_a_worker_that_deletes_the_file_before_the_mark_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary: whoever takes over from one that was killed in between would find nothing to read."""
    original = Ending.done

    async def done(self: Ending, sighting: Sighting, claim: Claim, answer: Answer) -> Receipt:
        await self._parcels.remove(claim.message.file)
        return await original(self, sighting, claim, answer)

    monkeypatch.setattr(Ending, "done", done)
    assert any("dead" in play(seed, "points").states.values() for seed in range(20))
