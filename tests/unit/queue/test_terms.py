"""Priority, expiry and lease: what is begun first, what not at all, and what could never be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.claiming.way import WAYS
from slackmq.errors import ConfigurationError
from slackmq.policy import Timing
from slackmq.queue import AsyncQueue
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from slackmq.claiming.way import Way

    from .conftest import House


@pytest.mark.parametrize("way", WAYS)
def test_of_what_waits_the_highest_priority_is_begun_first(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting(claim=way) as queue:
            for number in range(100):
                await queue.post("work", {"n": number}, priority=number % 3)
        async with house.at_work(handlers, claim=way, concurrency=1) as queue:
            await house.ended(queue)
        priorities = [n % 3 for n, _, _ in runs]
        assert len(runs) == 100
        assert priorities == sorted(priorities, reverse=True)

    run(main)


def test_what_comes_later_with_a_higher_priority_does_not_wait_for_a_backlog(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting() as queue:
            for number in range(150):
                await queue.post("work", {"n": number})
            async with house.at_work(handlers, concurrency=1):
                await house.until(lambda: len(runs) == 5)
                await queue.post("work", {"n": 999}, priority=1)
                await house.until(lambda: 999 in [n for n, _, _ in runs])
        assert len(runs) < 40

    run(main)


@pytest.mark.parametrize("way", ["reaction", "pin"])  # of a native claim nobody knows whether it was ever begun
def test_what_nobody_could_begin_in_time_is_dropped_with_a_mark_and_a_reason(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting(claim=way) as queue:
            late = await queue.post("work", {"n": 1}, expires=timedelta(minutes=1))
            soon = await queue.post("work", {"n": 2}, expires=timedelta(hours=1))
        await anyio.sleep(120)
        async with house.at_work(handlers, claim=way) as queue:
            standings = {standing.message.ts: standing.state for standing in await house.ended(queue)}
        assert standings == {late.ts: "dead", soon.ts: "done"}
        assert [n for n, _, _ in runs] == [2]
        assert any("Dropped: it expired" in text for text in house.thread(late.ts))

    run(main)


def test_what_was_begun_in_time_is_tried_again_after_it_expired(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            await queue.post("work", {"n": 1, "fail": 1, "seconds": 30.0}, expires=timedelta(seconds=20))
            standings = await house.ended(queue)
        assert [standing.state for standing in standings] == ["done"]
        assert [attempt for _, attempt, _ in runs] == [1, 2]

    run(main)


def test_a_job_that_would_expire_at_once_is_not_posted(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue:
            with pytest.raises(ConfigurationError, match="expired before it is posted"):
                await queue.post("work", {"n": 1}, expires=timedelta(0))
            assert await queue.inspect() == ()

    run(main)


@pytest.mark.parametrize(("skew", "lease", "least"), [(4, 7.9, 8), (5, 9.5, 10), (1, 4.9, 5), (0.3, 4, 4.3)])
def test_a_lease_in_which_no_pin_can_settle_is_refused(house: House, skew: float, lease: float, least: float) -> None:
    timing = Timing(lease=timedelta(seconds=lease), skew=timedelta(seconds=skew))
    with pytest.raises(ConfigurationError, match=f"at least {least:g} s"):
        AsyncQueue(house.slack(), "#jobs", claim="pin", timing=timing)
    AsyncQueue(house.slack(), "#jobs", claim="pin", timing=replace(timing, lease=timedelta(seconds=least)))
