"""Approvals: people decide, once, if they may; whoever waits learns it, and so does whoever takes its place."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.approval import Approval  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.errors import ConfigurationError, Denied
from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # likewise
from slackmq.simulation.loop import run
from slackmq.slack.api import Pressed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from slackmq.message import Message
    from slackmq.queue import AsyncQueue

    from .conftest import Bell, House

YES, NO = "slackmq_approve", "slackmq_deny"
HALF_AN_HOUR = timedelta(minutes=30)


def person(house: House, number: int = 0) -> str:
    return str(house.operate("emulator.users.list")["users"][number]["id"])


@dataclass
class Scene:
    """Handlers that ask, what came of it, and what people see and press."""

    house: House
    bells: Sequence[Bell]
    by: list[str]
    within: timedelta = HALF_AN_HOUR
    given: list[Approval] = field(default_factory=list["Approval"])
    denied: list[str] = field(default_factory=list[str])
    begun: int = 0

    def handlers(self, *, catching: bool = False) -> Handlers:
        handlers = Handlers()

        async def ask(job: Job) -> str:
            self.begun += 1
            try:
                approval = await job.approve("Deploy <1.4> to prod?", by=self.by, within=self.within)
            except Denied as error:
                if not catching:
                    raise
                self.denied.append(error.by)
                return "left alone"
            self.given.append(approval)
            return "deployed"

        @handlers.task
        async def deploy(job: Job) -> str:
            return await ask(job)

        @handlers.listen("deploy")
        async def typed(job: Job) -> str:
            return await ask(job)

        assert deploy is not None
        assert typed is not None
        return handlers

    @asynccontextmanager
    async def at_work(self, *, workers: int = 1, catching: bool = False, **options: Any) -> AsyncGenerator[AsyncQueue]:
        handlers, bells = self.handlers(catching=catching), self.bells
        async with self.house.at_work(handlers, workers=workers, bells=bells, **options) as queue:
            yield queue

    def rows(self, ts: str) -> list[dict[str, Any]]:
        found = self.house.call(
            self.house.people[0],
            "conversations.replies",
            channel=self.house.channel(),
            ts=ts,
            include_all_metadata=True,
        )
        return list(found["messages"][1:])

    def noted(self, ts: str, kind: str) -> list[dict[str, Any]]:
        """The rows of a thread that are notes of a kind."""
        notes = [row for row in self.rows(ts) if row.get("metadata", {}).get("event_type") == "slackmq_note"]
        return [row for row in notes if row["metadata"]["event_payload"]["note"] == kind]

    async def question(self, ts: str) -> dict[str, Any]:
        """The question, once it stands in the thread."""
        await self.house.until(lambda: self.noted(ts, "question"))
        (row,) = self.noted(ts, "question")
        return row

    def press(self, ts: str, row: Mapping[str, Any], user: str, action: str = YES, *, at: int = 0) -> None:
        """Somebody presses a button, and Slack tells one process."""
        elements = [element for block in row["blocks"] for element in block.get("elements", ())]
        value = next(element["value"] for element in elements if element.get("action_id") == action)
        self.ring(ts, row["ts"], user, action, value, at=at)

    def ring(self, ts: str, row: str, user: str, action: str, value: str, *, at: int = 0) -> None:
        channel = self.house.channel()
        self.bells[at].ring(Pressed(user=user, action=action, value=value, channel=channel, ts=row, thread=ts))

    def whispers(self, user: str) -> list[str]:
        return [row["text"] for row in self.house.workspace._state.surfaces.whispers.get(user, ())]

    def buttons(self, ts: str) -> int:
        return sum(block["type"] == "actions" for row in self.rows(ts) for block in row.get("blocks", ()))


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
