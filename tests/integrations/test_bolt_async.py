"""Replicas of an async Bolt app, in Socket Mode and over HTTP."""

from __future__ import annotations

import asyncio
import functools
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from slackmq.integrations.bolt import exactly_one

from .conftest import FAST

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine

    from slackmq.testing import TestApp

    from .conftest import Troupe

pytestmark = pytest.mark.timeout(60)


def looped(test: Callable[[Troupe], Coroutine[Any, Any, None]]) -> Callable[[Troupe], None]:
    """The test on a loop that may be blocked: Bolt's own clients are made on it, and the workspace is asked from it."""

    @functools.wraps(test)
    def run(troupe: Troupe) -> None:
        asyncio.run(test(troupe))

    del run.__wrapped__  # pytest would see a coroutine
    return run


def bot(troupe: Troupe, replica: int, of: TestApp | None = None, **options: Any) -> Any:
    """A bot with an ordinary listener."""
    token = (of or troupe.slack.app).bot_token
    app: Any = AsyncApp(client=AsyncWebClient(token, base_url=troupe.slack.url), **options)

    @app.message("toggle")  # type: ignore[untyped-decorator]  # Bolt has no type for it
    async def toggle(message: dict[str, Any], say: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # Bolt keeps it
        troupe.noted(replica, message["text"])
        await say(text="switched", thread_ts=message["ts"])

    return app


@asynccontextmanager
async def listening(troupe: Troupe, *apps: Any) -> AsyncGenerator[None]:
    async with AsyncExitStack() as stack:
        for app in apps:
            guarded = await asyncio.to_thread(exactly_one, app, "#jobs", timing=FAST)
            stack.push_async_callback(asyncio.to_thread, guarded.close)
            handler: Any = AsyncSocketModeHandler(app, troupe.slack.app.app_token)
            await handler.connect_async()
            stack.push_async_callback(handler.close_async)
        yield


@looped
async def test_of_three_replicas_one_answers_each_post(troupe: Troupe) -> None:
    apps = [bot(troupe, number) for number in range(3)]
    async with listening(troupe, *apps):
        posts = [await asyncio.to_thread(troupe.say, f"toggle {number}") for number in range(9)]
        await asyncio.to_thread(troupe.done, *posts)
    assert sorted(text for _, text in troupe.ran) == [f"toggle {number}" for number in range(9)]
    for ts in posts:
        thread = await asyncio.to_thread(troupe.slack.messages, "#jobs", thread=ts)
        assert [row["text"] for row in thread][1:] == ["switched"]


@looped
async def test_what_nobody_heard_is_found_once_the_loop_is_known(troupe: Troupe) -> None:
    ts = await asyncio.to_thread(troupe.say, "toggle hall")
    app = bot(troupe, 0)
    with exactly_one(app, "#jobs", timing=FAST):
        await asyncio.to_thread(troupe.done, ts)
    assert troupe.ran == [(0, "toggle hall")]


@looped
async def test_errors_and_lazy_functions_settle_the_claim(troupe: Troupe) -> None:
    app = bot(troupe, 0)

    async def ack(ack: Any) -> None:
        await ack()

    async def lazy(event: dict[str, Any]) -> None:
        troupe.noted(0, event["text"])
        if "bad" in event["text"]:
            raise ValueError("no such light")

    app.event("message")(ack=ack, lazy=[lazy])
    async with listening(troupe, app):
        good = await asyncio.to_thread(troupe.say, "light on")
        bad = await asyncio.to_thread(troupe.say, "bad light on")
        await asyncio.to_thread(troupe.done, good)
        await asyncio.to_thread(troupe.until, lambda: "x" in troupe.marks(bad))
    assert sorted(text for _, text in troupe.ran) == ["bad light on", "light on"]


@looped
async def test_before_the_response_of_a_function_as_a_service_all_is_settled(troupe: Troupe) -> None:
    apps = [bot(troupe, number, process_before_response=True) for number in range(2)]
    async with listening(troupe, *apps):
        posts = [await asyncio.to_thread(troupe.say, f"toggle {number}") for number in range(4)]
        await asyncio.to_thread(troupe.done, *posts)
    assert len(troupe.ran) == 4


class Balanced:
    """Answers with one of several replicas after the other, as a load balancer does."""

    def __init__(self) -> None:
        self.apps: list[Any] = []
        self.asked = 0

    async def answer(self, request: web.Request) -> web.Response:
        if not self.apps:  # Slack tries the address before it tells the secret
            return web.json_response({"challenge": (await request.json())["challenge"]})
        self.asked += 1
        app = self.apps[self.asked % len(self.apps)]
        answer = await app.async_dispatch(await to_bolt_request(request))
        response: web.Response = await to_aiohttp_response(answer)
        return response


@looped
async def test_over_http_replicas_behind_a_balancer_handle_each_post_once(troupe: Troupe) -> None:
    balanced = Balanced()
    served = web.Application()
    served.router.add_post("/slack/events", balanced.answer)
    runner = web.AppRunner(served, access_log=None)
    await runner.setup()
    bound = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, bound).start()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/slack/events"
    scopes = [
        "chat:write",
        "channels:history",
        "channels:read",
        "reactions:read",
        "reactions:write",
        "bookmarks:read",
        "bookmarks:write",
    ]
    manifest = {
        "display_information": {"name": "Lights"},
        "features": {"bot_user": {"display_name": "lights"}},
        "oauth_config": {"scopes": {"bot": scopes}},
        "settings": {"event_subscriptions": {"bot_events": ["message.channels"], "request_url": url}},
    }
    installed = await asyncio.to_thread(troupe.slack.install, manifest, channels=["#jobs"])
    apps = [bot(troupe, number, installed, signing_secret=installed.signing_secret) for number in range(3)]
    balanced.apps = apps
    try:
        async with AsyncExitStack() as stack:
            for app in apps:
                guarded = await asyncio.to_thread(exactly_one, app, "#jobs", timing=FAST)
                stack.push_async_callback(asyncio.to_thread, guarded.close)
            posts = [await asyncio.to_thread(troupe.say, f"toggle {number}") for number in range(6)]
            await asyncio.to_thread(troupe.done, *posts)
    finally:
        await runner.cleanup()
    assert sorted(text for _, text in troupe.ran) == [f"toggle {number}" for number in range(6)]
