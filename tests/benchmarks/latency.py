"""From post to handler, over real HTTP and WebSockets on this machine, beside a bare echo on the same emulator."""

from __future__ import annotations

import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import anyio

from slackmq.emulator.launch import running
from slackmq.handlers import Handlers
from slackmq.queue import AsyncQueue
from slackmq.slack.connect import Settings, open_events, open_slack
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from slackmq.emulator.launch import About
    from slackmq.slack.api import Slack

MESSAGES = 200
_PACE = 0.02
"""Seconds between an end and the next post."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Seconds, at the median and at the 99th percentile of `MESSAGES`."""

    p50: float
    p99: float

    @classmethod
    def of(cls, samples: list[float]) -> Latency:
        hundredths = statistics.quantiles(samples, n=100)
        return cls(p50=hundredths[49], p99=hundredths[98])


class _Stopwatch:
    """Started by a post, stopped by whoever got it."""

    def __init__(self) -> None:
        self.samples: list[float] = []
        self._begun = 0.0
        self._stopped = anyio.Event()

    def stop(self) -> None:
        self.samples.append(time.perf_counter() - self._begun)
        self._stopped.set()

    async def lap(self, slack: Slack, channel: str, text: str) -> None:
        self._stopped = anyio.Event()
        self._begun = time.perf_counter()
        await slack.post(channel, text)
        with anyio.fail_after(10):
            await self._stopped.wait()
        await anyio.sleep(_PACE)


async def _echo(about: About) -> Latency:
    """A bot that hears a message over Socket Mode and answers it, written with nothing but an HTTP client.

    The answer is what the claim is to us: one call to Slack before anybody may act.
    """
    app, watch = about.apps[0], _Stopwatch()
    settings = Settings(token=app.bot_token, app_token=app.app_token, url=about.base_url)
    async with aiohttp.ClientSession() as http, open_slack(settings) as slack:
        _unpaced(slack)
        channel = (await slack.channel("#general")).id
        bearer = {"Authorization": f"Bearer {app.app_token}"}
        async with http.post(f"{about.base_url}apps.connections.open", headers=bearer) as opened:
            url = (await opened.json())["url"]
        async with http.ws_connect(url) as socket, anyio.create_task_group() as tasks:
            await socket.receive_json()

            async def echo() -> None:
                bot = {"Authorization": f"Bearer {app.bot_token}"}
                while True:
                    frame = await socket.receive_json()
                    if "envelope_id" not in frame:
                        continue
                    await socket.send_json({"envelope_id": frame["envelope_id"]})
                    event = frame["payload"]["event"]
                    if event["type"] == "message" and event.get("text") == "ping":
                        args = {"channel": channel, "timestamp": event["ts"], "name": "eyes"}
                        async with http.post(f"{about.base_url}reactions.add", data=args, headers=bot) as answered:
                            await answered.json()
                        watch.stop()

            tasks.start_soon(echo)
            for _ in range(MESSAGES):
                await watch.lap(slack, channel, "ping")
            tasks.cancel_scope.cancel()
    return Latency.of(watch.samples)


async def _ours(about: About) -> Latency:
    app, watch, handlers = about.apps[0], _Stopwatch(), Handlers()
    person = next(user for user in about.users)
    settings = Settings(token=app.bot_token, app_token=app.app_token, url=about.base_url)

    @handlers.listen("ping")
    async def ping() -> None:
        watch.stop()

    assert ping is not None
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(open_slack(settings))
        typing = await stack.enter_async_context(open_slack(Settings(token=person.token, url=about.base_url)))
        for client in (slack, typing):
            _unpaced(client)
        queue = await stack.enter_async_context(
            AsyncQueue(slack, "#jobs", events=open_events(settings), select=handlers.select)
        )
        worker = AsyncWorker(queue, handlers)
        tasks = await stack.enter_async_context(anyio.create_task_group())
        tasks.start_soon(worker.run)
        while queue.received_at is None:  # noqa: ASYNC110  # the worker has not looked at the channel yet
            await anyio.sleep(_PACE)
        for _ in range(MESSAGES):
            await watch.lap(typing, queue.channel.id, "ping")
        worker.drain()
    return Latency.of(watch.samples)


def _unpaced(slack: object) -> None:
    """Latency is measured without limits, on both sides: a budget that is waited for is another figure."""

    async def admit(*_: object) -> None:
        await anyio.lowlevel.checkpoint()

    slack.caller.pacing.admit = admit  # type: ignore[attr-defined]  # a benchmark may look inside


async def measured() -> tuple[Latency, Latency]:
    """The bare echo, and ours, on one emulator without limits."""
    async with running(limits=False) as about:
        return await _echo(about), await _ours(about)


if __name__ == "__main__":
    print(anyio.run(measured))  # noqa: T201  # a quick look
