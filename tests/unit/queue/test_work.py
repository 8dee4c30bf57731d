"""What a worker does with messages, good ones and bad ones, in virtual time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.errors import Reject, Retry
from slackmq.handlers import Handlers
from slackmq.hooks import Extended
from slackmq.message import Mrkdwn
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    House = Any  # the fixture's class stands in conftest.py, which is no module to import from


def test_a_job_is_done_once_marked_and_answered_in_its_thread(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=3) as queue:
            message = await queue.post("work", {"n": 1})
            await house.ended(queue)
            assert runs == [(1, 1, 1)]
            assert house.marks(message.ts) == {"clock1", "white_check_mark"}
            assert house.thread(message.ts) == ["did 1"]

    run(main)


def test_twenty_jobs_and_three_workers_make_twenty_executions(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=3) as queue:
            for n in range(20):
                await queue.post("work", {"n": n})
            await house.ended(queue)
            assert sorted(n for n, *_ in runs) == list(range(20))

    run(main)


def test_what_a_person_types_is_answered_in_the_thread(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers) as queue:
            ts = house.types("Toggle dining light")
            await house.ended(queue)
            assert house.thread(ts) == ["dining light toggled"]

    run(main)


def test_a_process_that_looked_long_before_it_works_finds_what_came_meanwhile(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue, house.visiting() as other:
            assert await queue.inspect(past=True) == ()
            posted = [await other.post("work", {"n": 1})]
            await anyio.sleep(timedelta(hours=30).total_seconds())
            assert await queue.inspect() == ()
            posted.append(await other.post("work", {"n": 2}))
            await anyio.sleep(20 * 60)
            found: list[str] = []
            with anyio.fail_after(120):
                async for lease in queue.claims():
                    found.append(lease.claim.message.ts)
                    await queue.ack(lease.claim)
                    if len(found) == len(posted):
                        break
            assert sorted(found) == [message.ts for message in posted]

    run(main)


@pytest.mark.parametrize("hours", [0.5, 26])
def test_what_came_while_a_process_was_cut_off_is_found_once_it_reads_again(house: House, hours: float) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers), house.visiting() as other:
            await anyio.sleep(60)
            house.faults.append(lambda method, _: "lost" if method == "conversations.history" else None)
            await other.post("work", {"n": 1})
            await anyio.sleep(timedelta(hours=hours).total_seconds())
            house.faults.clear()
            await anyio.sleep(120)
            assert [n for n, _, _ in runs] == [1]

    run(main)


def test_a_copy_of_what_others_did_while_a_process_was_cut_off_is_not_done_again(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue, house.visiting() as other:
            await anyio.sleep(60)
            house.faults.append(lambda method, _: "lost" if method == "conversations.history" else None)
            message = await other.post("work", {"n": 1}, key="once")
            await anyio.sleep(20 * 60)
            where = {"channel": house.channel(), "timestamp": message.ts}
            for emoji in ("clock1", "white_check_mark"):
                assert house.call(house.bot, "reactions.add", name=emoji, **where)["ok"]
            house.faults.clear()
            await anyio.sleep(60)
            await queue.post("work", {"n": 1}, key="once")
            await anyio.sleep(120)
            assert runs == []

    run(main)


def test_people_talking_are_left_alone(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            ts = house.types("shall we toggle the dining light?")
            message = await queue.post("work", {"n": 1})
            await house.ended(queue)
            assert house.marks(ts) == set()
            assert house.thread(ts) == []
            assert runs == [(1, 1, 1)]
            assert message.ts

    run(main)


def test_a_failing_job_is_tried_again_under_a_new_token_and_then_done(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2) as queue:
            message = await queue.post("work", {"n": 1, "fail": 2})
            await house.ended(queue)
            assert [(attempt, token) for _, attempt, token in runs] == [(1, 1), (2, 2), (3, 3)]
            assert house.marks(message.ts) == {"clock1", "clock2", "clock3", "white_check_mark"}

    run(main)


def test_a_job_that_keeps_failing_is_dead_after_its_last_attempt_and_says_why(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2) as queue:
            message = await queue.post("work", {"n": 1, "fail": 9})
            (standing,) = await house.ended(queue)
            assert len(runs) == 3
            assert standing.state == "dead"
            assert house.thread(message.ts)[-1] == ":x: ValueError: not yet"

    run(main)


def test_a_job_longer_than_its_lease_is_extended_and_not_repeated(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=3) as queue:
            message = await queue.post("work", {"n": 1, "seconds": 200.0})
            await house.ended(queue)
            assert runs == [(1, 1, 1)]
            assert sum(isinstance(it, Extended) for it in house.happened) == 6
            assert house.thread(message.ts) == ["did 1"]

    run(main)


def test_a_handler_decides_when_to_try_again_and_when_never(house: House) -> None:
    async def main() -> None:
        handlers = Handlers()
        times: list[float] = []

        @handlers.task
        async def picky() -> None:
            times.append(anyio.current_time())
            if len(times) == 1:
                raise Retry("not now", after=timedelta(seconds=100))
            raise Reject("never")

        assert picky is not None
        async with house.at_work(handlers) as queue:
            await queue.post("picky")
            (standing,) = await house.ended(queue)
            assert standing.state == "dead"
            assert len(times) == 2
            assert 100 <= times[1] - times[0] < 130

    run(main)


def test_a_job_that_takes_longer_than_its_timeout_has_failed(house: House) -> None:
    async def main() -> None:
        handlers = Handlers()

        @handlers.task(timeout=timedelta(seconds=5), attempts=1)
        async def slow() -> None:
            await anyio.sleep(50)

        assert slow is not None
        async with house.at_work(handlers) as queue:
            message = await queue.post("slow")
            await house.ended(queue)
            assert house.thread(message.ts) == [":x: it took longer than 0:00:05"]

    run(main)


def test_two_posts_of_one_key_are_worked_on_once(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=3) as queue:
            for _ in range(2):
                await queue.post("work", {"n": 1}, key="cat/300")
            standings = await house.ended(queue)
            assert [standing.state for standing in standings] == ["done", "duplicate"]
            assert len(runs) == 1

    run(main)


def test_a_post_whose_answer_was_lost_is_repeated_and_worked_on_once(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        unlucky = iter([True])
        house.faults.append(
            lambda method, _: "unanswered" if method == "chat.postMessage" and next(unlucky, False) else None
        )
        async with house.at_work(handlers, workers=3) as queue:
            await queue.post("work", {"n": 1})
            standings = await house.ended(queue)
            assert [standing.state for standing in standings] == ["done", "duplicate"]
            assert len(runs) == 1

    run(main)


def test_an_answer_whose_post_was_not_answered_is_not_posted_twice(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        unlucky = iter([True])

        def fault(method: str, args: Mapping[str, object]) -> str | None:
            return "unanswered" if method == "chat.postMessage" and args.get("thread_ts") and next(unlucky, 0) else None

        house.faults.append(fault)
        async with house.at_work(handlers) as queue:
            message = await queue.post("work", {"n": 1})
            await house.ended(queue)
            assert house.thread(message.ts) == ["did 1"]

    run(main)


def test_an_answer_cannot_mention_anybody_unless_it_is_mrkdwn(house: House) -> None:
    async def main() -> None:
        handlers = Handlers()

        @handlers.task
        async def say(*, loud: bool) -> str:
            return Mrkdwn("<!channel>") if loud else "<!channel>"

        assert say is not None
        async with house.at_work(handlers) as queue:
            quiet = await queue.post("say", {"loud": False})
            loud = await queue.post("say", {"loud": True})
            await house.ended(queue)
            assert house.thread(quiet.ts) == ["&lt;!channel&gt;"]
            assert house.thread(loud.ts) == ["<!channel>"]

    run(main)
