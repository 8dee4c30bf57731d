"""Replicas of a function that listens with Slack's own library, one of which handles each post."""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.aiohttp import SocketModeClient as AsyncSocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from tests.clients.manifests import manifest

from slackmq.errors import ConfigurationError, Retry
from slackmq.integrations.slack_sdk import exactly_one

from .conftest import FAST, SCOPES, SHORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

    from slackmq.policy import Timing

    from .conftest import Troupe


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def web_of(troupe: Troupe) -> WebClient:
    return WebClient(troupe.slack.app.bot_token, base_url=troupe.slack.url)


def socket(troupe: Troupe) -> SocketModeClient:
    return SocketModeClient(troupe.slack.app.app_token, web_client=web_of(troupe), ping_interval=1)


def connected(troupe: Troupe, stack: ExitStack, client: Any, listener: Any) -> None:
    client.socket_mode_request_listeners.append(listener)
    before = len(troupe.slack.connections())
    stack.callback(client.close)
    client.connect()
    troupe.until(lambda: len(troupe.slack.connections()) > before)


def body_of(troupe: Troupe, ts: str, text: str, **event: Any) -> dict[str, Any]:
    channel = troupe.slack.channel("jobs")
    said = {"type": "message", "user": "U1", "channel": channel, "ts": ts, "text": text, **event}
    return {"type": "event_callback", "event": said}


def test_of_three_listeners_one_answers_each_post(troupe: Troupe, stack: ExitStack) -> None:
    def replica(number: int) -> None:
        client = socket(troupe)

        @exactly_one(client, "#jobs", matching="toggle", timing=FAST)
        def answer(client: BaseSocketModeClient, request: SocketModeRequest) -> None:
            client.send_socket_mode_response(SocketModeResponse(request.envelope_id))  # as listeners do
            event = request.payload["event"]
            troupe.noted(number, event["text"])
            client.web_client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="toggled")

        stack.callback(answer.close)
        connected(troupe, stack, client, answer)

    for number in range(3):
        replica(number)
    posts = [troupe.say(f"toggle {number}") for number in range(9)]
    chatter = troupe.say("good morning")
    troupe.done(*posts)
    assert sorted(text for _, text in troupe.ran) == [f"toggle {number}" for number in range(9)]
    for ts in posts:
        assert [row["text"] for row in troupe.slack.messages("#jobs", thread=ts)][1:] == ["toggled"]
        assert troupe.marks(ts) == {"clock1", "white_check_mark"}
    assert troupe.marks(chatter) == set()


async def listeners_that_await(troupe: Troupe) -> None:
    async def replica(number: int) -> Any:
        web = AsyncWebClient(troupe.slack.app.bot_token, base_url=troupe.slack.url)
        client = AsyncSocketModeClient(troupe.slack.app.app_token, web_client=web)

        async def answer(client: Any, request: SocketModeRequest) -> None:
            await client.send_socket_mode_response(SocketModeResponse(request.envelope_id))
            event = request.payload["event"]
            troupe.noted(number, event["text"])
            await client.web_client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="toggled")

        guarding = exactly_one(client, "#jobs", matching="toggle", timing=FAST)
        guarded = await asyncio.to_thread(guarding, answer)
        client.socket_mode_request_listeners.append(guarded)
        return client, guarded

    replicas = [await replica(number) for number in range(3)]
    early = await asyncio.to_thread(troupe.say, "toggle before")  # before any socket is open: a read finds it
    await asyncio.to_thread(troupe.done, early)
    for client, _ in replicas:
        await client.connect()
    posts = [await asyncio.to_thread(troupe.say, f"toggle {number}") for number in range(6)]
    await asyncio.to_thread(troupe.done, *posts)
    for client, guarded in replicas:
        await client.close()
        await asyncio.to_thread(guarded.close)


def test_of_three_listeners_that_await_one_answers_each_post(troupe: Troupe) -> None:
    asyncio.run(listeners_that_await(troupe))
    assert sorted(text for _, text in troupe.ran) == [*(f"toggle {number}" for number in range(6)), "toggle before"]


