"""Cancelled: what nobody has begun never begins, what runs is told to stop, and what has ended stays as it is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.claiming.marks import CLOCKS, Marks
from slackmq.claiming.way import WAYS
from slackmq.errors import AlreadyEnded, ConfigurationError, JobFailed
from slackmq.handlers import Handlers
from slackmq.hooks import Claimed, Failed
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.operating import looking, purging, turns
from slackmq.policy import Timing
from slackmq.queue import AsyncQueue
from slackmq.queue.pausing import pause, resume
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run

from .conftest import DICE

if TYPE_CHECKING:
    from slackmq.claiming.way import Way
    from slackmq.message import Message

    from .conftest import House


def slow() -> tuple[Handlers, list[str]]:
    """A handler that takes ten minutes, and what became of it."""
    handlers = Handlers()
    told: list[str] = []

    @handlers.task(attempts=3)
    async def work(job: Job, n: int) -> None:
        told.append(f"began {n}")
        try:
            await anyio.sleep(600)
            told.append("did it")
        except BaseException:
            told.append(job.reason or "")
            raise

    assert work is not None
    return handlers, told


async def state(queue: AsyncQueue, message: Message) -> str:
    return next(row.state for row in await queue.inspect() if row.message.ts == message.ts)


@pytest.mark.parametrize("way", ["reaction", "pin"])
def test_what_nobody_has_begun_ends_at_once_and_is_never_begun(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting(claim=way) as queue:
            message = await queue.post("work", {"n": 1})
            await anyio.sleep(10)
            assert await queue.cancel(message, by="Ann")
            assert await state(queue, message) == "cancelled"
        async with house.at_work(handlers, claim=way) as queue:
            other = await queue.post("work", {"n": 2})
            await house.until(lambda: "white_check_mark" in house.marks(other.ts))
        assert [n for n, _, _ in runs] == [2]
        assert ":no_entry_sign: cancelled by Ann" in house.thread(message.ts)

    run(main)


@pytest.mark.parametrize("way", ["reaction", "pin", "native"])
def test_a_running_handler_is_told_whoever_runs_it_and_the_job_ends_cancelled(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, told = slow()
        async with house.at_work(handlers, workers=1, claim=way), house.visiting(claim=way) as visitor:
            message = await visitor.post("work", {"n": 1})
            await anyio.sleep(100)
            assert not await visitor.cancel(message.ts, by="Ann")
            asked = house.now()
            await house.until(lambda: "x" in house.marks(message.ts))
            assert house.now() - asked < 15
            assert told == ["began 1", "somebody cancelled it"]
            assert await state(visitor, message) == "cancelled"
            assert any("cancelled" in text for text in house.thread(message.ts))
            assert not [happening for happening in house.happened if isinstance(happening, Failed)]

    run(main)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("emoji", [1, 20])
def test_what_waits_for_its_next_attempt_ends_at_once(house: House, way: Way, emoji: int) -> None:
    async def main() -> None:
        clock, marks = SimClock(DICE), Marks(generations=CLOCKS[:emoji])
        async with AsyncQueue(house.slack(clock=clock), "#jobs", claim=way, marks=marks, clock=clock) as queue:
            message = await queue.post("work", {"n": 1})
            async for lease in queue.claims():
                later = timedelta(hours=1) if lease.claim.attempt > 1 else timedelta(0)
                await queue.fail(lease.claim, "not today", retry_in=later)
                if later:
                    break
            assert await queue.cancel(message)
            assert await state(queue, message) == "cancelled"

    run(main)


def test_who_gives_up_cancelling_what_may_run_leaves_it_as_it_was(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=1) as queue:
            await pause(house.slack(), queue.channel, by="Ann")
            await anyio.sleep(8)
            message = await queue.post("work", {"n": 1})
            house.faults.append(lambda method, _: "lost" if method == "reactions.add" else None)
            with anyio.move_on_after(5) as scope:
                await queue.cancel(message, running=False)
            house.faults.clear()
            assert scope.cancelled_caught
            assert await resume(house.slack(), queue.channel, by="Ann")
            await house.until(lambda: "white_check_mark" in house.marks(message.ts))
            assert [n for n, _, _ in runs] == [1]

    run(main)


def test_what_waits_for_a_job_that_is_cancelled_begins_when_it_has_ended(house: House) -> None:
    handlers, began = Handlers(), list[int]()

    @handlers.task(concurrency=1)
    async def slowly(n: int) -> None:
        began.append(n)
        await anyio.sleep(600)

    assert slowly is not None

    async def main() -> None:
        timing = Timing(scan=timedelta(seconds=30))
        async with house.at_work(handlers, timing=timing) as queue:
            messages = [await queue.post("slowly", {"n": n}) for n in range(2)]
            await house.until(lambda: began)
            cancelled = messages[began[0]].ts
            assert not await queue.cancel(cancelled)
            await house.until(lambda: "x" in house.marks(cancelled))
            ended = house.now()
            await house.until(lambda: len(began) > 1)
            assert house.now() - ended < timing.skew.total_seconds() + 1

    run(main)


def test_a_purge_ends_all_that_waits_however_long(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue:
            await queue.post("work", {"n": 1})
            await queue.post("work", {"n": 2}, delay=timedelta(days=4))
            await anyio.sleep(timedelta(days=2).total_seconds())
            await queue.post("work", {"n": 3})
        async with looking(house.slack(), "#jobs") as look:
            assert [purged.ended async for purged in purging(look.queue, by="Ann")] == [True] * 3
            assert await look.queue.inspect(past=True)
        async with looking(house.slack(), "#jobs") as look:
            assert turns(await look.queue.inspect(past=True)) == []

    run(main)


def test_a_cancelled_job_whose_holder_died_is_ended_by_its_successor_without_an_attempt(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting() as queue:
            message = await queue.post("work", {"n": 1})
            async for lease in queue.claims():
                assert lease.claim.message.ts == message.ts
                break
        async with house.visiting() as queue:
            assert not await queue.cancel(message, by="Ann")
        async with house.at_work(handlers):
            await anyio.sleep(120)
            assert "x" in house.marks(message.ts)
        assert runs == []
        assert not [happening for happening in house.happened if isinstance(happening, Claimed)]

    run(main)


def test_what_has_ended_is_refused_with_how_it_ended(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers) as queue:
            done = await queue.post("work", {"n": 1})
            dead = await queue.post("work", {"n": 2, "fail": 9})
            await house.ended(queue)
            before = house.marks(done.ts)
            with pytest.raises(AlreadyEnded, match="is done already"):
                await queue.cancel(done)
            with pytest.raises(AlreadyEnded, match="is dead already"):
                await queue.cancel(dead)
            assert house.marks(done.ts) == before
        async with house.visiting() as queue:
            message = await queue.post("work", {"n": 3}, key="three")
            assert await queue.cancel(message)
            with pytest.raises(AlreadyEnded, match="is cancelled already"):
                await queue.cancel(message)

    run(main)


def test_a_duplicate_and_what_is_not_there_are_refused(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue:
            await queue.post("work", {"n": 1}, key="one")
            copy = await queue.post("work", {"n": 1}, key="one")
            with pytest.raises(AlreadyEnded, match="repeats the job"):
                await queue.cancel(copy)
            with pytest.raises(ConfigurationError, match="no message"):
                await queue.cancel("1700000000.000001")

    run(main)


def test_whoever_waits_for_the_answer_is_told_that_it_was_cancelled(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue:
            message = await queue.post("work", {"n": 1})
            assert await queue.cancel(message, by="Ann")
            with pytest.raises(JobFailed, match="cancelled by Ann"):
                await queue.answer(message, within=timedelta(minutes=1))

    run(main)


def test_two_who_cancel_at_once_end_it_once(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as one, house.visiting() as two:
            message = await one.post("work", {"n": 1})
            ends: list[bool] = []

            async def cancel(queue: AsyncQueue) -> None:
                ends.append(await queue.cancel(message))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(cancel, one)
                tasks.start_soon(cancel, two)
            assert True in ends
            assert [text for text in house.thread(message.ts) if "cancelled by" in text] != []
            assert sum("cancelled by" in text for text in house.thread(message.ts)) == 1

    run(main)


def test_an_emoji_of_a_person_cancels_nothing_by_itself(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting() as queue:
            message = await queue.post("work", {"n": 1})
        where = {"channel": house.channel(), "timestamp": message.ts}
        assert house.call(house.people[0], "reactions.add", **where, name="no_entry_sign")["ok"]
        async with house.at_work(handlers) as queue:
            await house.ended(queue)
        assert [n for n, _, _ in runs] == [1]

    run(main)


def test_a_life_tells_who_cancelled_it(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue:
            message = await queue.post("work", {"n": 1})
            await queue.cancel(message, by="Ann")
            async with looking(house.slack(), "#jobs") as look:
                life = await look.life(message.ts)
            assert life.state == "cancelled"
            assert any("Ann" in step.detail for step in life.steps)

    run(main)


def test_a_delayed_job_is_cancelled_long_before_it_is_due(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            message = await queue.post("work", {"n": 1}, delay=timedelta(hours=2))
            await anyio.sleep(60)
            async with house.visiting() as visitor:
                assert await visitor.cancel(message, by="Ann")
                assert await state(visitor, message) == "cancelled"
            await anyio.sleep(3 * 3600)
            assert runs == []

    run(main)
