from __future__ import annotations

import gc
import json
import traceback
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, web

from slackmq.errors import Ambiguous, TokenRefused
from slackmq.slack.files import trusted
from slackmq.slack.web import SdkWire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncGenerator[str]:
    """A server on this machine that answers every method with `handler`; yields its base url."""
    app = web.Application()
    app.router.add_route("*", "/api/{method}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def wire(handler: Handler, *, bot: str | None = "xoxb-secret") -> AsyncGenerator[SdkWire]:
    async with server(handler) as url:
        opened = SdkWire(token=bot, app_token="xapp-secret", url=url)
        try:
            yield opened
        finally:
            await opened.aclose()


def always(response: Callable[[], web.Response]) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        return response()

    return answer


def headed(body: dict[str, Any], *, status: int = 200, **headers: str) -> Handler:
    return always(
        lambda: web.json_response(body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})
    )


async def test_a_reply_carries_status_body_and_date() -> None:
    async with wire(headed({"ok": True, "ts": "1.000000"}, Date="Tue, 14 Nov 2023 22:13:20 GMT")) as slack:
        reply = await slack.call("chat.postMessage", {"channel": "C1", "text": "hi"})
    assert (reply.status, reply.body, reply.date, reply.retry_after) == (
        200,
        {"ok": True, "ts": "1.000000"},
        1700000000.0,
        None,
    )


async def test_a_refusal_is_a_reply() -> None:
    async with wire(headed({"ok": False, "error": "not_in_channel"})) as slack:
        reply = await slack.call("chat.postMessage", {"channel": "C1", "text": "hi"})
    assert (reply.status, reply.body) == (200, {"ok": False, "error": "not_in_channel"})


async def test_a_limit_is_a_reply_with_its_time() -> None:
    async with wire(headed({"ok": False, "error": "ratelimited"}, status=429, Retry_After="30")) as slack:
        reply = await slack.call("reactions.add", {})
    assert (reply.status, reply.body["error"], reply.retry_after) == (429, "ratelimited", 30.0)


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (502, "<html>bad gateway</html>", "text/html"),
        (503, "upstream", "text/plain"),
        (500, "{broken", "application/json"),
        (200, "{broken", "application/json"),
        (200, "[1]", "application/json"),
        (200, "null", "application/json"),
        (200, "", "application/json"),
        (200, "hello", "text/plain"),
        (200, "<html>a portal</html>", "text/html"),
        (404, "not here", "text/plain"),
        (429, "slow down", "text/plain"),
    ],
)
async def test_an_answer_that_is_no_object_is_a_reply_without_a_body(status: int, text: str, kind: str) -> None:
    async with wire(always(lambda: web.Response(status=status, text=text, content_type=kind))) as slack:
        reply = await slack.call("chat.postMessage", {"channel": "C1", "text": "hi"})
    assert (reply.status, reply.body) == (status, {})


async def test_headers_that_make_no_sense_are_left_out() -> None:
    async with wire(headed({"ok": True}, Date="soon", Retry_After="later")) as slack:
        reply = await slack.call("auth.test", {})
    assert (reply.date, reply.retry_after) == (None, None)


async def seen(request: web.Request) -> web.Response:
    body = await request.read()
    return web.json_response(
        {
            "ok": True,
            "verb": request.method,
            "method": request.match_info["method"],
            "query": dict(request.query),
            "json": json.loads(body) if body else None,
            "token": request.headers["Authorization"],
        }
    )


async def test_a_write_is_posted_as_json_with_the_bots_token() -> None:
    args = {"channel": "C1", "text": "a & b", "metadata": {"event_type": "mq", "event_payload": {"n": [1, None]}}}
    async with wire(seen) as slack:
        body = (await slack.call("chat.postMessage", args)).body
    assert (body["verb"], body["method"], body["json"]) == ("POST", "chat.postMessage", args)
    assert body["token"] == "Bearer xoxb-secret"