def webhooks(
    troupe: Troupe,
    stack: ExitStack,
    run: Callable[[int, dict[str, Any]], object],
    *,
    timing: Timing = FAST,
    **how: Any,
) -> list[Any]:
    def replica(number: int) -> Any:
        @exactly_one(web_of(troupe), "#jobs", timing=timing, **how)
        def handle(body: dict[str, Any]) -> object:
            if "challenge" in body:
                return body["challenge"]
            troupe.noted(number, body["event"]["text"])
            run(number, body)
            return "not for Slack"

        stack.callback(handle.close)
        return handle

    return [replica(number) for number in range(3)]


def test_a_body_that_reaches_every_webhook_is_handled_by_one_and_answered_at_once(
    troupe: Troupe, stack: ExitStack
) -> None:
    goes_on = threading.Event()
    stack.callback(goes_on.set)
    handlers = webhooks(troupe, stack, lambda *_: goes_on.wait())
    ts = troupe.say("toggle hall")
    assert [handle(body_of(troupe, ts, "toggle hall")) for handle in handlers] == [None, None, None]
    troupe.until(lambda: troupe.ran)
    assert "white_check_mark" not in troupe.marks(ts)
    goes_on.set()
    troupe.done(ts)
    assert [handle(body_of(troupe, ts, "toggle hall")) for handle in handlers] == [None, None, None]
    later = troupe.say("toggle attic")  # no event of it comes: a read finds it
    troupe.done(later)
    assert sorted(text for _, text in troupe.ran) == ["toggle attic", "toggle hall"]


def test_a_claim_is_extended_for_as_long_as_the_function_runs(troupe: Troupe, stack: ExitStack) -> None:
    goes_on = threading.Event()
    stack.callback(goes_on.set)
    first, *_ = webhooks(troupe, stack, lambda *_: goes_on.wait(), timing=SHORT)
    ts = troupe.say("toggle hall")
    first(body_of(troupe, ts, "toggle hall"))
    troupe.until(lambda: "clock6" in troupe.marks(ts))  # longer than a lease, and nobody has taken over
    goes_on.set()
    troupe.done(ts)
    assert [text for _, text in troupe.ran] == ["toggle hall"]


async def handlers_that_await(troupe: Troupe) -> None:
    web = AsyncWebClient(troupe.slack.app.bot_token, base_url=troupe.slack.url)

    async def handle(body: dict[str, Any]) -> str:
        troupe.noted(0, body["event"]["text"])
        await web.chat_postMessage(channel="#jobs", thread_ts=body["event"]["ts"], text="toggled")
        return "not for Slack"

    guarding = exactly_one(web, "#jobs", timing=FAST)
    replicas = [await asyncio.to_thread(guarding, handle) for _ in range(2)]
    ts = await asyncio.to_thread(troupe.say, "toggle hall")
    assert [await each(body_of(troupe, ts, "toggle hall")) for each in replicas] == [None, None]
    unheard = await asyncio.to_thread(troupe.say, "toggle attic")  # no event of it comes: a read finds it
    await asyncio.to_thread(troupe.done, ts, unheard)
    for each in replicas:
        await asyncio.to_thread(each.close)


def test_of_two_webhooks_that_await_one_handles_each_body(troupe: Troupe) -> None:
    asyncio.run(handlers_that_await(troupe))
    assert sorted(text for _, text in troupe.ran) == ["toggle attic", "toggle hall"]


def test_what_is_no_post_of_the_channel_comes_to_the_function_as_ever(troupe: Troupe, stack: ExitStack) -> None:
    first, *_ = webhooks(troupe, stack, lambda *_: None)
    assert first({"type": "url_verification", "challenge": "c"}) == "c"
    elsewhere = body_of(troupe, "1.000001", "hello", channel="C0ELSEWHERE")
    assert first(elsewhere) == "not for Slack"
    edit = body_of(troupe, "1.000002", "hello", subtype="message_changed")
    assert first(edit) == "not for Slack"
    assert [text for _, text in troupe.ran] == ["hello", "hello"]


def test_a_function_for_mentions_has_them_once_and_nothing_else(troupe: Troupe, stack: ExitStack) -> None:
    handlers = webhooks(troupe, stack, lambda *_: None, event="app_mention")
    text = f"<@{troupe.slack.app.bot_user}> toggle"
    ts, other = troupe.say(text), troupe.say("toggle")
    for handle in handlers:
        assert handle(body_of(troupe, ts, text)) is None
        assert handle(body_of(troupe, ts, text, type="app_mention")) is None
        assert handle(body_of(troupe, other, "toggle")) is None
    troupe.done(ts)
    assert [text for _, text in troupe.ran] == [text]
    assert troupe.marks(other) == set()


