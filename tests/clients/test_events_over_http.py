"""Apps that take everything over HTTP: Bolt checks the signatures, a bare server sees the headers of retries."""

from __future__ import annotations

import queue
import socket
import threading
from asyncio import to_thread
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from aiohttp import web
from slack_bolt import App
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook import WebhookClient
from slack_sdk.webhook.async_client import AsyncWebhookClient
from tests.clients.manifests import Operator, manifest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from slackmq.emulator.launch import About


@pytest.fixture
def operator(emulator: About) -> Operator:
    return Operator(emulator)


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is inherited
        """Say nothing."""


@contextmanager
def wsgi(operator: Operator, build: Any) -> Generator[tuple[App, dict[str, Any]]]:
    """A sync Bolt app behind WSGI; `build` adds its listeners."""
    answers: Any = None

    def serve(environ: Any, start: Any) -> Any:
        return answers(environ, start)

    with make_server("127.0.0.1", 0, serve, handler_class=Quiet) as server:
        url = f"http://127.0.0.1:{server.server_port}/slack/events"
        installed = dict(operator.install(manifest(url)))
        client = WebClient(installed["bot_token"], base_url=operator.about.base_url)
        app: Any = App(client=client, signing_secret=installed["signing_secret"])
        build(app)
        answers = SlackRequestHandler(app)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield app, installed
        finally:
            server.shutdown()
            thread.join()


@asynccontextmanager
async def serving(handler: Any) -> AsyncGenerator[str]:
    """An aiohttp application, or one function that answers everything; yields its address."""
    app = handler
    if not isinstance(handler, web.Application):
        app = web.Application()
        app.router.add_post("/slack/events", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    bound = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, bound).start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/slack/events"
    finally:
        await runner.cleanup()


def say(operator: Operator, channel: str, text: str) -> str:
    person: Any = WebClient(operator.about.users[0].token, base_url=operator.about.base_url)
    return str(person.chat_postMessage(channel=channel, text=text)["ts"])


