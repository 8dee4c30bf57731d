"""Approvals: people decide, once; whoever waits learns it, and so does whoever takes its place."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.errors import ConfigurationError
from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.simulation.loop import run

from .asking import NO, YES, Scene, person

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.message import Message
    from slackmq.queue import AsyncQueue

    from .conftest import Bell, House


@pytest.fixture
def scene(house: House, bells: list[Bell]) -> Scene:
    return Scene(house=house, bells=bells, by=[person(house)])


async def ended(scene: Scene, queue: AsyncQueue) -> str:
    (row,) = await scene.house.ended(queue)
    return row.state


def test_a_handler_goes_on_once_somebody_who_may_has_approved(scene: Scene) -> None:
    async def main() -> None:
        async with scene.at_work() as queue:
            message = await queue.post("deploy")
            row = await scene.question(message.ts)
            assert "Deploy &lt;1.4&gt; to prod?" in row["text"]
            assert f"<@{scene.by[0]}>" in row["text"]
            await anyio.sleep(300)
            assert scene.given == []
            scene.press(message.ts, row, scene.by[0])
            assert await ended(scene, queue) == "done"
            (approval,) = scene.given
            assert approval.by == scene.by[0]
            assert scene.begun == 1  # its lease was extended all the while
            assert scene.buttons(message.ts) == 0
            assert f"<@{scene.by[0]}> approved it" in (await scene.question(message.ts))["text"]

    run(main)


@pytest.mark.parametrize("catching", [True, False])
def test_what_was_denied_is_dead_unless_the_handler_knows_better(scene: Scene, *, catching: bool) -> None:
    async def main() -> None:
        async with scene.at_work(catching=catching) as queue:
            message = await queue.post("deploy")
            scene.press(message.ts, await scene.question(message.ts), scene.by[0], NO)
            assert await ended(scene, queue) == ("done" if catching else "dead")
            assert scene.denied == ([scene.by[0]] if catching else [])
            assert scene.given == []
            said = "left alone" if catching else f":x: denied by &lt;@{scene.by[0]}&gt;"
            assert said in scene.house.thread(message.ts)

    run(main)


def test_a_decision_that_nobody_took_in_time_is_late(scene: Scene) -> None:
    async def main() -> None:
        scene.within = timedelta(minutes=2)
        async with scene.at_work() as queue:
            message = await queue.post("deploy")
            row = await scene.question(message.ts)
            assert await ended(scene, queue) == "dead"
            assert any("nobody decided within 0:02:00" in text for text in scene.house.thread(message.ts))
            assert "nobody decided in time" in (await scene.question(message.ts))["text"]
            scene.press(message.ts, row, scene.by[0])
            await scene.house.until(lambda: scene.whispers(scene.by[0]))
            assert "too late" in scene.whispers(scene.by[0])[0]
            assert scene.noted(message.ts, "press") == []

    run(main)


def test_any_process_of_the_app_may_get_the_press(scene: Scene) -> None:
    async def main() -> None:
        async with scene.at_work(workers=3) as queue:
            for at in range(3):
                message = await queue.post("deploy")
                scene.press(message.ts, await scene.question(message.ts), scene.by[0], at=at)
                await scene.house.ended(queue)
        assert len(scene.given) == 3

    run(main)


async def pressed_at_once(scene: Scene, queue: AsyncQueue, dice: Random) -> Message:
    """Two people press two buttons within two seconds, and each press comes to another process."""
    ann, ben = scene.by
    message = await queue.post("deploy")
    row = await scene.question(message.ts)
    presses = [(ann, YES, 0), (ben, NO, 1)]
    dice.shuffle(presses)
    for user, action, at in presses:
        scene.press(message.ts, row, user, action, at=at)
        await anyio.sleep(dice.choice([0.0, 0.05, 0.5, 2.0]))
    await scene.house.ended(queue)
    await anyio.sleep(30)
    return message


@pytest.mark.parametrize("seed", range(8))
def test_of_two_presses_at_once_the_first_in_the_thread_counts_for_everybody(scene: Scene, seed: int) -> None:
    """Each reply becomes visible up to 3.5 s late, some before older ones: less than the skew that all reckon with."""
    dice, house = Random(seed), scene.house  # noqa: S311  # a simulation's dice must be repeatable
    scene.by = [person(house, 0), person(house, 1)]
    real, delays = house.call, dict[str, float]()

    def delay(ts: str) -> float:
        return delays.setdefault(ts, dice.choice([0.0, 3.5]))

    def stale(token: str, method: str, **args: object) -> Mapping[str, Any]:
        reply = real(token, method, **args)
        if method == "conversations.replies" and token == house.bot and reply["ok"]:
            seen = [row for row in reply["messages"] if house.now() - float(row["ts"]) >= delay(row["ts"])]
            return {**reply, "messages": [row for row in reply["messages"] if row in seen or row["ts"] == args["ts"]]}
        return reply

    async def main() -> None:
        house.call = stale  # type: ignore[method-assign]  # a Slack that shows things late
        async with scene.at_work(workers=2, catching=True) as queue:
            message = await pressed_at_once(scene, queue, dice)
        house.call = real  # type: ignore[method-assign]  # as it was
        presses = scene.noted(message.ts, "press")
        assert presses
        first = min(presses, key=lambda row: float(row["ts"]))["metadata"]["event_payload"]
        approved = [approval.by for approval in scene.given]
        assert (approved, scene.denied) == (
            ([first["why"]], []) if first["result"] == "approve" else ([], [first["why"]])
        )
        assert f"<@{first['why']}>" in (await scene.question(message.ts))["text"]
        assert scene.buttons(message.ts) == 0
        (loser,) = {*scene.by} - {first["why"]}
        assert "too late" in scene.whispers(loser)[0]
        assert scene.whispers(first["why"]) == []

    run(main)


def test_who_takes_over_finds_the_question_and_what_was_decided_meanwhile(scene: Scene) -> None:
    async def main() -> None:
        async with scene.at_work(drain=timedelta(0)) as queue:
            message = await queue.post("deploy")
            row = await scene.question(message.ts)
            scene.house.worker.drain()  # what it does is handed back
            await scene.house.until(lambda: any("handed back" in text for text in scene.house.thread(message.ts)))
            scene.press(message.ts, row, scene.by[0])
            await scene.house.until(lambda: scene.noted(message.ts, "press"))
            await anyio.sleep(20)
            assert scene.given == []
        async with scene.at_work() as queue:
            assert await ended(scene, queue) == "done"
        assert scene.begun == 2
        assert [approval.by for approval in scene.given] == scene.by
        assert len(scene.noted(message.ts, "question")) == 1

    run(main)


def test_a_question_that_slack_did_not_answer_for_stands_once(scene: Scene) -> None:
    lost: list[str] = []

    def lose(method: str, args: Mapping[str, object]) -> str | None:
        if method == "chat.postMessage" and "blocks" in args and not lost:
            lost.append(method)
            return "no answer"
        return None

    async def main() -> None:
        scene.house.faults.append(lose)
        async with scene.at_work() as queue:
            message = await queue.post("deploy")
            await scene.house.until(lambda: lost)
            await anyio.sleep(30)
            scene.press(message.ts, await scene.question(message.ts), scene.by[0])
            assert await ended(scene, queue) == "done"

    run(main)


def test_without_a_socket_nobody_is_asked(house: House) -> None:
    refused: list[str] = []
    handlers = Handlers()

    @handlers.task
    async def deploy(job: Job) -> None:
        try:
            await job.approve("Deploy?", by=["U012AB3CD"])
        except ConfigurationError as error:
            refused.append(str(error))

    async def main() -> None:
        assert deploy is not None
        async with house.at_work(handlers) as queue:
            message = await queue.post("deploy")
            await house.ended(queue)
            assert house.thread(message.ts) == []

    run(main)
    assert "SLACK_APP_TOKEN" in refused[0]


@pytest.mark.parametrize(
    ("question", "by", "within"),
    [
        ("", ["U012AB3CD"], 60),
        ("x" * 2_001, ["U012AB3CD"], 60),
        ("Deploy?", [], 60),
        ("Deploy?", ["ann"], 60),
        ("Deploy?", "U012AB3CD", 60),
        ("Deploy?", ["U012AB3CD"], 0),
        ("Deploy?", ["U012AB3CD"], 10**7),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_posted(
    scene: Scene, question: str, by: list[str], within: int
) -> None:
    handlers = Handlers()
    refused: list[str] = []

    @handlers.task
    async def deploy(job: Job) -> None:
        try:
            await job.approve(question, by=by, within=timedelta(seconds=within))
        except ConfigurationError as error:
            refused.append(error.remedy)

    async def main() -> None:
        assert deploy is not None
        async with scene.house.at_work(handlers, bells=scene.bells) as queue:
            message = await queue.post("deploy")
            await scene.house.ended(queue)
            assert scene.rows(message.ts) == []

    run(main)
    assert all(refused)
    assert len(refused) == 1


def test_what_looks_like_a_secret_in_a_question_stands_nowhere_in_the_channel(house: House, bells: list[Bell]) -> None:
    handlers, scene = Handlers(), Scene(house=house, bells=bells, by=[person(house)])
    token = "xoxb" + "-1234567890-AbCdEfGhIjKl"

    @handlers.task
    async def deploy(job: Job) -> None:
        scene.given.append(await job.approve(f"Deploy with {token}?", by=scene.by))

    async def main() -> None:
        assert deploy is not None
        async with house.at_work(handlers, bells=bells) as queue:
            message = await queue.post("deploy")
            row = await scene.question(message.ts)
            assert "Deploy with xoxb-…?" in row["text"]
            scene.press(message.ts, row, scene.by[0])
            await house.ended(queue)
            assert len(scene.given) == 1
            assert token not in str(scene.rows(message.ts))

    run(main)


def test_a_question_stands_no_longer_than_a_hundred_leases_so_that_its_thread_stays_short(
    house: House, bells: list[Bell]
) -> None:
    handlers, scene, refused = Handlers(), Scene(house=house, bells=bells, by=[person(house)]), list[str]()

    async def deploy(job: Job) -> None:
        try:
            await job.approve("Deploy?", by=scene.by, within=timedelta(hours=2))
        except ConfigurationError as error:
            refused.append(error.remedy)

    handlers.task(name="soon")(deploy)
    handlers.task(name="patient", lease=timedelta(minutes=2))(deploy)

    async def main() -> None:
        async with house.at_work(handlers, bells=bells) as queue:
            await queue.post("soon")
            await house.ended(queue)
            message = await queue.post("patient")
            scene.press(message.ts, await scene.question(message.ts), scene.by[0])
            await house.ended(queue)

    run(main)
    assert refused == ["Give them 1:40:00 at most, or the handler a longer `lease`."]
