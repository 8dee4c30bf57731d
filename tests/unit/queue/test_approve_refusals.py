"""Presses that do not count: of who may not, of the requester, of what was never asked, and of who came second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.simulation.loop import run
from slackmq.slack.api import Pressed

from .asking import NO, YES, Scene, person

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .conftest import Bell, House


@pytest.fixture
def scene(house: House, bells: list[Bell]) -> Scene:
    return Scene(house=house, bells=bells, by=[person(house)])


def test_who_may_not_is_told_so_and_nothing_changes(scene: Scene) -> None:
    ann, ben = person(scene.house, 0), person(scene.house, 1)

    async def main() -> None:
        async with scene.at_work() as queue:
            message = await queue.post("deploy")
            row = await scene.question(message.ts)
            scene.press(message.ts, row, ben)
            await scene.house.until(lambda: scene.whispers(ben))
            assert f"Only <@{ann}> may decide" in scene.whispers(ben)[0]
            await anyio.sleep(60)
            assert (scene.given, scene.noted(message.ts, "press"), scene.buttons(message.ts)) == ([], [], 1)

    run(main)


def test_who_asked_for_the_job_does_not_decide_about_it(scene: Scene) -> None:
    ann, ben = scene.by = [person(scene.house, 0), person(scene.house, 1)]

    async def main() -> None:
        async with scene.at_work() as queue:
            ts = scene.house.types("deploy")
            row = await scene.question(ts)
            scene.press(ts, row, ann)
            await scene.house.until(lambda: scene.whispers(ann))
            assert "somebody else must decide" in scene.whispers(ann)[0]
            assert scene.noted(ts, "press") == []
            scene.press(ts, row, ben)
            await scene.house.until(lambda: scene.given)
            assert scene.given[0].by == ben
            await scene.house.ended(queue)

    run(main)


def test_a_value_that_belongs_to_no_question_there_does_nothing(scene: Scene) -> None:
    async def main() -> None:
        async with scene.at_work(workers=2) as queue:
            first, second = await queue.post("deploy"), await queue.post("deploy")
            rows = [await scene.question(first.ts), await scene.question(second.ts)]
            value = rows[1]["blocks"][-1]["elements"][0]["value"]
            for forged in ("", "0" * 32, value):  # the last one is right, for the other job
                scene.ring(first.ts, rows[0]["ts"], scene.by[0], YES, forged)
            await scene.house.until(lambda: len(scene.whispers(scene.by[0])) == 3)
            assert all("no question" in text for text in scene.whispers(scene.by[0]))
            await anyio.sleep(60)
            assert scene.given == []
            scene.ring("1.000000", "1.000001", scene.by[0], YES, value)  # no such thread
            scene.bells[0].ring(Pressed(user=scene.by[0], action=YES, value=value))  # in a Home tab
            await anyio.sleep(60)
            assert scene.given == []

    run(main)


def test_a_stranger_s_copy_of_a_question_is_none(scene: Scene) -> None:
    async def main() -> None:
        async with scene.at_work() as queue:
            message = await queue.post("deploy")
            row = await scene.question(message.ts)
            payload = row["metadata"]["event_payload"]
            house = scene.house
            ident = payload["op"]
            forged = {
                **payload,
                "note": "press",
                "op": "1" * 32,
                "about": ident,
                "why": scene.by[0],
                "result": "approve",
            }
            metadata = {"event_type": "slackmq_note", "event_payload": forged}
            where = {"channel": house.channel(), "thread_ts": message.ts, "text": "yes", "metadata": metadata}
            house.call(house.stranger, "conversations.join", channel=house.channel())
            assert house.call(house.stranger, "chat.postMessage", **where)["ok"]
            await anyio.sleep(120)
            assert scene.given == []

    run(main)


def test_a_second_press_is_told_who_was_first(scene: Scene) -> None:
    ann, ben = scene.by = [person(scene.house, 0), person(scene.house, 1)]

    async def main() -> None:
        async with scene.at_work() as queue:
            message = await queue.post("deploy")
            row = await scene.question(message.ts)
            scene.press(message.ts, row, ann)
            await scene.house.ended(queue)
            scene.press(message.ts, row, ben, NO)
            await scene.house.until(lambda: scene.whispers(ben))
            assert f"too late: <@{ann}> decided" in scene.whispers(ben)[0]
            assert len(scene.noted(message.ts, "press")) == 1

    run(main)


def test_the_people_of_a_group_may(scene: Scene) -> None:
    ann, ben = person(scene.house, 0), person(scene.house, 1)
    group = str(scene.house.operate("emulator.usergroups.put", handle="ops", users=[ben])["usergroup"]["id"])
    scene.by = [group]

    async def main() -> None:
        async with scene.at_work() as queue:
            message = await queue.post("deploy")
            row = await scene.question(message.ts)
            assert f"<!subteam^{group}>" in row["text"]
            scene.press(message.ts, row, ann)
            await scene.house.until(lambda: scene.whispers(ann))
            scene.press(message.ts, row, ben)
            await scene.house.until(lambda: scene.given)
            assert scene.given[0].by == ben
            await scene.house.ended(queue)

    run(main)


def test_nobody_may_by_a_group_that_cannot_be_read(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    ann = person(scene.house)
    group = str(scene.house.operate("emulator.usergroups.put", handle="ops", users=[ann])["usergroup"]["id"])
    scene.by = [group]
    scene.house.refused["usergroups.users.list"] = "missing_scope"

    async def main() -> None:
        async with scene.at_work() as queue:
            message = await queue.post("deploy")
            row = await scene.question(message.ts)
            scene.press(message.ts, row, ann)
            await scene.house.until(lambda: scene.whispers(ann))
            assert scene.noted(message.ts, "press") == []

    run(main)
    assert f"nobody is allowed by the user group {group}" in caplog.text


def test_a_press_that_is_written_down_counts_and_nobody_is_told_otherwise(scene: Scene) -> None:
    """Slack does not answer when the buttons shall go: that is no reason to press again."""
    unanswered: list[str] = []

    def fault(method: str, args: Mapping[str, object]) -> str | None:
        if method != "chat.update" or unanswered:
            return None
        unanswered.append(str(args["ts"]))
        return "lost"

    async def main() -> None:
        async with scene.at_work() as queue:
            message = await queue.post("deploy")
            row = await scene.question(message.ts)
            scene.house.faults.append(fault)
            scene.press(message.ts, row, scene.by[0])
            await scene.house.ended(queue)
            await anyio.sleep(60)
            assert unanswered == [row["ts"]]
            assert len(scene.given) == 1
            assert scene.whispers(scene.by[0]) == []

    run(main)
