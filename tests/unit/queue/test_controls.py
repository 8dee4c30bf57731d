"""Emoji as controls: off by default, for those who may, once among all workers, and the thread says who asked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.errors import ConfigurationError
from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.queue.controls import Controls
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .conftest import House

SCAN = 6.0


def person(house: House, number: int = 0) -> str:
    return str(house.call(house.people[number], "auth.test")["user_id"])


def react(house: House, ts: str, emoji: str, *, number: int = 0) -> None:
    where = {"channel": house.channel(), "timestamp": ts, "name": emoji}
    assert house.call(house.people[number], "reactions.add", **where)["ok"]


def slow() -> tuple[Handlers, list[int]]:
    """A handler that takes a minute, and which jobs it began."""
    handlers = Handlers()
    began: list[int] = []

    @handlers.task
    async def work(job: Job, n: int) -> None:
        assert job.attempt
        began.append(n)
        await anyio.sleep(60)

    assert work is not None
    return handlers, began


@pytest.mark.parametrize("workers", [1, 3])
def test_who_may_cancels_a_running_job_and_one_bot_says_who_it_was(house: House, workers: int) -> None:
    async def main() -> None:
        handlers, began = slow()
        ann = person(house)
        async with house.at_work(handlers, workers=workers, controls=Controls(allowed=[ann])) as queue:
            message = await queue.post("work", {"n": 1})
            await house.until(lambda: began)
            react(house, message.ts, "x")
            await house.until(lambda: sum(f"<@{ann}>" in text for text in house.thread(message.ts)))
            await anyio.sleep(30)
            assert "no_entry_sign" in house.marks(message.ts)
            assert [row.state for row in await queue.inspect()] == ["cancelled"]
            assert sum(f"<@{ann}>" in text for text in house.thread(message.ts)) == 1

    run(main)


def test_who_may_not_cancels_nothing_and_neither_does_anybody_by_default(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        for controls in (None, Controls(allowed=[person(house, 1)])):
            async with house.at_work(handlers, controls=controls) as queue:
                message = await queue.post("work", {"n": 1, "seconds": 30.0}, key=f"{controls}")
                await house.until(lambda: runs)
                react(house, message.ts, "x")
                await anyio.sleep(60)
                assert "white_check_mark" in house.marks(message.ts)
                assert "no_entry_sign" not in house.marks(message.ts)
            runs.clear()

    run(main)


def test_a_job_that_is_done_is_refused_with_a_clear_word_once(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        ann = person(house)
        async with house.at_work(handlers, workers=2, controls=Controls(allowed=[ann])) as queue:
            message = await queue.post("work", {"n": 1})
            await house.ended(queue)
            react(house, message.ts, "x")
            await anyio.sleep(150)
            told = [text for text in house.thread(message.ts) if ann in text]
            assert len(told) == 1
            assert "is done already" in told[0]
            assert [row.state for row in await queue.inspect()] == ["done"]

    run(main)


def test_a_dead_job_is_posted_again_once(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        ann = person(house)
        async with house.at_work(handlers, workers=2, controls=Controls(allowed=[ann])) as queue:
            message = await queue.post("work", {"n": 1, "fail": 3})
            await house.ended(queue)
            assert len(runs) == 3
            react(house, message.ts, "repeat")
            await anyio.sleep(150)
            rows = await queue.inspect()
            assert len(rows) == 2
            told = [text for text in house.thread(message.ts) if ann in text]
            assert len(told) == 1
            assert "posted again" in told[0]

    run(main)


@pytest.mark.parametrize("what", ["lost", "unanswered", "looked up in vain"])
def test_a_wish_is_done_also_where_slack_gives_no_answer(house: House, what: str) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        ann = person(house)
        async with house.at_work(handlers, workers=2, controls=Controls(allowed=[ann])) as queue:
            message = await queue.post("work", {"n": 1, "fail": 3})
            await house.ended(queue)
            struck: list[str] = []

            def fault(method: str, args: Mapping[str, object]) -> str | None:
                """The bot's own emoji goes unanswered once, or the look at the job after it until that is given up."""
                if what != "looked up in vain":
                    strikes = args.get("name") == "repeat" and not struck
                else:
                    strikes = marked(house, message.ts) and args.get("latest") == message.ts and len(struck) < 4
                struck.extend([method] * strikes)
                return what if strikes else None

            house.faults.append(fault)
            react(house, message.ts, "repeat")
            await house.until(lambda: struck)
            await anyio.sleep(300)
            assert len(await queue.inspect()) == 2
            assert any(ann in text for text in house.thread(message.ts))
            assert len(runs) == 6

    run(main)


def marked(house: House, ts: str) -> bool:
    """Whether the bot has put its own emoji beside the person's."""
    where = {"channel": house.channel(), "timestamp": ts, "full": True}
    message = house.call(house.people[0], "reactions.get", **where)["message"]
    return any(reaction["name"] == "repeat" and reaction["count"] > 1 for reaction in message.get("reactions", []))


