"""Work that is meant for some processes, by name or label, by the handler or by the post; others leave it alone."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.claiming.way import WAYS
from slackmq.errors import ConfigurationError
from slackmq.handlers import Handlers
from slackmq.queue import AsyncQueue
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from slackmq.claiming.way import Way

    from .conftest import House


async def rest(seconds: float) -> None:
    """Let time pass; it costs nothing here."""
    await anyio.sleep(seconds)


async def until(true: Callable[[], object]) -> None:
    """Wait until something holds; with native claims what nobody was told of waits for a whole lease."""
    with anyio.fail_after(600):
        while not true():
            await SimClock(Random(0)).sleep(1)  # noqa: S311  # a simulation's dice must be repeatable


class Homes:
    """A program whose processes are told apart, and who did what."""

    def __init__(self, house: House, way: Way = "reaction") -> None:
        self.house = house
        self.way: Way = way
        self.did: list[tuple[str, str]] = []

    def handlers(self, name: str) -> Handlers:
        handlers = Handlers()

        @handlers.listen(r"open the blind", where="room=attic")
        async def open_blind() -> str:
            self.did.append((name, "blind"))
            return "it is open"

        @handlers.listen(r"lights off", where="room=attic")
        async def attic() -> str:
            self.did.append((name, "attic lights"))
            return "the attic is dark"

        @handlers.listen(r"lights off", where="room=cellar")
        async def cellar() -> str:
            self.did.append((name, "cellar lights"))
            return "the cellar is dark"

        @handlers.task
        async def blink() -> str:
            self.did.append((name, "blink"))
            return f"{name} blinks"

        @handlers.task(on="pi-1")
        async def reboot() -> str:
            self.did.append((name, "reboot"))
            return "rebooted"

        handlers.explain()
        self.blink, self.reboot = blink, reboot
        return handlers

    @asynccontextmanager
    async def at_work(self, name: str | None, labels: Sequence[str] = ()) -> AsyncGenerator[AsyncQueue]:
        """One process."""
        house, handlers = self.house, self.handlers(name or "nameless")
        house.born += 1
        clock = SimClock(Random(house.born))  # noqa: S311  # a simulation's dice must be repeatable
        queue = AsyncQueue(
            house.slack(clock=clock),
            "#jobs",
            select=handlers.select,
            claim=self.way,
            clock=clock,
            worker=name,
            labels=labels,
        )
        async with queue, anyio.create_task_group() as tasks:
            worker = AsyncWorker(queue, handlers, clock=clock)
            tasks.start_soon(worker.run)
            yield queue
            worker.drain()
            await clock.sleep(1)
            tasks.cancel_scope.cancel()


@pytest.fixture(params=WAYS)
def homes(house: House, request: pytest.FixtureRequest) -> Homes:
    return Homes(house, request.param)


def test_what_a_handler_of_one_place_does_is_done_there_and_ignored_elsewhere(homes: Homes) -> None:
    async def main() -> None:
        async with homes.at_work("pi-1", ["room=cellar"]), homes.at_work("pi-2", ["gpu", "room=attic"]):
            ts = homes.house.types("open the blind")
            await until(lambda: "white_check_mark" in homes.house.marks(ts))
        assert homes.did == [("pi-2", "blind")]
        assert homes.house.thread(ts)[-1] == "it is open"

    run(main)


def test_words_that_only_others_understand_are_known_and_no_mistake(homes: Homes) -> None:
    async def main() -> None:
        async with homes.at_work("pi-1", ["room=cellar"]):
            known, mistaken = homes.house.types("open the blind"), homes.house.types("open the blnid")
            await until(lambda: "white_check_mark" in homes.house.marks(mistaken))
            await rest(60)
        assert homes.house.thread(mistaken)[-1] == "Did you mean `open the blind`?"
        assert homes.house.thread(known) == []

    run(main)


def test_of_two_handlers_of_the_same_words_each_place_has_its_own(homes: Homes) -> None:
    async def main() -> None:
        async with homes.at_work("pi-1", ["room=cellar"]):
            ts = homes.house.types("lights off")
            await until(lambda: "white_check_mark" in homes.house.marks(ts))
        assert homes.did == [("pi-1", "cellar lights")]

    run(main)


@pytest.mark.parametrize(("on", "doer"), [("pi-1", "pi-1"), ("room=attic", "pi-2"), ("gpu", "pi-2")])
def test_a_post_is_done_by_whom_it_is_for(house: House, on: str, doer: str) -> None:
    async def main() -> None:
        homes = Homes(house)
        async with homes.at_work(None), homes.at_work("pi-1"), homes.at_work("pi-2", ["gpu", "room=attic"]) as queue:
            answers = [await queue.answer(await queue.post("blink", on=on), within=timedelta(minutes=5)) for _ in "ab"]
        assert homes.did == [(doer, "blink")] * 2
        assert [answer.result for answer in answers] == [f'"{doer} blinks"'] * 2

    run(main)


def test_what_is_for_somebody_who_is_away_waits_for_them_and_is_no_unknown_kind(homes: Homes) -> None:
    async def main() -> None:
        house = homes.house
        async with homes.at_work("pi-2") as queue:
            with homes.handlers("pi-2").posting_to(queue):
                handled = await homes.reboot.post()
            posted = [handled, await queue.post("blink", on="pi-3"), await queue.post("nonsense", on="pi-3")]
            await rest(3_600)
            rows = await queue.inspect()
            assert [row.state for row in rows] == ["waiting"] * 3
            assert [row.message.on for row in rows] == ["pi-1", "pi-3", "pi-3"]
            assert [house.thread(message.ts) for message in posted] == [[]] * 3
        assert "for pi-3" in posted[1].text
        async with homes.at_work("pi-1"):
            await until(lambda: "white_check_mark" in house.marks(handled.ts))
        async with homes.at_work("pi-3"):
            await until(lambda: "white_check_mark" in house.marks(posted[1].ts))
        assert homes.did == [("pi-1", "reboot"), ("pi-3", "blink")]

    run(main)


def test_what_nobody_came_for_is_dropped_when_it_expires_and_says_for_whom_it_was(homes: Homes) -> None:
    async def main() -> None:
        house = homes.house
        async with homes.at_work("pi-2") as queue:
            message = await queue.post("blink", on="pi-9", expires=timedelta(minutes=20))
            await rest(1_100)
            assert house.marks(message.ts) == set()
            await until(lambda: "x" in house.marks(message.ts))
        [text] = house.thread(message.ts)
        assert "This job is for pi-9, and no such worker began it in time." in text
        assert homes.did == []

    run(main)


def test_what_waits_for_somebody_else_can_be_cancelled_by_anybody(homes: Homes) -> None:
    async def main() -> None:
        async with homes.at_work("pi-2") as queue:
            message = await queue.post("blink", on="pi-9")
            await rest(30)
            await queue.cancel(message, by="ada")
            await until(lambda: "x" in homes.house.marks(message.ts))
            assert [row.state for row in await queue.inspect()] == ["cancelled"]

    run(main)


def test_a_dead_job_that_is_posted_again_is_for_whom_it_was(house: House) -> None:
    async def main() -> None:
        handlers = Handlers()

        @handlers.task(attempts=1)
        def burn() -> None:
            raise ValueError("it burns")

        clock = SimClock(Random(3))  # noqa: S311  # as above
        queue = AsyncQueue(
            house.slack(clock=clock),
            "#jobs",
            select=handlers.select,
            clock=clock,
            worker="pi-1",
            dead_letters="#general",
        )
        async with queue, anyio.create_task_group() as tasks:
            house.call(house.bot, "conversations.join", channel=house.channel("general"))
            tasks.start_soon(AsyncWorker(queue, handlers, clock=clock).run)
            message = await queue.post("burn", on="pi-1")
            await until(lambda: "x" in house.marks(message.ts))
            [letter] = await queue.dead_letters()
            assert (await queue.redrive(letter)).on == "pi-1"
            tasks.cancel_scope.cancel()

    run(main)


def test_a_burst_does_not_wait_for_what_others_shall_do(house: House) -> None:
    async def main() -> None:
        homes = Homes(house)
        async with house.visiting() as queue:
            for on in ("", "pi-9"):
                await queue.post("blink", on=on)
        clock, handlers = SimClock(Random(5)), homes.handlers("pi-2")  # noqa: S311  # as above
        slack = house.slack(clock=clock)
        async with AsyncQueue(slack, "#jobs", select=handlers.select, clock=clock, worker="pi-2") as queue:
            with anyio.fail_after(600):
                await AsyncWorker(queue, handlers, clock=clock).run(burst=True)
        assert homes.did == [("pi-2", "blink")]

    run(main)


def test_of_one_key_one_job_is_done_also_where_an_earlier_one_is_for_somebody_else(house: House) -> None:
    async def main() -> None:
        homes = Homes(house)
        async with homes.at_work("pi-2") as queue:
            first = await queue.post("blink", on="pi-1", key="once")
            await queue.post("blink", key="once")
            await rest(600)
            assert homes.did == []
            async with homes.at_work("pi-1"):
                await until(lambda: "white_check_mark" in house.marks(first.ts))
        assert homes.did == [("pi-1", "blink")]

    run(main)


def test_a_name_that_was_drawn_is_no_address(house: House) -> None:
    async def main() -> None:
        homes = Homes(house)
        async with homes.at_work(None) as queue:
            await queue.post("blink", on=queue.worker)
            await rest(600)
            assert [row.state for row in await queue.inspect()] == ["waiting"]

    run(main)


def test_a_channel_without_addressed_work_is_read_as_seldom_as_ever_by_processes_with_names(house: House) -> None:
    async def main() -> None:
        homes = Homes(house)
        handlers = Handlers()
        handlers.task(name="blink")(lambda: None)
        reads: list[int] = []
        for post in (False, True):
            async with house.at_work(handlers, sockets=1) as queue:
                if post:
                    await queue.post("blink", on="pi-9")
                await rest(30)
                house.calls.clear()
                await rest(600)
                reads.append(house.calls.count("conversations.history"))
        assert reads[0] <= 11
        assert reads[1] >= 60
        assert homes.did == []

    run(main)


@pytest.mark.parametrize("wrong", ["*", "two words", ""])
def test_a_label_is_one_word(house: House, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="is no label"):
        AsyncQueue(house.slack(), "#jobs", labels=[wrong])


def test_an_address_that_is_none_is_refused_where_it_is_written() -> None:
    handlers = Handlers()
    blink = handlers.task(name="blink")(lambda: None)
    with pytest.raises(ConfigurationError, match="is no address"):
        blink.on("*")
    with pytest.raises(ConfigurationError, match="is no address"):
        handlers.listen("blink", where="*")
