"""What a handler's options say holds for each job of a batch: its time, its pace, and how many run at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.errors import JobFailed
from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.policy import Backoff
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from slackmq.middleware import CallNext

    from .conftest import House


def bodies(count: int) -> list[dict[str, int]]:
    return [{"n": n} for n in range(1, count + 1)]


def test_each_job_has_its_own_time_and_only_the_late_one_is_tried_again(house: House) -> None:
    async def main() -> None:
        handlers, runs = Handlers(), list[int]()

        @handlers.task(timeout=timedelta(seconds=5), attempts=2, backoff=Backoff(first=timedelta(seconds=1)))
        async def work(job: Job, n: int) -> None:
            runs.append(n)
            await anyio.sleep(100 if n == 2 and job.attempt == 1 else 4)

        assert work is not None
        async with house.at_work(handlers, concurrency=1) as queue:
            await queue.post_batch("work", bodies(3))
            (row,) = await house.ended(queue)
            assert row.state == "done"
        assert runs == [1, 2, 3, 2]

    run(main)


def test_a_job_that_reports_is_not_silent_and_one_that_does_not_is_stopped(house: House) -> None:
    async def main() -> None:
        handlers, ended = Handlers(), list[int]()

        @handlers.task(silence=timedelta(seconds=5), attempts=1)
        async def work(job: Job, n: int) -> None:
            for step in range(4):
                await anyio.sleep(3)
                if n == 1:
                    await job.progress(step / 4)
            ended.append(n)

        assert work is not None
        async with house.at_work(handlers) as queue:
            message = await queue.post_batch("work", bodies(2))
            with pytest.raises(JobFailed, match=r"1 of 2 jobs failed: 2 \(it reported no progress for 0:00:05\)"):
                await queue.answer(message, within=timedelta(minutes=5))
        assert ended == [1]

    run(main)


def test_middleware_runs_around_each_job(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        numbers: list[int] = []

        @handlers.middleware
        async def count(job: Job, call_next: CallNext) -> object:
            numbers.append(job.number)
            return await call_next()

        assert count is not None
        async with house.at_work(handlers) as queue:
            await queue.post_batch("work", bodies(3))
            await house.ended(queue)
        assert sorted(numbers) == [1, 2, 3]

    run(main)


def test_a_handler_runs_no_more_jobs_at_once_than_its_concurrency_whoever_brought_them(house: House) -> None:
    async def main() -> None:
        handlers, running, most = Handlers(), set[int](), list[int]()

        @handlers.task(concurrency=3)
        async def work(n: int) -> None:
            running.add(n)
            most.append(len(running))
            await anyio.sleep(1)
            running.remove(n)

        assert work is not None
        async with house.at_work(handlers, concurrency=8) as queue:
            await queue.post("work", {"n": 101})
            await queue.post_batch("work", bodies(9))
            for n in range(102, 106):
                await queue.post("work", {"n": n})
            await house.ended(queue)
        assert max(most) == 3
        assert len(most) == 14

    run(main)


def test_the_batches_of_a_worker_run_as_many_jobs_at_once_as_it_works_on_messages(house: House) -> None:
    async def main() -> None:
        handlers, running, most = Handlers(), set[int](), list[int]()

        @handlers.task
        async def work(n: int) -> None:
            running.add(n)
            most.append(len(running))
            await anyio.sleep(1)
            running.remove(n)

        assert work is not None
        async with house.at_work(handlers, concurrency=4) as queue:
            for first in (0, 100, 200):
                await queue.post_batch("work", [{"n": first + n} for n in range(10)])
            await house.ended(queue)
        assert (max(most), len(most)) == (4, 30)

    run(main)


def test_a_rate_holds_for_the_jobs_of_a_batch(house: House) -> None:
    async def main() -> None:
        handlers, at = Handlers(), list[tuple[int, float]]()

        @handlers.task(rate="4/m")
        async def work(n: int) -> None:
            at.append((n, anyio.current_time()))

        assert work is not None
        async with house.at_work(handlers) as queue:
            await queue.post_batch("work", bodies(10))
            await house.ended(queue)
        assert len(at) == 10
        assert all(later - sooner >= 59 for (_, sooner), (_, later) in zip(at, at[4:], strict=False))

    run(main)


def test_a_batch_that_waits_for_its_rate_is_handed_back_at_once(house: House) -> None:
    async def main() -> None:
        handlers, runs = Handlers(), list[int]()

        @handlers.task(rate="1/h")
        async def work(n: int) -> None:
            runs.append(n)

        assert work is not None
        async with house.at_work(handlers) as queue:
            message = await queue.post_batch("work", bodies(2))
            await house.until(lambda: runs)
            house.worker.drain()
            await house.until(lambda: any("handed back" in note for note in house.thread(message.ts)))

    run(main)


def test_a_thread_that_does_not_stop_ends_the_attempt_and_what_is_done_stays_done(house: House) -> None:
    async def main() -> None:
        handlers, runs = Handlers(), list[int]()

        @handlers.task(timeout=timedelta(seconds=2), attempts=3, backoff=Backoff(first=timedelta(seconds=1)))
        async def work(job: Job, n: int) -> None:
            runs.append(n)
            if n == 2 and job.attempt == 1 and runs.count(2) == 1:
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(500)

        assert work is not None
        async with house.at_work(handlers, workers=2, concurrency=1) as queue:
            message = await queue.post_batch("work", bodies(4))
            await queue.answer(message, within=timedelta(minutes=5))
            assert runs == [1, 2, 2, 3, 4]
            await anyio.sleep(600)

    run(main)
