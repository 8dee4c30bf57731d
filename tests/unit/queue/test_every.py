"""What is posted by itself: once a tick, whoever keeps the time, and whoever was there when it was due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.handlers import Handlers
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from slackmq.schedule import Missed

    from .conftest import House

BEGAN = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def hourly(missed: Missed = "latest") -> tuple[Handlers, list[datetime]]:
    """Handlers with an hourly report, and the ticks that were reported."""
    handlers, told = Handlers(), list[datetime]()

    @handlers.every("0 * * * *", missed=missed)
    async def report(tick: datetime) -> None:
        told.append(tick)

    assert report is not None
    return handlers, told


def posts(house: House) -> list[str]:
    rows = house.call(house.bot, "conversations.history", channel=house.channel(), limit=999)["messages"]
    return sorted(row["text"] for row in rows if row["text"].startswith("report("))


def at(*hours: int) -> list[datetime]:
    return [datetime(2023, 11, 14, tzinfo=UTC) + timedelta(hours=hour) for hour in hours]


@pytest.mark.parametrize("workers", [1, 3])
def test_each_tick_is_posted_once_and_on_time_although_every_replica_keeps_the_time(house: House, workers: int) -> None:
    async def main() -> None:
        handlers, told = hourly()
        async with house.at_work(handlers, workers=workers):
            await anyio.sleep(3 * 3_600)
        assert told == at(23, 24, 25)
        assert len(posts(house)) == 3

    run(main)


@pytest.mark.parametrize(("missed", "made_up"), [("skip", at()), ("latest", at(27)), ("all", at(25, 26, 27))])
def test_ticks_missed_while_nobody_was_there_are_made_up_for_once_as_the_policy_says(
    house: House, missed: Missed, made_up: list[datetime]
) -> None:
    async def main() -> None:
        handlers, told = hourly(missed)
        async with house.at_work(handlers, workers=2):
            await anyio.sleep(2 * 3_600)
        await anyio.sleep(3 * 3_600)
        async with house.at_work(handlers, workers=3):
            await anyio.sleep(3_000)
        assert sorted(told) == [*at(23, 24), *made_up, *at(28)]
        assert len(posts(house)) == len(told)

    run(main)


def test_a_fleet_that_never_was_there_before_makes_up_for_nothing(house: House) -> None:
    async def main() -> None:
        handlers, told = hourly("all")
        async with house.at_work(handlers, workers=2):
            await anyio.sleep(600)
        assert told == []

    run(main)


def test_what_is_due_once_a_month_is_made_up_for_after_a_week_of_rest(house: House) -> None:
    async def main() -> None:
        handlers, told = Handlers(), list[datetime]()

        @handlers.every("0 0 15 * *", within=timedelta(days=3))
        async def report(tick: datetime) -> None:
            told.append(tick)

        assert report is not None
        async with house.at_work(handlers):
            await anyio.sleep(2 * 3_600)
        await anyio.sleep(timedelta(days=31).total_seconds())
        async with house.at_work(handlers):
            await anyio.sleep(120)
        assert told == [datetime(2023, 11, 15, tzinfo=UTC), datetime(2023, 12, 15, tzinfo=UTC)]

    run(main)


def test_a_tick_is_posted_once_also_where_the_one_before_it_was_deleted(house: House) -> None:
    async def main() -> None:
        handlers, told = hourly()
        async with house.at_work(handlers, workers=3, sockets=1):
            await anyio.sleep(3_000)
            for row in house.call(house.bot, "conversations.history", channel=house.channel())["messages"]:
                if row["text"].startswith("report("):
                    house.call(house.bot, "chat.delete", channel=house.channel(), ts=row["ts"])
            await anyio.sleep(3_600)
        assert told == at(23, 24)
        assert len(posts(house)) == 1
        assert not list(house.call(house.bot, "bookmarks.list", channel_id=house.channel())["bookmarks"])

    run(main)


def test_a_tick_whose_poster_died_before_it_posted_is_posted_by_another(house: House) -> None:
    async def main() -> None:
        handlers, told = hourly()
        async with house.at_work(handlers, workers=2):
            await anyio.sleep(3_000)
            [first] = [
                row["ts"]
                for row in house.call(house.bot, "conversations.history", channel=house.channel())["messages"]
                if row["text"].startswith("report(")
            ]
            house.call(house.bot, "reactions.add", channel=house.channel(), timestamp=first, name="arrow_forward")
            await anyio.sleep(3_600)
        assert told == at(23, 24)

    run(main)


def test_a_post_that_went_unanswered_is_a_tick_that_is_done_once(house: House) -> None:
    async def main() -> None:
        handlers, told = hourly()
        lost = iter(["lost", "late", None])

        def weather(method: str, args: object) -> str | None:
            return next(lost, None) if method == "chat.postMessage" and "report" in str(args) else None

        house.faults.append(weather)
        async with house.at_work(handlers, workers=2):
            await anyio.sleep(3_600)
        assert told == at(23)

    run(main)


def test_a_worker_that_drains_posts_no_further_tick(house: House) -> None:
    async def main() -> None:
        handlers, told = hourly()
        async with house.at_work(handlers):
            house.worker.drain()
            await anyio.sleep(2 * 3_600)
        assert told == []
        assert posts(house) == []

    run(main)
