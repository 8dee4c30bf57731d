"""What a worker does with messages, good ones and bad ones, in virtual time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.claiming.marks import CLOCKS
from slackmq.errors import ConfigurationError, NotInChannel, Reject, Retry, TokenRefused
from slackmq.handlers import Handlers
from slackmq.hooks import Claimed, Extended, Finished, Rejected
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.message import Mrkdwn, Outcome
from slackmq.policy import Backoff
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    House = Any  # the fixture's class stands in conftest.py, which is no module to import from


def ran() -> tuple[Handlers, list[tuple[int, int, int]]]:
    handlers = Handlers()
    runs: list[tuple[int, int, int]] = []

    @handlers.task(attempts=3, backoff=Backoff(first=timedelta(seconds=4)))
    async def work(job: Job, n: int, fail: int = 0, seconds: float = 1.0) -> str:
        runs.append((n, job.attempt, job.token))
        await anyio.sleep(seconds)
        if job.attempt <= fail:
            raise ValueError("not yet")
        return f"did {n}"

    @handlers.listen(r"toggle (?P<light>\w+) light")
    async def toggle(light: str) -> str:
        runs.append((0, 1, 1))
        return f"{light} light toggled"

    assert work is not None
    assert toggle is not None
    return handlers, runs


def test_a_job_is_done_once_marked_and_answered_in_its_thread(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
        async with house.at_work(handlers, workers=3) as queue:
            message = await queue.post("work", {"n": 1})
            await house.ended(queue)
            assert runs == [(1, 1, 1)]
            assert house.marks(message.ts) == {"clock1", "white_check_mark"}
            assert house.thread(message.ts) == ["did 1"]

    run(main)


def test_twenty_jobs_and_three_workers_make_twenty_executions(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
        async with house.at_work(handlers, workers=3) as queue:
            for n in range(20):
                await queue.post("work", {"n": n})
            await house.ended(queue)
            assert sorted(n for n, *_ in runs) == list(range(20))

    run(main)


def test_what_a_person_types_is_answered_in_the_thread(house: House) -> None:
    async def main() -> None:
        handlers, _ = ran()
        async with house.at_work(handlers) as queue:
            ts = house.types("Toggle dining light")
            await house.ended(queue)
            assert house.thread(ts) == ["dining light toggled"]

    run(main)


def test_people_talking_are_left_alone(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
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
        handlers, runs = ran()
        async with house.at_work(handlers, workers=2) as queue:
            message = await queue.post("work", {"n": 1, "fail": 2})
            await house.ended(queue)
            assert [(attempt, token) for _, attempt, token in runs] == [(1, 1), (2, 2), (3, 3)]
            assert house.marks(message.ts) == {"clock1", "clock2", "clock3", "white_check_mark"}

    run(main)


def test_a_job_that_keeps_failing_is_dead_after_its_last_attempt_and_says_why(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
        async with house.at_work(handlers, workers=2) as queue:
            message = await queue.post("work", {"n": 1, "fail": 9})
            (standing,) = await house.ended(queue)
            assert len(runs) == 3
            assert standing.state == "dead"
            assert house.thread(message.ts)[-1] == ":x: ValueError: not yet"

    run(main)


def test_a_job_longer_than_its_lease_is_extended_and_not_repeated(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
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
        handlers, runs = ran()
        async with house.at_work(handlers, workers=3) as queue:
            for _ in range(2):
                await queue.post("work", {"n": 1}, key="cat/300")
            standings = await house.ended(queue)
            assert [standing.state for standing in standings] == ["done", "duplicate"]
            assert len(runs) == 1

    run(main)


def test_a_post_whose_answer_was_lost_is_repeated_and_worked_on_once(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
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
        handlers, _ = ran()
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


def bad_posts(house: House) -> dict[str, tuple[str, str]]:
    """Each bad message by name: its ts, and what its thread must say."""
    channel = house.channel()
    me = house.call(house.bot, "auth.test")["user_id"]
    payload: dict[str, Any] = {"to": me, "v": 99, "kind": "work", "body": "{}", "key": "a"}

    def post(token: str, payload: Mapping[str, Any]) -> str:
        metadata = {"event_type": "slackmq_job", "event_payload": payload}
        return str(house.call(token, "chat.postMessage", channel=channel, text="work()", metadata=metadata)["ts"])

    house.call(house.stranger, "conversations.join", channel=channel)
    edited = house.types("toggle dining light")
    house.call(house.people[0], "chat.update", channel=channel, ts=edited, text="toggle attic light")
    return {
        "newer version": (post(house.bot, payload), "version 99"),
        "look-alike": (post(house.stranger, payload), "posted by"),
        "damaged": (post(house.bot, payload | {"v": 1}), "changed after it was posted"),
        "edited": (edited, "edited after it was posted"),
        "too long": (house.types("toggle dining light " + "x" * 41_000), "cut off its end"),
    }


def test_every_bad_message_is_refused_in_its_thread_once_and_runs_no_handler(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
        bad = bad_posts(house)
        async with house.at_work(handlers, workers=3) as queue:
            unknown = await queue.post("wrok", {"n": 1})
            unfit = await queue.post("work", {"n": "one"})
            bad |= {"unknown kind": (unknown.ts, "Did you mean 'work'?"), "unfit": (unfit.ts, "expected int")}
            await house.ended(queue)
            for name, (ts, sentence) in bad.items():
                thread = house.thread(ts)
                assert len(thread) == 1, name
                assert sentence in thread[0], name
                assert house.marks(ts) >= {"clock1", "x"}, name
            assert runs == []

    run(main)


def test_an_edit_after_the_end_runs_nothing_again(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
        async with house.at_work(handlers) as queue:
            ts = house.types("toggle dining light")
            await house.ended(queue)
            house.call(house.people[0], "chat.update", channel=house.channel(), ts=ts, text="toggle attic light")
            await anyio.sleep(100)
            assert len(runs) == 1
            assert house.thread(ts) == ["dining light toggled"]

    run(main)


def test_a_message_deleted_before_it_was_claimed_runs_nothing(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
        ts = house.types("toggle dining light")
        house.call(house.people[0], "chat.delete", channel=house.channel(), ts=ts)
        async with house.at_work(handlers):
            await anyio.sleep(100)
            assert runs == []

    run(main)


@pytest.mark.parametrize(
    ("breaks", "error"),
    [
        (lambda house: house.operate("emulator.apps.revoke", app=_app(house)), TokenRefused),
        (lambda house: house.call(house.bot, "conversations.leave", channel=house.channel()), NotInChannel),
    ],
)
def test_a_worker_that_slack_refuses_for_good_stops_loudly_with_a_remedy(
    house: House, breaks: Any, error: type[TokenRefused | NotInChannel]
) -> None:
    async def main() -> None:
        handlers, _ = ran()
        async with house.at_work(handlers) as queue:
            await queue.post("work", {"n": 1})
            await house.ended(queue)
            breaks(house)
            await anyio.sleep(100)

    with pytest.raises(ExceptionGroup) as caught:
        run(main)
    refusal = caught.value.exceptions[0]
    assert isinstance(refusal, error)
    assert refusal.remedy


def _app(house: House) -> str:
    return str(house.workspace.authorize(house.bot).app)


def test_a_drained_worker_finishes_what_it_holds_and_claims_nothing_more(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
        async with house.at_work(handlers, concurrency=1) as queue:
            first = await queue.post("work", {"n": 1, "seconds": 20.0})
            await house.until(lambda: runs)
            second = await queue.post("work", {"n": 2})
            house.worker.drain()
            await anyio.sleep(100)
            assert house.marks(first.ts) == {"clock1", "white_check_mark"}
            assert house.marks(second.ts) == set()

    run(main)


def test_what_outlives_the_drain_is_handed_back_and_that_is_no_attempt(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
        async with house.at_work(handlers, drain=timedelta(seconds=5)) as queue:
            message = await queue.post("work", {"n": 1, "seconds": 30.0})
            await house.until(lambda: runs)
            house.worker.drain()
            await anyio.sleep(20)
            assert house.thread(message.ts) == [":leftwards_arrow_with_hook: handed back by w0"]
        async with house.at_work(handlers) as queue:
            await house.ended(queue)
            assert [(attempt, token) for _, attempt, token in runs] == [(1, 1), (1, 2)]

    run(main)


def test_hooks_hear_of_everything_in_order(house: House) -> None:
    async def main() -> None:
        handlers, _ = ran()
        async with house.at_work(handlers) as queue:
            message = await queue.post("work", {"n": 1})
            await queue.post("work", {})
            await house.ended(queue)
            mine = [
                type(it) for it in house.happened if isinstance(it, Claimed | Finished) and it.claim.message == message
            ]
            assert mine == [Claimed, Finished]
            outcomes = {it.outcome for it in house.happened if isinstance(it, Finished)}
            assert outcomes == {Outcome.DONE, Outcome.DEAD}
            assert not any(isinstance(it, Rejected) for it in house.happened)

    run(main)


def test_a_handler_that_is_cancelled_from_within_has_failed_and_the_worker_goes_on(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()

        @handlers.task(attempts=2, backoff=Backoff(first=timedelta(seconds=2)))
        async def leaks() -> None:
            raise asyncio.CancelledError

        @handlers.task(attempts=1)
        async def leaves() -> None:
            raise SystemExit(3)

        assert leaks is not None
        assert leaves is not None
        async with house.at_work(handlers, concurrency=1) as queue:
            leaking, leaving = await queue.post("leaks"), await queue.post("leaves")
            await queue.post("work", {"n": 1})
            await house.ended(queue)
            assert "cancelled from within" in house.thread(leaking.ts)[-1]
            assert house.thread(leaving.ts) == [":x: SystemExit: 3"]
            assert len(runs) == 1

    run(main)


def test_a_message_deleted_while_its_handler_runs_stops_nobody(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
        async with house.at_work(handlers, concurrency=1) as queue:
            first = await queue.post("work", {"n": 1, "seconds": 10.0})
            await house.until(lambda: runs)
            house.call(house.bot, "chat.delete", channel=house.channel(), ts=first.ts)
            await queue.post("work", {"n": 2})
            await house.until(lambda: len(runs) == 2)

    run(main)


def test_a_job_whose_envelope_is_changed_while_it_waits_is_refused_and_stops_nobody(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
        async with house.at_work(handlers, concurrency=1) as queue:
            await queue.post("work", {"n": 1, "seconds": 30.0})
            await house.until(lambda: runs)
            second = await queue.post("work", {"n": 2})
            await anyio.sleep(10)
            payload = {"to": house.call(house.bot, "auth.test")["user_id"], "v": 1, "kind": "work"}
            metadata = {"event_type": "slackmq_job", "event_payload": payload}
            house.call(
                house.bot, "chat.update", channel=house.channel(), ts=second.ts, text="work()", metadata=metadata
            )
            await house.ended(queue)
            assert "changed after it was posted" in house.thread(second.ts)[0]
            assert len(runs) == 1

    run(main)


def test_a_worker_that_lacks_the_handler_neither_robs_nor_buries_what_another_is_doing(house: House) -> None:
    async def main() -> None:
        knowing, runs = ran()
        async with house.at_work(knowing, concurrency=1) as queue, house.at_work(Handlers()) as _:
            first = await queue.post("work", {"n": 1, "seconds": 300.0})
            second = await queue.post("work", {"n": 2})
            await house.ended(queue)
            assert [n for n, *_ in runs] == [1, 2]
            assert "white_check_mark" in house.marks(first.ts) & house.marks(second.ts)

    run(main)


def test_a_message_full_of_emoji_is_ended_by_a_note_and_not_done_twice(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
        async with house.at_work(handlers, workers=2) as queue:
            message = await queue.post("work", {"n": 1, "seconds": 20.0})
            await house.until(lambda: runs)
            for name in CLOCKS:
                house.call(house.bot, "reactions.add", channel=house.channel(), timestamp=message.ts, name=name)
            await anyio.sleep(600)
            assert len(runs) == 1

    run(main)


def test_a_lease_too_short_to_be_taken_over_is_refused_before_anything_is_sent(house: House) -> None:
    async def main() -> None:
        async with house.at_work(Handlers()) as queue:
            with pytest.raises(ConfigurationError, match="too short"):
                await queue.post("work", lease=timedelta(seconds=1))

    run(main)


def test_a_hook_that_raises_loses_no_job(house: House) -> None:
    async def main() -> None:
        handlers, _ = ran()
        async with house.at_work(handlers) as queue:
            house.happened = []
            queue._hooks = (lambda _: 1 / 0,)
            await queue.post("work", {"n": 1})
            (standing,) = await house.ended(queue)
            assert standing.state == "done"

    run(main)


def test_a_drain_ends_although_slack_does_not_answer(house: House) -> None:
    async def main() -> None:
        handlers, runs = ran()
        async with house.at_work(handlers, drain=timedelta(seconds=5)) as queue:
            await queue.post("work", {"n": 1})
            await house.until(lambda: runs)
            house.faults.append(lambda _method, _args: "lost")
            house.worker.drain()
            await anyio.sleep(120)
            assert house.worker._running == {}

    run(main)
