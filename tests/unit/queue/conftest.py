"""One workspace in virtual time, with as many workers as a test wants, over a wire that never fails unless told to."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.emulator.workspace import OPERATOR, Workspace
from slackmq.errors import Ambiguous
from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.policy import Backoff, Timing
from slackmq.queue import AsyncQueue
from slackmq.simulation.clock import SimClock
from slackmq.slack.api import Event
from slackmq.slack.client import Client
from slackmq.slack.polling import NoEvents
from slackmq.slack.wire import Reply
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping, Sequence

    from slackmq.claiming.way import Way
    from slackmq.hooks import Happening
    from slackmq.points import Place
    from slackmq.queue import Standing
    from slackmq.queue.show import Decor
    from slackmq.simulation.process import Process

BEGAN = 1_700_000_000.0
TIMING = Timing()
DICE = Random(0)  # noqa: S311  # a simulation's dice must be repeatable


class House:
    """A workspace, its time, its people and its bot."""

    def __init__(self) -> None:
        self.workspace = Workspace()
        self.happened: list[Happening] = []
        self.calls: list[str] = []
        self.born = 0
        self.refused: dict[str, str] = {}
        self.hidden: dict[str, Mapping[str, Any]] = {}
        """What a method answers in place of the truth."""
        self.denied: list[str] = []
        self.files: dict[str, bytes] = {}
        self.faults: list[Callable[[str, Mapping[str, object]], str | None]] = []
        self.queue: AsyncQueue
        self.worker: AsyncWorker
        self.workers: list[AsyncWorker] = []
        app = self.operate("emulator.apps.install", name="other")["app"]
        self.stranger = str(app["bot_token"])
        self.bot = self._tokens("bot", but=self.stranger)
        self.people = [str(user["token"]) for user in self.operate("emulator.users.list")["users"] if user.get("token")]

    def _tokens(self, kind: str, *, but: str) -> str:
        tokens = self.workspace._state.tokens
        return next(token for token, caller in tokens.items() if caller.type == kind and token != but)

    def ran(self) -> tuple[Handlers, list[tuple[int, int, int]]]:
        """Handlers, and what they ran: n, attempt, token of each execution."""
        handlers = Handlers()
        runs: list[tuple[int, int, int]] = []

        @handlers.task(attempts=3, backoff=Backoff(first=timedelta(seconds=4)))
        async def work(job: Job, n: int, fail: int = 0, seconds: float = 1.0) -> str:
            runs.append((n, job.attempt, job.token))
            await anyio.sleep(seconds)
            if job.attempt <= fail:
                raise ValueError("not yet")
            return f"did {n}"

        @handlers.listen(r"toggle (?P<light>\w+) light")
        async def toggle(light: str) -> str:
            runs.append((0, 1, 1))
            return f"{light} light toggled"

        assert work is not None
        assert toggle is not None
        return handlers, runs

    def now(self) -> float:
        return BEGAN + anyio.current_time()

    def slack(self, *, other: bool = False, clock: SimClock | None = None) -> Client:
        """The workspace as our bot sees it, or the bot of the other app."""
        return Client(_Wire(self, self.stranger if other else self.bot), clock=clock or SimClock(DICE))

    def operate(self, method: str, **args: object) -> Mapping[str, Any]:
        return self.workspace.apply(int(BEGAN * 1e6), OPERATOR, method, args).reply

    def call(self, token: str, method: str, **args: object) -> Mapping[str, Any]:
        if method in self.refused:
            return {"ok": False, "error": self.refused[method]}
        if method in self.hidden:
            return self.hidden[method]
        caller = self.workspace.authorize(token)
        if isinstance(caller, str):
            return {"ok": False, "error": caller}
        return self.workspace.apply(int(self.now() * 1e6), caller, method, args).reply

    def channel(self, name: str = "jobs") -> str:
        return next(
            str(channel["id"])
            for channel in self.call(self.people[0], "conversations.list")["channels"]
            if channel["name"] == name
        )

    def unlock(self, ts: str) -> None:
        """What Slack's own site does when somebody opens a locked thread again; no method of the workspace does."""
        self.workspace._state.channels[self.channel()].messages[ts].locked = False

    def types(self, text: str) -> str:
        """A person types."""
        return str(self.call(self.people[0], "chat.postMessage", channel=self.channel(), text=text)["ts"])

    def thread(self, ts: str) -> list[str]:
        """What stands in a message's thread."""
        rows = self.call(self.people[0], "conversations.replies", channel=self.channel(), ts=ts)["messages"]
        return [row["text"] for row in rows[1:]]

    def filed(self) -> list[str]:
        """The names of the files that stand in the workspace."""
        return [file.name for file in self.workspace._state.files.values() if file.completed and not file.deleted]

    def marks(self, ts: str) -> set[str]:
        """The emoji on a message."""
        found = self.call(self.people[0], "reactions.get", channel=self.channel(), timestamp=ts, full=True)
        return {reaction["name"] for reaction in found["message"].get("reactions", [])}

    @asynccontextmanager
    async def at_work(
        self,
        handlers: Handlers,
        *,
        workers: int = 1,
        claim: Way = "reaction",
        sockets: int = 0,
        show: Decor | None = None,
        peers: Sequence[str] | None = None,
        bells: Sequence[Bell] = (),
        timing: Timing = TIMING,
        dead_letters: str | None = None,
        **options: Any,
    ) -> AsyncGenerator[AsyncQueue]:
        """Workers of one app, drained on leaving; with pins every second one belongs to another app."""
        self.call(self.stranger, "conversations.join", channel=self.channel())
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(anyio.create_task_group())
            for number in range(workers):
                clock = SimClock(Random(self.born))  # noqa: S311  # as DICE
                self.born += 1
                self.queue = AsyncQueue(
                    Client(_Wire(self, self.stranger if claim == "pin" and number % 2 else self.bot), clock=clock),
                    "#jobs",
                    claim=claim,
                    show=show,
                    peers=peers,
                    events=bells[number] if bells else NoEvents(sockets) if sockets else None,
                    select=handlers.select,
                    timing=timing,
                    clock=clock,
                    hooks=(self.happened.append,),
                    worker=f"w{number}",
                    dead_letters=dead_letters,
                )
                await stack.enter_async_context(self.queue)
                self.worker = AsyncWorker(self.queue, handlers, clock=clock, **options)
                self.workers.append(self.worker)
                tasks.start_soon(self.worker.run)
                stack.callback(self.worker.drain)
            yield self.queue
            tasks.cancel_scope.cancel()

    def visiting(self, *, claim: Way = "reaction") -> AsyncQueue:
        """A queue of our bot that claims nothing unless it is told to."""
        clock = SimClock(Random(0))  # noqa: S311  # as DICE
        return AsyncQueue(self.slack(clock=clock), "#jobs", claim=claim, timing=TIMING, clock=clock)

    async def until(self, true: Callable[[], object], *, within: float = 60) -> None:
        """Wait until something holds."""
        with anyio.fail_after(within):
            while not true():
                await SimClock(DICE).sleep(0.1)

    async def until_true(self, true: Callable[[], object], *, within: float) -> None:
        """Wait until something holds that takes its time, `within` seconds at most."""
        with anyio.fail_after(within):
            while not true():
                await SimClock(DICE).sleep(max(1.0, within / 2_000))

    async def ended(self, queue: AsyncQueue, *, within: timedelta = timedelta(minutes=30)) -> tuple[Standing, ...]:
        """Wait until nothing is waiting or held; time costs nothing here."""
        with anyio.fail_after(within.total_seconds()):
            while True:
                standings = await queue.inspect(threads=False)
                if standings and all(standing.state not in {"waiting", "held"} for standing in standings):
                    return standings
                await SimClock(DICE).sleep(5)


