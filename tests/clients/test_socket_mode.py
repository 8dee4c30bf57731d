"""The WebSocket door, judged by Slack's own Socket Mode clients and by hand."""

from __future__ import annotations

import queue
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import anyio
import pytest
from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.aiohttp import SocketModeClient as AsyncSocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from slackmq.emulator import socket_mode

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

    from slackmq.emulator.launch import About


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def address(http: aiohttp.ClientSession, emulator: About) -> str:
    headers = {"Authorization": f"Bearer {emulator.apps[0].app_token}"}
    async with http.post(f"{emulator.base_url}apps.connections.open", headers=headers) as response:
        url: str = (await response.json())["url"]
        return url


@asynccontextmanager
async def connected(
    http: aiohttp.ClientSession, emulator: About
) -> AsyncGenerator[tuple[aiohttp.ClientWebSocketResponse, dict[str, Any]]]:
    """A socket, and the first frame that came over it."""
    async with http.ws_connect(await address(http, emulator)) as socket:
        yield socket, await socket.receive_json(timeout=60)


async def post(http: aiohttp.ClientSession, emulator: About, channel: str, text: str) -> None:
    headers = {"Authorization": f"Bearer {emulator.users[0].token}"}
    body = {"channel": channel, "text": text}
    async with http.post(f"{emulator.base_url}chat.postMessage", headers=headers, data=body) as response:
        assert (await response.json())["ok"]


async def operate(http: aiohttp.ClientSession, emulator: About, path: str, **body: str) -> dict[str, Any]:
    headers = {"X-Emulator-Operator": emulator.operator_token}
    async with http.post(f"{emulator.page_url}emulator/{path}", headers=headers, data=body) as response:
        reply: dict[str, Any] = await response.json()
        return reply


