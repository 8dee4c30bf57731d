"""Whoever stops waiting for a lock leaves nothing behind, at whatever moment that is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.kv.store import AsyncStore
from slackmq.simulation.clock import SimClock
from slackmq.simulation.faults import NONE, cell
from slackmq.simulation.loop import run
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import World
from slackmq.slack.client import Client

if TYPE_CHECKING:
    from slackmq.simulation.faults import Faults

TTL = timedelta(seconds=300)
SOON = 60.0
"""Seconds in which the next one has a lock that was given back: far less than its time."""


def store_of(world: World, process: str) -> AsyncStore:
    clock = SimClock(world.plan.dice(f"{process}/clock"))
    client = Client(SimWire(world, process, world.app_of(process)["bot_token"]), clock=clock)
    return AsyncStore(client, "#jobs", clock=clock, name=process)


async def interrupted(faults: Faults, after: float, *, seed: int = 1) -> tuple[bool, float]:
    """Whether the lock was had before, and how long the next one waited for it."""
    world = World(seed, faults, apps=2)
    async with store_of(world, "w1") as one, store_of(world, "w2") as two:
        lock = one.lock("door", ttl=TTL)
        with anyio.move_on_after(after):
            await lock.acquire()
        had = lock.token > 0
        await lock.release()
        began = world.now
        await two.lock("door", ttl=TTL).acquire()
        return had, world.now - began


def test_a_lock_whose_taking_was_cancelled_at_any_moment_is_free_at_once() -> None:
    had: set[bool] = set()
    for step in range(140):
        was, waited = run(lambda after=step * 0.05: interrupted(NONE, after))  # type: ignore[misc]  # a step each
        assert waited < SOON, step
        had.add(was)
    assert had == {False, True}


@pytest.mark.parametrize("name", ["H2", "H4", "V2"])
def test_so_it_is_where_answers_are_lost_and_reads_are_late(name: str) -> None:
    for seed in range(40):
        _, waited = run(lambda seed=seed: interrupted(cell(name, seed), 0.2 + seed * 0.15, seed=seed))  # type: ignore[misc]
        assert waited < TTL.total_seconds() / 2, seed


def test_a_lock_that_somebody_else_has_is_left_alone_by_who_stops_waiting_for_it() -> None:
    async def main() -> None:
        world = World(1, NONE, apps=2)
        async with store_of(world, "w1") as one, store_of(world, "w2") as two, one.lock("door") as held:
            for after in (0.0, 0.1, 1, 5, 20):
                with anyio.move_on_after(after):
                    await two.lock("door").acquire()
                with anyio.move_on_after(after):
                    await one.lock("door").acquire()
            head = await two.head(held.key, fresh=True)
            assert head is not None
            assert head.first == held.token

    run(main)
