"""What Slack sends again and when it gives up, over real sockets and HTTP; a clock put forward stands for waiting."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient
from tests.clients.manifests import eventually, manifest
from tests.clients.test_events_over_http import serving

from slackmq.emulator.launch import embedded
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from slackmq.emulator.house import House

HEADERS = ("X-Slack-Retry-Num", "X-Slack-Retry-Reason")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with embedded(limits=False) as house:
        yield house


async def say(house: House, text: str) -> None:
    about = house.about()
    person: Any = AsyncWebClient(about.users[0].token, base_url=about.base_url)
    await person.chat_postMessage(channel=next(one.id for one in about.channels if one.name == "jobs"), text=text)


@asynccontextmanager
async def listening(house: House, extra: str = "") -> AsyncGenerator[aiohttp.ClientWebSocketResponse]:
    """An open connection of the first app, greeted."""
    about = house.about()
    client: Any = AsyncWebClient(base_url=about.base_url)
    url: str = (await client.apps_connections_open(app_token=about.apps[0].app_token))["url"]
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}{extra}") as opened:
        assert (await opened.receive_json(timeout=60))["type"] == "hello"
        yield opened


class Endpoint:
    """A request URL that verifies itself; what else comes is kept, and answered as `status` says."""

    def __init__(self, status: int = 500, **headers: str) -> None:
        self.status = status
        self.headers = headers
        self.came: asyncio.Queue[tuple[Mapping[str, str], dict[str, Any]]] = asyncio.Queue()

    async def __call__(self, request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        if body["type"] == "url_verification":
            return web.Response(text=body["challenge"])
        self.came.put_nowait((request.headers, body))
        return web.Response(status=self.status, headers=self.headers)

    async def next(self) -> tuple[tuple[str | None, str | None], dict[str, Any]]:
        """Number and reason of the next retry, and the body."""
        async with asyncio.timeout(60):
            headers, body = await self.came.get()
        return (headers.get(HEADERS[0]), headers.get(HEADERS[1])), body


async def installed(house: House, url: str) -> str:
    reply = await house.server.act(OPERATOR, "emulator.apps.create", {"manifest": manifest(url), "channels": ["#jobs"]})
    ident: str = reply["app"]["id"]
    return ident


async def settled(house: House, app: str) -> None:
    """Wait until no answer of the app is waited for: what is left has its time."""
    url = house.courier.subscriptions()[app]
    await asyncio.to_thread(eventually, lambda: url.next_due() is not None or not url.pending)


async def forward(house: House, *seconds: float) -> None:
    """Put the clock forward step by step, and let what is due by each happen."""
    client: Any = AsyncWebClient(base_url=house.about().base_url)
    for step in seconds:
        house.server.move(step)
        await client.api_test()


async def test_what_no_socket_acknowledges_comes_again_at_once_after_one_minute_and_after_five(house: House) -> None:
    async with listening(house) as opened:
        await say(house, "hello")
        frames = [await opened.receive_json(timeout=60)]
        for pause in (0, 60, 300):
            await forward(house, 3, pause)
            frames.append(await opened.receive_json(timeout=60))
        await forward(house, 3, 3600)
        await say(house, "afterwards")
        last = await opened.receive_json(timeout=60)
    assert [frame["retry_attempt"] for frame in frames] == [0, 1, 2, 3]
    assert [frame["retry_reason"] for frame in frames] == ["", "timeout", "timeout", "timeout"]
    assert len({frame["payload"]["event_id"] for frame in frames}) == 1
    assert len({frame["envelope_id"] for frame in frames}) == 4
    assert (last["payload"]["event"]["text"], last["retry_attempt"]) == ("afterwards", 0)


async def test_a_connection_is_warned_ten_seconds_before_its_time_is_up(house: House) -> None:
    async with listening(house, "&debug_reconnects=true") as opened:
        house.server.move(350)
        warning = await opened.receive_json(timeout=60)
        assert (warning["type"], warning["reason"]) == ("disconnect", "warning")
        await say(house, "still here")
        assert (await opened.receive_json(timeout=60))["type"] == "events_api"
        house.server.move(10)
        frames = [await opened.receive_json(timeout=60) for _ in range(2)]  # one of them was not acknowledged
        assert [frame.get("reason") for frame in frames] == [None, "refresh_requested"]
        assert (await opened.receive(timeout=60)).type is aiohttp.WSMsgType.CLOSE


async def test_at_random_each_connection_gets_some(house: House) -> None:
    house.sockets.distribute("random")
    async with listening(house) as one, listening(house) as two:
        for number in range(40):  # one chance in 10^11 that one of them gets none
            await say(house, str(number))
        for opened in (one, two):
            assert (await opened.receive_json(timeout=60))["type"] == "events_api"


async def test_over_http_too_it_comes_again_at_once_after_one_minute_and_after_five(house: House) -> None:
    endpoint = Endpoint(500)
    async with serving(endpoint.__call__) as url:
        app = await installed(house, url)
        await say(house, "hello")
        came = [await endpoint.next() for _ in range(2)]
        for seconds in (60, 300):
            await settled(house, app)
            house.server.move(seconds)
            came.append(await endpoint.next())
        await settled(house, app)
        assert house.courier.subscriptions()[app].pending == 0
    numbers = [number for number, _ in came]
    assert numbers == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]
    assert len({body["event_id"] for _, body in came}) == 1


async def test_an_app_that_wants_no_retry_gets_none(house: House) -> None:
    endpoint = Endpoint(500, **{"X-Slack-No-Retry": "1"})
    async with serving(endpoint.__call__) as url:
        app = await installed(house, url)
        await say(house, "hello")
        assert (await endpoint.next())[0] == (None, None)
        await settled(house, app)
        assert house.courier.subscriptions()[app].next_due() is None


async def test_a_retry_says_why_the_one_before_failed(house: House) -> None:
    """Verified first, then made to fail in each way that a server can fail without a status of its own."""
    endpoint = Endpoint(200)
    ways = iter(["too_many_redirects", "connection_failed", "http_timeout"])
    never = asyncio.Event()

    async def fail(request: web.Request) -> web.Response:
        body = await request.json()
        if body["type"] == "url_verification" or HEADERS[0] in request.headers:
            return await endpoint(request)
        match next(ways):
            case "too_many_redirects":
                raise web.HTTPTemporaryRedirect("/slack/again")
            case "connection_failed":
                assert request.transport is not None
                request.transport.close()
            case _:
                await never.wait()
        return web.Response()

    async def again(_request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/slack/again")

    served = web.Application()
    served.router.add_post("/slack/events", fail)
    served.router.add_post("/slack/again", again)
    async with serving(served) as url:
        await installed(house, url)
        for reason in ("too_many_redirects", "connection_failed", "http_timeout"):
            await say(house, reason)
            number, body = await endpoint.next()
            assert (number, body["event"]["text"]) == (("1", reason), reason)
        never.set()


async def test_an_app_that_fails_nearly_always_is_switched_off_until_somebody_switches_it_on(house: House) -> None:
    endpoint = Endpoint(500)
    async with serving(endpoint.__call__) as url:
        app = await installed(house, url)
        await say(house, "0")
        subscription = house.courier.subscriptions()[app]
        subscription.fewest = 20
        for number in range(1, 10):
            await say(house, str(number))
        for _ in range(20):  # each at once, and once more
            await endpoint.next()
        await asyncio.to_thread(eventually, lambda: subscription.disabled)
        await say(house, "unheard")
        assert subscription.pending == 0
        endpoint.status = 200
        headers = {"X-Emulator-Operator": house.secret}
        enable = f"{house.about().page_url}emulator/enable"
        async with aiohttp.ClientSession() as http, http.post(enable, json={"app": app}, headers=headers) as answer:
            assert answer.status == 200
        await say(house, "heard")
        assert (await endpoint.next())[1]["event"]["text"] == "heard"


async def test_over_its_hourly_allowance_an_app_is_told_once_a_minute_and_hears_nothing_else(house: House) -> None:
    endpoint = Endpoint(200)
    async with serving(endpoint.__call__) as url:
        app = await installed(house, url)
        house.server.move(60 - house.server.now() / 1e6 % 60)  # all of what follows is in one minute
        await say(house, "first")
        house.courier.subscriptions()[app].allowance.most = 2
        for text in ("second", "third", "fourth"):
            await say(house, text)
        bodies = [(await endpoint.next())[1] for _ in range(3)]
        assert [body["event"]["text"] for body in bodies[:2]] == ["first", "second"]
        limited = bodies[2]
        assert (limited["type"], limited["api_app_id"]) == ("app_rate_limited", app)
        assert limited["minute_rate_limited"] % 60 == 0
        house.server.move(60)
        await say(house, "fifth")
        assert (await endpoint.next())[1]["type"] == "app_rate_limited"
        house.server.move(3600)
        await say(house, "sixth")
        assert (await endpoint.next())[1]["event"]["text"] == "sixth"


@pytest.mark.parametrize("door", ["http", "rtm"])
async def test_events_are_lost_and_doubled_at_every_door(house: House, door: str) -> None:
    """As over Socket Mode, which `test_admin` shows."""

    async def suffer() -> None:
        for fault, text in (("event_loss", "lost"), ("event_doubling", "twice")):
            arm = {"seed": 1, fault: 1.0}
            headers = {"Authorization": f"Bearer {house.admin_token}"}
            address = f"{house.about().page_url}__admin/arm"
            async with aiohttp.ClientSession() as http, http.post(address, json=arm, headers=headers) as answer:
                assert answer.status == 200
            await say(house, text)

    if door == "http":
        endpoint = Endpoint(200)
        async with serving(endpoint.__call__) as url:
            await installed(house, url)
            await suffer()
            bodies = [(await endpoint.next())[1] for _ in range(2)]
        assert [body["event"]["text"] for body in bodies] == ["twice", "twice"]
        assert bodies[0]["event_id"] == bodies[1]["event_id"]
        return
    reply = await house.server.act(OPERATOR, "emulator.apps.classic", {"name": "oldie", "channels": ["#jobs"]})
    client: Any = AsyncWebClient(reply["app"]["bot_token"], base_url=house.about().base_url)
    url = (await client.rtm_connect())["url"]
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as opened:
        assert (await opened.receive_json(timeout=60))["type"] == "hello"
        await suffer()
        assert [(await opened.receive_json(timeout=60))["text"] for _ in range(2)] == ["twice", "twice"]


async def test_it_answers_at_its_own_loopback_address_and_at_no_other(house: House) -> None:
    where = urlsplit(house.about().page_url)
    assert where.hostname == "127.0.0.1"
    assert where.port is not None
    socket.create_connection((where.hostname, where.port), timeout=5).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", where.port), timeout=5)
