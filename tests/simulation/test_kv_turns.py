"""Tasks of one process that change one key take turns: none of them starves."""

from __future__ import annotations

import anyio

from slackmq.kv.secret import Secret
from slackmq.kv.store import AsyncStore
from slackmq.simulation.clock import SimClock
from slackmq.simulation.faults import NONE
from slackmq.simulation.loop import run
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import World
from slackmq.slack.client import Client

TASKS, TIMES = 8, 16


def test_many_tasks_of_one_process_raise_one_counter_and_none_is_left_behind() -> None:
    told: list[object] = []
    lead: list[int] = []

    async def main() -> None:
        world = World(1, NONE, apps=1)
        clock = SimClock(world.plan.dice("w1/clock"))
        client = Client(SimWire(world, "w1", world.app_of("w1")["bot_token"]), clock=clock)
        async with AsyncStore(client, "#jobs", clock=clock, secret=Secret()) as store:
            done = [0] * TASKS

            async def raise_it(number: int) -> None:
                for _ in range(TIMES):
                    told.append((await store.transact("n", lambda value: int(str(value)) + 1, default=0)).value)
                    done[number] += 1
                    lead.append(max(done) - min(done))

            async with anyio.create_task_group() as tasks:
                for number in range(TASKS):
                    tasks.start_soon(raise_it, number)
            assert not store._turns

    run(main)
    assert told == list(range(1, TASKS * TIMES + 1))
    assert max(lead) <= 1
