"""Jobs that wait for others: begun when all are done, dead if one is, and never waiting for ever."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.claiming.way import WAYS
from slackmq.envelope import JOB, seal
from slackmq.errors import ConfigurationError, Reject
from slackmq.handlers import Handlers
from slackmq.message import Post, seconds
from slackmq.operating.figures import figures_of
from slackmq.operating.look import looking
from slackmq.operating.turns import turns
from slackmq.queue.pausing import pause, resume
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run
from slackmq.slack.api import Deleted

from .conftest import DICE, TIMING

if TYPE_CHECKING:
    from slackmq.claiming.way import Way
    from slackmq.message import Message
    from slackmq.queue import AsyncQueue

    from .conftest import House

HOUR = timedelta(hours=1)
DAY = 86_400.0


async def state(queue: AsyncQueue, message: Message) -> str:
    return next(row.state for row in await queue.inspect() if row.message.ts == message.ts)


@pytest.mark.parametrize("way", WAYS)
def test_a_chain_is_done_in_its_order_and_a_group_when_all_are_done(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, claim=way, workers=2) as queue:
            one = await queue.post("work", {"n": 1, "seconds": 5})
            two = await queue.post("work", {"n": 2, "seconds": 20})
            both = await queue.post("work", {"n": 3}, after=[one, two])
            last = await queue.post("work", {"n": 4}, after=[both.ts])
            await house.ended(queue)
            assert last.after == (both.ts,)
        assert min(runs[:2])[0] == 1
        assert [n for n, _, _ in runs[2:]] == [3, 4]
        assert {attempt for _, attempt, _ in runs[2:]} == {1}

    run(main)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("end", ["dead", "cancelled", "deleted"])
def test_if_one_is_not_done_what_waits_for_it_is_dead_and_says_why_down_the_chain(
    house: House, way: Way, end: str
) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, claim=way, workers=2) as queue:
            fine = await queue.post("work", {"n": 1})
            bad = await queue.post("work", {"n": "no number" if end == "dead" else 2}, delay=timedelta(minutes=10))
            second = await queue.post("work", {"n": 3}, after=[fine, bad])
            third = await queue.post("work", {"n": 4}, after=[second])
            if end == "cancelled":
                assert await queue.cancel(bad) or way == "native"
            elif end == "deleted":
                author = house.stranger if way == "pin" else house.bot
                assert house.call(author, "chat.delete", channel=house.channel(), ts=bad.ts)["ok"]
            await house.until_true(lambda: "x" in house.marks(third.ts), within=3_600)
            assert {n for n, _, _ in runs} <= {1}
        how = {"dead": "is dead", "cancelled": "was cancelled", "deleted": "was deleted"}[end]
        link = bad.ts.replace(".", "")
        assert any(link in line and how in line for line in house.thread(second.ts)), house.thread(second.ts)
        assert any(second.ts.replace(".", "") in line and "is dead" in line for line in house.thread(third.ts))

    run(main)


def test_who_tidies_up_what_is_done_ends_nothing_that_waited_for_it(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            one = await queue.post("work", {"n": 1, "seconds": 5})
            await queue.post("work", {"n": 2}, after=[one])
            await house.until(lambda: "white_check_mark" in house.marks(one.ts))
            assert queue.opened is not None
            await anyio.sleep(0.5)
            queue.opened.watch.hear(Deleted(channel=one.channel, ts=one.ts))
            house.operate("chat.delete", channel=one.channel, ts=one.ts)
            await house.until(lambda: len(runs) == 2)

    run(main)


def test_it_names_copies_and_the_one_that_is_worked_on_counts(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            first = await queue.post("work", {"n": 1, "seconds": 30}, key="k")
            copy = await queue.post("work", {"n": 2}, key="k")
            await queue.post("work", {"n": 3}, after=[copy])
            await house.ended(queue)
            assert first.ts != copy.ts
        assert [n for n, _, _ in runs] == [1, 3]

    run(main)


def test_what_a_person_typed_can_be_waited_for(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            ts = house.types("toggle kitchen light")
            await queue.post("work", {"n": 1}, after=[ts])
            await house.ended(queue)
        assert [n for n, _, _ in runs] == [0, 1]

    run(main)


def test_it_waits_for_a_job_whose_handler_only_another_process_has(house: House) -> None:
    async def main() -> None:
        here, there = Handlers(), Handlers()
        runs: list[str] = []

        @here.task
        async def second() -> None:
            runs.append("second")

        @there.listen("first")
        async def first() -> None:
            await anyio.sleep(40)
            runs.append("first")

        assert (first, second) is not None
        async with house.at_work(here) as queue, house.at_work(there):
            typed = house.types("first")
            waiting = await queue.post("second", after=[typed])
            await house.until_true(lambda: "white_check_mark" in house.marks(waiting.ts), within=600)
        assert runs == ["first", "second"]

    run(main)


@pytest.mark.parametrize("way", ["reaction", "native"])
def test_talk_is_no_job_and_is_not_waited_for_for_ever(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, claim=way, timing=replace(TIMING, window=HOUR)) as queue:
            waiting = await queue.post("work", {"n": 1}, after=[house.types("good morning")])
            await anyio.sleep(3_000)
            assert await state(queue, waiting) == "waiting"
            await house.until_true(lambda: "x" in house.marks(waiting.ts), within=3 * 3_600)
        assert runs == []
        assert any("no job" in line for line in house.thread(waiting.ts))

    run(main)


@pytest.mark.parametrize("down", [DAY / 2, 6 * DAY, 15 * DAY])
def test_a_chain_survives_the_end_of_every_process_also_beyond_what_is_read_anyway(house: House, down: float) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2) as queue:
            slow = await queue.post("work", {"n": 1}, delay=timedelta(seconds=down + DAY))
            last = await queue.post("work", {"n": 2}, after=[slow])
        await anyio.sleep(down)
        async with house.at_work(handlers, workers=2):
            await anyio.sleep(60)
            assert runs == []
        await anyio.sleep(max(0.0, slow.due - house.now()))
        async with house.at_work(handlers):
            await house.until_true(lambda: "white_check_mark" in house.marks(last.ts), within=600)
        assert [n for n, _, _ in runs] == [1, 2]

    run(main)


def test_what_has_waited_for_days_is_noted_for_whoever_starts_when_all_have_ended(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting() as queue:
            first = await queue.post("work", {"n": 1})
            last = await queue.post("work", {"n": 2}, after=[first])
        slack = house.slack()
        channel = await slack.channel("#jobs")
        await pause(slack, channel, by="me")
        await anyio.sleep(4 * DAY)
        async with house.at_work(handlers):
            await anyio.sleep(60)
        await anyio.sleep(6 * DAY)
        await resume(slack, channel, by="me")
        async with house.at_work(handlers):
            await house.until_true(lambda: "white_check_mark" in house.marks(last.ts), within=600)
        assert [n for n, _, _ in runs] == [1, 2]

    run(main)


def test_waiting_costs_a_read_an_hour_at_most(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()

        async def reads() -> int:
            await anyio.sleep(3_600)
            before = house.calls.count("conversations.history")
            await anyio.sleep(4 * 3_600)
            return house.calls.count("conversations.history") - before

        async with house.at_work(handlers, sockets=1) as queue:
            nothing = await reads()
            slow = await queue.post("work", {"n": 1}, delay=timedelta(days=30))
            for n in range(20):
                await queue.post("work", {"n": n}, after=[slow])
            waiting = await reads()
        assert waiting <= nothing + 8

    run(main)


@pytest.mark.timeout(60)
def test_ten_thousand_jobs_that_wait_leave_a_worker_small(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        me = house.call(house.bot, "auth.test")["user_id"]
        first = await _post(house, Post(kind="work", body={"n": 0}, key="first", delay=timedelta(days=1)), me)
        for number in range(10_000):
            await _post(house, Post(kind="work", body={"n": number}, key=f"{number:032x}", after=(first,)), me)
        tracemalloc.start()
        async with house.at_work(handlers) as queue:
            await anyio.sleep(20)
            gc.collect()
            taken, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert len(await queue.inspect(threads=False)) == 10_001
        assert taken < 25_000_000
        assert runs == []

    run(main)


async def _post(house: House, post: Post, me: str) -> str:
    """Put an envelope into the channel as the bot, whatever it says."""
    sealed = seal(post, to=me, sent_at=house.now())
    metadata = {"event_type": JOB, "event_payload": dict(sealed.payload)}
    sent = house.call(house.bot, "chat.postMessage", channel=house.channel(), text=sealed.text, metadata=metadata)
    return str(sent["ts"])


def test_a_job_cannot_name_itself_nor_a_later_one_so_no_cycle_can_be_posted(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue:
            one = await queue.post("work", {"n": 1})
            later = f"{seconds(one.ts) + 3_600:.6f}"
            for wrong in ([later], ["1600000000.000100"], ["yesterday"], [replace(one, channel="C0OTHER")]):
                with pytest.raises(ConfigurationError) as raised:
                    await queue.post("work", {"n": 2}, after=wrong)
                assert raised.value.remedy
            with pytest.raises(ConfigurationError, match="100 others at most"):
                await queue.post("work", {"n": 2}, after=[f"16000000{n:02}.000100" for n in range(101)])
            assert len(await queue.inspect()) == 1

    run(main)


@pytest.mark.parametrize("way", WAYS)
def test_a_forged_job_that_names_itself_or_a_later_one_is_dead_with_a_reason(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        me = house.call(house.bot, "auth.test")["user_id"]
        to = "*" if way == "pin" else me
        async with house.at_work(handlers, claim=way):
            forged = []
            for ahead in (0.0, 60.0):
                later = f"{house.now() + ahead:.6f}"
                forged.append(await _post(house, Post(kind="work", body={"n": 1}, key=later, after=(later,)), to))
            await house.until_true(lambda: all("x" in house.marks(ts) for ts in forged), within=600)
        assert runs == []
        assert all(any("cannot stand before it" in line for line in house.thread(ts)) for ts in forged)

    run(main)


def test_a_job_can_be_cancelled_and_can_expire_while_it_waits(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            slow = await queue.post("work", {"n": 1}, delay=timedelta(hours=3))
            unwanted = await queue.post("work", {"n": 2}, after=[slow])
            hasty = await queue.post("work", {"n": 3}, after=[slow], expires=HOUR)
            follower = await queue.post("work", {"n": 4}, after=[unwanted])
            assert await queue.cancel(unwanted)
            await house.until_true(lambda: "x" in house.marks(follower.ts), within=600)
            assert "x" not in house.marks(hasty.ts)
            await house.until_true(lambda: "x" in house.marks(hasty.ts), within=2 * 3_600)
            await anyio.sleep(3 * 3_600)
            assert await state(queue, unwanted) == "cancelled"
        assert [n for n, _, _ in runs] == [1]
        assert any("before all that it waits for was done" in line for line in house.thread(hasty.ts))

    run(main)


def test_a_job_that_is_posted_again_counts_for_the_one_it_repeats(house: House) -> None:
    async def main() -> None:
        handlers, ran, broken = Handlers(), list[str](), [True]

        @handlers.task
        async def first() -> None:
            ran.append("first")
            if broken:
                raise Reject("no ladder")

        @handlers.task
        async def second() -> None:
            ran.append("second")

        assert (first, second) is not None
        async with house.at_work(handlers) as queue:
            dead = await queue.post("first")
            waiting = await queue.post("second", after=[dead])
            await house.until_true(lambda: "x" in house.marks(waiting.ts), within=600)
            broken.clear()
            early = await queue.redrive(waiting)  # the first is still dead
            await house.until_true(lambda: "x" in house.marks(early.ts), within=600)
            again = await queue.redrive(dead)
            follower = await queue.redrive(early)
            assert follower.after == (again.ts,)
            await house.until_true(lambda: "white_check_mark" in house.marks(follower.ts), within=600)
        assert ran == ["first", "first", "second"]

    run(main)


def test_people_see_what_it_waits_for(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        clock = SimClock(DICE)
        async with house.visiting() as queue:
            one = await queue.post("work", {"n": 1})
            two = await queue.post("work", {"n": 2}, delay=HOUR)
            both = await queue.post("work", {"n": 3}, after=[one, two])
            assert both.text.endswith(" and 1 more")
            assert f"/p{one.ts.replace('.', '')}" in both.text
            rows = {row.message.ts: row for row in await queue.inspect()}
            assert (rows[both.ts].state, rows[both.ts].after) == ("waiting", (one.ts, two.ts))
            assert [row.message.ts for row in turns(rows.values())][-1] == both.ts
            figures = figures_of(rows.values(), window=TIMING.window)
            assert (figures.depth, figures.delayed) == (3, 2)
        async with house.at_work(handlers) as queue:
            await house.until(lambda: "white_check_mark" in house.marks(one.ts))
            rows = {row.message.ts: row for row in await queue.inspect()}
            assert rows[both.ts].after == (two.ts,)
            async with looking(house.slack(clock=clock), "#jobs", clock=clock) as look:
                assert (await look.life(both.ts)).after == {one.ts: "done", two.ts: "waiting"}
            await anyio.sleep(2 * 3_600)
            assert await state(queue, both) == "done"

    run(main)


def test_a_worker_that_ends_when_nothing_waits_does_not_wait_for_the_time_of_others(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting() as queue:
            one = await queue.post("work", {"n": 1})
            await queue.post("work", {"n": 2}, after=[one])
            slow = await queue.post("work", {"n": 3}, delay=HOUR)
            await queue.post("work", {"n": 4}, after=[slow])
        async with house.at_work(handlers):
            with anyio.fail_after(300):
                await house.worker.run(burst=True)
        assert sorted(n for n, _, _ in runs) == [1, 2]

    run(main)
