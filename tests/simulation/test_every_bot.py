"""What is for every bot, with lost events, lag and restarts: each name does it, and again only where it died first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest

from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # handlers' annotations are read at run time
from slackmq.notes import NOTE
from slackmq.queue import AsyncQueue
from slackmq.simulation.faults import Faults
from slackmq.simulation.loop import run
from slackmq.simulation.scenario import Scenario
from slackmq.simulation.socket import SimEvents
from slackmq.simulation.visibility import EPOCH
from slackmq.simulation.wire import SimWire
from slackmq.slack.client import Client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.simulation.clock import SimClock
    from slackmq.simulation.process import Process

PLACES = ("w1", "w2", "w3")
SAID = 5
"""So many times a person asks."""
CALM = Faults(workers=3, until=120)
EVENTS = Faults(workers=3, until=120, events_lost=0.4, redelivered=0.2, doubled=0.2, cuts=0.5)
LAG = Faults(workers=3, until=120, lag=3.0, reorder=True, events_lost=0.4)
RESTARTS = Faults(workers=3, until=120, kills=6.0, drains=1.0)
ALL = Faults(
    workers=3,
    until=120,
    lag=3.0,
    reorder=True,
    events_lost=0.3,
    redelivered=0.2,
    kills=3.0,
    drains=1.0,
    pauses=0.5,
    lost_request=0.05,
    lost_response=0.05,
    error_after=0.03,
)


_CALM = 240.0
"""Seconds after the last fault: longer than any pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A process began what a person had said."""

    at: float
    process: Process
    ts: str


class Choir(Scenario):
    """Three processes with names, and a person who asks all of them."""

    def __init__(self, seed: int, faults: Faults) -> None:
        super().__init__(seed, "every bot", faults=faults)
        self.executions: list[Execution] = []
        self.said: list[str] = []

    def sing(self) -> None:
        """Play it to its end."""
        run(self._sing)

    async def _sing(self) -> None:
        for place in PLACES:
            self._nemesis.start(place)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._nemesis.run)
            for number in range(SAID):
                await anyio.sleep(self.faults.until / SAID / (1 + number % 2))
                self._say()
            await anyio.sleep(self.faults.until + _CALM - self.world.now)
            tasks.cancel_scope.cancel()

    def _say(self) -> None:
        caller = self.world.authorize(str(self.world.person["token"]))
        args = {"channel": self.world.channel, "text": "who is there?"}
        reply = self.world.apply(caller, "chat.postMessage", args, process="person", sent=self.world.now)
        self.said.append(str(reply["ts"]))

    def _queue(self, name: str, clock: SimClock, handlers: Handlers) -> AsyncQueue:
        client = Client(SimWire(self.world, name, self.world.app["bot_token"]), clock=clock)
        return AsyncQueue(
            client,
            "#jobs",
            events=SimEvents(self.world.socket_of(name), name),
            select=handlers.select,
            timing=self.timing,
            clock=clock,
            worker=name[:2],
            hooks=(partial(self._told, name),),
        )

    def _handlers(self, process: Process, clock: SimClock) -> Handlers:
        handlers = Handlers()

        async def present(job: Job) -> str:
            self.executions.append(Execution(at=self.world.now, process=process, ts=job.message.ts))
            await clock.sleep(3)
            return "here"

        handlers.listen(r"who is there\?", every_bot=True)(present)
        return handlers

    def answers(self, ts: str) -> Counter[str]:
        """How many answers stand in a thread, by the name of who gave them: tries that Slack kept twice are one."""
        now = (EPOCH + 3_600) * 1_000_000
        args = {"channel": self.world.channel, "ts": ts, "include_all_metadata": True}
        caller = self.world.authorize(str(self.world.app["bot_token"]))
        rows = self.world.workspace.apply(now, caller, "conversations.replies", args).reply["messages"]
        notes: list[Mapping[str, Any]] = [cast("Mapping[str, Any]", row.get("metadata") or {}) for row in rows]
        payloads = [note["event_payload"] for note in notes if note.get("event_type") == NOTE]
        said = {(note["worker"], note["op"]) for note in payloads if note["note"] == "answer"}
        return Counter(worker for worker, _ in said)


def judged(seed: int, faults: Faults) -> Choir:
    """A run in which each name has one answer, and began anew only where it died before it."""
    choir = Choir(seed, faults)
    choir.sing()
    assert len(choir.said) == SAID
    for ts in choir.said:
        assert choir.answers(ts) == dict.fromkeys(PLACES, 1), f"seed {seed}, message {ts}"
    begun = Counter((execution.process, execution.ts) for execution in choir.executions)
    assert set(begun.values()) == {1}, "a process does nothing twice"
    for earlier in choir.executions:
        place = earlier.process.name[:2]
        later = [each for each in choir.executions if each.ts == earlier.ts and each.at > earlier.at]
        if any(each.process.name.startswith(place) for each in later):
            assert not earlier.process.alive
    return choir


@pytest.mark.parametrize("faults", [CALM, EVENTS, LAG], ids=["none", "events", "lag"])
@pytest.mark.parametrize("seed", range(2))
def test_where_no_process_ends_each_name_does_it_once(seed: int, faults: Faults) -> None:
    assert len(judged(seed, faults).executions) == SAID * len(PLACES)


def test_where_processes_end_each_name_has_one_answer_and_some_had_to_begin_anew() -> None:
    assert sum(len(judged(seed, RESTARTS).executions) - SAID * len(PLACES) for seed in range(4)) > 0


@pytest.mark.parametrize("seed", range(4))
def test_where_all_goes_wrong_at_once_each_name_has_one_answer(seed: int) -> None:
    judged(seed, ALL)


class Hurried(Choir):
    """One process that dies as soon as its answer stands in Slack, and is started again at once."""

    async def _sing(self) -> None:
        self._nemesis.start("w1")
        await anyio.sleep(20)
        self._say()
        with anyio.fail_after(300):
            while not self.answers(self.said[0]):  # noqa: ASYNC110  # nothing tells of what stands in the world
                await anyio.sleep(0.01)
        self._nemesis.kill(self.executions[0].process)
        self._nemesis.start("w1")
        await anyio.sleep(120)


def test_who_starts_again_waits_until_no_read_can_miss_what_it_did_before() -> None:
    for seed in range(8):
        choir = Hurried(seed, LAG)
        choir.sing()
        assert len(choir.executions) == 1, f"seed {seed}"
