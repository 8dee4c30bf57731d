from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from aiohttp import WSMsgType, web

from slackmq.errors import Refused, TokenRefused
from slackmq.slack.api import Added, Arrived, Connected, Disconnected
from slackmq.slack.events import SocketEvents
from slackmq.slack.web import SdkWire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from slackmq.slack.api import Event


class Clockwork:
    """Real time with short naps: nobody waits for a pause between two connections."""

    def __init__(self) -> None:
        self.naps: list[float] = []

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, delay: float) -> None:
        self.naps.append(delay)
        await anyio.lowlevel.checkpoint()

    def random(self) -> float:
        return 0.5

    def new_id(self) -> str:
        return "0" * 32


class SocketServer:
    """The server's half of Socket Mode: tickets, sockets, and what came over them."""

    def __init__(self) -> None:
        self.url = ""
        self.opened: list[str] = []
        self.refusal: dict[str, Any] | None = None
        self.greeting: list[dict[str, Any]] = [{"type": "hello", "num_connections": 1}]
        self.autoping = True
        self.sockets: list[web.WebSocketResponse] = []
        self.transports: list[asyncio.Transport] = []
        self.received: list[dict[str, Any]] = []
        self.ended = 0

    async def ticket(self, request: web.Request) -> web.Response:
        self.opened.append(request.headers["Authorization"])
        if self.refusal is not None:
            return web.json_response(self.refusal)
        return web.json_response({"ok": True, "url": f"ws{self.url[4:]}/link?ticket={len(self.opened)}"})

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        assert request.query["ticket"] == str(len(self.opened))
        socket = web.WebSocketResponse(autoping=self.autoping)
        await socket.prepare(request)
        self.sockets.append(socket)
        assert isinstance(request.transport, asyncio.Transport)
        self.transports.append(request.transport)
        for frame in self.greeting:
            await socket.send_json(frame)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.received.append(message.json())
        self.ended += 1
        return socket


@pytest.fixture
async def slack() -> AsyncGenerator[SocketServer]:
    served = SocketServer()
    app = web.Application()
    app.router.add_post("/api/apps.connections.open", served.ticket)
    app.router.add_get("/link", served.link)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield served
    await runner.cleanup()


def source(slack: SocketServer, *, silence: float = 30) -> tuple[SocketEvents, Clockwork]:
    clock = Clockwork()
    return SocketEvents(
        lambda: SdkWire(app_token="xapp-secret", url=f"{slack.url}/api/"), clock=clock, silence=silence
    ), clock


@asynccontextmanager
async def listening(slack: SocketServer, *, silence: float = 30) -> AsyncGenerator[AsyncIterator[Event]]:
    with anyio.fail_after(10):
        async with source(slack, silence=silence)[0].listen() as stream:
            yield stream


