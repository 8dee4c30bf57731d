"""A job that died has one letter in a channel of its own, whoever dies on the way, and can be posted again once."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.claiming.way import WAYS
from slackmq.dead import enclosed, opened
from slackmq.errors import ChannelNotFound, ConfigurationError, Reject
from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.message import Message
from slackmq.options import Backoff
from slackmq.points import armed
from slackmq.queue import AsyncQueue
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run
from slackmq.simulation.process import Process
from slackmq.worker import AsyncWorker

from .conftest import BEGAN, House, Killer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from slackmq.claiming.way import Way
    from slackmq.dead import DeadLetter
    from slackmq.points import Place

SECRET = "xoxb-1161947729678-1470260871585-beef"


def failing() -> tuple[Handlers, list[tuple[str, int, str]]]:
    """Handlers that fail until they are told otherwise, and what they ran: kind, attempt and key."""
    handlers, runs = Handlers(), list[tuple[str, int, str]]()

    @handlers.task(attempts=2, backoff=Backoff(first=timedelta(seconds=2)))
    async def work(job: Job, n: int) -> str:
        runs.append(("work", job.attempt, job.key))
        if not job.message.origin:
            raise ValueError(f"no token {SECRET} <!channel>")
        return f"did {n}"

    @handlers.task
    async def never(job: Job) -> None:
        runs.append(("never", job.attempt, job.key))
        raise Reject("no such cat")

    @handlers.listen("feed the cat", attempts=1)
    async def feed() -> None:
        raise OSError("no food")

    assert (work, never, feed) is not None
    return handlers, runs


class Morgue(House):
    """A workspace with a channel for dead letters, that one may look at when the time is over."""

    def __init__(self) -> None:
        self._last = BEGAN
        super().__init__()
        self.call(self.people[0], "conversations.create", name="jobs-dead")
        for token in (self.bot, self.stranger):
            self.call(token, "conversations.join", channel=self.channel("jobs-dead"))

    def now(self) -> float:
        with suppress(anyio.NoEventLoopError):
            self._last = super().now()
        return self._last


@pytest.fixture
def morgue() -> Morgue:
    return Morgue()


def letters(house: House) -> list[Mapping[str, Any]]:
    """What stands in the channel for dead letters."""
    channel = house.channel("jobs-dead")
    found = house.call(house.people[0], "conversations.history", channel=channel, include_all_metadata=True)
    return [row for row in found["messages"] if row.get("metadata")]


def a_queue(house: House, *, name: str = "w", claim: Way = "reaction", **options: Any) -> AsyncQueue:
    clock = SimClock(Random(name))  # noqa: S311  # as DICE
    dead = options.pop("dead_letters", "#jobs-dead")
    return AsyncQueue(
        house.slack(clock=clock), "#jobs", claim=claim, clock=clock, worker=name, dead_letters=dead, **options
    )


@asynccontextmanager
async def at_work(house: House, handlers: Handlers, *, claim: Way = "reaction") -> AsyncGenerator[AsyncQueue]:
    queue = a_queue(house, claim=claim, select=handlers.select)
    async with queue, anyio.create_task_group() as tasks:
        worker = AsyncWorker(queue, handlers, clock=queue._clock)
        tasks.start_soon(worker.run)
        yield queue
        worker.drain()


@pytest.mark.parametrize("claim", WAYS)
def test_a_letter_says_why_where_and_after_how_many_attempts_and_no_secret(morgue: House, claim: Way) -> None:
    handlers, _ = failing()

    async def main() -> tuple[DeadLetter, ...]:
        async with at_work(morgue, handlers, claim=claim) as queue:
            await queue.post("work", {"n": 1}, priority=2)
            await morgue.ended(queue)
            return await queue.dead_letters()

    (letter,) = run(main)
    assert (letter.attempts, letter.redriven) == (2, False)
    assert (letter.job.kind, letter.job.body, letter.job.priority) == ("work", {"n": 1}, 2)
    assert letter.reason == "ValueError: no token xoxb-… <!channel>"
    (row,) = letters(morgue)
    assert "dead after 2 attempts: ValueError" in row["text"]
    assert f"/archives/{letter.job.channel}/p{letter.job.ts.replace('.', '')}|the job>" in row["text"]
    assert "Traceback (most recent call last)" in row["text"]
    assert "beef" not in str(row)
    assert "<!channel>" not in row["text"]
    assert "beef" not in "".join(morgue.thread(letter.job.ts))


def test_the_link_of_a_letter_is_the_one_that_slack_gives(morgue: House) -> None:
    async def main() -> str:
        return (await morgue.slack().identity()).link(morgue.channel(), ts)

    ts = morgue.types("hello")
    told = morgue.call(morgue.bot, "chat.getPermalink", channel=morgue.channel(), message_ts=ts)
    assert run(main) == told["permalink"]


def test_what_is_rejected_and_what_a_person_typed_have_letters_too(morgue: House) -> None:
    handlers, _ = failing()

    async def main() -> tuple[DeadLetter, ...]:
        async with at_work(morgue, handlers) as queue:
            await queue.post("never")
            morgue.types("feed the cat")
            await morgue.until(lambda: len(letters(morgue)) == 2)
            return await queue.dead_letters()

    found = {letter.job.kind: letter for letter in run(main)}
    assert found["never"].reason == "no such cat"
    assert (found[None].reason, found[None].job.text) == ("OSError: no food", "feed the cat")


@pytest.mark.parametrize("claim", WAYS)
@pytest.mark.parametrize(
    "place", ["before_note", "after_dead_note", "before_letter", "after_letter", "before_done", "after_done_ok"]
)
def test_a_job_has_one_letter_wherever_its_worker_is_killed(morgue: House, place: Place, claim: Way) -> None:
    struck: list[Place] = []
    runs: list[str] = []

    def program(name: str, process: Process) -> Any:
        handlers = Handlers()

        @handlers.task(attempts=3)
        async def never() -> None:
            runs.append(name)
            raise Reject("no such cat")

        async def work() -> None:
            assert never is not None
            with armed(Killer(process, place, struck=struck)):
                queue = a_queue(morgue, name=name, claim=claim, select=handlers.select)
                async with queue:
                    await AsyncWorker(queue, handlers, clock=queue._clock).run()

        return work

    async def main() -> None:
        processes = [Process(name) for name in ("w0", "w1")]
        for process in processes:
            process.start(program(process.name, process))
        async with a_queue(morgue, name="producer", claim=claim) as queue:
            await queue.post("never")
            with anyio.fail_after(900):
                while [standing.state for standing in await queue.inspect()] != ["dead"]:
                    await SimClock(Random(0)).sleep(5)  # noqa: S311  # as DICE
            await SimClock(Random(0)).sleep(120)  # noqa: S311  # as DICE
        for process in processes:
            process.kill()

    run(main)
    assert struck == [place]
    assert len(letters(morgue)) == 1
    if place != "before_note":
        assert len(runs) == 1  # what its thread says is dead is not tried again


def test_a_letter_whose_post_went_unanswered_is_looked_up_before_it_is_written_again(morgue: House) -> None:
    handlers, _ = failing()
    swallowed: list[str] = []

    def lose(method: str, args: Mapping[str, object]) -> str | None:
        if method == "chat.postMessage" and args["channel"] == morgue.channel("jobs-dead") and not swallowed:
            swallowed.append(method)
            return "answer"  # it takes effect, and nobody is told
        return None

    async def main() -> None:
        async with at_work(morgue, handlers) as queue:
            await queue.post("never")
            await morgue.ended(queue)

    morgue.faults.append(lose)
    run(main)
    assert swallowed
    assert len(letters(morgue)) == 1


def test_a_channel_that_takes_no_letter_keeps_no_job_from_its_end(morgue: House) -> None:
    handlers, _ = failing()

    async def main() -> list[str]:
        async with at_work(morgue, handlers) as queue:
            morgue.call(morgue.people[0], "conversations.archive", channel=morgue.channel("jobs-dead"))
            await queue.post("never")
            return [standing.state for standing in await morgue.ended(queue)]

    assert run(main) == ["dead"]
    assert not letters(morgue)


def test_a_redriven_job_begins_anew_and_is_told_its_first_key(morgue: House) -> None:
    handlers, runs = failing()

    async def main() -> None:
        async with at_work(morgue, handlers) as queue:
            first = await queue.post("work", {"n": 7}, key="cat/7")
            await morgue.ended(queue)
            (letter,) = await queue.dead_letters()
            second = await queue.redrive(letter)
            await morgue.ended(queue)
            assert morgue.thread(second.ts) == ["did 7"]
            assert (second.channel, second.origin) == (first.channel, "cat/7")
            link = (await morgue.slack().identity()).link(letter.channel, letter.ts)
            assert link in second.text
            for ts, place in ((letter.ts, "jobs-dead"), (first.ts, "jobs")):
                rows = morgue.call(morgue.people[0], "conversations.replies", channel=morgue.channel(place), ts=ts)[
                    "messages"
                ]
                assert f"p{second.ts.replace('.', '')}|the new job>" in rows[-1]["text"]
            assert [found.redriven for found in await queue.dead_letters()] == [True]

    run(main)
    assert runs == [("work", 1, "cat/7"), ("work", 2, "cat/7"), ("work", 1, "cat/7")]


def test_who_redrives_twice_or_at_once_gets_the_same_job(morgue: House) -> None:
    handlers, runs = failing()

    async def main() -> None:
        got: list[str] = []

        async with at_work(morgue, handlers) as queue:
            dead = await queue.post("work", {"n": 7})
            await morgue.ended(queue)
            (letter,) = await queue.dead_letters()

            async def redrive(what: Message | DeadLetter, name: str) -> None:
                async with a_queue(morgue, name=name) as other:
                    got.append((await other.redrive(what)).ts)

            async with anyio.create_task_group() as tasks:
                for number in range(3):
                    tasks.start_soon(redrive, letter, f"letter{number}")
                    tasks.start_soon(redrive, dead, f"job{number}")
            await morgue.ended(queue)
            await redrive(letter, "later")
        assert len(set(got)) == 1

    run(main)
    assert [attempt for _, attempt, _ in runs] == [1, 2, 1]


def test_a_redrive_whose_program_was_killed_is_finished_by_the_next(morgue: House) -> None:
    handlers, runs = failing()

    async def main() -> None:
        async with at_work(morgue, handlers) as queue:
            dead = await queue.post("work", {"n": 7})
            await morgue.ended(queue)
            process, struck = Process("hasty"), list["Place"]()

            async def hasty() -> None:
                with armed(Killer(process, "before_redrive", struck=struck)):
                    async with a_queue(morgue, name="hasty") as other:
                        await other.redrive(dead)

            process.start(hasty)
            await process.ended.wait()
            assert struck
            again = await queue.redrive(dead)
            await morgue.ended(queue)
            assert (await queue.redrive(dead)).ts == again.ts

    run(main)
    assert [attempt for _, attempt, _ in runs] == [1, 2, 1]


def test_a_letter_is_marked_also_by_whoever_finds_the_job_posted_again(morgue: House) -> None:
    handlers, _ = failing()

    async def main() -> None:
        async with at_work(morgue, handlers) as queue, a_queue(morgue, name="bare", dead_letters=None) as bare:
            dead = await queue.post("never")
            await morgue.ended(queue)
            again = await bare.redrive(dead)
            (letter,) = await queue.dead_letters()
            assert not letter.redriven
            assert (await queue.redrive(letter)).ts == again.ts
            (letter,) = await queue.dead_letters()
            assert letter.redriven

    run(main)


def test_only_what_is_dead_and_was_posted_can_be_redriven(morgue: House) -> None:
    handlers, _ = failing()

    async def main() -> None:
        async with at_work(morgue, handlers) as queue, a_queue(morgue, name="bare", dead_letters=None) as bare:
            waiting = await queue.post("unheard_of")
            with pytest.raises(ConfigurationError, match="is not dead"):
                await queue.redrive(waiting)
            morgue.types("feed the cat")
            await morgue.until(lambda: letters(morgue))
            (letter,) = await queue.dead_letters()
            with pytest.raises(ConfigurationError, match="typed by a person"):
                await queue.redrive(letter)
            with pytest.raises(ConfigurationError, match="no channel for dead letters"):
                await bare.dead_letters()

    run(main)


def test_a_queue_whose_dead_letters_have_no_place_does_not_open(morgue: House) -> None:
    async def main() -> None:
        with pytest.raises(ChannelNotFound):
            async with a_queue(morgue, dead_letters="#nowhere"):
                raise AssertionError
        with pytest.raises(ConfigurationError, match="its own dead letters"):
            async with a_queue(morgue, dead_letters="jobs"):
                raise AssertionError

    run(main)


def test_what_strangers_write_is_no_letter(morgue: House) -> None:
    job = Message(channel=morgue.channel(), ts="1.000001", author="U1", kind="work", body={"n": 1}, key="k")
    payload = enclosed(job, reason="none", attempts=1, worker="w", shared=True)
    metadata = {"event_type": "slackmq_dead", "event_payload": payload}
    morgue.call(
        morgue.stranger, "chat.postMessage", channel=morgue.channel("jobs-dead"), text="dead", metadata=metadata
    )
    assert len(letters(morgue)) == 1

    async def main() -> None:
        async with a_queue(morgue) as queue:
            assert await queue.dead_letters() == ()

    run(main)


@pytest.mark.parametrize("change", [{"v": 3}, {"body": "["}, {"attempts": "many"}, {"key": None}])
def test_what_cannot_be_read_is_no_letter(change: dict[str, object]) -> None:
    job = Message(channel="C1", ts="1.000001", author="U1", kind="work", body={"n": 1}, key="k", trace="00-a-b-01")
    payload = enclosed(job, reason="r" * 2000, attempts=1, worker="w", shared=False)
    found = opened(payload, channel="C2", ts="2.000001")
    assert found is not None
    assert (found.job, len(found.reason), payload["v"]) == (job, 1000, 1)
    assert opened({**payload, **change}, channel="C2", ts="2.000001") is None
