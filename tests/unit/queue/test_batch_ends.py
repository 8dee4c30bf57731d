"""What stays of a batch that has ended, what people are told of it, and what no batch can be."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.batch import why_failed
from slackmq.errors import ConfigurationError, JobFailed, Reject
from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.operating import looking
from slackmq.queue.controls import Controls
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from slackmq.notes import Record
    from slackmq.queue import AsyncQueue

    from .conftest import House

LONG = timedelta(minutes=5)


def record_of(queue: AsyncQueue, ts: str) -> Record:
    """What a process keeps of a batch."""
    assert queue.opened is not None
    sighting = queue.opened.keeping._parts.sightings.get(ts)
    assert sighting is not None
    return sighting.record


def test_a_batch_whose_file_is_gone_is_not_posted_again_and_whoever_wanted_it_is_told_by_a_worker_that_goes_on(
    house: House,
) -> None:
    async def main() -> None:
        handlers = Handlers()

        @handlers.task(attempts=1)
        async def work(text: str) -> int:
            if text.startswith("x"):
                raise Reject("never")
            return len(text)

        assert work is not None
        ann = str(house.call(house.people[0], "auth.test")["user_id"])
        async with house.at_work(handlers, controls=Controls(allowed=[ann])) as queue:
            message = await queue.post_batch("work", [{"text": "x" * 3_000}] * 3)
            with pytest.raises(JobFailed):
                await queue.answer(message, within=LONG)
            assert house.call(house.bot, "files.delete", file=message.file.partition("/")[0])["ok"]
            with pytest.raises(ConfigurationError, match=r"arguments of the job .* is gone"):
                await queue.redrive(message)
            assert "recycle" not in house.marks(message.ts)
            where = {"channel": message.channel, "timestamp": message.ts}
            assert house.call(house.people[0], "reactions.add", name="repeat", **where)["ok"]
            await house.until(lambda: any("that cannot be" in note for note in house.thread(message.ts)), within=600)
            after = await queue.post("work", {"text": "y"})
            assert (await queue.answer(after, within=LONG)).result == "1"

    run(main)


def test_a_batch_that_was_posted_again_is_found_although_its_file_is_gone_since(house: House) -> None:
    async def main() -> None:
        handlers, mended = Handlers(), list[int]()

        @handlers.task(attempts=1)
        async def work(text: str) -> int:
            if not mended:
                raise Reject("never")
            return len(text)

        assert work is not None
        async with house.at_work(handlers) as queue:
            message = await queue.post_batch("work", [{"text": "x" * 3_000}] * 3)
            with pytest.raises(JobFailed):
                await queue.answer(message, within=LONG)
            mended.append(1)
            again = await queue.redrive(message)
            await queue.answer(again, within=LONG)
            await house.until(lambda: not house.filed())
            assert (await queue.redrive(message)).ts == again.ts

    run(main)


def test_the_results_of_a_batch_are_not_kept_after_its_end_also_if_somebody_asks_for_them(house: House) -> None:
    async def main() -> None:
        handlers = Handlers()

        @handlers.task(attempts=1, concurrency=1)
        async def work(n: int) -> str:
            await anyio.sleep(1)
            return "x" * n

        assert work is not None
        async with house.at_work(handlers, workers=2) as queue:
            message = await queue.post_batch("work", [{"n": 100}] * 20)
            await house.until(lambda: "white_check_mark" in house.marks(message.ts))
            assert (await queue.answer(message, within=LONG)).result.count("x") == 2_000
            for worker in house.workers:
                await house.ended(worker._queue)
                record = record_of(worker._queue, message.ts)
                assert record.settled.done
                assert not record.settled.results
                assert not any(note.results for _, _, note in record.entries.values())

    run(main)


def test_reasons_are_cut_to_a_line_and_a_secret_in_them_is_none_before() -> None:
    why = why_failed({number: f"no {number:03} " + "x" * 900 + "\nmore" for number in range(1, 601)}, 600)
    assert len(why) < 5_000
    assert "more\n" not in why
    secret = "x" * 195 + " xoxb" + "-1234567890-AbCdEf"
    assert "xoxb-1" not in why_failed({1: secret}, 1)
    assert (
        why_failed({1: "one\ntwo", 2: "one\nthree", 3: ""}, 3)
        == "3 of 3 jobs failed: 1, 2 (one); 3 (in an earlier attempt)"
    )


def test_a_batch_for_every_bot_is_refused_where_it_is_posted_and_ended_with_a_reason_where_it_comes(
    house: House,
) -> None:
    async def main() -> None:
        handlers, runs = Handlers(), list[int]()

        @handlers.task(every_bot=True)
        async def ring(n: int) -> None:
            runs.append(n)

        async with house.at_work(handlers) as queue:
            with pytest.raises(ConfigurationError, match="ring is for every bot"):
                await ring.post_batch([{"n": 1}])
            assert "chat.postMessage" not in house.calls
            message = await queue.post_batch("ring", [{"n": 1}, {"n": 2}])
            said = ":x: w0: a batch is done under one claim, and its handler is for every bot"
            await house.until(lambda: said in house.thread(message.ts))
            await ring.post(3)
            await house.until(lambda: runs)
        assert runs == [3]

    run(main)


def test_a_job_of_a_batch_can_ask_nobody_and_says_so(house: House) -> None:
    async def main() -> None:
        handlers = Handlers()

        @handlers.task(attempts=1)
        async def work(job: Job) -> None:
            await job.approve("Deploy?", by=["U012AB3CD"])

        assert work is not None
        async with house.at_work(handlers) as queue:
            message = await queue.post_batch("work", [{}, {}])
            with pytest.raises(JobFailed, match=r"2 of 2 jobs failed: 1, 2 \(.*A job of a batch can ask nobody"):
                await queue.answer(message, within=LONG)

    run(main)


def test_a_trace_shows_how_far_a_job_was(house: House) -> None:
    async def main() -> None:
        handlers = Handlers()

        @handlers.task
        async def work(job: Job) -> None:
            await job.progress(0.4, "resizing")
            await anyio.sleep(10)

        assert work is not None
        async with house.at_work(handlers) as queue, looking(house.slack(), "#jobs") as look:
            message = await queue.post("work")
            await house.until(lambda: house.thread(message.ts))
            life = await look.life(message.ts)
            assert [(step.what, step.by) for step in life.steps[1:]] == [("claimed", "w0"), ("reported", "w0")]
            assert (life.state, life.steps[-1].detail) == ("held", "▓▓▓▓░░░░░░ 40 % · resizing")

    run(main)