def test_a_wish_that_slack_refuses_is_not_tried_at_every_read(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers, controls=Controls(allowed=[person(house)])) as queue:
            message = await queue.post("work", {"n": 1, "fail": 3})
            await house.ended(queue)
            await queue.post("work", {"n": 2, "seconds": 200.0})
            house.faults.append(lambda _, args: "refused" if args.get("name") == "repeat" else None)
            react(house, message.ts, "repeat")
            await anyio.sleep(100)
            assert house.denied == ["reactions.add"]

    run(main)


def test_an_arrow_lets_a_job_go_before_all_others(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        ann = person(house)
        async with house.at_work(handlers, controls=Controls(allowed=[ann]), concurrency=1) as queue:
            await queue.post("work", {"n": 0, "seconds": 30.0})
            await house.until(lambda: runs)
            await queue.post("work", {"n": 1}, priority=9)
            last = await queue.post("work", {"n": 2})
            react(house, last.ts, "arrow_up")
            await house.ended(queue)
            assert [n for n, _, _ in runs] == [0, 2, 1]
            assert any(f"<@{ann}> put it before" in text for text in house.thread(last.ts))

    run(main)


@pytest.mark.parametrize("emoji", ["arrow_up", "repeat"])
def test_a_delayed_job_that_bears_a_wish_is_begun_when_its_time_has_come(house: House, emoji: str) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, controls=Controls(allowed=[person(house)])) as queue:
            message = await queue.post("work", {"n": 1}, delay=timedelta(minutes=20))
            await anyio.sleep(30)
            react(house, message.ts, emoji)
            await anyio.sleep(60)
            assert runs == []
            await anyio.sleep(20 * 60)
            assert [n for n, _, _ in runs] == [1]

    run(main)


def test_emoji_on_what_people_say_to_each_other_do_nothing(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        async with house.at_work(handlers, controls=Controls(allowed=[person(house)])):
            said = house.types("good morning")
            for emoji in ("x", "repeat", "arrow_up"):
                react(house, said, emoji)
            await anyio.sleep(150)
            assert house.marks(said) == {"x", "repeat", "arrow_up"}
            assert house.thread(said) == []
            rows = house.call(house.people[0], "conversations.history", channel=house.channel())["messages"]
            reactions = next(row["reactions"] for row in rows if row["ts"] == said)
            assert all(reaction["count"] == 1 for reaction in reactions)

    run(main)


@pytest.mark.parametrize("allowed", [["Ann"], ["@ann"], ["B012AB3CD"], "U012AB3CD"])
def test_people_are_named_by_user_id(allowed: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="ids of users"):
        Controls(allowed=allowed)


def test_one_emoji_cannot_ask_for_two_things() -> None:
    with pytest.raises(ConfigurationError, match="two things"):
        Controls(allowed=["U012AB3CD"], again="x")


def test_an_emoji_is_named_without_colons_and_its_skin_tone_says_nothing() -> None:
    with pytest.raises(ConfigurationError, match="without colons"):
        Controls(allowed=["U012AB3CD"], cancel=":raised_hand:")
    controls = Controls(allowed=["U012AB3CD"], cancel="raised_hand")
    shown = {"raised_hand::skin-tone-4": frozenset({"U012AB3CD"}), "x": frozenset({"U012AB3CD"})}
    assert controls.wanted(shown, frozenset({"U012AB3CD"})) == {"cancel": "U012AB3CD"}


def test_help_and_a_suggestion_are_answered_by_one_of_several_workers(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        handlers.explain()
        async with house.at_work(handlers, workers=3) as queue:
            asked, typo = house.types("help"), house.types("toggel dining light")
            await anyio.sleep(200)
            assert await queue.inspect()
            assert [text.splitlines()[0] for text in house.thread(asked)] == ["You can say:"]
            assert house.thread(typo) == ["Did you mean `toggle dining light`?"]
            assert runs == []

    run(main)


def test_the_people_of_a_group_steer_and_nobody_does_by_one_that_cannot_be_read(house: House) -> None:
    users = [str(row["id"]) for row in house.operate("emulator.users.list")["users"]]
    group = str(house.operate("emulator.usergroups.put", handle="ops", users=[users[1]])["usergroup"]["id"])

    async def main() -> None:
        handlers, _ = slow()
        async with house.at_work(handlers, controls=Controls(allowed=[group])) as queue:
            house.refused["usergroups.users.list"] = "missing_scope"
            message = await queue.post("work", {"n": 1})
            react(house, message.ts, "x", number=1)
            await anyio.sleep(40)
            assert "no_entry_sign" not in house.marks(message.ts)
            del house.refused["usergroups.users.list"]
            react(house, message.ts, "x", number=0)  # somebody who may not, beside somebody who may
            await house.until(lambda: any(f"<@{users[1]}>" in text for text in house.thread(message.ts)))
            await house.ended(queue)
            assert [row.state for row in await queue.inspect()] == ["cancelled"]

    run(main)
