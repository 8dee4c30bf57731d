"""What every way of claiming promises, and what each adds."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.claiming.way import WAYS
from slackmq.hooks import Extended, Finished, Lost
from slackmq.policy import Timing
from slackmq.queue import AsyncQueue
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run
from slackmq.slack.api import Arrived, Connected, Disconnected

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from slackmq.claiming.way import Way
    from slackmq.slack.api import Event

    from .conftest import House


@pytest.mark.parametrize("way", WAYS)
def test_each_job_is_done_once_by_whichever_worker(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=3, claim=way) as queue:
            for number in range(6):
                await queue.post("work", {"n": number})
            standings = await house.ended(queue)
        assert sorted(n for n, _, _ in runs) == list(range(6))
        assert {standing.state for standing in standings} == {"done"}

    run(main)


@pytest.mark.parametrize("way", WAYS)
def test_a_job_longer_than_its_lease_is_extended_and_done_once(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=3, claim=way) as queue:
            await queue.post("work", {"n": 1, "seconds": 200.0})
            await house.ended(queue)
        assert [n for n, _, _ in runs] == [1]
        assert any(isinstance(happened, Extended) for happened in house.happened)

    run(main)


@pytest.mark.parametrize("way", ["reaction", "pin"])
def test_a_failed_attempt_is_tried_again_under_a_higher_token(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=3, claim=way) as queue:
            await queue.post("work", {"n": 1, "fail": 1})
            await house.ended(queue)
        assert [attempt for _, attempt, _ in runs] == [1, 2]
        assert runs[0][2] < runs[1][2]

    run(main)


def test_a_job_of_more_than_twenty_generations_goes_on_in_its_thread(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2) as queue:
            message = await queue.post("work", {"n": 1, "seconds": 1000.0})
            await house.ended(queue)
        assert [n for n, _, _ in runs] == [1]
        assert any("goes on" in text for text in house.thread(message.ts))

    run(main)


def test_a_native_claim_without_an_event_waits_for_the_lease_of_whoever_may_have_got_it(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, claim="native") as queue:
            message = await queue.post("work", {"n": 1})
            await house.ended(queue)
        assert [token for _, _, token in runs] == [1]
        assert [attempt for _, attempt, _ in runs] == [2]  # the first may have begun and died
        assert house.now() - float(message.ts) > 60

    run(main)


def test_a_message_whose_event_came_here_can_be_claimed_natively_by_hand(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers, claim="native", concurrency=0) as queue:
            message = await queue.post("work", {"n": 1})
            assert await queue.claim(message) is None  # whoever got its event may have begun
            other = await queue.post("work", {"n": 2})
            row = await house.slack().row(other.channel, other.ts)
            assert row is not None
            queue._inside.watch.hear(Arrived(channel=other.channel, row=row))
            claim = await queue.claim(other)
        assert claim is not None
        assert claim.token == 0

    run(main)


def test_pins_are_taken_off_what_has_ended(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers, workers=2, claim="pin") as queue:
            message = await queue.post("work", {"n": 1})
            await house.until(lambda: house.call(house.bot, "pins.list", channel=house.channel())["items"])
            await house.ended(queue)
            await house.until(lambda: not house.call(house.bot, "pins.list", channel=house.channel())["items"])
        assert "white_check_mark" in house.marks(message.ts)

    run(main)


def test_a_person_who_takes_the_pin_off_puts_the_job_back(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2, claim="pin") as queue:
            message = await queue.post("work", {"n": 1, "seconds": 40.0})
            await house.until(lambda: runs)
            await house.until(lambda: house.call(house.bot, "pins.list", channel=house.channel())["items"])
            house.call(house.people[0], "pins.remove", channel=house.channel(), timestamp=message.ts)
            await house.until(lambda: any(isinstance(happened, Lost) for happened in house.happened))
            await house.ended(queue)
        assert len(runs) == 2
        assert runs[0][2] < runs[1][2]

    run(main)


def test_where_the_channel_takes_no_further_pin_messages_are_claimed_in_their_threads_and_a_log_says_so_once(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        for number in range(100):
            ts = house.types(f"note {number}")
            assert house.call(house.people[0], "pins.add", channel=house.channel(), timestamp=ts)["ok"]
        async with house.at_work(handlers, workers=1, claim="pin") as queue:
            messages = [await queue.post("work", {"n": number}) for number in range(3)]
            await house.ended(queue)
        assert sorted(n for n, _, _ in runs) == [0, 1, 2]
        assert all(":lock: claim" in house.thread(message.ts)[0] for message in messages)

    run(main)
    (warning,) = [record.getMessage() for record in caplog.records if record.name == "slackmq.pin"]
    assert "too_many_pins" in warning
    assert "Unpin what nobody needs pinned." in warning


def test_the_end_of_a_pin_that_ran_out_counts_only_if_nobody_else_has_claimed_it(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        over = house.now() + 95

        def unanswered(method: str, args: Mapping[str, object]) -> str | None:
            says = str(args.get("text")) if method == "chat.postMessage" else ""
            return "lost" if ("did" in says or "goes on" in says) and house.now() < over else None

        house.faults.append(unanswered)
        async with house.at_work(handlers, workers=2, claim="pin") as queue:
            await queue.post("work", {"n": 1})
            await house.ended(queue)
            await house.until(lambda: len(_finished(house)) == len(runs))
        assert len(runs) == 2
        assert [end.effective for end in _finished(house)].count(True) == 1

    run(main)


def _finished(house: House) -> list[Finished]:
    return [happened for happened in house.happened if isinstance(happened, Finished)]


def test_a_message_that_takes_no_further_emoji_is_claimed_in_its_thread(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        ts = house.types("toggle red light")
        faces = [f"clock{hour}" for hour in range(2, 13)] + [f"clock{hour}30" for hour in range(1, 13)]
        digits = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "zero"]
        things = [
            "rocket",
            "tada",
            "wave",
            "bug",
            "bell",
            "key",
            "lock",
            "book",
            "bulb",
            "pill",
            "gem",
            "fire",
            "heart",
        ]
        animals = ["cat", "dog", "cow", "pig", "rat", "ox", "bee", "ant", "fish", "bear"]
        house.call(house.stranger, "conversations.join", channel=house.channel())
        answers: list[str | None] = []
        for number, emoji in enumerate([*faces, *digits, *things, *animals]):
            who = [*house.people, house.stranger][number // 20]
            reply = house.call(who, "reactions.add", channel=house.channel(), timestamp=ts, name=emoji)
            answers.append(reply.get("error"))
        assert answers[-1] == "too_many_emoji"
        async with house.at_work(handlers, workers=2) as queue:
            await house.ended(queue)
        assert len(runs) == 1
        assert any("claim 1" in text for text in house.thread(ts))

    run(main)


def test_when_emoji_are_short_a_job_is_marked_done_in_its_own_message(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2) as queue:
            posted = [await queue.post("work", {"n": number}) for number in range(30)]
            await house.ended(queue)
        assert sorted(n for n, _, _ in runs) == list(range(30))
        edited = [message for message in posted if "white_check_mark" not in house.marks(message.ts)]
        assert 5 < len(edited) < 30
        async with house.at_work(handlers, workers=1) as newcomer:
            states = {standing.message.ts: standing.state for standing in await newcomer.inspect()}
        assert states == {message.ts: "done" for message in posted}
        assert len(runs) == 30

    run(main)


def test_a_job_whose_edit_goes_unanswered_gets_its_mark(house: House) -> None:
    def lost(method: str, _: Mapping[str, object]) -> str | None:
        return "lost" if method == "chat.update" else None

    async def main() -> None:
        handlers, runs = house.ran()
        house.faults.append(lost)
        async with house.at_work(handlers, workers=2) as queue:
            posted = [await queue.post("work", {"n": number}) for number in range(12)]
            await house.ended(queue)
        assert "chat.update" in house.calls
        assert len(runs) == 12
        assert all("white_check_mark" in house.marks(message.ts) for message in posted)

    run(main)


def test_a_quiet_queue_with_sockets_is_read_at_most_twice_a_minute(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers, workers=3, sockets=3) as queue:
            await queue.post("work", {"n": 1})
            await house.ended(queue)
            await anyio.sleep(60)
            before = len(house.calls)
            await anyio.sleep(600)
            assert len(house.calls) - before <= 20

    run(main)


class _Cut:
    """Implements `Events`: a socket that is closed after ten minutes, and open again after ten more."""

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator[AsyncIterator[Event]]:
        yield self._told()

    async def _told(self) -> AsyncIterator[Event]:
        yield Connected(connections=2)
        await anyio.sleep(600)
        yield Disconnected()
        await anyio.sleep(600)
        yield Connected(connections=2)
        await anyio.sleep_forever()


def test_while_its_socket_is_closed_a_quiet_queue_is_read_as_often_as_a_busy_one(house: House) -> None:
    async def main() -> None:
        reads: list[int] = []
        select = house.ran()[0].select
        clock = SimClock(Random(0))  # noqa: S311  # a seed
        async with AsyncQueue(house.slack(), "#jobs", events=_Cut(), select=select, clock=clock) as queue:
            claims = queue.claims()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(anext, claims, None)
                for _ in range(3):
                    before = house.calls.count("conversations.history")
                    await anyio.sleep(600)
                    reads.append(house.calls.count("conversations.history") - before)
                tasks.cancel_scope.cancel()
        assert reads[0] <= 10
        assert 90 <= reads[1] <= 102  # every six seconds
        assert reads[2] <= 10

    run(main)


SHORT = Timing(
    lease=timedelta(seconds=8),
    margin=timedelta(seconds=1),
    scan=timedelta(seconds=2),
    skew=timedelta(seconds=1),
)


@pytest.mark.parametrize(("timing", "jobs"), [(Timing(), 60), (SHORT, 40)], ids=["as shipped", "a lease of 8 s"])
def test_bots_that_find_many_lapsed_pins_at_once_finish_them_all_and_do_not_drown_in_claims(
    house: House, timing: Timing, jobs: int
) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, claim="pin", concurrency=0) as queue:
            messages = [await queue.post("work", {"n": number}) for number in range(jobs)]
        for message in messages:  # somebody began them all, and died
            place = {"channel": message.channel, "timestamp": message.ts}
            assert house.call(house.stranger, "pins.add", **place)["ok"]
            assert house.call(house.stranger, "reactions.add", **place, name="eyes")["ok"]
        async with house.at_work(handlers, workers=6, claim="pin", concurrency=30, timing=timing) as queue:
            await house.ended(queue, within=timedelta(minutes=5))
        claims = sum(":lock: claim" in text for message in messages for text in house.thread(message.ts))
        assert sorted(n for n, _, _ in runs) == list(range(jobs))
        assert claims <= 2 * jobs

    run(main)
