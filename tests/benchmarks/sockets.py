"""Events to ten open Socket Mode connections: of ten apps, each of which is told everything, and of one app."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from tests.benchmarks.calls import emulator, started
from tests.benchmarks.load import calls, request

if TYPE_CHECKING:
    from collections.abc import Sequence

SOCKETS = 10
POSTS = 1_000
_PATIENCE = 120.0


def per_second(apps: int) -> float:
    """Events a second, each acknowledged, from the first post to the last event.

    Args:
        apps: to whom the ten connections belong; each app is told of every post, on one of its connections.
    """
    return asyncio.run(_per_second(apps))


async def _per_second(apps: int) -> float:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        names = [word for number in range(apps) for word in ("--app", f"listener{number}")]
        about = stack.enter_context(started(emulator(Path(folder, "workspace.db"), *names))).about
        http = await stack.enter_async_context(aiohttp.ClientSession())
        tokens = [about["apps"][number % apps]["app_token"] for number in range(SOCKETS)]
        url, token = about["base_url"], about["apps"][0]["bot_token"]
        channel = next(row["id"] for row in about["channels"] if row["name"] == "jobs")
        async with asyncio.TaskGroup() as tasks:
            left, done = [POSTS * apps], asyncio.Event()
            sockets = [await _opened(stack, http, url, app_token) for app_token in tokens]
            listening = [tasks.create_task(_listen(socket, left, done)) for socket in sockets]
            args = [{"channel": channel, "text": f"job number {number}"} for number in range(POSTS)]
            begun = time.perf_counter()
            await calls(url, [request(url, token, "chat.postMessage", each) for each in args])
            async with asyncio.timeout(_PATIENCE):
                await done.wait()
            took = time.perf_counter() - begun
            _end(listening)
        return POSTS * apps / took


async def _opened(
    stack: AsyncExitStack, http: aiohttp.ClientSession, url: str, app_token: str
) -> aiohttp.ClientWebSocketResponse:
    async with http.post(f"{url}apps.connections.open", headers={"Authorization": f"Bearer {app_token}"}) as opened:
        address: str = (await opened.json())["url"]
    socket = await stack.enter_async_context(http.ws_connect(address))
    await socket.receive_json()
    return socket


async def _listen(socket: aiohttp.ClientWebSocketResponse, left: list[int], done: asyncio.Event) -> None:
    """Acknowledge everything, and count it down."""
    while True:
        frame: dict[str, Any] = await socket.receive_json()
        await socket.send_str(json.dumps({"envelope_id": frame["envelope_id"]}))
        left[0] -= 1
        if left[0] == 0:
            done.set()


def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    print(f"ten apps: {per_second(10):.0f} events/s, one app: {per_second(1):.0f} events/s")  # noqa: T201  # a quick look
