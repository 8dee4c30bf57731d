"""What people read of a queue: the life of a job, the next jobs, and figures, all from what Slack holds."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.errors import ConfigurationError
from slackmq.operating import figures_of, looking, turns
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.claiming.way import Way
    from slackmq.operating import Life
    from slackmq.queue import AsyncQueue, Lease

    from .conftest import House

DAY = timedelta(hours=24)


async def life(house: House, ts: str) -> Life:
    async with looking(house.slack(), "#jobs") as look:
        return await look.life(ts)


async def claimed(queue: AsyncQueue) -> Lease:
    async for lease in queue.claims():
        return lease
    raise AssertionError("unreachable: the queue is open")


def told(found: Life) -> list[tuple[str, str]]:
    return [(step.what, step.by) for step in found.steps[1:]]


def test_a_life_tells_of_claims_failures_and_the_end_in_order_and_by_whom(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers) as queue:
            message = await queue.post("work", {"n": 1, "fail": 1})
            await house.ended(queue)
            found = await life(house, message.ts)
            assert found.steps[0].what == "posted"
            assert found.steps[0].at == float(message.ts)
            bot = (await house.slack().identity()).user
            assert told(found) == [
                ("claimed", "w0"),
                ("failed", "w0"),
                ("claimed", "w0"),
                ("begun", "w0"),
                ("answered", "w0"),
                ("done", bot),
            ]
            assert (found.state, found.attempts) == ("done", 2)
            assert "not yet" in found.steps[2].detail

    run(main)


def test_a_renewal_is_told_from_a_claim_that_was_taken_over(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.visiting() as queue:
            message = await queue.post("work", {"n": 1})
            lease = await claimed(queue)
            await queue.extend(lease.claim)
            found = await life(house, message.ts)
            assert [step.what for step in found.steps] == ["posted", "claimed", "renewed"]
            assert found.state == "held"
        async with house.at_work(handlers) as queue:
            await house.ended(queue)
        found = await life(house, message.ts)
        assert [step.what for step in found.steps] == [
            "posted",
            "claimed",
            "renewed",
            "claimed",
            "begun",
            "answered",
            "done",
        ]
        assert "lapsed" in found.steps[3].detail
        assert found.steps[3].by == "w0"

    run(main)


def test_what_was_handed_back_waits_and_did_not_fail(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue:
            message = await queue.post("work", {"n": 1})
            lease = await claimed(queue)
            await queue.release(lease.claim)
            found = await life(house, message.ts)
            assert [step.what for step in found.steps] == ["posted", "claimed", "handed back"]
            assert found.state == "waiting"

    run(main)


@pytest.mark.parametrize("way", ["reaction", "pin", "native"])
def test_a_dead_job_says_why_whatever_the_way_of_claiming(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers, claim=way) as queue:
            message = await queue.post("work", {"n": 1, "fail": 9})
            await house.ended(queue)
            found = await life(house, message.ts)
            assert found.state == "dead"
            assert found.attempts == 3
            assert [step.what for step in found.steps].count("failed") == (1 if way == "native" else 2)
            assert any(step.what == "refused" and "not yet" in step.detail for step in found.steps)
            assert found.steps[-1].what == "dead"

    run(main)


def test_what_strangers_put_on_a_job_or_into_its_thread_tells_nothing(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue:
            message = await queue.post("work", {"n": 1})
            where: Mapping[str, str] = {"channel": house.channel()}
            for emoji in ("clock1", "white_check_mark"):
                assert house.call(house.people[0], "reactions.add", **where, timestamp=message.ts, name=emoji)["ok"]
            assert house.call(house.people[0], "chat.postMessage", **where, text="done!", thread_ts=message.ts)["ok"]
            found = await life(house, message.ts)
            assert [step.what for step in found.steps] == ["posted"]
            assert (found.state, found.attempts) == ("waiting", 0)

    run(main)


def test_of_a_message_that_is_not_there_no_life_is_told(house: House) -> None:
    async def main() -> None:
        with pytest.raises(ConfigurationError, match="no message"):
            await life(house, "1700000000.000001")

    run(main)


def test_the_next_jobs_come_by_priority_and_age_and_what_is_not_due_last(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue:
            later = await queue.post("work", {"n": 0})
            lease = await claimed(queue)
            await queue.fail(lease.claim, "not today", retry_in=timedelta(hours=1))
            first, second = await queue.post("work", {"n": 1}), await queue.post("work", {"n": 2})
            urgent = await queue.post("work", {"n": 3}, priority=5)
            house.types("good morning")
        async with looking(house.slack(), "#jobs") as look:
            rows = turns(await look.queue.inspect())
        assert [row.message.ts for row in rows] == [urgent.ts, first.ts, second.ts, later.ts]
        assert timedelta(minutes=50) < rows[-1].due <= timedelta(hours=1)
        assert house.marks(first.ts) == set()

    run(main)


def test_the_figures_count_what_waits_is_held_done_and_dead(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers) as queue:
            await queue.post("work", {"n": 1}, key="one")
            await queue.post("work", {"n": 1}, key="one")
            await queue.post("work", {"n": 2, "fail": 9})
            await house.ended(queue)
        async with house.visiting() as queue:
            await queue.post("work", {"n": 3})
            await claimed(queue)
            await queue.post("work", {"n": 4})
            house.types("good morning")
        await anyio.sleep(10)
        async with looking(house.slack(), "#jobs") as look:
            figures = figures_of(await look.queue.inspect(), window=DAY)
        assert (figures.depth, figures.in_flight, figures.done, figures.dead) == (1, 1, 1, 1)
        assert (figures.duplicates, figures.delayed) == (1, 0)
        assert timedelta(seconds=5) < figures.oldest < timedelta(minutes=1)

    run(main)
