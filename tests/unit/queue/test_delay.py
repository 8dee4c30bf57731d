"""Delayed posts: held in the channel, begun no sooner, found by whoever is there when their time has come."""

from __future__ import annotations

import gc
import tracemalloc
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.claiming.way import WAYS
from slackmq.envelope import JOB, seal
from slackmq.errors import ConfigurationError
from slackmq.message import Message, Post, seconds
from slackmq.queue import AsyncQueue
from slackmq.queue.held import Held, stretches
from slackmq.queue.pausing import pause, resume
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run
from slackmq.slack.api import Arrived
from slackmq.slack.polling import NoEvents

from .conftest import DICE

if TYPE_CHECKING:
    from slackmq.claiming.way import Way

    from .conftest import House

HOUR = timedelta(hours=1)


def message(ts: str, *, delay: float = 100.0, key: str = "") -> Message:
    return Message(
        channel="C1", ts=ts, author="U1", kind="work", key=key or ts, delay=timedelta(seconds=delay), body={"n": 1}
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("delay", [timedelta(seconds=20), HOUR, timedelta(hours=2)])
def test_a_delayed_job_is_begun_when_its_time_has_come_and_no_sooner(house: House, way: Way, delay: timedelta) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, claim=way, workers=2) as queue:
            posted = await queue.post("work", {"n": 1}, delay=delay)
            due = seconds(posted.ts) + delay.total_seconds()
            await anyio.sleep(due - 0.1 - house.now())
            assert runs == []
            # what nobody began natively waits for a lease; the rest for a read at most
            await anyio.sleep(80)
            assert [n for n, _, _ in runs] == [1]

    run(main)


def test_until_then_it_is_shown_as_delayed_with_its_time(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue:
            posted = await queue.post("work", {"n": 1}, delay=HOUR)
            standings = await queue.inspect()
            assert [standing.state for standing in standings] == ["delayed"]
            await anyio.sleep(3_602)  # Slack's time is only estimated, and told in whole seconds
            assert [standing.state for standing in await queue.inspect()] == ["waiting"]
        assert posted.text.endswith("not before 2023-11-14 23:13:20 UTC")
        assert posted.due == seconds(posted.ts) + 3_600

    run(main)


@pytest.mark.parametrize("rest", [timedelta(days=5, hours=23, minutes=50), timedelta(days=8), timedelta(days=12)])
def test_a_delayed_job_survives_the_end_of_every_process(house: House, rest: timedelta) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2) as queue:
            posted = await queue.post("work", {"n": 1}, delay=timedelta(days=6))
        await anyio.sleep(rest.total_seconds())
        async with house.at_work(handlers):
            await anyio.sleep(max(30.0, posted.due - 1 - house.now()))
            assert len(runs) == (house.now() >= posted.due)
            await house.until(lambda: runs)
        assert [n for n, _, _ in runs] == [1]

    run(main)


