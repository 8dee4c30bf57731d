"""Replicas of an async Bolt app, in Socket Mode and over HTTP."""

from __future__ import annotations

import asyncio
import functools
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

import slackmq
from slackmq.integrations.bolt import exactly_one, exactly_one_async
from slackmq.integrations.payload import PAYLOAD, Payload, Safe

from .conftest import FAST, SCOPES, SHORT, install_deployer
from .test_bolt_payloads import done, records

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine

    from slackmq.testing import TestApp

    from .conftest import Troupe


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


@asynccontextmanager
async def behind_a_balancer(troupe: Troupe, balanced: Balanced) -> AsyncGenerator[None]:
    """Three replicas of a bot over HTTP, each guarded."""
    served = web.Application()
    served.router.add_post("/slack/events", balanced.answer)
    runner = web.AppRunner(served, access_log=None)
    await runner.setup()
    bound = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, bound).start()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/slack/events"
    manifest = {
        "display_information": {"name": "Lights"},
        "features": {"bot_user": {"display_name": "lights"}},
        "oauth_config": {"scopes": {"bot": SCOPES}},
        "settings": {"event_subscriptions": {"bot_events": ["message.channels"], "request_url": url}},
    }
    installed = await asyncio.to_thread(troupe.slack.install, manifest, channels=["#jobs"])
    apps = [bot(troupe, number, installed, signing_secret=installed.signing_secret) for number in range(3)]
    try:
        async with AsyncExitStack() as stack:
            for app in apps:
                await stack.enter_async_context(exactly_one_async(app, "#jobs", timing=FAST))
            balanced.apps = apps
            yield
    finally:
        await runner.cleanup()


@looped
async def test_over_http_replicas_behind_a_balancer_handle_each_post_once(troupe: Troupe) -> None:
    async with behind_a_balancer(troupe, Balanced()):
        posts = [await asyncio.to_thread(troupe.say, f"toggle {number}") for number in range(6)]
        await asyncio.to_thread(troupe.done, *posts)
    assert sorted(text for _, text in troupe.ran) == [f"toggle {number}" for number in range(6)]


class Forgetful(Balanced):
    """The same, but each answer to a first try is lost on its way: Slack tries again, at another replica."""

    def __init__(self) -> None:
        super().__init__()
        self.again: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        answer = await super().answer(request)
        event = (await request.json()).get("event")
        if event and "X-Slack-Retry-Num" not in request.headers:
            return web.Response(status=502)
        if event:
            self.again.append(event["text"])
        return answer


@looped
async def test_over_http_what_slack_sends_again_to_another_replica_is_handled_once(troupe: Troupe) -> None:
    balanced, texts = Forgetful(), [f"toggle {number}" for number in range(6)]
    async with behind_a_balancer(troupe, balanced):
        posts = [await asyncio.to_thread(troupe.say, text) for text in texts]
        await asyncio.to_thread(troupe.done, *posts)
        await asyncio.to_thread(troupe.until, lambda: set(balanced.again) >= set(texts))
    assert sorted(text for _, text in troupe.ran) == texts
    for ts in posts:
        thread = await asyncio.to_thread(troupe.slack.messages, "#jobs", thread=ts)
        assert [row["text"] for row in thread][1:] == ["switched"]


@looped
async def test_a_middleware_that_keeps_an_event_to_itself_leaves_no_mark(troupe: Troupe) -> None:
    app = bot(troupe, 0)

    @app.middleware  # type: ignore[untyped-decorator]  # as above
    async def gate(body: dict[str, Any], next: Any) -> None:  # noqa: A002  # pyright: ignore[reportUnusedFunction]  # Bolt's name
        if "please" in body["event"]["text"]:
            await next()

    async with listening(troupe, app):
        silent = await asyncio.to_thread(troupe.say, "toggle hall")
        await asyncio.to_thread(troupe.done, await asyncio.to_thread(troupe.say, "toggle kitchen, please"))
    assert [text for _, text in troupe.ran] == ["toggle kitchen, please"]
    assert troupe.marks(silent) == set()


@looped
async def test_own_posts_are_handled_where_bolt_does_not_ignore_them(troupe: Troupe) -> None:
    apps = [bot(troupe, number, ignoring_self_events_enabled=False) for number in range(2)]
    async with listening(troupe, *apps):
        ts = (await apps[0].client.chat_postMessage(channel="#jobs", text="toggle by machine"))["ts"]
        await asyncio.to_thread(troupe.done, ts)
    assert [text for _, text in troupe.ran] == ["toggle by machine"]


@looped
async def test_a_command_leaves_a_record_while_its_listener_is_at_work(troupe: Troupe) -> None:
    deployer = await asyncio.to_thread(install_deployer, troupe)
    app: Any = AsyncApp(client=AsyncWebClient(deployer.bot_token, base_url=troupe.slack.url))
    go = asyncio.Event()

    @app.command("/deploy")  # type: ignore[untyped-decorator]  # as above
    async def deploy(ack: Any, command: dict[str, Any], context: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        await ack()
        troupe.noted(context["slackmq"]["attempt"], command["text"])
        if command["text"]:
            await go.wait()

    async with exactly_one_async(app, "#jobs", work="#ops-work", timing=FAST):
        handler: Any = AsyncSocketModeHandler(app, deployer.app_token)
        await handler.connect_async()
        channel = troupe.slack.channel("jobs")
        for text in ("/deploy", "/deploy the lamp"):
            used = await asyncio.to_thread(troupe.slack.interact, "command", channel=channel, text=text)
            assert used["answer"] == {}
        [record] = await asyncio.to_thread(records, troupe)  # none of the quick one
        assert not done(record)
        go.set()
        await asyncio.to_thread(troupe.until, lambda: done(records(troupe)[0]))
        await handler.close_async()
    assert troupe.ran == [(1, ""), (1, "the lamp")]


@looped
async def test_a_record_that_was_left_is_given_to_the_listener_again(troupe: Troupe) -> None:
    deployer = await asyncio.to_thread(install_deployer, troupe)
    app: Any = AsyncApp(client=AsyncWebClient(deployer.bot_token, base_url=troupe.slack.url))

    @app.command("/deploy")  # type: ignore[untyped-decorator]  # as above
    async def deploy(ack: Any, command: dict[str, Any], context: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        await ack()
        troupe.noted(context["slackmq"]["attempt"], command["text"])

    body = {"command": "/deploy", "text": "the lamp", "user_id": "U1", "team_id": "T1", "channel_id": "C1"}
    record = Safe(deployer.bot_token).lock(Payload(body=body, key="k"))
    async with (
        slackmq.connect(token=deployer.bot_token, url=troupe.slack.url) as slack,
        slackmq.AsyncQueue(slack, "#ops-work") as queue,
    ):
        await queue.post(PAYLOAD, record)
    async with exactly_one_async(app, "#jobs", work="#ops-work", timing=SHORT):
        await asyncio.to_thread(troupe.until, lambda: done(records(troupe)[0]))
    assert troupe.ran == [(2, "the lamp")]
