"""Every Slack there is: the embedded workspace in process and over HTTP."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from aiohttp import web

from slackmq.emulator.limits import Limits
from slackmq.emulator.seed import Seed
from slackmq.emulator.server import Server
from slackmq.emulator.socket_mode import Sockets
from slackmq.emulator.web_api import WebApi
from slackmq.emulator.workspace import OPERATOR, Workspace
from slackmq.slack.client import Client
from slackmq.slack.web import SdkWire
from slackmq.slack.wire import Reply
from slackmq.testing.awaiting import async_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from slackmq.emulator.model import Caller
    from slackmq.slack.api import Slack
    from slackmq.slack.wire import Wire
    from slackmq.testing.awaiting import AsyncWorkspace

BEGAN = 1_700_000_000


@pytest.fixture(autouse=True)
def no_blocked_loop() -> None:
    """Not watched here: closing the embedded workspace joins its idle journal thread inside the loop."""


@pytest.fixture
async def workspace() -> AsyncGenerator[AsyncWorkspace]:
    """For stores: two apps, and a channel for their state."""
    async with async_workspace(channels=("general", "state"), apps=("one", "two")) as there:
        yield there


class SteppingClock:
    """Whoever sleeps moves the time on, and so does every look at the server's clock."""

    def __init__(self) -> None:
        self.mono = 0.0

    def monotonic(self) -> float:
        return self.mono

    def server(self) -> int:
        """Microseconds since 1970 at the workspace."""
        self.mono += 0.25
        return int((BEGAN + self.mono) * 1e6)

    async def sleep(self, delay: float) -> None:
        self.mono += delay

    def random(self) -> float:
        return 0.5

    def new_id(self) -> str:
        return "0" * 32


class Place(Protocol):
    """A workspace, asked from behind the scenes."""

    @property
    def workspace(self) -> Workspace: ...

    async def act(self, caller: Caller, method: str, args: Mapping[str, object], /) -> Mapping[str, Any]: ...


class InProcess:
    """A workspace without a network, and the wire to it for one token."""

    def __init__(self, clock: SteppingClock) -> None:
        self.workspace = Workspace()
        self._clock = clock

    async def act(self, caller: Caller, method: str, args: Mapping[str, object], /) -> Mapping[str, Any]:
        return self.workspace.apply(self._clock.server(), caller, method, args).reply

    def wire(self, token: str) -> Wire:
        return InProcessWire(self, self._clock, token)


class InProcessWire:
    def __init__(self, place: InProcess, clock: SteppingClock, token: str) -> None:
        self._place = place
        self._clock = clock
        self._token = token

    async def call(self, method: str, args: Mapping[str, object]) -> Reply:
        caller = self._place.workspace.authorize(self._token)
        if isinstance(caller, str):
            return Reply(status=200, body={"ok": False, "error": caller})
        body = await self._place.act(caller, method, args)
        return Reply(status=200, body=body, date=float(self._clock.server() // 1_000_000))

    async def aclose(self) -> None:
        pass


@asynccontextmanager
async def in_process(clock: SteppingClock) -> AsyncGenerator[tuple[Place, Callable[[str], Wire]]]:
    place = InProcess(clock)
    yield place, place.wire


@asynccontextmanager
async def over_http(clock: SteppingClock) -> AsyncGenerator[tuple[Place, Callable[[str], Wire]]]:
    async def dated(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = formatdate(clock.server() // 1_000_000, usegmt=True)

    async with Server.opened(None, seed=Seed(), limits=Limits.off(), clock=clock.server) as server:
        app = web.Application()
        app.add_routes(WebApi(server, Sockets(server)).routes())
        app.on_response_prepare.append(dated)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
            yield server, lambda token: SdkWire(token=token, url=url)
        finally:
            await runner.cleanup()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Two processes of one app, one of another app, one of an app without scopes; and what stands around them."""

    place: Place
    clock: SteppingClock
    slack: Slack
    twin: Slack
    other: Slack
    poor: Slack
    stranger: Slack
    bot_token: str
    person_token: str
    jobs: str
    empty: str

    async def apply(self, token: str, method: str, **args: object) -> Mapping[str, Any]:
        """Something that a person, or another program with this token, does."""
        return await apply(self.place, token, method, **args)

    async def operate(self, method: str, **args: object) -> Mapping[str, Any]:
        return await self.place.act(OPERATOR, method, args)


async def apply(place: Place, token: str, method: str, **args: object) -> Mapping[str, Any]:
    caller = place.workspace.authorize(token)
    assert not isinstance(caller, str)
    reply = await place.act(caller, method, args)
    assert reply["ok"], reply
    return reply


async def installed(place: Place, name: str, **args: object) -> str:
    reply = await place.act(OPERATOR, "emulator.apps.install", {"name": name, "channels": ["jobs"], **args})
    return str(reply["app"]["bot_token"])


@pytest.fixture(params=[in_process, over_http], ids=["in process", "over HTTP"])
async def scene(request: pytest.FixtureRequest) -> AsyncGenerator[Scene]:
    clock = SteppingClock()
    async with request.param(clock) as (place, wire):
        mine = (await place.act(OPERATOR, "emulator.apps.list", {}))["apps"][0]["bot_token"]
        person = (await place.act(OPERATOR, "emulator.users.list", {}))["users"][0]["token"]
        other = await installed(place, "other")
        poor = await installed(place, "poor", scopes=["channels:read"])
        listed = (await apply(place, mine, "conversations.list"))["channels"]
        made = await apply(place, person, "conversations.create", name="empty")
        slacks = [Client(wire(token), clock=clock) for token in (mine, mine, other, poor, "xoxb-nobody")]
        yield Scene(
            place=place,
            clock=clock,
            slack=slacks[0],
            twin=slacks[1],
            other=slacks[2],
            poor=slacks[3],
            stranger=slacks[4],
            bot_token=mine,
            person_token=person,
            jobs=next(entry["id"] for entry in listed if entry["name"] == "jobs"),
            empty=made["channel"]["id"],
        )
        for each in slacks:
            await each.aclose()
