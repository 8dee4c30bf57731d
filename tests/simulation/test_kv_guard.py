"""What is written under a lock counts only while it is held, whoever is asked and whatever was held up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.kv.batch import Batch
from slackmq.kv.errors import KeyExists, LockLapsed, RevisionMismatch
from slackmq.kv.store import AsyncStore
from slackmq.simulation.clock import SimClock
from slackmq.simulation.faults import NONE
from slackmq.simulation.loop import run
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import World
from slackmq.slack.client import Client

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

TTL = timedelta(seconds=30)


def play(main: Callable[[AsyncStore, AsyncStore], Coroutine[None, None, None]]) -> None:
    async def opened() -> None:
        world = World(1, NONE, apps=2)
        async with store_of(world, "w1") as one, store_of(world, "w2") as two:
            await main(one, two)

    run(opened)


def store_of(world: World, process: str) -> AsyncStore:
    clock = SimClock(world.plan.dice(f"{process}/clock"))
    client = Client(SimWire(world, process, world.app_of(process)["bot_token"]), clock=clock)
    return AsyncStore(client, "#jobs", clock=clock, name=process)


def test_what_the_holder_writes_counts_while_it_renews() -> None:
    async def main(one: AsyncStore, two: AsyncStore) -> None:
        async with one.lock("door", ttl=TTL) as held:
            made = await one.create("k", 1, guard=held)
            await anyio.sleep(3 * TTL.total_seconds())
            made = await one.update("k", 2, last=made, guard=held)
            await one.put("k", 3, guard=held)
            with pytest.raises(KeyExists):
                await one.create("k", 4, guard=held)
            assert (await two.get("k", fresh=True)).value == 3
            await one.delete("k", guard=held)
            await one.purge("k", guard=held)
            assert await two.keys("k", fresh=True) == []

    play(main)


@pytest.mark.parametrize("taken", [False, True], ids=["nobody has it", "somebody else has it"])
def test_what_is_written_under_a_lock_that_lapsed_is_refused(*, taken: bool) -> None:
    async def main(one: AsyncStore, two: AsyncStore) -> None:
        await one.put("k", 1)
        lock = one.lock("door", ttl=TTL)
        await lock.acquire()  # and nothing renews it, as in a process that stands still
        await anyio.sleep(2 * TTL.total_seconds())
        if taken:
            await two.lock("door", ttl=2 * TTL).acquire()
        writes: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: one.put("k", 2, guard=lock),
            lambda: one.create("new", 2, guard=lock),
            lambda: one.delete("k", guard=lock),
            lambda: one.purge("k", guard=lock),
        )
        for write in writes:
            with pytest.raises(LockLapsed, match="not held") as caught:
                await write()
            assert (caught.value.key, caught.value.expected) == (lock.key, lock.token)
        with pytest.raises(RevisionMismatch):
            await one.commit(Batch().put("k", 2).held(lock.key, token=lock.token))
        assert (await two.get("k", fresh=True)).value == 1
        assert await two.keys("new") == []

    play(main)


def test_a_lock_that_was_given_back_guards_nothing_and_nothing_is_sent() -> None:
    async def main(one: AsyncStore, _: AsyncStore) -> None:
        async with one.lock("door", ttl=TTL) as held:
            pass
        records = one.status().records
        with pytest.raises(LockLapsed):
            await one.put("k", 1, guard=held)
        await one.keys(fresh=True)
        assert one.status().records <= records + 1  # the lock's own end

    play(main)


def test_a_leader_writes_under_its_term() -> None:
    async def main(one: AsyncStore, two: AsyncStore) -> None:
        async with one.elect("reports", ttl=TTL) as term:
            await one.put("k", 1, guard=term)
        with pytest.raises(LockLapsed):
            await one.put("k", 2, guard=term)
        assert (await two.get("k", fresh=True)).value == 1

    play(main)