def posted(envelope: str, ts: str, **more: Any) -> dict[str, Any]:
    inner = {"type": "message", "channel": "C1", "user": "U1", "text": "hi", "ts": ts}
    payload = {"type": "event_callback", "event": inner}
    return {"envelope_id": envelope, "type": "events_api", "payload": payload, "accepts_response_payload": False} | more


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what the other end of a socket does."""
    with anyio.fail_after(5):
        while not condition():  # noqa: ASYNC110  # the kernel sets no Event
            await anyio.sleep(0.005)


async def test_a_connection_says_how_many_there_are(slack: SocketServer) -> None:
    slack.greeting = [{"type": "hello", "num_connections": 3}]
    async with listening(slack) as stream:
        assert await anext(stream) == Connected(connections=3)
    assert slack.opened == ["Bearer xapp-secret"]


async def test_events_come_in_order_and_are_acknowledged_at_once(slack: SocketServer) -> None:
    async with listening(slack) as stream:
        await anext(stream)
        item = {"type": "message", "channel": "C1", "ts": "1.000000"}
        reacted = {"type": "reaction_added", "user": "U1", "reaction": "clock1", "item": item}
        await slack.sockets[0].send_json(posted("e1", "1.000000"))
        await slack.sockets[0].send_json(posted("e2", "1.000000", payload={"event": reacted}))
        await until(lambda: len(slack.received) == 2)  # nobody has read an event yet
        assert slack.received == [{"envelope_id": "e1"}, {"envelope_id": "e2"}]
        first, second = await anext(stream), await anext(stream)
        assert isinstance(first, Arrived)
        assert (first.row.ts, first.redelivered) == ("1.000000", False)
        assert second == Added(channel="C1", ts="1.000000", emoji="clock1", user="U1")


async def test_a_repetition_is_marked(slack: SocketServer) -> None:
    async with listening(slack) as stream:
        await anext(stream)
        await slack.sockets[0].send_json(posted("e1", "1.000000", retry_attempt=1, retry_reason="timeout"))
        happened = await anext(stream)
        assert isinstance(happened, Arrived)
        assert happened.redelivered


async def test_what_is_nothing_to_us_is_acknowledged_and_left_out(slack: SocketServer) -> None:
    async with listening(slack) as stream:
        await anext(stream)
        socket = slack.sockets[0]
        await socket.send_json({"envelope_id": "e1", "type": "slash_commands", "payload": {"command": "/mq"}})
        await socket.send_json(
            {"envelope_id": "e2", "type": "events_api", "payload": {"event": {"type": "app_home_opened"}}}
        )
        await socket.send_str("")
        await socket.send_str("[]")
        await socket.send_bytes(b"\x00")
        await socket.send_json(posted("e3", "3.000000"))
        assert isinstance(await anext(stream), Arrived)
        await until(lambda: len(slack.received) == 3)
    assert [ack["envelope_id"] for ack in slack.received] == ["e1", "e2", "e3"]


async def test_a_killed_connection_is_replaced_with_a_fresh_ticket(slack: SocketServer) -> None:
    async with listening(slack) as stream:
        await anext(stream)
        slack.transports[0].abort()
        assert await anext(stream) == Connected(connections=1)
        await slack.sockets[1].send_json(posted("e1", "1.000000"))
        assert isinstance(await anext(stream), Arrived)
    assert len(slack.opened) == 2


async def test_who_listens_is_told_once_that_no_connection_can_be_had_and_again_when_one_can(
    slack: SocketServer,
) -> None:
    async with listening(slack) as stream:
        await anext(stream)
        slack.refusal = {"ok": False, "error": "internal_error"}
        slack.transports[0].abort()
        assert await anext(stream) == Disconnected()
        vain = len(slack.opened)
        await until(lambda: len(slack.opened) > vain + 2)
        slack.refusal = None
        assert isinstance(await anext(stream), Connected)


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_a_connection_that_slack_gives_up_is_replaced(slack: SocketServer, reason: str) -> None:
    async with listening(slack) as stream:
        await anext(stream)
        await slack.sockets[0].send_json({"type": "disconnect", "reason": reason})
        assert await anext(stream) == Connected(connections=1)
        await until(lambda: slack.ended == 1)


async def test_a_silent_connection_is_replaced(slack: SocketServer) -> None:
    slack.autoping = False  # pings stay unanswered
    async with listening(slack, silence=0.3) as stream:
        assert isinstance(await anext(stream), Connected)
        assert isinstance(await anext(stream), Connected)


async def test_a_connection_without_a_greeting_is_replaced(slack: SocketServer) -> None:
    slack.greeting = []
    async with listening(slack, silence=0.2) as stream:
        await until(lambda: bool(slack.sockets))
        slack.greeting = [{"type": "hello", "num_connections": 1}]
        assert isinstance(await anext(stream), Connected)
    assert len(slack.opened) == 2


async def test_a_quiet_connection_that_answers_pings_stays(slack: SocketServer) -> None:
    async with listening(slack, silence=0.1) as stream:
        await anext(stream)
        with anyio.move_on_after(0.5):
            await anext(stream)
    assert len(slack.opened) == 1


@pytest.mark.parametrize("code", ["token_revoked", "invalid_auth", "not_allowed_token_type"])
async def test_a_refused_token_ends_the_stream_loudly(slack: SocketServer, code: str) -> None:
    slack.refusal = {"ok": False, "error": code}
    async with listening(slack) as stream:
        with pytest.raises(TokenRefused, match=code):
            await anext(stream)


async def test_socket_mode_switched_off_ends_the_stream_loudly(slack: SocketServer) -> None:
    async with listening(slack) as stream:
        await anext(stream)
        await slack.sockets[0].send_json({"type": "disconnect", "reason": "link_disabled"})
        with pytest.raises(Refused, match="Switch Socket Mode on"):
            await anext(stream)
    assert len(slack.opened) == 1


async def test_too_many_sockets_are_no_reason_to_hurry(slack: SocketServer) -> None:
    events, clock = source(slack)
    with anyio.fail_after(10):
        async with events.listen() as stream:
            await anext(stream)
            await slack.sockets[0].send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await anext(stream)
    assert clock.naps[0] >= 5


async def test_a_server_that_hangs_up_is_tried_ever_more_slowly(slack: SocketServer) -> None:
    slack.greeting.append({"type": "disconnect", "reason": "refresh_requested"})
    events, clock = source(slack)
    with anyio.fail_after(10):
        async with events.listen() as stream:
            for _ in range(6):
                while not isinstance(await anext(stream), Connected):
                    pass
    pauses = clock.naps[:5]
    assert pauses == sorted(pauses)
    assert pauses[0] > 0.2
    assert pauses[4] > 4


async def test_an_error_of_the_listener_comes_out_as_it_went_in(slack: SocketServer) -> None:
    async def stumble() -> None:
        async with listening(slack) as stream:
            await anext(stream)
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await stumble()


async def test_leaving_closes_the_socket_and_leaves_nothing_open(slack: SocketServer) -> None:
    before = asyncio.all_tasks()
    async with listening(slack) as stream:
        await anext(stream)
    await until(lambda: slack.ended == 1 and not asyncio.all_tasks() - before)
    assert slack.sockets[0].close_code == 1000
    gc.collect()


async def test_who_is_cancelled_while_listening_leaves_nothing_open(slack: SocketServer) -> None:
    before = asyncio.all_tasks()
    with anyio.move_on_after(0.2) as patience:
        async with source(slack)[0].listen() as stream:
            async for _ in stream:
                pass
    assert patience.cancelled_caught
    await until(lambda: not asyncio.all_tasks() - before)
    gc.collect()
