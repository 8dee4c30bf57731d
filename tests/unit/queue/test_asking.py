"""Whoever asks waits for the end of a job, and is told what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.errors import AnswerLate, JobFailed, JobVanished, Reject
from slackmq.handlers import Handlers
from slackmq.queue import AsyncQueue
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run

from .conftest import DICE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .conftest import House

from contextlib import asynccontextmanager

handlers = Handlers()


@handlers.task
async def double(n: int, seconds: float = 1.0) -> int:
    await anyio.sleep(seconds)
    return 2 * n


@handlers.task(attempts=1)
async def fail(how: str) -> str:
    if how == "rejected":
        raise Reject("no such cat")
    raise ValueError("out of paper")


@asynccontextmanager
async def producer(house: House) -> AsyncGenerator[AsyncQueue]:
    """A process that posts and claims nothing."""
    queue = AsyncQueue(house.slack(), "#jobs", clock=SimClock(DICE))
    async with queue:
        with handlers.posting_to(queue):
            yield queue


def test_a_process_that_claims_nothing_is_told_the_result(house: House) -> None:
    async def main() -> None:
        async with house.at_work(handlers, workers=2), producer(house):
            assert await double.ask(21) == 42

    run(main)


def test_many_who_ask_at_once_share_the_reads(house: House) -> None:
    async def main() -> None:
        results: list[int] = []

        async def ask(n: int) -> None:
            results.append(await double.ask(n, seconds=8.0))

        async with house.at_work(handlers, workers=2), producer(house):
            reads = house.calls.count("conversations.history")
            async with anyio.create_task_group() as tasks:
                for n in range(8):
                    tasks.start_soon(ask, n)
        assert sorted(results) == [0, 2, 4, 6, 8, 10, 12, 14]
        assert house.calls.count("conversations.history") - reads < 24

    run(main)


def test_a_handler_may_ask_for_another_job_of_its_own_queue(house: House) -> None:
    both = Handlers()

    @both.task
    async def half(n: int) -> int:
        return n // 2

    @both.task
    async def quarter(n: int) -> int:
        return await half.ask(await half.ask(n))

    async def main() -> None:
        async with house.at_work(both, workers=1) as queue:
            with both.posting_to(queue):
                assert await quarter.ask(40) == 10

    run(main)


@pytest.mark.parametrize(("how", "why"), [("rejected", "no such cat"), ("raised", "ValueError: out of paper")])
def test_a_job_that_fails_for_good_raises_what_its_thread_says(house: House, how: str, why: str) -> None:
    async def main() -> None:
        async with house.at_work(handlers), producer(house):
            with pytest.raises(JobFailed, match=why) as caught:
                await fail.ask(how)
            assert caught.value.reason == why
            assert any(why in line for line in house.thread(caught.value.ts))

    run(main)


def test_a_job_that_a_person_deletes_is_no_longer_waited_for(house: House) -> None:
    async def main() -> None:
        async with producer(house) as queue, anyio.create_task_group() as tasks:

            async def ask() -> None:
                with pytest.raises(JobVanished, match="was deleted"):
                    await queue.answer(message, within=timedelta(minutes=5))

            message = await queue.post("double", {"n": 1})
            tasks.start_soon(ask)
            await SimClock(DICE).sleep(20)
            house.call(house.bot, "chat.delete", channel=message.channel, ts=message.ts)

    run(main)


def test_who_has_waited_long_enough_is_told_so_and_the_job_goes_on(house: House) -> None:
    async def main() -> None:
        async with house.at_work(handlers) as working, producer(house):
            with pytest.raises(AnswerLate, match="goes on") as caught:
                await double.within(timedelta(seconds=5)).ask(3, seconds=30)
            assert isinstance(caught.value, TimeoutError)
            assert [standing.state for standing in await house.ended(working)] == ["done"]

    run(main)


def test_of_two_who_ask_under_one_key_both_are_told_the_one_result(house: House) -> None:
    ran: list[int] = []
    counted = Handlers()

    @counted.task
    async def count(n: int) -> int:
        ran.append(n)
        return len(ran)

    async def main() -> None:
        results: list[int] = []

        async def ask() -> None:
            results.append(await count.keyed("once").ask(1))

        async with house.at_work(counted) as queue:
            with counted.posting_to(queue):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(ask)
                    tasks.start_soon(ask)
        assert (results, ran) == ([1, 1], [1])

    run(main)


def test_a_key_that_is_used_again_the_next_day_is_not_answered_with_yesterdays_result(house: House) -> None:
    ran: list[int] = []
    counted = Handlers()

    @counted.task
    async def count() -> int:
        ran.append(1)
        return len(ran)

    assert count is not None

    async def main() -> None:
        async with AsyncQueue(house.slack(), "#jobs", clock=SimClock(DICE)) as queue:
            for expected in (1, 2):
                async with house.at_work(counted):
                    message = await queue.post("count", key="daily")
                    answer = await queue.answer(message, within=timedelta(minutes=1))
                    assert answer.result == str(expected)
                await anyio.sleep(timedelta(hours=24, minutes=30).total_seconds())

    run(main)
