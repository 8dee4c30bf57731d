"""Long results go by file, and those that expire are gone when their time is over."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.errors import ResultUntold
from slackmq.handlers import Handlers
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from .conftest import House

HOUR = 3_600.0
DAY = 24 * HOUR


class Reports:
    """Handlers whose answers are long, or are told for a while only."""

    def __init__(self) -> None:
        self.handlers = Handlers()

        @self.handlers.task
        async def rows(count: int) -> list[dict[str, int]]:
            return [{"n": n} for n in range(count)]

        @self.handlers.task
        async def lines(count: int) -> str:
            return "`line`\n" * count

        @self.handlers.task(result_expires=timedelta(hours=1))
        async def fleeting(n: int) -> list[int]:
            return [n, n]

        self.rows, self.lines, self.fleeting = rows, lines, fleeting


def test_who_asks_gets_a_long_result_whole_and_typed(house: House) -> None:
    reports = Reports()

    async def main() -> None:
        async with house.at_work(reports.handlers) as queue:
            with reports.handlers.posting_to(queue):
                assert await reports.rows.ask(4_000) == [{"n": n} for n in range(4_000)]
                assert await reports.lines.ask(5_000) == "`line`\n" * 5_000
                assert await reports.lines.ask(1_200) == "`line`\n" * 1_200  # people are shown all of it

    run(main)
    assert house.filed() == ["answer.txt"] * 3


def test_a_long_result_whose_file_is_gone_or_changed_is_not_told(house: House) -> None:
    reports = Reports()

    async def main() -> None:
        async with house.at_work(reports.handlers) as queue:
            with reports.handlers.posting_to(queue):
                await reports.lines.keyed("k").ask(5_000)
                (ident,) = house.files
                house.files[ident] = b"other"
                with pytest.raises(ResultUntold, match="is not what was put there"):
                    await reports.lines.keyed("k").ask(5_000)
                house.call(house.bot, "files.delete", file=ident)
                with pytest.raises(ResultUntold, match="is gone"):
                    await reports.lines.keyed("k").ask(5_000)

    run(main)


def test_a_result_that_cannot_be_put_into_a_file_is_not_told_and_the_job_is_done(house: House) -> None:
    reports = Reports()
    house.refused["files.getUploadURLExternal"] = "missing_scope"

    async def main() -> None:
        async with house.at_work(reports.handlers) as queue:
            with reports.handlers.posting_to(queue):
                with pytest.raises(ResultUntold, match="could not be put into a file"):
                    await reports.lines.ask(5_000)
                with pytest.raises(ResultUntold, match="could not be put into a file") as caught:
                    await reports.fleeting.ask(3)
                assert [row.state for row in await house.ended(queue)] == ["done", "done"]
                assert house.thread(caught.value.ts) == ["The answer: it could not be put into a file."]

    run(main)


def test_a_result_that_expires_is_taken_out_of_the_thread_when_its_time_is_over(house: House) -> None:
    reports = Reports()

    async def main() -> None:
        async with house.at_work(reports.handlers) as queue:
            with reports.handlers.posting_to(queue):
                assert await reports.fleeting.keyed("k").ask(3) == [3, 3]
                (row,) = await queue.inspect()
                assert len(house.filed()) == 1
                await anyio.sleep(HOUR)
                with pytest.raises(ResultUntold, match="it expired at 2023-11-14 23:1"):
                    await reports.fleeting.keyed("k").ask(3)
                await anyio.sleep(600)
                assert house.filed() == []
                with pytest.raises(ResultUntold, match="it expired at 2023-11-14 23:1"):
                    await reports.fleeting.keyed("k").ask(3)
                lines = house.thread(row.message.ts)
                assert "white_check_mark" in house.marks(row.message.ts)
        assert lines[-1].startswith("The answer is in the file, until 2023-11-14 23:1")
        channel = house.channel()
        found = house.call(
            house.bot, "conversations.replies", channel=channel, ts=row.message.ts, include_all_metadata=True
        )
        assert "result" not in found["messages"][-1]["metadata"]["event_payload"]

    run(main)


def test_who_was_down_when_a_result_expired_takes_it_out_later(house: House) -> None:
    reports = Reports()

    async def main() -> None:
        async with house.at_work(reports.handlers) as queue:
            with reports.handlers.posting_to(queue):
                await reports.fleeting.ask(3)
        await anyio.sleep(3 * DAY)
        assert len(house.filed()) == 1
        async with house.at_work(reports.handlers):
            await anyio.sleep(HOUR)
        assert house.filed() == []

    run(main)