async def test_a_read_is_asked_in_the_query_with_numbers_for_truth() -> None:
    async with wire(seen) as slack:
        body = (await slack.call("conversations.history", {"channel": "C1", "limit": 2, "inclusive": True})).body
    assert (body["verb"], body["query"]) == ("GET", {"channel": "C1", "limit": "2", "inclusive": "1"})


async def test_apps_methods_go_with_the_app_level_token() -> None:
    async with wire(seen) as slack:
        body = (await slack.call("apps.connections.open", {})).body
    assert (body["verb"], body["token"]) == ("POST", "Bearer xapp-secret")


async def test_a_call_without_its_token_is_refused_before_it_is_sent() -> None:
    async with wire(seen, bot=None) as slack:
        with pytest.raises(TokenRefused, match="SLACK_BOT_TOKEN"):
            await slack.call("auth.test", {})
        assert (await slack.call("apps.connections.open", {})).status == 200


async def test_a_broken_connection_is_ambiguous_and_the_call_was_sent_once() -> None:
    calls: list[str] = []

    async def cut(request: web.Request) -> web.Response:
        await request.read()
        calls.append(request.match_info["method"])
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with wire(cut) as slack:
        with pytest.raises(Ambiguous) as caught:
            await slack.call("chat.postMessage", {"channel": "C1", "text": "hi"})
    assert calls == ["chat.postMessage"]
    assert caught.value.__cause__ is not None


async def test_an_absent_server_is_ambiguous() -> None:
    async with server(seen) as url:
        pass
    slack = SdkWire(token="xoxb-secret", url=url)
    with pytest.raises(Ambiguous, match="ClientConnectorError"):
        await slack.call("auth.test", {})
    await slack.aclose()


async def test_a_proxy_in_the_environment_is_not_used_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with wire(seen) as slack:
        assert (await slack.call("auth.test", {})).status == 200


async def test_all_calls_go_over_one_connection() -> None:
    peers: set[object] = set()

    async def note(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.json_response({"ok": True})

    async with wire(note) as slack:
        for _ in range(5):
            await slack.call("reactions.add", {"channel": "C1"})
    assert len(peers) == 1


async def test_no_token_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    async def cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    with caplog.at_level("DEBUG"):
        async with wire(cut) as slack:
            with pytest.raises(Ambiguous) as caught:
                await slack.call("chat.postMessage", {"channel": "C1"})
            shown = "".join(traceback.format_exception(caught.value)) + repr(slack) + caplog.text
    assert "chat.postMessage" in shown
    assert "secret" not in shown


async def test_nothing_is_left_open() -> None:
    async with wire(seen) as slack:
        await slack.call("auth.test", {})
    gc.collect()  # a forgotten session complains when it is collected, and a complaint fails this test
    assert [each for each in gc.get_objects() if isinstance(each, ClientSession) and not each.closed] == []


async def test_a_worker_says_its_name_in_the_user_agent_and_nothing_else_can_get_in() -> None:
    agents: list[str] = []

    async def note(request: web.Request) -> web.Response:
        agents.append(request.headers["User-Agent"])
        return web.json_response({"ok": True})

    async with server(note) as url:
        named = SdkWire(token="xoxb-secret", url=url, worker="attic 1\r\nX: y/é")
        await named.call("auth.test", {})
        await named.aclose()
    assert agents[0].endswith("slackmq-worker/attic-1--X--y--")


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://files.slack.com/files-pri/T1-F1/x", True),
        ("https://slack.com/x", True),
        ("http://127.0.0.1:7522/files-pri/T1-F1/x", True),
        ("http://127.0.0.1:7523/files-pri/T1-F1/x", False),
        ("http://files.slack.com/x", False),
        ("https://slack.com.evil.example/x", False),
        ("https://evilslack.com/x", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_a_token_goes_to_slack_and_to_the_server_that_was_named_alone(url: str, sent: bool) -> None:  # noqa: FBT001
    assert trusted(url, "http://127.0.0.1:7522/api/") is sent
