"""Paused: nobody begins anything, what runs may end, and all workers know within a scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.errors import Ambiguous
from slackmq.operating import looking
from slackmq.queue.pausing import NOTICE, pause, pause_of, resume
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from slackmq.claiming.way import Way

    from .conftest import House

SCAN = 6.0


@pytest.mark.parametrize("way", ["reaction", "pin"])
def test_what_is_posted_while_it_is_paused_waits_until_it_is_resumed(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        slack = house.slack()
        async with house.at_work(handlers, workers=2, claim=way) as queue:
            await pause(slack, queue.channel, by="Ann", shared=way == "pin")
            await anyio.sleep(SCAN + 1)
            message = await queue.post("work", {"n": 1})
            await anyio.sleep(120)
            assert (runs, house.marks(message.ts)) == ([], set())
            assert await resume(slack, queue.channel, by="Ann", shared=way == "pin")
            await anyio.sleep(SCAN + 10)
            assert [n for n, _, _ in runs] == [1]

    run(main)


def test_what_runs_while_it_is_paused_goes_on_and_is_marked(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            message = await queue.post("work", {"n": 1, "seconds": 100.0})
            await house.until(lambda: runs)
            await pause(house.slack(), queue.channel, by="Ann")
            await anyio.sleep(110)
            assert "white_check_mark" in house.marks(message.ts)

    run(main)


def test_a_worker_that_starts_while_it_is_paused_begins_nothing(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        slack = house.slack()
        async with house.visiting() as queue:
            await queue.post("work", {"n": 1})
            await pause(slack, queue.channel, by="Ann")
        async with house.at_work(handlers):
            await anyio.sleep(60)
            assert runs == []

    run(main)


def test_a_person_who_removes_the_bookmark_resumes_it(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        slack = house.slack()
        async with house.at_work(handlers) as queue:
            standing = await pause(slack, queue.channel, by="Ann")
            await queue.post("work", {"n": 1})
            await anyio.sleep(30)
            where = {"channel_id": house.channel(), "bookmark_id": standing.ident}
            assert house.call(house.people[0], "bookmarks.remove", **where)["ok"]
            await anyio.sleep(SCAN + 10)
            assert [n for n, _, _ in runs] == [1]

    run(main)


def test_a_pause_whose_message_was_never_posted_is_heeded_all_the_same(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            await queue.post("work", {"n": 1})
            await house.until(lambda: runs)
            house.faults.append(lambda method, _: "lost" if method == "chat.postMessage" else None)
            with pytest.raises(Ambiguous):
                await pause(house.slack(), queue.channel, by="Ann")
            house.faults.clear()
            await anyio.sleep(11 * 60)
            await queue.post("work", {"n": 2})
            await anyio.sleep(120)
            assert [n for n, _, _ in runs] == [1]

    run(main)


def test_an_unanswered_message_is_posted_again(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        unlucky = iter([True])
        async with house.at_work(handlers) as queue:
            await anyio.sleep(SCAN)
            house.faults.append(
                lambda method, _: "lost" if method == "chat.postMessage" and next(unlucky, False) else None
            )
            await pause(house.slack(), queue.channel, by="Ann")
            await anyio.sleep(SCAN)
            await queue.post("work", {"n": 1})
            await anyio.sleep(60)
            assert runs == []

    run(main)


def test_a_worker_that_was_cut_off_while_it_was_paused_begins_nothing(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        visitor = house.slack()
        async with house.at_work(handlers) as queue:
            await anyio.sleep(SCAN)
            house.faults.append(lambda method, _: "lost" if method == "conversations.history" else None)
            await pause(visitor, queue.channel, by="Ann")
            await anyio.sleep(15 * 60)
            house.faults.clear()
            await anyio.sleep(120)
            await queue.post("work", {"n": 1})
            await anyio.sleep(120)
            assert runs == []

    run(main)


def test_a_bookmark_that_the_first_read_misses_is_found_by_its_message(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.visiting() as queue:
            await pause(house.slack(), queue.channel, by="Ann")
        await anyio.sleep(2)
        house.hidden["bookmarks.list"] = {"ok": True, "bookmarks": []}
        async with house.at_work(handlers) as queue:
            await anyio.sleep(1.5)
            house.hidden.clear()
            await anyio.sleep(SCAN)
            await queue.post("work", {"n": 1})
            await anyio.sleep(120)
            assert runs == []

    run(main)


def test_where_one_app_may_not_read_bookmarks_it_heeds_what_the_others_say(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        slack = house.slack()
        async with house.at_work(handlers, workers=1, claim="pin") as queue:
            await anyio.sleep(SCAN)
            await pause(slack, queue.channel, by="Ann", shared=True)
            house.refused["bookmarks.list"] = "missing_scope"
            await anyio.sleep(SCAN)
            await queue.post("work", {"n": 1})
            await anyio.sleep(60)
            assert runs == []
            del house.refused["bookmarks.list"]
            assert await resume(slack, queue.channel, by="Ann", shared=True)
            house.refused["bookmarks.list"] = "missing_scope"
            await anyio.sleep(60)
            assert [n for n, _, _ in runs] == [1]

    run(main)


def test_strangers_pause_nothing_by_bookmark_or_message(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            await pause(house.slack(other=True), queue.channel, by="Eve")
            link = "https://pypi.org/project/slackmq/#v=1&paused=Eve"
            where = {"channel_id": house.channel(), "title": "x", "type": "link", "link": link}
            assert house.call(house.people[0], "bookmarks.add", **where)["ok"]
            metadata = {"event_type": NOTICE, "event_payload": {"paused": True}}
            house.call(house.people[0], "chat.postMessage", channel=house.channel(), text="x", metadata=metadata)
            await queue.post("work", {"n": 1})
            await anyio.sleep(30)
            assert [n for n, _, _ in runs] == [1]
            assert await pause_of(house.slack(), queue.channel.id) is None

    run(main)


def test_pausing_twice_is_one_pause_and_people_see_who_did_it(house: House) -> None:
    async def main() -> None:
        slack = house.slack()
        async with house.visiting() as queue:
            first = await pause(slack, queue.channel, by="Ann <!channel>")
            assert await pause(slack, queue.channel, by="Bob") == first
            shown = house.call(house.people[0], "conversations.history", channel=queue.channel.id)["messages"]
            texts = [row["text"] for row in shown if "paused" in row["text"]]
            assert len(texts) == 1
            assert texts[0].startswith(":double_vertical_bar: Ann &lt;!channel&gt; paused this queue")
            async with looking(slack, "#jobs") as look:
                assert look.pause == first
            assert await resume(slack, queue.channel, by="Bob")
            assert not await resume(slack, queue.channel, by="Bob")

    run(main)


def test_where_bookmarks_cannot_be_read_the_work_goes_on(house: House) -> None:
    async def main() -> None:
        house.refused["bookmarks.list"] = "missing_scope"
        handlers, runs = house.ran()
        async with house.at_work(handlers) as queue:
            await queue.post("work", {"n": 1})
            await house.ended(queue)
            assert [n for n, _, _ in runs] == [1]

    run(main)
