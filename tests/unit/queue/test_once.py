"""Claims by name: one of several wins, the others get nothing, and nobody needs a handler for it."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.errors import ConfigurationError
from slackmq.queue import AsyncQueue
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from slackmq.claiming.way import Way

    House = Any  # the fixture's class stands in conftest.py, which is no module to import from

WAYS: tuple[Way, ...] = ("reaction", "pin", "native")


@asynccontextmanager
async def scripts(house: House, count: int, *, claim: Way = "reaction") -> AsyncGenerator[list[AsyncQueue]]:
    """So many processes of one bot, of which none watches the channel."""
    async with AsyncExitStack() as stack:
        queues: list[AsyncQueue] = []
        for number in range(count):
            clock = SimClock(Random(number))  # noqa: S311  # a simulation's dice must be repeatable
            queue = AsyncQueue(house.slack(clock=clock), "#jobs", claim=claim, clock=clock, worker=f"s{number}")
            queues.append(await stack.enter_async_context(queue))
        yield queues


async def race(queues: list[AsyncQueue], *, seconds: float = 1.0, **what: Any) -> list[int]:
    """Let all ask at once; who of them ran."""
    ran: list[int] = []

    async def one(number: int) -> None:
        async with queues[number].claim_once(**what) as claim:
            if claim:
                ran.append(number)
                await anyio.sleep(seconds)

    async with anyio.create_task_group() as tasks:
        for number in range(len(queues)):
            tasks.start_soon(one, number)
    return ran


@pytest.mark.parametrize("way", WAYS)
def test_of_all_who_ask_for_a_typed_message_one_runs(house: House, way: Way) -> None:
    async def main() -> None:
        async with scripts(house, 4, claim=way) as queues:
            for _ in range(5):
                ts = house.types("back up, please")
                assert len(await race(queues, message=ts)) == 1
                assert "white_check_mark" in house.marks(ts)
                assert await race(queues, message=ts) == []

    run(main)


@pytest.mark.parametrize("way", WAYS)
def test_a_key_that_nobody_has_posted_is_posted_and_happens_once(house: House, way: Way) -> None:
    async def main() -> None:
        async with scripts(house, 3, claim=way) as queues:
            assert len(await race(queues, key="backup/2026-11-27")) == 1
            assert await race(queues, key="backup/2026-11-27") == []
            assert len(await race([*queues, *queues], key="backup/2026-11-28")) == 1

    run(main)


def test_who_waits_gets_nothing_once_the_work_is_done_and_takes_over_what_was_left(house: House) -> None:
    async def main() -> None:
        async with scripts(house, 2) as queues:
            assert len(await race(queues, message=house.types("one"), seconds=200.0, wait=True)) == 1
            ts = house.types("two")
            claim = await queues[0].claim_once(ts).claim()
            assert claim is not None
            began = anyio.current_time()  # and that process is never heard of again
            async with queues[1].claim_once(ts, wait=True) as taken:
                assert taken is not None
                assert (taken.claim.token, taken.claim.attempt) == (2, 2)
                assert 60 <= anyio.current_time() - began < 90

    run(main)


def test_an_exception_inside_is_failed_for_good_and_comes_through(house: House) -> None:
    async def main() -> None:
        async with scripts(house, 2) as queues:
            ts = house.types("divide")
            with pytest.raises(ZeroDivisionError):
                async with queues[0].claim_once(ts):
                    _ = 1 / 0
            assert house.thread(ts)[-1].startswith(":x: ZeroDivisionError")
            assert await race(queues, message=ts, wait=True) == []

    run(main)


def test_what_is_claimed_by_name_is_given_to_no_worker(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2) as queue, scripts(house, 2) as queues:
            assert len(await race([*queues, queue], key="tick", seconds=30.0)) == 1
            await queue.post("work", {"n": 1})
            await house.ended(queue)
            assert runs == [(1, 1, 1)]

    run(main)


def test_a_worker_and_whoever_names_its_message_count_as_one(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers), scripts(house, 1) as queues:
            ts = house.types("toggle hall light")
            others = await race(queues, message=ts, wait=True)
            assert len(runs) + len(others) == 1

    run(main)


def test_with_pins_the_pin_is_taken_off_when_it_is_done(house: House) -> None:
    async def main() -> None:
        async with scripts(house, 1, claim="pin") as queues:
            ts = house.types("hello")
            async with queues[0].claim_once(ts) as claim:
                assert claim
                row = await house.slack().row(house.channel(), ts)
                assert row.pin is not None
            row = await house.slack().row(house.channel(), ts)
            assert row.pin is None

    run(main)


def test_a_name_counts_a_day_also_in_a_process_that_has_run_for_weeks(house: House) -> None:
    async def main() -> None:
        async with scripts(house, 1) as queues:
            for _ in range(15):
                assert await race(queues, key="nightly") == [0]
                assert await race(queues, key="nightly") == []
                await anyio.sleep(timedelta(days=1, minutes=1).total_seconds())
            assert len([*queues[0]._sightings.all()]) == 1  # what is over is not kept

    run(main)


def test_a_job_whose_key_is_the_same_word_is_no_copy_of_what_happens_once(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            await queue.post("work", {"n": 1, "seconds": 20.0}, key="backup")
            await house.until(lambda: runs)
            assert await race([queue], key="backup") == [0]
            await queue.post("work", {"n": 2}, key="other")
            assert await race([queue], key="other") == [0]
            await house.until(lambda: len(runs) == 2)

    run(main)


def test_of_two_tasks_of_one_process_the_one_that_waits_takes_over_what_the_other_gives_back(house: House) -> None:
    async def main() -> None:
        async with scripts(house, 1) as queues:
            ts, ran = house.types("hello"), list[int]()

            async def one(number: int) -> None:
                async with queues[0].claim_once(ts, wait=True) as claim:
                    assert claim is not None
                    ran.append(number)
                    if len(ran) == 1:
                        await claim.release()

            with anyio.fail_after(120):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(one, 0)
                    tasks.start_soon(one, 1)
            assert sorted(ran) == [0, 1]

    run(main)


def test_an_unanswered_claim_is_not_taken_for_ours(house: House) -> None:
    async def main() -> None:
        unlucky = iter([True])
        house.faults.append(
            lambda method, _: "unanswered" if method == "reactions.add" and next(unlucky, False) else None
        )
        async with scripts(house, 1) as queues:
            ts = house.types("hello")
            assert await race(queues, message=ts) == []
            assert await race(queues, message=ts, wait=True) == [0]

    run(main)


def test_a_message_that_does_not_exist_and_a_call_without_any_say_what_to_write(house: House) -> None:
    async def main() -> None:
        async with scripts(house, 1) as queues:
            with pytest.raises(ConfigurationError, match="no message"):
                async with queues[0].claim_once("1700000000.000001"):
                    raise AssertionError
            with pytest.raises(ConfigurationError, match="claim_once\\(ts\\)"):
                queues[0].claim_once()

    run(main)


def test_a_closed_queue_claims_nothing(house: House) -> None:
    async def main() -> None:
        with pytest.raises(ConfigurationError, match="not open"):
            async with AsyncQueue(house.slack(), "#jobs").claim_once("1.2"):
                raise AssertionError

    run(main)
