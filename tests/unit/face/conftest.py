"""The embedded workspace behind a bare HTTP door on a thread of its own, for code that connects by its settings."""

from __future__ import annotations

import signal
import sys
import threading
import time
from concurrent.futures import wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from anyio.from_thread import start_blocking_portal

from slackmq.emulator.emoji import is_emoji
from slackmq.emulator.model import Caller
from slackmq.emulator.workspace import OPERATOR, Workspace
from slackmq.slack.connect import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


@dataclass(slots=True)
class Office:
    """A workspace with one app.

    Attributes:
        url: base of its Web API.
        read: set once the app has read a channel.
    """

    workspace: Workspace = field(default_factory=Workspace)
    url: str = ""
    read: threading.Event = field(default_factory=threading.Event)

    def ask(self, method: str, caller: Caller = OPERATOR, **args: object) -> dict[str, Any]:
        reply = dict(self.workspace.apply(time.time_ns() // 1000, caller, method, args).reply)
        assert reply["ok"], reply
        return reply

    @property
    def settings(self) -> Settings:
        return Settings(token=self.ask("emulator.apps.list")["apps"][0]["bot_token"], url=self.url)

    def say(self, channel: str, text: str) -> str:
        """A person types; returns the message's ts."""
        person = self.ask("emulator.users.create", name=f"person{time.time_ns()}")["user"]
        caller = self.workspace.authorize(person["token"])
        assert isinstance(caller, Caller)
        return str(self.ask("chat.postMessage", caller, channel=channel, text=text)["ts"])

    def replies(self, channel: str, ts: str) -> list[str]:
        """The texts in a message's thread as Slack stores them."""
        bot = self.workspace.authorize(self.settings.token)
        assert isinstance(bot, Caller)
        found = self.ask("conversations.list", bot)["channels"]
        ident = next(row["id"] for row in found if row["name"] == channel)
        return [row["text"] for row in self.ask("conversations.replies", bot, channel=ident, ts=ts)["messages"][1:]]

    async def answer(self, request: web.Request) -> web.Response:
        args: dict[str, object] = dict(request.query)
        if request.can_read_body:
            args |= await request.json()
        caller = self.workspace.authorize(request.headers["Authorization"].removeprefix("Bearer "))
        if isinstance(caller, str):
            return web.json_response({"ok": False, "error": caller})
        outcome = self.workspace.apply(time.time_ns() // 1000, caller, request.match_info["method"], args)
        if request.match_info["method"] == "conversations.history":
            self.read.set()
        return web.json_response(dict(outcome.reply))


def interrupt_once(holds: Callable[[], object]) -> None:
    """Press Ctrl-C as soon as the main thread waits for the loop's thread and this holds."""

    def interrupt() -> None:
        main, never = threading.main_thread().ident or 0, threading.Event()
        while not (_waits(main) and holds()):
            never.wait(0.01)
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()


def _waits(thread: int) -> bool:
    frame: FrameType | None = sys._current_frames()[thread]
    while frame is not None:
        if frame.f_code is wait.__code__:
            return True
        frame = frame.f_back
    return False


@pytest.fixture
def heard() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt, even where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()

    async def opened() -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", office.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    is_emoji("tada")  # the list of emoji is read from a file on first use, which no loop should wait for
    with start_blocking_portal() as portal:
        runner = portal.call(opened)
        host, port = runner.addresses[0][:2]
        office.url = f"http://{host}:{port}/api/"
        yield office
        portal.call(runner.cleanup)
