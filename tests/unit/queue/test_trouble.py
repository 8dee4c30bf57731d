"""What a worker does when messages, people, handlers and Slack give it trouble, in virtual time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.claiming.marks import CLOCKS
from slackmq.errors import ConfigurationError, NotInChannel, TokenRefused
from slackmq.handlers import Handlers
from slackmq.hooks import Claimed, Finished, Rejected
from slackmq.message import Outcome
from slackmq.policy import Backoff
from slackmq.queue import AsyncQueue
from slackmq.queue.contest import Chosen
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.claiming.way import Way
    from slackmq.message import Claim

    House = Any  # the fixture's class stands in conftest.py, which is no module to import from


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
        handlers, runs = house.ran()
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
        handlers, runs = house.ran()
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
        handlers, runs = house.ran()
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
        handlers, _ = house.ran()
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
        handlers, runs = house.ran()
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
        handlers, runs = house.ran()
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
        handlers, _ = house.ran()
        async with house.at_work(handlers) as queue:
            message = await queue.post("work", {"n": 1})
            await queue.post("work", {})
            await house.until(lambda: sum(isinstance(it, Finished) for it in house.happened) == 2)
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
        handlers: Handlers
        handlers, runs = house.ran()

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
        handlers, runs = house.ran()
        async with house.at_work(handlers, concurrency=1) as queue:
            first = await queue.post("work", {"n": 1, "seconds": 10.0})
            await house.until(lambda: runs)
            house.call(house.bot, "chat.delete", channel=house.channel(), ts=first.ts)
            await queue.post("work", {"n": 2})
            await house.until(lambda: len(runs) == 2)
            assert [n for n, *_ in runs] == [1, 2]

    run(main)


def test_a_job_whose_envelope_is_changed_while_it_waits_is_refused_and_stops_nobody(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
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
        knowing, runs = house.ran()
        async with house.at_work(knowing, concurrency=1) as queue, house.at_work(Handlers()) as _:
            first = await queue.post("work", {"n": 1, "seconds": 300.0})
            second = await queue.post("work", {"n": 2})
            await house.ended(queue)
            assert [n for n, *_ in runs] == [1, 2]
            assert "white_check_mark" in house.marks(first.ts) & house.marks(second.ts)

    run(main)


def test_what_a_late_holder_has_ended_is_not_begun_again_although_its_successor_gave_it_back(house: House) -> None:
    def queue(name: str) -> AsyncQueue:
        slack = house.slack()
        return AsyncQueue(slack, "#jobs", clock=slack.caller._clock, worker=name)

    async def next_of(queue: AsyncQueue, ts: str) -> Claim | None:
        sighting = queue._sightings.get(ts)
        assert sighting is not None
        contest = queue._inside.contest
        return await contest.act(Chosen(sighting=sighting, action=contest.consider(sighting)))

    async def main() -> None:
        async with queue("late") as late, queue("successor") as successor, queue("third") as third:
            message = await late.post("work")
            first = await late.claim(message)
            assert first is not None
            await successor.inspect()
            await anyio.sleep(66)
            second = await next_of(successor, message.ts)
            assert second is not None
            await successor.fail(second, "no", retry_in=timedelta(seconds=5))
            await third.inspect()
            await next_of(third, message.ts)  # it reads that it was given back, and not yet what comes now
            await anyio.sleep(20)
            assert (await late.ack(first)).effective
            assert await next_of(third, message.ts) is None
            assert "clock3" in house.marks(message.ts)

    run(main)


def test_a_message_full_of_emoji_is_ended_by_a_note_and_not_done_twice(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
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


@pytest.mark.parametrize("kind", ["", " ", "re size"])
def test_a_kind_that_is_no_word_is_refused_before_anything_is_sent(house: House, kind: str) -> None:
    async def main() -> None:
        async with house.at_work(Handlers()) as queue:
            with pytest.raises(ConfigurationError, match="one word"):
                await queue.post(kind)

    run(main)


def test_a_hook_that_raises_loses_no_job(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers) as queue:
            house.happened = []
            queue._hooks = (lambda _: 1 / 0,)
            await queue.post("work", {"n": 1})
            (standing,) = await house.ended(queue)
            assert standing.state == "done"

    run(main)


def test_a_drain_ends_although_slack_does_not_answer(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, drain=timedelta(seconds=5)) as queue:
            await queue.post("work", {"n": 1})
            await house.until(lambda: runs)
            house.faults.append(lambda _method, _args: "lost")
            house.worker.drain()
            await anyio.sleep(120)
            assert house.worker._executor.running == {}

    run(main)


@pytest.mark.parametrize("claim", ["reaction", "pin"])
def test_a_locked_thread_stops_nobody_and_is_done_once_it_is_unlocked(house: House, claim: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2, claim=claim) as queue:
            locked = await queue.post("work", {"n": 1})
            house.operate("emulator.threads.lock", channel=house.channel(), ts=locked.ts)
            await anyio.sleep(200)
            other = await queue.post("work", {"n": 2})
            await house.until(lambda: "white_check_mark" in house.marks(other.ts))
            assert 2 in {n for n, _, _ in runs}
            house.unlock(locked.ts)
            standings = await house.ended(queue)
            assert {standing.state for standing in standings} == {"done"}

    run(main)


@pytest.mark.parametrize("claim", ["reaction", "pin"])
def test_a_thread_that_is_locked_while_its_handler_runs_stops_nobody(house: House, claim: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2, claim=claim) as queue:
            held = await queue.post("work", {"n": 1, "seconds": 20.0})
            await house.until(lambda: runs)
            house.operate("emulator.threads.lock", channel=house.channel(), ts=held.ts)
            await anyio.sleep(200)
            await queue.post("work", {"n": 2})
            await house.until(lambda: 2 in {n for n, _, _ in runs})
            house.unlock(held.ts)
            standings = await house.ended(queue)
            assert {standing.state for standing in standings} == {"done"}

    run(main)


@pytest.mark.parametrize(("days", "state"), [(2, "done"), (6.9, "done"), (8, None)])
def test_a_job_that_waited_while_the_whole_fleet_rested_is_done_if_it_is_within_reach(
    house: House, days: float, state: str | None
) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting() as queue:
            message = await queue.post("work", {"n": 1})
            keyed = await queue.post("work", {"n": 2}, key="paid")
        await anyio.sleep(days * 86_400)
        async with house.at_work(handlers, workers=2):
            await anyio.sleep(120)
        found = {n for n, _, _ in runs}
        assert found == ({1, 2} if state else set())
        for each in (message, keyed):
            assert ("white_check_mark" in house.marks(each.ts)) == (state == "done")

    run(main)
