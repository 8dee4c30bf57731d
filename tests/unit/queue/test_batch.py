"""Many jobs in one message: each is executed by itself, and what was noted as done is not executed again."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.batch import LARGEST, numbers_in
from slackmq.errors import AlreadyEnded, ConfigurationError, JobFailed, Reject
from slackmq.handlers import Handlers
from slackmq.hooks import Claimed
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.message import Post
from slackmq.operating import figures_of, looking
from slackmq.operating.purging import purging
from slackmq.policy import Backoff
from slackmq.queue import AsyncQueue
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run
from slackmq.simulation.process import Process
from slackmq.worker import AsyncWorker

from .conftest import DICE, TIMING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.claiming.way import Way

    from .conftest import House

WAYS: tuple[Way, ...] = ("reaction", "pin", "native")


def bodies(count: int, **more: int) -> list[dict[str, int]]:
    return [{"n": n, **more} for n in range(1, count + 1)]


@pytest.mark.parametrize("way", WAYS)
def test_the_handler_runs_once_for_each_job_under_one_claim(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2, claim=way) as queue:
            message = await queue.post_batch("work", bodies(10))
            assert (message.batch, message.size) == (10, 10)
            answer = await queue.answer(message, within=timedelta(minutes=5))
            assert answer.result == str([f"did {n}" for n in range(1, 11)]).replace("'", '"').replace(", ", ",")
            assert Counter(n for n, _, _ in runs) == dict.fromkeys(range(1, 11), 1)
            assert sum(isinstance(happened, Claimed) for happened in house.happened) == 1

    run(main)


def test_each_job_has_a_number_and_a_key_of_its_own(house: House) -> None:
    async def main() -> None:
        handlers, seen = Handlers(), set[tuple[int, str, int]]()

        @handlers.task
        async def work(job: Job, n: int) -> None:
            seen.add((job.number, job.key, n))

        assert work is not None
        async with house.at_work(handlers) as queue:
            await queue.post_batch("work", [{"n": 7}, {"n": 8}], key="cats")
            await queue.post("work", {"n": 9}, key="dog")
            await house.ended(queue)
        assert seen == {(1, "cats/1", 7), (2, "cats/2", 8), (0, "dog", 9)}

    run(main)


def test_a_hundred_jobs_cost_at_most_ten_calls_to_do(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers, concurrency=25) as queue:
            await anyio.sleep(1)
            before = Counter(house.calls)
            message = await queue.post_batch("work", bodies(100))
            await house.until(lambda: "white_check_mark" in house.marks(message.ts))
            writes = Counter(house.calls) - before
        del writes["conversations.history"], writes["auth.test"]
        assert sum(writes.values()) <= 10, writes

    run(main)


def test_people_see_a_mark_for_each_job(house: House) -> None:
    async def main() -> None:
        handlers = Handlers()

        @handlers.task(attempts=1, concurrency=3)
        async def work(n: int) -> None:
            await anyio.sleep(20 if n > 3 else 1)
            if n == 2:
                raise ValueError("no")

        assert work is not None
        async with house.at_work(handlers) as queue:
            message = await queue.post_batch("work", bodies(12))
            assert message.text.startswith("work, 12 jobs: (n=1), (n=2)")
            await anyio.sleep(15)
            assert said(house, message.ts) == "work: 2 of 12 done, 1 failed: 2\n```■✗■······· ··```"
            await house.until(lambda: "x" in house.marks(message.ts))
            assert said(house, message.ts) == "work: 11 of 12 done, 1 failed: 2\n```■✗■■■■■■■■ ■■```"
            assert any("1 of 12 jobs failed: 2 (ValueError: no)" in note for note in house.thread(message.ts))

    run(main)


def said(house: House, ts: str) -> str:
    rows = house.call(house.people[0], "conversations.history", channel=house.channel(), latest=ts, inclusive=True)
    return str(rows["messages"][0]["text"])


def test_only_what_failed_is_tried_again(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            message = await queue.post_batch("work", [*bodies(4), {"n": 5, "fail": 1}, {"n": 6, "fail": 2}])
            answer = await queue.answer(message, within=timedelta(minutes=5))
            assert answer.result == '["did 1","did 2","did 3","did 4","did 5","did 6"]'
        attempts = Counter(n for n, _, _ in runs)
        assert attempts == {1: 1, 2: 1, 3: 1, 4: 1, 5: 2, 6: 3}

    run(main)


@pytest.mark.parametrize("letters", ["#jobs-dead", None])
def test_a_redrive_posts_only_what_failed_under_the_numbers_that_it_had(house: House, letters: str | None) -> None:
    async def main() -> None:
        handlers, mended, seen = Handlers(), list[int](), list[tuple[int, str]]()

        @handlers.task(attempts=2, backoff=Backoff(first=timedelta(seconds=1)))
        async def work(job: Job, n: int) -> int:
            seen.append((job.number, job.key))
            if n == 2 and not mended:
                raise Reject("never")
            if n == 4 and not mended:
                raise ValueError("not yet")
            return n

        assert work is not None
        if letters:
            house.call(house.people[0], "conversations.create", name="jobs-dead")
            house.call(house.bot, "conversations.join", channel=house.channel("jobs-dead"))
        async with house.at_work(handlers, dead_letters=letters) as queue:
            message = await queue.post_batch("work", bodies(5), key="cats")
            with pytest.raises(JobFailed, match=r"2 of 5 jobs failed: 2 \(never\); 4 \(ValueError: not yet\)"):
                await queue.answer(message, within=timedelta(minutes=5))
            assert Counter(number for number, _ in seen) == {1: 1, 2: 1, 3: 1, 4: 2, 5: 1}
            seen.clear()
            mended.append(1)
            if letters:
                (letter,) = await queue.dead_letters()
                assert (letter.job.batch, letter.job.body["numbers"], letter.attempts) == (2, "2 4", 2)
            again = await queue.redrive(message)
            answer = await queue.answer(again, within=timedelta(minutes=5))
            assert (again.batch, answer.result) == (2, "[2,4]")
            assert sorted(seen) == [(2, "cats/2"), (4, "cats/4")]

    run(main)


@pytest.mark.parametrize("way", WAYS)
def test_who_takes_over_after_a_hand_back_repeats_nothing_that_is_done(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2, claim=way, concurrency=2, drain=timedelta(seconds=2)) as queue:
            message = await queue.post_batch("work", bodies(9, seconds=4))
            await house.until(lambda: len(runs) >= 5, within=300)
            running = {n for n, _, _ in runs[-2:]}
            holder = next(worker for worker in house.workers if worker._held)
            holder.drain()
            await house.until(lambda: "white_check_mark" in house.marks(message.ts), within=600)
            assert any(note.count("did") == 9 for note in house.thread(message.ts))
            repeated = {n for n, count in Counter(n for n, _, _ in runs).items() if count > 1}
            assert repeated <= running
            assert len({attempt for _, attempt, _ in runs}) == 1

    run(main)


def test_who_takes_over_after_a_death_repeats_nothing_that_was_noted(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        dead = Process("w")
        clock = SimClock(DICE)
        queue = AsyncQueue(house.slack(clock=clock), "#jobs", select=handlers.select, clock=clock, worker="dead")

        async def work() -> None:
            async with queue:
                await AsyncWorker(queue, handlers, clock=clock, concurrency=1).run()

        dead.start(work)
        async with house.visiting() as visitor:
            message = await visitor.post_batch("work", bodies(30))
            await house.until(lambda: any("done, by dead" in note for note in house.thread(message.ts)))
            await anyio.sleep(9)
            dead.kill()
        noted = int(house.thread(message.ts)[0].split(" of ")[0].split()[-1])
        assert noted > 5
        before = len(runs)
        async with house.at_work(handlers) as queue2:
            answer = await queue2.answer(message, within=timedelta(minutes=5))
        assert answer.result == "[" + ",".join(f'"did {n}"' for n in range(1, 31)) + "]"
        assert before > noted
        assert {n for n, _, _ in runs[before:]} == set(range(noted + 1, 31))

    run(main)


def test_a_cancelled_batch_stops_what_runs_and_begins_nothing_more(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, concurrency=2) as queue, house.visiting() as operator:
            message = await queue.post_batch("work", bodies(9, seconds=30))
            await house.until(lambda: len(runs) == 2)
            await operator.cancel(message)
            (row,) = await house.ended(queue)
            assert row.state == "cancelled"
            assert len(runs) == 2
            with pytest.raises(AlreadyEnded):
                await operator.cancel(message)

    run(main)


def test_arguments_that_do_not_fit_fail_their_own_job_alone(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            message = await queue.post_batch("work", [{"n": 1}, {"m": 2}, {"n": 3}])
            with pytest.raises(JobFailed, match=r"1 of 3 jobs failed: 2 \(.*n: missing"):
                await queue.answer(message, within=timedelta(minutes=5))
        assert {n for n, _, _ in runs} == {1, 3}

    run(main)


def test_results_that_are_too_long_for_a_note_are_not_told_after_a_hand_back(house: House) -> None:
    async def main() -> None:
        handlers = Handlers()

        @handlers.task(attempts=2, backoff=Backoff(first=timedelta(seconds=1)))
        async def work(job: Job, n: int) -> str:
            if n == 3 and job.attempt == 1:
                raise ValueError("not yet")
            return "x" * 3_500 if n < 3 else "y"

        assert work is not None
        async with house.at_work(handlers) as queue:
            message = await queue.post_batch("work", bodies(3))
            answer = await queue.answer(message, within=timedelta(minutes=5))
            assert answer.result.endswith(',"y"]')

    run(main)


def test_a_batch_of_none_or_of_too_many_is_refused_before_anything_is_sent(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue:
            before = house.calls.count("chat.postMessage")
            with pytest.raises(ConfigurationError, match="1 to 1,000 jobs, not 0"):
                await queue.post_batch("work", [])
            with pytest.raises(ConfigurationError, match="not 1,001"):
                await queue.post_batch("work", bodies(LARGEST + 1))
            assert house.calls.count("chat.postMessage") == before

    run(main)


def test_a_forged_batch_is_dead_and_says_why(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            opened = queue.opened
            assert opened is not None
            message = await opened.poster.post(Post(kind="work", body={"jobs": [{"n": 1}]}, key="k", batch=7))
            with pytest.raises(JobFailed, match="it should be a batch of 7 jobs"):
                await queue.answer(message, within=timedelta(minutes=5))
        assert not runs

    run(main)


def test_a_batch_is_counted_as_its_jobs(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue:
            message = await queue.post_batch("work", bodies(7))
            await queue.post("work", {"n": 8})
            async with looking(house.slack(), "#jobs") as look:
                rows = await look.queue.inspect()
                assert figures_of(rows, window=TIMING.window).depth == 8
                assert (await look.life(message.ts)).jobs == 7
                assert sum([purged.message.size async for purged in purging(look.queue, by="Ann")]) == 8
                assert figures_of(await look.queue.inspect(), window=TIMING.window).depth == 0

    run(main)


def test_a_trace_tells_what_of_a_batch_is_noted(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers, concurrency=1) as queue, looking(house.slack(), "#jobs") as look:
            message = await queue.post_batch("work", bodies(3, seconds=6))
            await house.until(lambda: house.thread(message.ts))
            life = await look.life(message.ts)
            assert (life.state, life.jobs, life.done, life.lost) == ("held", 3, "1", "")
            assert [step.what for step in life.steps] == ["posted", "claimed", "noted"]

    run(main)


@pytest.mark.parametrize("part", [1, 40])
def test_a_batch_too_large_for_a_message_is_done_from_a_file_and_redriven_without_what_is_done(
    house: House, part: int
) -> None:
    """Of the two parts that fail one fits into a message again, and the other does not."""

    async def main() -> None:
        handlers, mended, seen = Handlers(), list[int](), list[int]()

        @handlers.task(attempts=1)
        async def work(job: Job, text: str) -> int:
            seen.append(job.number)
            if job.number <= part and not mended:
                raise ValueError("no")
            return len(text)

        assert work is not None
        async with house.at_work(handlers) as queue:
            message = await queue.post_batch("work", [{"text": "x" * 500}] * 60)
            assert (message.batch, message.body) == (60, {})
            assert message.file
            with pytest.raises(JobFailed, match=f"{part} of 60 jobs failed"):
                await queue.answer(message, within=timedelta(minutes=5))
            assert sorted(seen) == list(range(1, 61))
            seen.clear()
            mended.append(1)
            again = await queue.redrive(message)
            assert (again.batch, bool(again.file)) == (part, part > 1)
            answer = await queue.answer(again, within=timedelta(minutes=5))
            assert answer.result == "[" + ",".join(["500"] * part) + "]"
            assert sorted(seen) == list(range(1, part + 1))

    run(main)


def test_after_an_edit_that_went_unanswered_another_note_is_begun_for_the_edit_may_come_late(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        late: list[Mapping[str, object]] = []

        def lose(method: str, args: Mapping[str, object]) -> str | None:
            if method == "chat.update" and "metadata" in args and not late:
                late.append(args)
                return "lost"
            return None

        house.faults.append(lose)
        async with house.at_work(handlers, concurrency=1) as queue, looking(house.slack(), "#jobs") as look:
            message = await queue.post_batch("work", bodies(60))
            await house.until(lambda: len(house.thread(message.ts)) == 2)
            before = numbers_in((await look.life(message.ts)).done)
            assert house.call(house.bot, "chat.update", **late[0])["ok"]
            assert numbers_in((await look.life(message.ts)).done) >= before
            await queue.answer(message, within=timedelta(minutes=5))

    run(main)
