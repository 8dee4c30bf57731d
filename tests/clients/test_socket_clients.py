"""Socket Mode by slack_sdk's other two clients, and what the operator can choose about connections."""

from __future__ import annotations

import queue
import threading
from asyncio import to_thread
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import aiohttp
import anyio
import pytest
from slack_sdk import WebClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.socket_mode.websocket_client import SocketModeClient as ThreadedClient
from slack_sdk.socket_mode.websockets import SocketModeClient as WebsocketsClient
from slack_sdk.web.async_client import AsyncWebClient
from tests.clients.manifests import Operator, manifest

from slackmq.emulator.launch import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from slackmq.emulator.launch import About


@pytest.fixture
def operator(emulator: About) -> Operator:
    return Operator(emulator)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def link(emulator: About, token: str = "") -> str:
    client: Any = AsyncWebClient(base_url=emulator.base_url)
    url: str = (await client.apps_connections_open(app_token=token or emulator.apps[0].app_token))["url"]
    return url


async def frame(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    found: dict[str, Any] = await socket.receive_json(timeout=60)
    return found


def test_the_websocket_client_acknowledges_with_a_payload(operator: Operator, jobs: str) -> None:
    app = operator.install(manifest())
    web = WebClient(app["bot_token"], base_url=operator.about.base_url)
    kinds: queue.Queue[tuple[str, bool | None]] = queue.Queue()

    greeted = threading.Event()

    def listen(client: Any, request: Any) -> None:
        payload = {"text": "as told"} if request.accepts_response_payload else None
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))
        kinds.put((request.type, request.accepts_response_payload))

    client: Any = ThreadedClient(app_token=app["app_token"], web_client=web)
    client.socket_mode_request_listeners.append(listen)
    client.message_listeners.append(
        lambda _client, message, _raw: greeted.set() if message["type"] == "hello" else None
    )
    try:
        client.connect()
        assert greeted.wait(timeout=60)
        assert operator.person("interactions.command", channel=jobs, text="/deploy")["answer"] == {}
        assert kinds.get(timeout=60) == ("slash_commands", True)
    finally:
        client.close()
    assert [row["text"] for row in operator.seen()["messages"]] == ["as told"]


async def test_the_websockets_client_hears_and_comes_back_after_a_refresh(operator: Operator, jobs: str) -> None:
    app = await to_thread(operator.install, manifest())
    web = AsyncWebClient(app["bot_token"], base_url=operator.about.base_url)
    person: Any = AsyncWebClient(operator.about.users[0].token, base_url=operator.about.base_url)
    texts: list[str] = []
    heard, back = anyio.Event(), anyio.Event()

    async def listen(client: Any, request: Any) -> None:
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        texts.append(request.payload["event"]["text"])
        (back if texts[-1] == "second" else heard).set()

    client: Any = WebsocketsClient(app_token=app["app_token"], web_client=web, ping_interval=1)
    client.socket_mode_request_listeners.append(listen)
    try:
        await client.connect()
        await person.chat_postMessage(channel=jobs, text="first")
        with anyio.fail_after(60):
            await heard.wait()
        await to_thread(operator.door, "disconnect", app=app["id"], reason="refresh_requested")
        await person.chat_postMessage(channel=jobs, text="second")
        with anyio.fail_after(60):
            await back.wait()
    finally:
        await client.close()
    assert texts == ["first", "second"]


@pytest.mark.parametrize(("distribution", "expected"), [("newest", [0, 3]), ("round_robin", [2, 1])])
async def test_the_operator_chooses_who_gets_what(
    http: aiohttp.ClientSession, operator: Operator, jobs: str, *, distribution: str, expected: list[int]
) -> None:
    await to_thread(operator.door, "distribution", distribution=distribution)
    person: Any = AsyncWebClient(operator.about.users[0].token, base_url=operator.about.base_url)
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(http.ws_connect(await link(operator.about))) for _ in range(2)]
        for socket in sockets:
            assert (await frame(socket))["type"] == "hello"
        for _ in range(3):
            await person.chat_postMessage(channel=jobs, text="x")
        for socket, number in zip(sockets, expected, strict=True):
            for _ in range(number):
                assert (await frame(socket))["type"] == "events_api"
    sockets_of = (await to_thread(operator.listeners))["sockets"]
    assert sockets_of.get(operator.about.apps[0].id, 0) <= 2


async def test_debug_reconnects_shortens_the_connection(http: aiohttp.ClientSession, emulator: About) -> None:
    async with http.ws_connect(f"{await link(emulator)}&debug_reconnects=true") as socket:
        assert (await frame(socket))["debug_info"]["approximate_connection_time"] == 360
    async with http.ws_connect(await link(emulator)) as socket:
        assert (await frame(socket))["debug_info"]["approximate_connection_time"] == 18060


async def test_an_app_that_switches_socket_mode_off_is_told_and_cut(
    http: aiohttp.ClientSession, operator: Operator
) -> None:
    app = await to_thread(operator.install, manifest())
    async with http.ws_connect(await link(operator.about, app["app_token"])) as socket:
        assert (await frame(socket))["type"] == "hello"
        changed = manifest("http://127.0.0.1:1/slack/events")
        await to_thread(operator.call, "emulator.apps.update", app=app["id"], manifest=changed)
        assert (await frame(socket))["reason"] == "link_disabled"
        assert (await socket.receive(timeout=60)).type is aiohttp.WSMsgType.CLOSE
    async with http.ws_connect(await link(operator.about, app["app_token"])) as socket:
        await frame(socket)
        assert (await frame(socket))["reason"] == "link_disabled"


async def test_a_ticket_is_good_once_for_its_own_app_and_survives_a_restart(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with running(data=tmp_path / "w.db") as before:
        kept, used = await link(before), await link(before)
        async with http.ws_connect(used) as socket:
            await frame(socket)
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await http.ws_connect(used)
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await http.ws_connect(f"{kept}X")
    async with running(data=tmp_path / "w.db") as after:
        door = f"{after.page_url.replace('http', 'ws')}link/"
        async with http.ws_connect(door + kept.partition("/link/")[2]) as socket:
            assert (await frame(socket))["type"] == "hello"
        for ticket in (kept, used):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await http.ws_connect(door + ticket.partition("/link/")[2])
