"""The Home tab at work: who opens it sees the queue, who may has buttons, and they do what they say."""

from __future__ import annotations

from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.errors import ConfigurationError
from slackmq.home.home import Home
from slackmq.home.tab import Tab
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run
from slackmq.slack.api import HomeOpened, Pressed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .conftest import House


class Visit:
    """A Home tab, as people see it."""

    def __init__(self, house: House, tab: Tab) -> None:
        self.house = house
        self.tab = tab

    def person(self, number: int) -> str:
        return str(self.house.operate("emulator.users.list")["users"][number]["id"])

    def blocks(self, user: str) -> list[dict[str, Any]]:
        surfaces = self.house.workspace._state.surfaces
        found = [view for (_, seen_by), view in surfaces.homes.items() if seen_by == user]
        return surfaces.views[found[0]].row["blocks"] if found else []

    def text(self, user: str) -> str:
        return str(self.blocks(user))

    def values(self, user: str) -> dict[str, str]:
        """The buttons: name -> value."""
        blocks = self.blocks(user)
        elements = [block["accessory"] for block in blocks if "accessory" in block]
        elements += [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
        return {element["action_id"].removeprefix("slackmq_home_"): element["value"] for element in elements}

    async def opened(self, user: str) -> None:
        self.tab.notice(HomeOpened(user=user))
        await self.house.until(lambda: self.blocks(user))

    async def press(self, user: str, deed: str, value: str | None = None) -> None:
        carried = self.values(user)[deed] if value is None else value
        self.tab.notice(Pressed(user=user, action=f"slackmq_home_{deed}", value=carried))
        await anyio.sleep(15)


@asynccontextmanager
async def visit(house: House, *channels: str, allowed: int | None = 0) -> AsyncGenerator[Visit]:
    users = house.operate("emulator.users.list")["users"]
    home = Home(allowed=[] if allowed is None else [users[allowed]["id"]])
    clock = SimClock(Random(5))  # noqa: S311  # a simulation's dice must be repeatable
    tab = Tab(house.slack(clock=clock), home, channels or ["#jobs"], clock=clock, worker="home")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tab.run)
        yield Visit(house, tab)
        tasks.cancel_scope.cancel()