def test_its_own_posts_are_for_it_only_if_it_says_so(troupe: Troupe, stack: ExitStack) -> None:
    bot: Any = web_of(troupe)
    mine = str(bot.chat_postMessage(channel="#jobs", text="toggle mine")["ts"])
    quiet, *_ = webhooks(troupe, stack, lambda *_: None)
    assert quiet(body_of(troupe, mine, "toggle mine", user=troupe.slack.app.bot_user)) is None
    theirs = troupe.say("toggle theirs")
    troupe.done(theirs)
    assert troupe.marks(mine) == set()
    webhooks(troupe, stack, lambda *_: None, own=True)
    troupe.done(mine)
    assert sorted(text for _, text in troupe.ran) == ["toggle mine", "toggle theirs"]


def test_what_it_posts_under_another_name_is_its_own_too(troupe: Troupe, stack: ExitStack) -> None:
    given = manifest()
    given["oauth_config"] = {"scopes": {"bot": [*SCOPES, "chat:write.customize"]}}
    actor = troupe.slack.install(given, channels=["#jobs"])
    web: Any = WebClient(actor.bot_token, base_url=troupe.slack.url)

    @exactly_one(web, "#jobs", matching="toggle", timing=FAST)
    def handle(body: dict[str, Any]) -> None:
        troupe.noted(0, body["event"]["text"])

    stack.callback(handle.close)
    mine = str(web.chat_postMessage(channel="#jobs", text="toggle mine", username="Lamp")["ts"])
    [row] = [row for row in troupe.slack.messages("#jobs") if row["ts"] == mine]
    assert "user" not in row
    handle({"type": "event_callback", "event": {**row, "channel": troupe.slack.channel("jobs")}})
    troupe.done(troupe.say("toggle theirs"))
    assert [text for _, text in troupe.ran] == ["toggle theirs"]


def test_a_function_that_raises_leaves_the_reason_and_may_be_run_again(troupe: Troupe, stack: ExitStack) -> None:
    def run(_: int, body: dict[str, Any]) -> None:
        if "bad" in body["event"]["text"]:
            raise ValueError("no such lamp")
        if body["slackmq"]["attempt"] == 1:
            raise Retry("not yet")

    webhooks(troupe, stack, run)
    bad, late = troupe.say("a bad one"), troupe.say("a late one")
    troupe.done(late)
    troupe.until(lambda: "x" in troupe.marks(bad))
    assert any("no such lamp" in row["text"] for row in troupe.slack.messages("#jobs", thread=bad))
    assert sorted(text for _, text in troupe.ran) == ["a bad one", "a late one", "a late one"]


def test_a_function_that_exits_has_failed_and_is_not_repeated(troupe: Troupe, stack: ExitStack) -> None:
    def run(_: int, body: dict[str, Any]) -> None:
        sys.exit(f"cannot do {body['event']['text']}")

    webhooks(troupe, stack, run)
    ts = troupe.say("a bad one")
    troupe.until(lambda: len(troupe.marks(ts)) > 1 or len(troupe.ran) > 1)
    assert (troupe.marks(ts), len(troupe.ran)) == ({"clock1", "x"}, 1)


def test_a_client_without_a_token_and_a_call_without_a_channel_are_refused(troupe: Troupe) -> None:
    with pytest.raises(ConfigurationError, match="no bot token"):
        exactly_one(WebClient(base_url=troupe.slack.url), "#jobs")(lambda body: body)
    with pytest.raises(ConfigurationError, match="No channel is named"):
        exactly_one(web_of(troupe))
    event: Any = "reaction_added"
    with pytest.raises(ConfigurationError, match="no posts in 'reaction_added'"):
        exactly_one(web_of(troupe), "#jobs", event=event)


def test_two_settings_in_one_channel_are_named_and_the_second_is_refused(troupe: Troupe, stack: ExitStack) -> None:
    webhooks(troupe, stack, lambda *_: None)
    with pytest.raises(ConfigurationError, match="pin"):
        exactly_one(web_of(troupe), "#jobs", claim="pin", timing=FAST)(print)