def test_sync_bolt_is_verified_hears_and_answers_over_http(operator: Operator, jobs: str) -> None:
    heard: queue.Queue[Any] = queue.Queue()

    def build(app: Any) -> None:
        @app.message("toggle")  # type: ignore[untyped-decorator]  # Bolt has no type for it
        def toggle(message: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # Bolt keeps it
            heard.put(message["text"])

        @app.command("/deploy")  # type: ignore[untyped-decorator]  # as above
        def deploy(ack: Any, respond: Any, body: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]
            ack("at once")
            respond("later")
            heard.put(body["user_name"])

    with wsgi(operator, build) as (_, installed):
        say(operator, jobs, "toggle the light")
        assert heard.get(timeout=60) == "toggle the light"
        assert operator.person("interactions.command", channel=jobs, text="/deploy")["answer"] == {}
        assert heard.get(timeout=60) == operator.about.users[0].name
        state = operator.listeners()["request_urls"][installed["id"]]
    assert state["verified"]
    assert sorted(row["text"] for row in operator.seen()["messages"]) == ["at once", "later"]


async def test_async_bolt_opens_a_modal_and_offers_options_over_http(operator: Operator) -> None:
    views: queue.Queue[Any] = queue.Queue()
    menu = {"type": "external_select", "action_id": "who", "placeholder": {"type": "plain_text", "text": "who"}}
    view = {
        "type": "modal",
        "callback_id": "made",
        "title": {"type": "plain_text", "text": "New"},
        "submit": {"type": "plain_text", "text": "Go"},
        "blocks": [{"type": "input", "block_id": "b", "element": menu, "label": {"type": "plain_text", "text": "Who"}}],
    }
    late = Late()
    async with serving(late.answer) as url:
        installed = await to_thread(operator.install, manifest(url))
        client = AsyncWebClient(installed["bot_token"], base_url=operator.about.base_url)
        app: Any = AsyncApp(client=client, signing_secret=installed["signing_secret"])

        @app.shortcut("new")  # type: ignore[untyped-decorator]  # as above
        async def new(ack: Any, body: Any, client: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
            await ack()
            views.put((await client.views_open(trigger_id=body["trigger_id"], view=view))["view"]["id"])

        @app.options("who")  # type: ignore[untyped-decorator]  # as above
        async def who(ack: Any, payload: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
            text = {"type": "plain_text", "text": payload["value"]}
            await ack(options=[{"text": text, "value": "1"}])

        @app.view("made")  # type: ignore[untyped-decorator]  # as above
        async def made(ack: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
            await ack()

        late.app = app
        await to_thread(operator.person, "interactions.shortcut", callback_id="new")
        ident = await to_thread(views.get, timeout=60)
        asked = await to_thread(operator.person, "interactions.suggest", view_id=ident, action_id="who", value="ann")
        option = asked["answer"]["options"][0]
        await to_thread(operator.person, "modals.submit", view_id=ident, values={"b": {"who": option}})
        assert (await to_thread(operator.seen))["views"] == []
    assert option["text"]["text"] == "ann"


class Late:
    """Answers with a Bolt app that is made after the address is known."""

    app: Any = None

    async def answer(self, request: web.Request) -> web.Response:
        answer = await self.app.async_dispatch(await to_bolt_request(request))
        response: web.Response = await to_aiohttp_response(answer)
        return response


async def test_a_failed_delivery_comes_again_signed_and_with_its_number_and_reason(
    operator: Operator, jobs: str
) -> None:
    seen: queue.Queue[tuple[dict[str, str], str]] = queue.Queue()

    async def fail_once(request: web.Request) -> web.Response:
        body = await request.json()
        if body["type"] == "url_verification":
            return web.json_response({"challenge": body["challenge"]})
        seen.put((dict(request.headers), await request.text()))
        return web.Response(status=200 if "X-Slack-Retry-Num" in request.headers else 500)

    async with serving(fail_once) as url:
        installed = await to_thread(operator.install, manifest(url))
        await to_thread(say, operator, jobs, "hello")
        (first, _), (second, body) = [await to_thread(seen.get, timeout=60) for _ in range(2)]
    assert "X-Slack-Retry-Num" not in first
    assert (second["X-Slack-Retry-Num"], second["X-Slack-Retry-Reason"]) == ("1", "http_error")
    assert SignatureVerifier(installed["signing_secret"]).is_valid_request(body, second)


async def test_an_app_over_http_gets_nothing_on_a_socket(operator: Operator, jobs: str) -> None:
    heard: queue.Queue[str] = queue.Queue()

    async def take(request: web.Request) -> web.Response:
        body = await request.json()
        heard.put(body["type"])
        return web.Response(text=body.get("challenge", ""))

    async with serving(take) as url:
        installed = await to_thread(operator.install, manifest(url))
        await to_thread(say, operator, jobs, "hello")
        assert [await to_thread(heard.get, timeout=60) for _ in range(2)] == ["url_verification", "event_callback"]
    assert installed["id"] not in operator.listeners()["sockets"]


def hooked(operator: Operator) -> str:
    given = manifest()
    given["oauth_config"] = {"scopes": {"bot": ["chat:write", "incoming-webhook"]}}
    url: str = operator.install(given)["webhooks"][0]["url"]
    return url


def test_the_webhook_client_posts_without_a_token(operator: Operator, jobs: str) -> None:
    url = hooked(operator)
    assert WebhookClient(url).send(text="deployed").body == "ok"
    refused = WebhookClient(url).send(text="")
    assert (refused.status_code, refused.body) == (400, "no_text")
    unknown = WebhookClient(f"{url}x").send(text="x")
    assert (unknown.status_code, unknown.body) == (404, "no_service")
    person: Any = WebClient(operator.about.users[0].token, base_url=operator.about.base_url)
    row = person.conversations_history(channel=jobs, limit=1)["messages"][0]
    assert (row["text"], row["subtype"]) == ("deployed", "bot_message")


async def test_the_async_webhook_client_posts_blocks(operator: Operator) -> None:
    url = await to_thread(hooked, operator)
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*done*"}}]
    assert (await AsyncWebhookClient(url).send(text="done", blocks=blocks)).body == "ok"
