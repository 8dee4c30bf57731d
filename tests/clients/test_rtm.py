"""RTM as bots of the old kind use it: slack_sdk's RTM client, and frames by hand."""

from __future__ import annotations

import json
import queue
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.rtm_v2 import RTMClient
from slack_sdk.web.async_client import AsyncWebClient
from tests.clients.manifests import Operator

from slackmq.emulator import rtm
from slackmq.emulator.launch import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from slackmq.emulator.launch import About


@pytest.fixture
def classic(emulator: About) -> Mapping[str, Any]:
    app: Mapping[str, Any] = Operator(emulator).call("emulator.apps.classic", name="oldie", channels=["#jobs"])["app"]
    return app


@pytest.fixture
def person(emulator: About) -> Any:
    return WebClient(emulator.users[0].token, base_url=emulator.base_url)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def test_the_rtm_client_hears_and_answers(emulator: About, classic: Mapping[str, Any], person: Any, jobs: str) -> None:
    client: Any = RTMClient(token=classic["bot_token"], base_url=emulator.base_url)
    heard: queue.Queue[tuple[dict[str, Any], str]] = queue.Queue()

    @client.on("message")  # type: ignore[untyped-decorator]  # slack_sdk has no type for it
    def on_message(client: Any, event: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # kept there
        reply = client.web_client.chat_postMessage(channel=event["channel"], text="hi", thread_ts=event["ts"])
        heard.put((event, reply["ts"]))

    try:
        client.connect()
        ts = person.chat_postMessage(channel=jobs, text="hello")["ts"]
        event, answer = heard.get(timeout=60)
    finally:
        client.close()
    assert event["text"] == "hello"
    assert [row["ts"] for row in person.conversations_replies(channel=jobs, ts=ts)["messages"]] == [ts, answer]


async def opened(http: aiohttp.ClientSession, emulator: About, token: str) -> aiohttp.ClientWebSocketResponse:
    client: Any = AsyncWebClient(token, base_url=emulator.base_url)
    url: str = (await client.rtm_connect())["url"]
    return await http.ws_connect(url)


async def frame(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    found: dict[str, Any] = await socket.receive_json(timeout=60)
    return found


async def test_a_message_over_the_socket_is_answered_to_its_sender_and_told_to_the_others(
    http: aiohttp.ClientSession, emulator: About, classic: Mapping[str, Any], jobs: str
) -> None:
    async with (
        await opened(http, emulator, classic["bot_token"]) as one,
        await opened(http, emulator, classic["bot_token"]) as other,
    ):
        assert [await frame(one), await frame(other)] == [{"type": "hello"}] * 2
        await one.send_json({"id": 7, "type": "message", "channel": jobs, "text": "a < b"})
        answer, told = await frame(one), await frame(other)
        assert (answer["ok"], answer["reply_to"], answer["text"]) == (True, 7, "a &lt; b")
        assert (told["type"], told["ts"], told["channel"]) == ("message", answer["ts"], jobs)
        await one.send_json({"id": 8, "type": "message", "channel": "C0", "text": "x"})
        assert (await frame(one))["error"]["msg"] == "channel_not_found"
        await one.send_json({"id": 9, "type": "ping", "time": 5})
        assert await frame(one) == {"type": "pong", "reply_to": 9, "time": 5}
        await one.send_json({"type": "typing", "channel": jobs})
        assert await frame(other) == {"type": "user_typing", "channel": jobs, "user": classic["bot_user"]}


async def test_a_bot_hears_only_of_its_channels(
    http: aiohttp.ClientSession, emulator: About, classic: Mapping[str, Any], jobs: str
) -> None:
    other = next(channel.id for channel in emulator.channels if channel.id != jobs)
    person: Any = AsyncWebClient(emulator.users[0].token, base_url=emulator.base_url)
    async with await opened(http, emulator, classic["bot_token"]) as socket:
        await frame(socket)
        await person.chat_postMessage(channel=other, text="elsewhere")
        ts = (await person.chat_postMessage(channel=jobs, text="here"))["ts"]
        assert (await frame(socket))["text"] == "here"
        await person.reactions_add(channel=jobs, timestamp=ts, name="eyes")
        assert (await frame(socket))["type"] == "reaction_added"


async def test_nonsense_is_passed_over_and_a_huge_frame_ends_the_connection(
    http: aiohttp.ClientSession, emulator: About, classic: Mapping[str, Any]
) -> None:
    async with await opened(http, emulator, classic["bot_token"]) as socket:
        await frame(socket)
        for nonsense in ("", "{", "[]", "7", '{"type": "sing"}', "[" * 9000):
            await socket.send_str(nonsense)
        await socket.send_json({"type": "ping"})
        assert await frame(socket) == {"type": "pong"}
        await socket.send_str(json.dumps({"type": "ping", "x": "y" * rtm.LARGEST_FRAME}))
        assert (await socket.receive(timeout=60)).type is aiohttp.WSMsgType.CLOSE


async def test_the_seventeenth_connection_is_one_too_many(
    http: aiohttp.ClientSession, emulator: About, classic: Mapping[str, Any]
) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(rtm.MOST_CONNECTIONS):
            socket = await stack.enter_async_context(await opened(http, emulator, classic["bot_token"]))
            assert await frame(socket) == {"type": "hello"}
        late = await stack.enter_async_context(await opened(http, emulator, classic["bot_token"]))
        assert (await frame(late))["type"] == "error"


async def test_an_address_opens_one_connection(
    http: aiohttp.ClientSession, emulator: About, classic: Mapping[str, Any]
) -> None:
    client: Any = AsyncWebClient(classic["bot_token"], base_url=emulator.base_url)
    url: str = (await client.rtm_connect())["url"]
    async with http.ws_connect(url) as first, http.ws_connect(url) as second:
        assert (await frame(first))["type"] == "hello"
        assert (await frame(second))["error"] == {"code": 1, "msg": "Socket URL has expired"}


async def test_an_address_outlives_a_restart_and_is_used_once_all_the_same(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with running(data=tmp_path / "w.db", limits=False) as before:
        person: Any = AsyncWebClient(before.users[0].token, base_url=before.base_url)
        kept, used = [(await person.rtm_connect())["url"].partition("/rtm/")[2] for _ in range(2)]
        async with http.ws_connect(f"{before.page_url.replace('http', 'ws')}rtm/{used}") as socket:
            assert (await frame(socket))["type"] == "hello"
    async with running(data=tmp_path / "w.db") as after:
        door = f"{after.page_url.replace('http', 'ws')}rtm/"
        async with http.ws_connect(door + kept) as socket, http.ws_connect(door + used) as second:
            assert (await frame(socket))["type"] == "hello"
            assert (await frame(second))["error"]["msg"] == "Socket URL has expired"
            await socket.send_json({"id": 1, "type": "message", "channel": after.channels[0].id, "text": "back"})
            assert (await frame(socket))["ok"]


def test_todays_apps_are_refused(emulator: About) -> None:
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        WebClient(emulator.apps[0].bot_token, base_url=emulator.base_url).rtm_connect()


def test_rtm_start_answers_as_rtm_connect(emulator: About, classic: Mapping[str, Any]) -> None:
    client: Any = WebClient(classic["bot_token"], base_url=emulator.base_url)
    shown = client.api_call("rtm.start").data
    assert set(shown) == {"ok", "url", "self", "team"}
    assert shown["self"] == {"id": classic["bot_user"], "name": "oldie"}
