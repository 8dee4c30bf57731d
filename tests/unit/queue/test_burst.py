"""A burst: the worker ends by itself once nothing waits, and not before."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import anyio

from slackmq.queue import AsyncQueue
from slackmq.queue.pausing import pause
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from slackmq.handlers import Handlers

    from .conftest import House


async def burst(house: House, handlers: Handlers) -> None:
    """A worker that ends by itself, within ten minutes."""
    clock = SimClock(Random(7))  # noqa: S311  # a simulation's dice must be repeatable
    async with AsyncQueue(house.slack(clock=clock), "#jobs", select=handlers.select, clock=clock, worker="b") as queue:
        with anyio.fail_after(600):
            await AsyncWorker(queue, handlers, clock=clock).run(burst=True)


def test_it_ends_when_all_is_done_failed_attempts_included(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting() as queue:
            for n in range(5):
                await queue.post("work", {"n": n, "fail": n % 2})
        await burst(house, handlers)
        assert sorted({n for n, _, _ in runs}) == [0, 1, 2, 3, 4]
        async with house.visiting() as queue:
            assert [row.state for row in await queue.inspect()] == ["done"] * 5

    run(main)


def test_it_ends_at_once_where_nothing_waits_and_does_not_wait_for_what_is_delayed(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        house.types("good morning")
        async with house.visiting() as queue:
            await queue.post("work", {"n": 1}, delay=timedelta(hours=3))
        began = house.now()
        await burst(house, handlers)
        assert house.now() - began < 30
        assert runs == []

    run(main)


def test_it_does_not_end_before_it_has_found_what_waits_for_days(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting() as queue:
            await queue.post("work", {"n": 1})
        await anyio.sleep(timedelta(days=3).total_seconds())
        await burst(house, handlers)
        assert [n for n, _, _ in runs] == [1]

    run(main)


def test_it_ends_where_the_channel_is_paused(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting() as queue:
            await queue.post("work", {"n": 1})
            await pause(house.slack(), queue.channel, by="Ann")
        await burst(house, handlers)
        assert runs == []

    run(main)