class Bell:
    """Events of one process: nothing is heard but what a test rings. Implements `slackmq.slack.api.Events`."""

    def __init__(self) -> None:
        self._send, self._receive = anyio.create_memory_object_stream[Event](100)

    def ring(self, event: Event) -> None:
        self._send.send_nowait(event)

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator[AsyncIterator[Event]]:
        yield self._receive

    def close(self) -> None:
        self._send.close()
        self._receive.close()


@pytest.fixture
def bells() -> Generator[list[Bell]]:
    made = [Bell() for _ in range(3)]
    yield made
    for bell in made:
        bell.close()


class _Wire:
    """Calls by the bot, each taking 100 ms."""

    def __init__(self, house: House, token: str) -> None:
        self._house = house
        self._token = token

    async def call(self, method: str, args: Mapping[str, object]) -> Reply:
        house = self._house
        await SimClock(DICE).sleep(0.05)
        house.calls.append(method)
        fault = next((found for fault in house.faults if (found := fault(method, args))), None)
        if fault == "refused":
            house.denied.append(method)
            return Reply(status=200, body={"ok": False, "error": "too_many_reactions"}, date=float(int(house.now())))
        if fault != "lost":
            reply = house.call(self._token, method, **args)
            await SimClock(DICE).sleep(0.05)
            if fault is None:
                return Reply(status=200, body=reply, date=float(int(house.now())))
        await SimClock(DICE).sleep(10)
        raise Ambiguous("no answer", method=method)

    async def put(self, url: str, content: bytes) -> int:
        house = self._house
        await self._carried("put", url)
        ident = house.workspace.upload(url.rpartition("/")[2])
        assert ident is not None
        house.files[ident] = content
        args = {"file": ident, "length": len(content)}
        kept = house.workspace.apply(int(house.now() * 1e6), OPERATOR, "emulator.files.uploaded", args).reply["ok"]
        return 200 if kept else 404

    async def get(self, url: str) -> tuple[int, bytes]:
        await self._carried("get", url)
        content = self._house.files.get(url.split("/")[-3].rpartition("-")[2])
        return (404, b"") if content is None else (200, content)

    async def _carried(self, what: str, url: str) -> None:
        """Bytes take as long as a call."""
        house = self._house
        await SimClock(DICE).sleep(0.1)
        house.calls.append(what)
        if any(fault(what, {"url": url}) for fault in house.faults):
            raise Ambiguous("no answer", method=what)

    async def aclose(self) -> None:
        return


class Killer:
    """Ends one process at a place, the first time it comes there."""

    def __init__(self, process: Process, place: Place, *, struck: list[Place]) -> None:
        self._process = process
        self._place = place
        self._struck = struck

    def reach(self, place: Place) -> None:
        if place == self._place and not self._struck:
            self._struck.append(place)
            self._process.kill()

    async def pause(self, place: Place) -> None:
        self.reach(place)
        if not self._process.alive:
            await anyio.sleep_forever()


@pytest.fixture
def house() -> House:
    return House()
