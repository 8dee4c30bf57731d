"""Jobs that ask people: handlers, what came of it, and what people see and press."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from slackmq.errors import Denied
from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.slack.api import Pressed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from slackmq.approval import Approval
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
    given: list[Approval] = field(default_factory=list)
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
