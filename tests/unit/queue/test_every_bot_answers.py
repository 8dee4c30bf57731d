"""What every process answers, and the arguments that each of them needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from slackmq.handlers import Handlers
from slackmq.message import Mrkdwn
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from .conftest import House


def test_mark_up_stays_mark_up_with_the_name_before_it(house: House) -> None:
    handlers = Handlers()

    @handlers.listen("who", every_bot=True)
    async def who() -> str:
        return Mrkdwn("*here*, <https://example.com|see>")

    async def main() -> None:
        assert who is not None
        async with house.at_work(handlers):
            await anyio.sleep(30)
            ts = house.types("who")
            await house.until(lambda: house.thread(ts))
            assert house.thread(ts) == ["w0: *here*, <https://example.com|see>"]

    run(main)


def test_a_long_body_for_every_bot_is_kept_though_one_is_done_and_the_poster_knew_nothing_of_it(house: House) -> None:
    handlers, loaded = Handlers(), list[int]()

    @handlers.task(every_bot=True)
    async def load(text: str) -> None:
        loaded.append(len(text))

    async def main() -> None:
        assert load is not None
        async with house.at_work(handlers) as queue:
            message = await queue.post("load", {"text": "x" * 9_000})
            assert (message.on, bool(message.file)) == ("", True)
            await house.until(lambda: loaded == [9_000])
            await anyio.sleep(3 * 3_600)  # files are listed every hour
            listed = house.call(house.bot, "files.list")["files"]
            assert [file["id"] for file in listed] == [message.file.partition("/")[0]]

    run(main)
