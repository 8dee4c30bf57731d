"""A channel is worked in one way: what is chosen, where it is written, and who is refused."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackmq.app import App
from slackmq.claiming.marks import Marks
from slackmq.claiming.way import WAYS
from slackmq.errors import ConfigurationError
from slackmq.policy import Timing
from slackmq.queue.agreement import EVERY
from slackmq.queue.setting import Setting, found, setting_of
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from slackmq.claiming.way import Way
    from slackmq.queue.setting import Choice

    from .conftest import House


@given(
    way=st.sampled_from(WAYS),
    times=st.tuples(*[st.integers(0, 10_000).map(lambda n: timedelta(seconds=n / 10))] * 3),
    marks=st.text("0123456789abcdef", min_size=1),
    why=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_a_setting_can_be_read_from_the_bookmark_that_it_makes(
    way: Way, times: tuple[timedelta, timedelta, timedelta], marks: str, why: str
) -> None:
    lease, margin, skew = times
    setting = Setting(way=way, lease=lease, margin=margin, skew=skew, marks=marks, why=why)
    parsed = Setting.parse(setting.link)
    assert parsed == setting
    assert parsed is not None
    assert parsed.why == why


@given(st.text())
def test_a_bookmark_that_people_made_is_no_setting(words: str) -> None:
    assert Setting.parse(words) is None
    assert Setting.parse(f"https://pypi.org/project/slackmq/#v=1&claim={words}&lease={words}") is None


def mine(way: Way = "reaction") -> Setting:
    return setting_of(way, timing=Timing(), marks=Marks(), socket=True, peers=False)


def test_left_alone_one_app_claims_by_reactions_and_several_by_pins() -> None:
    timing, marks = Timing(), Marks()
    alone = setting_of("auto", timing=timing, marks=marks, socket=True, peers=False)
    several = setting_of("auto", timing=timing, marks=marks, socket=False, peers=True)
    assert (alone.way, several.way) == ("reaction", "pin")
    assert "Socket Mode" in alone.why
    assert "polling" in several.why


def test_whoever_comes_later_and_leaves_the_choice_open_takes_what_the_channel_is_set_to(house: House) -> None:
    async def main() -> None:
        async with App("#jobs", claim="native").over(house.slack()), App("#jobs").over(house.slack()):
            setting = await found(house.slack(), await house.slack().channel("#jobs"))
            assert setting == mine("native")
        assert house.calls.count("bookmarks.add") == 1

    run(main)


def test_whoever_finds_no_setting_but_jobs_that_another_app_posted_for_everybody_claims_by_pins(house: House) -> None:
    async def main() -> None:
        house.call(house.stranger, "conversations.join", channel=house.channel())
        async with App("#jobs", claim="pin").over(house.slack(other=True)) as queue:
            await queue.post("work", {})
        (mark,) = await house.slack().bookmarks(house.channel())
        house.call(house.people[0], "bookmarks.remove", channel_id=house.channel(), bookmark_id=mark.id)
        async with App("#jobs").over(house.slack()):
            setting = await found(house.slack(), await house.slack().channel("#jobs"))
        assert setting == mine("pin")
        assert setting is not None
        assert "2 apps" in setting.why

    run(main)


def test_jobs_that_another_app_posted_for_itself_are_no_reason_to_share(house: House) -> None:
    async def main() -> None:
        house.call(house.stranger, "conversations.join", channel=house.channel())
        async with App("#jobs").over(house.slack(other=True)) as queue:
            await queue.post("work", {})
        (mark,) = await house.slack().bookmarks(house.channel())
        house.call(house.people[0], "bookmarks.remove", channel_id=house.channel(), bookmark_id=mark.id)
        async with App("#jobs").over(house.slack()):
            assert await found(house.slack(), await house.slack().channel("#jobs")) == mine("reaction")

    run(main)


def test_two_settings_in_one_channel_are_refused_and_the_error_says_what_differs(house: House) -> None:
    async def main() -> None:
        house.call(house.stranger, "conversations.join", channel=house.channel())
        async with App("#jobs", claim="reaction").over(house.slack()):
            with pytest.raises(ConfigurationError, match="claim pin, there reaction"):
                async with App("#jobs", claim="pin").over(house.slack(other=True)):
                    pass
            with pytest.raises(ConfigurationError, match="lease 90 s, there 60 s"):
                async with App("#jobs", timing=Timing(lease=timedelta(seconds=90))).over(house.slack()):
                    pass

    run(main)


@pytest.mark.parametrize("later", [n / 20 for n in range(10)])
@pytest.mark.parametrize("choice", ["auto", "reaction"])
def test_of_two_that_choose_differently_at_the_same_moment_one_is_refused(
    house: House, later: float, choice: Choice
) -> None:
    refused: list[ConfigurationError] = []

    async def works(seconds: int, choice: Choice, delay: float) -> None:
        await anyio.sleep(delay)
        try:
            timing = Timing(lease=timedelta(seconds=seconds))
            async with App("#jobs", claim=choice, timing=timing).over(house.slack()):
                await anyio.sleep(60)
        except ConfigurationError as error:
            refused.append(error)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(works, 60, choice, 0.0)
            tasks.start_soon(works, 90, "reaction", later)
        assert len(refused) == 1
        assert len(await house.slack().bookmarks(house.channel())) == 1

    run(main)


def test_a_setting_that_a_newer_version_wrote_is_refused_and_no_second_one_is_made(house: House) -> None:
    async def main() -> None:
        newer = mine().link.replace("v=1", "v=2")
        await house.slack().bookmark(house.channel(), "SlackMQ: claims by reaction, 60 s", newer)
        with pytest.raises(ConfigurationError, match=r"written in version 2, .* reads 1.*Upgrade slackmq here"):
            async with App("#jobs").over(house.slack()):
                pass
        assert await found(house.slack(), await house.slack().channel("#jobs")) is None
        assert len(await house.slack().bookmarks(house.channel())) == 1

    run(main)


def test_once_a_person_removes_the_bookmark_another_setting_may_be_chosen(house: House) -> None:
    async def main() -> None:
        async with App("#jobs", claim="reaction").over(house.slack()):
            pass
        (mark,) = await house.slack().bookmarks(house.channel())
        house.call(house.people[0], "bookmarks.remove", channel_id=house.channel(), bookmark_id=mark.id)
        async with App("#jobs", claim="pin").over(house.slack()):
            (mark,) = await house.slack().bookmarks(house.channel())
        assert "pin" in mark.title

    run(main)


def test_a_worker_that_goes_on_under_another_setting_is_told_and_ends(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with App("#jobs", claim="reaction").over(house.slack()) as queue:
            (mark,) = await house.slack().bookmarks(house.channel())
            house.call(house.people[0], "bookmarks.remove", channel_id=house.channel(), bookmark_id=mark.id)
            async with App("#jobs", claim="native").over(house.slack()):
                with anyio.fail_after(2 * EVERY), pytest.raises(ConfigurationError, match="reaction, there native"):
                    await AsyncWorker(queue, handlers).run()

    run(main)


def test_a_worker_sets_the_channel_again_whose_bookmark_somebody_removed(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        clock = SimClock(Random(0))  # noqa: S311  # dice, not keys
        app = App("#jobs", claim="reaction", clock=clock)
        async with app.over(house.slack(clock=clock)) as queue, anyio.create_task_group() as tasks:
            tasks.start_soon(AsyncWorker(queue, handlers, clock=clock).run)
            (mark,) = await house.slack().bookmarks(house.channel())
            house.call(house.people[0], "bookmarks.remove", channel_id=house.channel(), bookmark_id=mark.id)
            await anyio.sleep(2 * EVERY)
            assert [mark.title for mark in await house.slack().bookmarks(house.channel())] == [mark.title]
            tasks.cancel_scope.cancel()

    run(main)


def test_where_bookmarks_are_not_allowed_the_app_works_and_warns(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.refused["bookmarks.list"] = "restricted_action"

    async def main() -> None:
        async with App("#jobs").over(house.slack()) as queue:
            await queue.post("work", {})

    run(main)
    assert "cannot see whether #jobs is worked in one way only" in caplog.text


def test_an_app_beside_another_one_is_told_that_they_do_not_share_the_work(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        house.call(house.stranger, "conversations.join", channel=house.channel())
        async with App("#jobs").over(house.slack(other=True)), App("#jobs").over(house.slack()):
            pass

    run(main)
    assert "another app works #jobs by reaction" in caplog.text