def test_who_opens_it_sees_the_queue_and_who_may_has_buttons(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with visit(house) as seen:
            ann, ben = seen.person(0), seen.person(1)
            assert seen.blocks(ann) == []
            async with house.at_work(handlers) as queue:
                await queue.post("work", {"n": 1})
                await house.ended(queue)
            await seen.opened(ann)
            await seen.opened(ben)
            for user in (ann, ben):
                assert "*Done*\\n1 in 1 d" in seen.text(user)
                assert "w0" in seen.text(user)
            assert set(seen.values(ann)) == {"pause"}
            assert seen.values(ben) == {}

    run(main)


def test_pause_and_resume_do_what_they_say_and_the_channel_tells_who_it_was(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with visit(house) as seen, house.at_work(handlers) as queue:
            ann = seen.person(0)
            await seen.opened(ann)
            await seen.press(ann, "pause")
            assert "is paused" in seen.text(ann)
            assert f"*Paused* by <@{ann}>" in seen.text(ann)
            await queue.post("work", {"n": 1})
            await anyio.sleep(60)
            assert runs == []
            await seen.press(ann, "resume")
            await house.until(lambda: runs)
            rows = house.call(house.people[0], "conversations.history", channel=house.channel())["messages"]
            assert sum(f"<@{ann}> paused this queue" in row["text"] for row in rows) == 1

    run(main)


def test_a_dead_job_is_posted_again_and_one_that_waits_is_cancelled(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with visit(house) as seen:
            ann = seen.person(0)
            async with house.at_work(handlers) as queue:
                await queue.post("work", {"n": 1, "fail": 3})
                await house.ended(queue)
            await seen.opened(ann)
            await seen.press(ann, "redrive")
            assert "posted again" in seen.text(ann)
            assert set(seen.values(ann)) == {"pause", "cancel"}  # the new job waits
            await seen.press(ann, "cancel")
            assert "It is cancelled" in seen.text(ann)
            async with house.visiting() as queue:
                assert [row.state for row in await queue.inspect()] == ["dead", "cancelled"]
            assert len(runs) == 3

    run(main)


def test_who_may_not_and_what_is_not_shown_changes_nothing(house: House) -> None:
    async def main() -> None:
        async with visit(house) as seen:
            ann, ben = seen.person(0), seen.person(1)
            channel = house.channel()
            await seen.opened(ben)
            await seen.press(ben, "pause", channel)
            assert "not for you" in seen.text(ben)
            await seen.opened(ann)
            for deed, value in (
                ("pause", house.channel("general")),
                ("cancel", f"{channel}/1.000000"),
                ("evil", channel),
            ):
                await seen.press(ann, deed, value)
            await seen.press(ann, "redrive", channel)
            assert house.call(house.people[0], "bookmarks.list", channel_id=channel)["bookmarks"] == []
            assert seen.values(ann) == {"pause": channel}

    run(main)


def test_it_is_published_anew_only_where_something_changed_and_not_for_ever(house: House) -> None:
    async def main() -> None:
        async with visit(house) as seen:
            ann = seen.person(0)
            await seen.opened(ann)
            await anyio.sleep(60)
            assert house.calls.count("views.publish") == 1
            async with house.visiting() as queue:
                await queue.post("work", {"n": 1})
            await house.until(lambda: "*Waiting*\\n1" in seen.text(ann))
            assert house.calls.count("views.publish") == 2
            await anyio.sleep(300)
            looked = house.calls.count("conversations.history")
            await anyio.sleep(300)
            assert house.calls.count("conversations.history") == looked

    run(main)


def test_a_channel_that_cannot_be_read_is_left_out_and_an_app_without_the_tab_goes_on(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with visit(house, "#nowhere", "#jobs") as seen:
            ann = seen.person(0)
            house.refused["views.publish"] = "not_enabled"
            seen.tab.notice(HomeOpened(user=ann))
            await house.until(lambda: "slackmq manifest --home" in caplog.text)
            assert "#nowhere is left out" in caplog.text
            del house.refused["views.publish"]
            await seen.opened(ann)
            assert set(seen.values(ann)) == {"pause"}

    run(main)


@pytest.mark.parametrize(("allowed", "channels"), [(["ann"], []), ("U012AB3CD", []), ([], "#jobs"), ([], ["#a"] * 5)])
def test_a_home_that_cannot_be_meant_is_refused(allowed: Any, channels: Any) -> None:
    with pytest.raises(ConfigurationError):
        Home(allowed=allowed, channels=channels)


def test_whoever_opens_it_however_often_leaves_the_workers_their_reads(house: House) -> None:
    names = ["#jobs", *(f"#more-{number}" for number in range(4))]

    async def main() -> None:
        for name in names[1:]:
            assert house.call(house.bot, "conversations.create", name=name.removeprefix("#"))["ok"]
        async with visit(house, *names) as seen:
            ben = seen.person(1)
            await seen.opened(ben)
            before = house.calls.count("conversations.history")
            for _ in range(100):
                seen.tab.notice(HomeOpened(user=ben))
                await anyio.sleep(3)
            assert house.calls.count("conversations.history") - before <= 5 * 12 + 10

    run(main)


def test_a_button_is_heeded_soon_however_often_the_tab_was_opened_before(house: House) -> None:
    async def main() -> None:
        async with visit(house) as seen:
            ann = seen.person(0)
            await seen.opened(ann)
            for _ in range(200):
                seen.tab.notice(HomeOpened(user=ann))
            await seen.press(ann, "pause")
            assert "is paused" in seen.text(ann)

    run(main)
