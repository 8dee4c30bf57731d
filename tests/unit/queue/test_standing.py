"""How messages stand, as a process says that has only just come."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from slackmq.claiming.way import Way
    from slackmq.message import Claim, Message
    from slackmq.queue import AsyncQueue

    from .conftest import House


async def _state(house: House, way: Way) -> str:
    async with house.visiting(claim=way) as newcomer:
        return next(standing.state for standing in await newcomer.inspect() if standing.message.kind)


async def _claimed(queue: AsyncQueue, message: Message) -> Claim:
    async for lease in queue.claims():
        assert lease.claim.message.ts == message.ts
        return lease.claim
    raise AssertionError("unreachable: the queue is open")


@pytest.mark.parametrize("way", ["reaction", "pin"])
def test_what_was_given_back_is_waiting_and_what_is_claimed_is_held(house: House, way: Way) -> None:
    async def main() -> None:
        async with house.visiting(claim=way) as queue:
            message = await queue.post("work", {"n": 1})
            assert await _state(house, way) == "waiting"
            claim = await _claimed(queue, message)
            assert await _state(house, way) == "held"
            await queue.release(claim)
            assert await _state(house, way) == "waiting"
            again = await _claimed(queue, message)
            assert await _state(house, way) == "held"
            await queue.fail(again, "not today", retry_in=timedelta(hours=1))
            assert await _state(house, way) == "waiting"

    run(main)


def test_what_a_person_unpinned_is_waiting(house: House) -> None:
    async def main() -> None:
        async with house.visiting(claim="pin") as queue:
            message = await queue.post("work", {"n": 1})
            await _claimed(queue, message)
            assert await _state(house, "pin") == "held"
            house.call(house.people[0], "pins.remove", channel=house.channel(), timestamp=message.ts)
            assert await _state(house, "pin") == "waiting"

    run(main)


def test_a_claim_that_stands_in_the_thread_alone_is_held(house: House) -> None:
    async def main() -> None:
        house.refused["reactions.add"] = "too_many_emoji"
        async with house.visiting() as queue:
            message = await queue.post("work", {"n": 1})
            await _claimed(queue, message)
            assert house.marks(message.ts) == set()
            assert await _state(house, "reaction") == "held"

    run(main)
