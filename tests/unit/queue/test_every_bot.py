"""What every process does that has the handler: each once by its name, with an answer of its own, and no claim."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.claiming.way import WAYS
from slackmq.handlers import Handlers
from slackmq.hooks import Finished
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.operating.look import looking
from slackmq.options import Backoff
from slackmq.queue import AsyncQueue
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from slackmq.claiming.way import Way
    from slackmq.task import Task

    from .conftest import House

DONE = "white_check_mark"


async def until(true: Callable[[], object]) -> None:
    """Wait until something holds; time costs nothing here."""
    with anyio.fail_after(600):
        while not true():
            await SimClock(Random(0)).sleep(1)  # noqa: S311  # a simulation's dice must be repeatable


class Choir:
    """A program of which several processes run, and what each of them did."""

    def __init__(self, house: House, way: Way = "reaction") -> None:
        self.house = house
        self.way: Way = way
        self.did: list[tuple[str, int]] = []
        self.report: Task[..., ..., object]
        self.fails: dict[str, int] = {}
        self.seconds: dict[str, float] = {}

    def handlers(self, name: str) -> Handlers:
        handlers = Handlers()

        async def report(job: Job) -> str:
            self.did.append((name, job.attempt))
            await anyio.sleep(self.seconds.get(name, 1.0))
            if job.attempt <= self.fails.get(name, 0):
                raise ValueError("no sensor")
            return "21.5 °C"

        backoff = Backoff(first=timedelta(seconds=4))
        handlers.listen(r"how warm is it\?", every_bot=True, attempts=3, backoff=backoff)(report)
        handlers.listen(r"attic\?", every_bot=True, where="room=attic")(report)
        self.report = handlers.task(name="report", every_bot=True, attempts=3, backoff=backoff)(report)
        return handlers

    @asynccontextmanager
    async def at_work(self, name: str | None, labels: Sequence[str] = ()) -> AsyncGenerator[AsyncQueue]:
        """One process."""
        house, handlers = self.house, self.handlers(name or "nameless")
        house.born += 1
        clock = SimClock(Random(house.born))  # noqa: S311  # as above
        queue = AsyncQueue(
            house.slack(clock=clock),
            "#jobs",
            select=handlers.select,
            claim=self.way,
            clock=clock,
            worker=name,
            labels=labels,
            hooks=(house.happened.append,),
        )
        async with queue, anyio.create_task_group() as tasks:
            tasks.start_soon(AsyncWorker(queue, handlers, clock=clock).run)
            await anyio.sleep(10)
            yield queue
            tasks.cancel_scope.cancel()

    def answered(self, ts: str) -> list[str]:
        """The lines of a thread, in the order of the alphabet."""
        return sorted(self.house.thread(ts))


@pytest.fixture(params=WAYS)
def choir(house: House, request: pytest.FixtureRequest) -> Choir:
    return Choir(house, request.param)


def test_every_process_answers_once_under_its_name_and_nobody_claims(choir: Choir) -> None:
    async def main() -> None:
        house = choir.house
        async with choir.at_work("pi-1"), choir.at_work("pi-2"), choir.at_work("pi-3") as queue:
            with choir.handlers("pi-3").posting_to(queue):
                posted = (await choir.report.post()).ts
            typed = house.types("how warm is it?")
            for ts in (typed, posted):
                await until(lambda ts=ts: len(house.thread(ts)) == 3)  # type: ignore[misc]
            await anyio.sleep(300)
        for ts in (typed, posted):
            assert choir.answered(ts) == ["pi-1: 21.5 °C", "pi-2: 21.5 °C", "pi-3: 21.5 °C"]
            assert house.marks(ts) == {DONE}
        assert sorted(choir.did) == sorted([(name, 1) for name in ("pi-1", "pi-2", "pi-3")] * 2)
        assert sum(isinstance(happened, Finished) for happened in house.happened) == 6

    run(main)


def test_only_those_do_it_whom_the_handler_and_the_post_fit(house: House) -> None:
    async def main() -> None:
        choir = Choir(house)
        async with choir.at_work("pi-1", ["room=attic"]), choir.at_work("pi-2", ["gpu"]) as queue:
            typed = house.types("attic?")
            with choir.handlers("pi-2").posting_to(queue):
                posted = await choir.report.on("gpu").post()
            await until(lambda: house.thread(typed) and house.thread(posted.ts))
            await anyio.sleep(300)
            assert posted.on == "* gpu"
        assert choir.answered(typed) == ["pi-1: 21.5 °C"]
        assert choir.answered(posted.ts) == ["pi-2: 21.5 °C"]

    run(main)


def test_one_that_was_down_does_it_when_it_is_back_and_one_that_has_done_it_does_not(choir: Choir) -> None:
    async def main() -> None:
        house = choir.house
        async with choir.at_work("pi-1"):
            ts = house.types("how warm is it?")
            await until(lambda: house.thread(ts))
        await anyio.sleep(1_200)
        async with choir.at_work("pi-1"), choir.at_work("pi-2"):
            await until(lambda: "pi-2: 21.5 °C" in house.thread(ts))
            await anyio.sleep(300)
        assert choir.did == [("pi-1", 1), ("pi-2", 1)]
        assert choir.answered(ts) == [":repeat: pi-2: attempt 1, begun after a start", "pi-1: 21.5 °C", "pi-2: 21.5 °C"]

    run(main)


def test_what_was_said_or_posted_too_long_ago_is_not_made_up_for(house: House) -> None:
    async def main() -> None:
        choir = Choir(house)
        typed = house.types("how warm is it?")
        async with house.visiting() as queue:
            kept = await queue.post("report")
            gone = await queue.post("report", expires=timedelta(minutes=30))
        await anyio.sleep(3_700)
        async with choir.at_work("pi-1"):
            await until(lambda: house.thread(kept.ts))
            await anyio.sleep(300)
        assert house.thread(typed) == house.thread(gone.ts) == []
        assert choir.did == [("pi-1", 1)]

    run(main)


def test_a_process_without_a_name_does_what_comes_while_it_runs(house: House) -> None:
    async def main() -> None:
        choir = Choir(house)
        early = house.types("how warm is it?")
        await anyio.sleep(10)
        async with choir.at_work(None) as queue:
            late = house.types("how warm is it?")
            await until(lambda: house.thread(late))
            await anyio.sleep(300)
            assert house.thread(late) == [f"{queue.worker}: 21.5 °C"]
        assert house.thread(early) == []

    run(main)


def test_who_fails_tries_again_alone_and_says_when_it_gives_up(choir: Choir) -> None:
    async def main() -> None:
        house = choir.house
        choir.fails = {"pi-1": 1, "pi-2": 9}
        async with choir.at_work("pi-1"), choir.at_work("pi-2"), choir.at_work("pi-3"):
            ts = house.types("how warm is it?")
            await until(lambda: ":x: pi-2: ValueError: no sensor" in house.thread(ts))
            await until(lambda: "pi-1: 21.5 °C" in house.thread(ts))
            await anyio.sleep(300)
        tries = {
            name: sorted(attempt for who, attempt in choir.did if who == name) for name in ("pi-1", "pi-2", "pi-3")
        }
        assert tries == {"pi-1": [1, 2], "pi-2": [1, 2, 3], "pi-3": [1]}
        assert sum(line.startswith(":warning: pi-2: attempt") for line in house.thread(ts)) == 2
        assert house.marks(ts) == {DONE}

    run(main)


def test_a_process_that_gave_up_does_not_begin_anew_when_it_is_back(house: House) -> None:
    async def main() -> None:
        choir = Choir(house)
        choir.fails = {"pi-1": 9}
        ts = ""
        for start in range(2):
            async with choir.at_work("pi-1"):
                ts = ts or house.types("how warm is it?")
                await until(lambda ts=ts: ":x: pi-1: ValueError: no sensor" in house.thread(ts))  # type: ignore[misc]
                await anyio.sleep(300 * start)
        assert [attempt for _, attempt in choir.did] == [1, 2, 3]

    run(main)


def test_a_handler_that_ends_its_process_is_begun_no_more_often_than_it_may_fail(house: House) -> None:
    async def main() -> None:
        choir = Choir(house)
        choir.seconds = {"pi-1": 3_000.0}
        ts = house.types("how warm is it?")
        house.faults.append(lambda _, args: "lost" if "stops" in str(args.get("text")) else None)
        await anyio.sleep(60)
        for start in range(6):
            begun = len(choir.did)
            async with choir.at_work("pi-1"):
                if start < 3:
                    await until(lambda begun=begun: len(choir.did) > begun)  # type: ignore[misc]
                else:
                    await anyio.sleep(60)
        assert choir.did == [("pi-1", 1), ("pi-1", 2), ("pi-1", 3)]
        assert house.thread(ts)[-1] == (
            ":x: pi-1: Given up after 3 attempts: the last one began and was never heard of again."
        )

    run(main)


def test_what_is_handed_back_at_a_stop_is_done_after_it_and_does_not_count(house: House) -> None:
    async def main() -> None:
        choir = Choir(house)
        choir.seconds = {"pi-1": 3_000.0}
        ts = house.types("how warm is it?")
        await anyio.sleep(60)
        async with choir.at_work("pi-1"):
            await until(lambda: choir.did)
        choir.seconds = {}
        async with choir.at_work("pi-1"):
            await until(lambda: "pi-1: 21.5 °C" in house.thread(ts))
        assert choir.did == [("pi-1", 1), ("pi-1", 1)]

    run(main)


def test_what_is_cancelled_is_begun_by_nobody_and_stopped_where_it_runs(choir: Choir) -> None:
    async def main() -> None:
        house = choir.house
        choir.seconds = {"pi-1": 3_000.0}
        async with choir.at_work("pi-1") as queue:
            ts = house.types("how warm is it?")
            await until(lambda: choir.did)
            await queue.cancel(ts, by="ada")
            await until(lambda: any(isinstance(happened, Finished) for happened in house.happened))
        async with choir.at_work("pi-2"):
            await anyio.sleep(300)
        assert choir.did == [("pi-1", 1)]
        assert not [line for line in house.thread(ts) if "21.5" in line]

    run(main)


def test_of_one_key_one_message_is_done_by_each(house: House) -> None:
    async def main() -> None:
        choir = Choir(house)
        async with choir.at_work("pi-1"), choir.at_work("pi-2") as queue:
            posted = [await queue.post("report", key="noon") for _ in range(2)]
            await until(lambda: len(house.thread(posted[0].ts)) == 2)
            await anyio.sleep(300)
        assert sorted(choir.did) == [("pi-1", 1), ("pi-2", 1)]
        assert house.thread(posted[1].ts) == []

    run(main)


def test_whoever_asks_every_bot_gets_the_answer_of_one(house: House) -> None:
    async def main() -> None:
        choir = Choir(house)
        async with choir.at_work("pi-1"), choir.at_work("pi-2") as queue:
            with choir.handlers("pi-2").posting_to(queue):
                assert await choir.report.ask() == "21.5 °C"

    run(main)


def test_a_delayed_one_waits_for_its_time_with_everybody(house: House) -> None:
    async def main() -> None:
        choir = Choir(house)
        async with choir.at_work("pi-1") as queue:
            message = await queue.post("report", delay=timedelta(hours=2))
            await anyio.sleep(3_600)
            assert choir.did == []
        async with choir.at_work("pi-1"):
            await anyio.sleep(3_700)
        assert choir.did == [("pi-1", 1)]
        assert house.thread(message.ts) == ["pi-1: 21.5 °C"]

    run(main)


def test_nobody_reads_further_back_for_what_others_have_not_done(house: House) -> None:
    async def main() -> None:
        choir = Choir(house)
        async with choir.at_work("pi-1") as queue:
            await queue.post("report", on="*")
            house.types("how warm is it?")
            await until(lambda: len(choir.did) == 2)
            await anyio.sleep(60)
            sightings = queue.opened.watch._sightings if queue.opened else None
            assert sightings is not None
            assert sightings.oldest_unfinished(typed_since=0.0) is None
            assert sightings.for_every_bot == {}

    run(main)


def test_who_looks_at_the_queue_is_told_who_did_it(house: House) -> None:
    async def main() -> None:
        choir = Choir(house)
        async with choir.at_work("pi-1"), choir.at_work("pi-2") as queue:
            with choir.handlers("pi-2").posting_to(queue):
                message = await choir.report.post()
            await until(lambda: len(house.thread(message.ts)) == 2)
        assert message.on == "*"
        assert "for every bot" in message.text
        clock = SimClock(Random(0))  # noqa: S311  # as above
        async with looking(house.slack(clock=clock), "#jobs", clock=clock) as look:
            [row] = await look.queue.inspect()
            life = await look.life(message.ts)
        assert (row.state, row.by) == ("done", ("pi-1", "pi-2"))
        assert sorted((step.what, step.by) for step in life.steps if step.what == "answered") == [
            ("answered", "pi-1"),
            ("answered", "pi-2"),
        ]
        assert life.state == "done"

    run(main)


def test_a_burst_does_its_own_part_of_what_another_process_has_done(house: House) -> None:
    async def main() -> None:
        choir = Choir(house)
        async with choir.at_work("pi-1"):
            ts = house.types("how warm is it?")
            await until(lambda: DONE in house.marks(ts))
        clock, handlers = SimClock(Random(5)), choir.handlers("pi-2")  # noqa: S311  # as above
        slack = house.slack(clock=clock)
        async with AsyncQueue(slack, "#jobs", select=handlers.select, clock=clock, worker="pi-2") as queue:
            with anyio.fail_after(600):
                await AsyncWorker(queue, handlers, clock=clock).run(burst=True)
        assert choir.did == [("pi-1", 1), ("pi-2", 1)]

    run(main)


def test_each_process_shows_its_own_progress(house: House) -> None:
    async def main() -> None:
        names, ts = ("pi-1", "pi-2"), ""
        async with anyio.create_task_group() as tasks:
            for name in names:
                handlers = Handlers()

                @handlers.listen("upgrade", every_bot=True)
                async def upgrade(job: Job) -> None:
                    await job.progress(0.5, "unpacking")
                    await anyio.sleep(30)

                clock = SimClock(Random(1))  # noqa: S311  # as above
                slack = house.slack(clock=clock)
                queue = AsyncQueue(slack, "#jobs", select=handlers.select, clock=clock, worker=name)

                async def work(
                    queue: AsyncQueue = queue, handlers: Handlers = handlers, clock: SimClock = clock
                ) -> None:
                    async with queue:
                        await AsyncWorker(queue, handlers, clock=clock).run()

                tasks.start_soon(work)
            await anyio.sleep(10)
            ts = house.types("upgrade")
            await until(lambda: len(house.thread(ts)) == 4)
            tasks.cancel_scope.cancel()
        assert sorted(house.thread(ts)) == [
            "pi-1: done",
            "pi-1: ▓▓▓▓▓░░░░░ 50 % · unpacking",
            "pi-2: done",
            "pi-2: ▓▓▓▓▓░░░░░ 50 % · unpacking",
        ]

    run(main)
