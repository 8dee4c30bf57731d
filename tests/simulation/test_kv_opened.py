"""A store that was just opened tells of what was written a moment before as soon as it can be settled."""

from __future__ import annotations

import anyio
import pytest

from slackmq.kv.store import AsyncStore
from slackmq.policy import Timing
from slackmq.simulation.clock import SimClock
from slackmq.simulation.faults import NONE
from slackmq.simulation.loop import run
from slackmq.simulation.socket import SimEvents
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import World
from slackmq.slack.client import Client

READS = 3.0
"""Seconds for two reads and their gap."""


def store_of(world: World, process: str, *, events: bool) -> AsyncStore:
    clock = SimClock(world.plan.dice(f"{process}/clock"))
    client = Client(SimWire(world, process, world.app_of(process)["bot_token"]), clock=clock)
    heard = SimEvents(world.socket_of(process), process) if events else None
    return AsyncStore(client, "#jobs", events=heard, clock=clock, name=process)


@pytest.mark.parametrize("events", [False, True], ids=["without events", "with events"])
def test_the_last_writes_before_opening_are_told_after_the_skew_and_not_after_the_quiet_minute(*, events: bool) -> None:
    async def main() -> float:
        world = World(1, NONE, apps=2)
        async with store_of(world, "w1", events=False) as one:
            for number in range(3):
                await one.put("n", number)
        async with store_of(world, "w2", events=events) as two:
            opened = world.now
            changes = two.watch(from_revision=0)
            told = [(await anext(changes)).entry for _ in range(3)]
            await changes.aclose()
            assert [entry.value for entry in told if entry] == [0, 1, 2]
            return world.now - opened

    assert run(main) < Timing().skew.total_seconds() + READS


def test_a_write_of_which_no_event_tells_is_told_after_one_read_more() -> None:
    async def main(phase: float) -> float:
        world = World(1, NONE, apps=2)
        async with store_of(world, "w1", events=False) as one, store_of(world, "w2", events=False) as two:
            await anyio.sleep(100 + phase)
            changes = two.watch()
            began = world.now
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(one.put, "n", 1)
                await anext(changes)
            await changes.aclose()
            return world.now - began

    took = [run(lambda phase=phase: main(float(phase))) for phase in range(6)]  # type: ignore[misc]  # one each
    assert max(took) < Timing().scan.total_seconds() + 1
