from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.emulator.clockwork import keep_time
from slackmq.emulator.limits import Limits
from slackmq.emulator.model import Caller
from slackmq.emulator.seed import Seed
from slackmq.emulator.server import Server, wall_clock
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from slackmq.emulator.server import Done

START = 1_700_000_000
SECOND = 1_000_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def running(data: Path | None, clock: Callable[[], int]) -> AsyncGenerator[Server]:
    """A server whose due messages arrive, by the given clock."""
    async with Server.opened(data, seed=Seed(), limits=Limits.off(), clock=clock) as server:
        task = asyncio.create_task(keep_time(server))
        try:
            yield server
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def schedule(server: Server, *, post_at: int) -> dict[str, Any]:
    caller = server.workspace.authorize(server.ask(OPERATOR, "emulator.apps.list", {})["apps"][0]["bot_token"])
    assert isinstance(caller, Caller)
    args = {"channel": "#jobs", "text": "later", "post_at": post_at}
    return dict(await server.act(caller, "chat.scheduleMessage", args))


async def arrived(server: Server) -> str:
    """The text of the first message that is told of."""
    heard: asyncio.Queue[str] = asyncio.Queue()

    def listen(done: Done) -> None:
        for event in done.outcome.events:
            heard.put_nowait(event.inner["text"])

    server.listen(listen)
    with anyio.fail_after(10):
        return await heard.get()


async def test_a_scheduled_message_arrives_while_the_server_runs() -> None:
    async with running(None, wall_clock) as server:
        assert (await schedule(server, post_at=server.now() // SECOND + 1))["ok"]
        assert await arrived(server) == "later"


async def test_what_became_due_while_nobody_ran_the_server_arrives_at_the_next_start(tmp_path: Path) -> None:
    data = tmp_path / "slack.sqlite"
    async with Server.opened(data, seed=Seed(), limits=Limits.off(), clock=lambda: START * SECOND) as server:
        assert (await schedule(server, post_at=START + 3_600))["ok"]
    async with running(data, lambda: (START + 9_999) * SECOND) as server:
        assert await arrived(server) == "later"
    async with Server.opened(data, seed=Seed(), limits=Limits.off(), clock=lambda: START * SECOND) as server:
        assert server.workspace.next_due() is None