def test_the_sync_client_hears_what_is_posted_and_acknowledges(emulator: About, jobs: str) -> None:
    web: Any = WebClient(emulator.apps[0].bot_token, base_url=emulator.base_url)
    heard: queue.Queue[SocketModeRequest] = queue.Queue()

    def listen(client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        heard.put(request)

    client: Any = SocketModeClient(app_token=emulator.apps[0].app_token, web_client=web, trace_enabled=False)
    client.socket_mode_request_listeners.append(listen)
    try:
        client.connect()
        WebClient(emulator.users[0].token, base_url=emulator.base_url).chat_postMessage(channel=jobs, text="hello")
        request = heard.get(timeout=60)
    finally:
        client.close()
    assert (request.type, request.payload["event"]["text"]) == ("events_api", "hello")
    assert request.payload["event"]["user"] == emulator.users[0].id


async def test_the_async_client_hears_what_is_posted_and_acknowledges(
    http: aiohttp.ClientSession, emulator: About, jobs: str
) -> None:
    web: Any = AsyncWebClient(base_url=emulator.base_url)
    heard: list[SocketModeRequest] = []
    came = anyio.Event()

    async def listen(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        heard.append(request)
        came.set()

    client: Any = AsyncSocketModeClient(app_token=emulator.apps[0].app_token, web_client=web)
    client.socket_mode_request_listeners.append(listen)
    try:
        await client.connect()
        await post(http, emulator, jobs, "hello")
        with anyio.fail_after(60):
            await came.wait()
    finally:
        await client.close()
    assert heard[0].payload["event"]["text"] == "hello"


async def test_hello_says_how_many_are_connected(http: aiohttp.ClientSession, emulator: About) -> None:
    async with connected(http, emulator) as (_, first), connected(http, emulator) as (_, second):
        assert (first["type"], first["num_connections"], second["num_connections"]) == ("hello", 1, 2)
        assert first["connection_info"] == {"app_id": emulator.apps[0].id}
        assert first["debug_info"]["approximate_connection_time"] == 18060


async def test_a_ticket_is_good_for_one_connection(http: aiohttp.ClientSession, emulator: About) -> None:
    url = await address(http, emulator)
    async with http.ws_connect(url):
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await http.ws_connect(url)


async def test_each_payload_goes_to_one_connection(http: aiohttp.ClientSession, emulator: About, jobs: str) -> None:
    async with connected(http, emulator) as (one, _), connected(http, emulator) as (two, _):
        for number in range(4):
            await post(http, emulator, jobs, str(number))
        frames = [await offered(socket) for socket in (one, one, two, two)]
    assert sorted(frame["payload"]["event"]["text"] for frame in frames) == ["0", "1", "2", "3"]
    assert {(frame["type"], frame["retry_reason"]) for frame in frames} == {("events_api", "")}


async def offered(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """The next payload that comes for the first time: what nobody acknowledges in three seconds comes again."""
    while True:
        frame: dict[str, Any] = await socket.receive_json(timeout=60)
        if not frame["retry_attempt"]:
            return frame


async def test_what_is_not_acknowledged_comes_again_with_a_retry_mark(
    http: aiohttp.ClientSession, emulator: About, jobs: str
) -> None:
    async with connected(http, emulator) as (socket, _):
        await post(http, emulator, jobs, "hello")
        first = await socket.receive_json(timeout=60)
        again = await socket.receive_json(timeout=60)
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
    assert again["payload"] == first["payload"]


async def test_an_acknowledgement_counts_on_any_connection_of_the_app(
    http: aiohttp.ClientSession, emulator: About, jobs: str
) -> None:
    await operate(http, emulator, "distribution", distribution="newest")
    async with connected(http, emulator) as (one, _), connected(http, emulator) as (two, _):
        await post(http, emulator, jobs, "hello")
        frame = await two.receive_json(timeout=60)
        await one.send_json({"envelope_id": frame["envelope_id"]})
        with pytest.raises(TimeoutError):
            await two.receive_json(timeout=4)


async def test_the_eleventh_connection_is_told_to_go(http: aiohttp.ClientSession, emulator: About) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(connected(http, emulator))
        socket, first = await stack.enter_async_context(connected(http, emulator))
        assert (first["type"], first["reason"]) == ("disconnect", "too_many_websockets")
        assert (await socket.receive(timeout=60)).type is aiohttp.WSMsgType.CLOSE


async def test_a_ping_is_answered_with_what_it_carried(http: aiohttp.ClientSession, emulator: About) -> None:
    async with http.ws_connect(await address(http, emulator), autoping=False) as socket:
        await socket.receive_json(timeout=60)
        await socket.ping(b"sdk-ping-pong:1")
        message = await socket.receive(timeout=60)
    assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"sdk-ping-pong:1")


async def test_the_server_pings_by_itself(
    http: aiohttp.ClientSession, emulator: About, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert socket_mode.PING_EVERY < 30
    monkeypatch.setattr(socket_mode, "PING_EVERY", 0.05)
    async with http.ws_connect(await address(http, emulator), autoping=False) as socket:
        await socket.receive_json(timeout=60)
        assert (await socket.receive(timeout=60)).type is aiohttp.WSMsgType.PING


async def test_nonsense_on_the_socket_is_passed_over(http: aiohttp.ClientSession, emulator: About, jobs: str) -> None:
    async with connected(http, emulator) as (socket, _):
        for nonsense in ("", "{", "[]", '"x"', '{"envelope_id": 7}', '{"envelope_id": "unknown"}'):
            await socket.send_str(nonsense)
        await post(http, emulator, jobs, "still here")
        assert (await socket.receive_json(timeout=60))["payload"]["event"]["text"] == "still here"


@pytest.mark.parametrize("reason", ["refresh_requested", "link_disabled"])
async def test_the_operator_disconnects_an_app(http: aiohttp.ClientSession, emulator: About, reason: str) -> None:
    async with connected(http, emulator) as (socket, _):
        assert (await operate(http, emulator, "disconnect", reason=reason))["connections"] == 1
        assert (await socket.receive_json(timeout=60))["reason"] == reason
        assert (await socket.receive(timeout=60)).type is aiohttp.WSMsgType.CLOSE


async def test_a_revoked_app_loses_its_connections_and_its_tokens(http: aiohttp.ClientSession, emulator: About) -> None:
    async with connected(http, emulator) as (socket, _):
        assert (await operate(http, emulator, "api/emulator.apps.revoke", app=emulator.apps[0].id))["ok"]
        assert (await socket.receive_json(timeout=60))["reason"] == "link_disabled"
    headers = {"Authorization": f"Bearer {emulator.apps[0].app_token}"}
    async with http.post(f"{emulator.base_url}apps.connections.open", headers=headers) as response:
        assert (await response.json())["error"] == "token_revoked"


async def test_a_bot_token_opens_no_connection(http: aiohttp.ClientSession, emulator: About) -> None:
    headers = {"Authorization": f"Bearer {emulator.apps[0].bot_token}"}
    async with http.post(f"{emulator.base_url}apps.connections.open", headers=headers) as response:
        assert (await response.json())["error"] == "not_allowed_token_type"