def test_a_job_that_was_posted_months_ago_is_found_by_a_fleet_that_starts_then(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting() as queue:
            await queue.post("work", {"n": 1}, delay=timedelta(days=110))
            await queue.post("work", {"n": 2}, delay=timedelta(days=120))
        await anyio.sleep(timedelta(days=109, hours=23, minutes=50).total_seconds())
        async with house.at_work(handlers):
            await anyio.sleep(1_200)
            assert [n for n, _, _ in runs] == [1]
        await anyio.sleep(timedelta(days=16).total_seconds())  # the second was due six days ago
        async with house.at_work(handlers):
            await house.until(lambda: len(runs) == 2)
        assert [n for n, _, _ in runs] == [1, 2]

    run(main)


def test_the_old_job_of_a_worker_that_died_is_taken_over_by_one_that_only_reads(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting() as queue:
            posted = await queue.post("work", {"n": 1}, delay=timedelta(hours=2))
            await anyio.sleep(7_190)
            async with house.at_work(handlers, workers=2, concurrency=1):
                await anyio.sleep(5)  # they know of it, and wait for its time
                house.call(house.bot, "reactions.add", channel=house.channel(), timestamp=posted.ts, name="clock1")
                await anyio.sleep(60)
                assert runs == []
                await house.until(lambda: runs)
                assert house.now() < posted.due + 90
        assert [n for n, _, _ in runs] == [1]

    run(main)


def test_what_another_worker_did_to_an_old_job_is_seen_and_not_done_again(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=3) as queue:
            for number in range(30):
                await queue.post("work", {"n": number}, delay=timedelta(minutes=30))
            await anyio.sleep(2_400)
            assert {standing.state for standing in await queue.inspect()} == {"done"}
        assert sorted(n for n, _, _ in runs) == [*range(30)]

    run(main)


@pytest.mark.parametrize("delay", [timedelta(days=120, seconds=1), timedelta(seconds=-1)])
def test_a_delay_that_cannot_be_kept_is_refused_with_the_remedy(house: House, delay: timedelta) -> None:
    async def main() -> None:
        async with house.visiting() as queue:
            with pytest.raises(ConfigurationError, match="at most 120 days"):
                await queue.post("work", {"n": 1}, delay=delay)
            assert await queue.inspect() == ()

    run(main)


def test_an_expiry_counts_from_the_moment_when_it_is_due(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting() as queue:
            kept = await queue.post("work", {"n": 1}, delay=HOUR, expires=timedelta(minutes=10))
            late = await queue.post("work", {"n": 2}, delay=timedelta(minutes=30), expires=timedelta(minutes=10))
        await anyio.sleep(3_500)
        async with house.at_work(handlers) as queue:
            await anyio.sleep(200)
            states = {standing.message.ts: standing.state for standing in await queue.inspect()}
        assert states == {kept.ts: "done", late.ts: "dead"}
        assert [n for n, _, _ in runs] == [1]

    run(main)


def test_of_those_that_are_due_the_highest_priority_is_begun_first(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, concurrency=1) as queue:
            for number in range(9):
                await queue.post("work", {"n": number}, delay=HOUR, priority=number % 3)
            await anyio.sleep(3_700)
            await house.ended(queue)
        assert len(runs) == 9
        assert [n % 3 for n, _, _ in runs][-2:] == [0, 0]

    run(main)


@pytest.mark.parametrize("watching", [True, False])
def test_whoever_waits_for_its_answer_gets_it_after_its_time(house: House, *, watching: bool) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers) as worker, house.visiting() as visitor:
            queue = worker if watching else visitor
            posted = await queue.post("work", {"n": 1}, delay=timedelta(minutes=20))
            answer = await queue.answer(posted, within=timedelta(minutes=25))
            assert house.now() >= posted.due
        assert answer.result == '"did 1"'

    run(main)


def test_one_that_was_deleted_is_not_begun(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            posted = await queue.post("work", {"n": 1}, delay=HOUR)
            await anyio.sleep(60)
            house.call(house.bot, "chat.delete", channel=house.channel(), ts=posted.ts)
            await anyio.sleep(2 * 3_600)
            assert await queue.inspect() == ()
        assert runs == []

    run(main)


@pytest.mark.parametrize("way", WAYS)
def test_one_that_is_cancelled_ends_at_once_and_is_not_begun(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, claim=way, workers=2):
            async with house.visiting(claim=way) as queue:
                posted = await queue.post("work", {"n": 1}, delay=HOUR)
                await anyio.sleep(120)
                assert await queue.cancel(posted) or way == "native"
            await anyio.sleep(2 * 3_600)
            async with house.visiting(claim=way) as queue:
                [standing] = await queue.inspect()
        assert standing.state in {"dead", "cancelled"}
        assert runs == []

    run(main)


@pytest.mark.timeout(60)
def test_ten_thousand_delayed_jobs_in_a_channel_leave_a_worker_small(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        channel = house.channel()
        for number in range(10_000):
            post = Post(kind="work", body={"n": number}, key=f"{number:032x}", delay=timedelta(days=1))
            sealed = seal(post, to=house.call(house.bot, "auth.test")["user_id"], sent_at=house.now())
            house.call(
                house.bot,
                "chat.postMessage",
                channel=channel,
                text=sealed.text,
                metadata={"event_type": JOB, "event_payload": dict(sealed.payload)},
            )
        tracemalloc.start()
        async with house.at_work(handlers) as queue:
            await anyio.sleep(20)
            gc.collect()
            taken, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert len(await queue.inspect(threads=False)) == 10_000
        assert taken < 15_000_000
        assert runs == []

    run(main)


def test_a_delayed_job_holds_its_key_until_it_is_done(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            await queue.post("work", {"n": 1}, key="k", delay=HOUR)
            await queue.post("work", {"n": 2}, key="k")
            await anyio.sleep(2 * 3_600)
            assert sorted(standing.state for standing in await queue.inspect()) == ["done", "duplicate"]
        assert [n for n, _, _ in runs] == [1]

    run(main)


@pytest.mark.parametrize("delay", [61.5, 63.0, 70.0])
def test_one_that_is_due_soon_is_begun_in_time_although_reads_do_not_show_it_yet(house: House, delay: float) -> None:
    async def main() -> None:
        clock = SimClock(DICE)
        queue = AsyncQueue(house.slack(clock=clock), "#jobs", events=NoEvents(10), clock=clock)
        found: list[str] = []

        async def work() -> None:
            async for lease in queue.claims():
                found.append(lease.claim.message.ts)
                await queue.ack(lease.claim)

        async with queue, house.visiting() as other, anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            await anyio.sleep(30)
            posted = await other.post("work", {"n": 1}, delay=timedelta(seconds=delay))
            row = await house.slack().row(house.channel(), posted.ts)
            assert row is not None
            house.hidden["conversations.history"] = {"ok": True, "messages": []}
            assert queue.opened is not None
            queue.opened.watch.hear(Arrived(channel=house.channel(), row=row))
            await anyio.sleep(3)
            house.hidden.clear()
            await anyio.sleep(posted.due - house.now() + 10)
            assert found == [posted.ts]
            tasks.cancel_scope.cancel()

    run(main)


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_old_jobs_that_are_due_take_no_more_reads_than_the_app_has(house: House, workers: int) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting() as queue:
            for n in range(8):
                await queue.post("work", {"n": n}, delay=timedelta(hours=30))
                await anyio.sleep(2 * 3_600)
            await pause(house.slack(), queue.channel, by="Ann")
            await anyio.sleep(30 * 3_600)
        async with house.at_work(handlers, workers=workers, sockets=workers) as queue:
            await anyio.sleep(120)
            house.calls.clear()
            await anyio.sleep(300)
            assert house.calls.count("conversations.history") <= 5 * 50
            await resume(house.slack(), queue.channel, by="Ann")
            await anyio.sleep(120)
            assert sorted(n for n, _, _ in runs) == [*range(8)]

    run(main)


def test_an_hour_of_waiting_costs_no_more_reads_than_an_hour_of_nothing(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()

        async def reads() -> int:
            house.calls.clear()
            await anyio.sleep(3_600)
            return house.calls.count("conversations.history")

        async with house.at_work(handlers, sockets=1) as queue:
            await anyio.sleep(60)
            nothing = await reads()
            await queue.post("work", {"n": 1}, delay=timedelta(hours=5))
            waiting = await reads()
        assert waiting <= nothing + 2

    run(main)


def test_ten_thousand_that_wait_take_little_memory_whatever_they_carry() -> None:
    held = Held()
    tracemalloc.start()
    try:
        for number in range(10_000):
            ts = f"17000{number:05}.000000"
            body = {"data": "x" * 4_000}
            held.add(
                Message(
                    channel="C1",
                    ts=ts,
                    author="U1",
                    kind="work",
                    text="x" * 300,
                    body=body,
                    key=f"{number:032x}",
                    delay=timedelta(seconds=100_000 - number),
                )
            )
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(held) == 10_000
    assert taken < 10_000 * 1_000


def test_what_is_held_comes_up_by_its_time_and_not_by_its_posting() -> None:
    held = Held()
    for ts, delay in (("1.000000", 500.0), ("2.000000", 10.0), ("3.000000", 100.0)):
        held.add(message(ts, delay=delay))
    assert held.next_due() == 12.0
    assert held.due(11.9) == []
    assert held.due(103.0) == ["2.000000", "3.000000"]
    held.drop("2.000000")
    assert held.next_due() == 103.0


def test_what_is_deleted_long_before_its_time_leaves_nothing_behind() -> None:
    held = Held()
    for number in range(5_000):
        held.add(message(f"{number}.000000", delay=1e6 - number))
        if number != 7:
            held.drop(f"{number}.000000")
    assert (len(held), held.next_due()) == (1, 1e6)
    assert len(held._order) < 500


def test_neighbours_are_read_with_one_call_and_those_far_apart_with_one_each() -> None:
    found = stretches(["100.0", "200.0", "90000.0", "300.0"])
    assert found == [(99.0, 300.0), (89_999.0, 90_000.0)]
