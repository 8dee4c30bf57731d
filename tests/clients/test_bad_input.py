"""Whoever sends nonsense, too much, or nothing at all is refused or waited for; the others go on being served."""

from __future__ import annotations

import asyncio
import io
import json
import os
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from slackmq.testing import async_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from slackmq.testing import AsyncWorkspace

IDLE = 1000
MANIFEST = {
    "display_information": {"name": "Hooked"},
    "features": {"bot_user": {"display_name": "hooked"}},
    "oauth_config": {"scopes": {"bot": ["incoming-webhook", "files:write", "chat:write"]}},
    "settings": {"socket_mode_enabled": True},
}
SCOPES = ["chat:write", "chat:write.customize", "files:read", "files:write", "channels:manage", "channels:read"]


@asynccontextmanager
async def raw(slack: AsyncWorkspace) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection to the server."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(slack.url).port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def served(slack: AsyncWorkspace, http: aiohttp.ClientSession) -> bool:
    """True if an ordinary call is answered soon."""
    headers = {"Authorization": f"Bearer {slack.app.bot_token}"}
    timeout = aiohttp.ClientTimeout(total=60)
    body = {"channel": slack.channel("jobs"), "text": "still there"}
    async with http.post(f"{slack.url}chat.postMessage", headers=headers, json=body, timeout=timeout) as response:
        return bool((await response.json())["ok"])


@asynccontextmanager
async def greeted(
    slack: AsyncWorkspace, http: aiohttp.ClientSession
) -> AsyncGenerator[aiohttp.ClientWebSocketResponse]:
    """A Socket Mode connection that was told hello."""
    async with http.ws_connect(await ticket(slack, http)) as socket:
        assert (await socket.receive_json(timeout=60))["type"] == "hello"
        yield socket


async def ticket(slack: AsyncWorkspace, http: aiohttp.ClientSession) -> str:
    headers = {"Authorization": f"Bearer {slack.app.app_token}"}
    async with http.post(f"{slack.url}apps.connections.open", headers=headers) as response:
        return str((await response.json())["url"])


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_an_oversized_body_is_refused_in_slacks_shape(kind: str) -> None:
    async with async_workspace() as slack, aiohttp.ClientSession() as http:
        headers = {"Authorization": f"Bearer {slack.app.bot_token}", "Content-Type": kind}
        body = b'{"text": "' + b"x" * 5_000_000 + b'"}'
        if kind == "multipart/form-data":
            headers["Content-Type"] += "; boundary=b"
            body = b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + b"x" * 5_000_000 + b"\r\n--b--\r\n"
        async with http.post(f"{slack.url}chat.postMessage", data=io.BytesIO(body), headers=headers) as response:
            assert (response.status, await response.json()) == (413, {"ok": False, "error": "post_contents_too_large"})
        assert await served(slack, http)


async def test_slow_clients_hold_up_nobody() -> None:
    async with async_workspace() as slack, aiohttp.ClientSession() as http, AsyncExitStack() as stack:
        for number in range(50):
            _, writer = await stack.enter_async_context(raw(slack))
            head = f"POST /api/chat.postMessage HTTP/1.1\r\nHost: {urlsplit(slack.url).netloc}\r\n"
            head += "Content-Length: 1000\r\nContent-Type: application/json\r\n\r\n{"
            writer.write(head[: len(head) if number % 2 else 20].encode())  # half of them within the head
            await writer.drain()
        assert await served(slack, http)


async def test_a_thousand_idle_connections_hold_up_nobody() -> None:
    async with async_workspace() as slack, aiohttp.ClientSession() as http, AsyncExitStack() as stack:
        for _ in range(IDLE):
            await stack.enter_async_context(raw(slack))
        assert await served(slack, http)
        async with greeted(slack, http) as socket:
            await slack.post("heard among the idle", channel="jobs")
            frame = await socket.receive_json(timeout=60)
            assert frame["payload"]["event"]["text"] == "heard among the idle"


async def test_malformed_requests_are_refused_and_others_served(caplog: pytest.LogCaptureFixture) -> None:
    dice = Random(3)  # noqa: S311  # dice, not keys
    async with async_workspace() as slack, aiohttp.ClientSession() as http:
        for garbage in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /api/api.test HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
            b"POST /api/api.test HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
            b"POST /api/api.test HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{",
            b"GET /?ts=\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
            dice.randbytes(2000) + b"\r\n\r\n",
        ):
            async with raw(slack) as (reader, writer):
                writer.write(garbage)
                writer.write_eof()
                async with asyncio.timeout(60):
                    answer = await reader.read()
                assert b"Traceback" not in answer
                assert not answer.startswith(b"HTTP/1.1 5")
        assert await served(slack, http)
    assert caplog.text == ""


@pytest.mark.parametrize(
    "frame",
    [
        b"\x83\x80\x00\x00\x00\x00",  # an opcode that is not there
        b"\x81\x05hello",  # not masked
        b"\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff",  # an unbelievable length
        b"\x81\x82\x00\x00\x00\x00\xff\xfe",  # text that is no UTF-8
        b"\x89\xfe\x01\x00\x00\x00\x00\x00",  # a ping that is too long
    ],
)
async def test_a_malformed_frame_ends_its_own_connection_alone(frame: bytes) -> None:
    async with async_workspace() as slack, aiohttp.ClientSession() as http, greeted(slack, http) as good:
        place = urlsplit(await ticket(slack, http))
        async with raw(slack) as (reader, writer):
            head = f"GET {place.path}?{place.query} HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\n"
            head += "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
            writer.write(f"{head}AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
            assert b"101" in await reader.readline()
            writer.write(frame)
            writer.write_eof()
            async with asyncio.timeout(60):
                await reader.read()
        await slack.post("and on it goes", channel="jobs")
        heard = await good.receive_json(timeout=60)
        assert heard["payload"]["event"]["text"] == "and on it goes"


async def test_nonsense_in_a_frame_is_passed_over() -> None:
    async with async_workspace() as slack, aiohttp.ClientSession() as http, greeted(slack, http) as socket:
        for text in ("", "{", "[1]", '{"envelope_id": 5}', '{"envelope_id": "none", "payload": []}', "[" * 5000):
            await socket.send_str(text)
        await socket.send_bytes(os.urandom(100))
        await slack.post("on", channel="jobs")
        assert (await socket.receive_json(timeout=60))["payload"]["event"]["text"] == "on"


async def test_no_door_answers_nonsense_with_an_error_of_its_own() -> None:
    dice = Random(5)  # noqa: S311  # dice, not keys
    bodies = [b"", b"{", b"[]", b"null", b'{"blocks": 5}', b"payload=%7B", dice.randbytes(300), b"--b\r\n\r\n"]
    strange: list[object] = [{}, [[]], 10**400, "\ud800", None]
    bodies += [json.dumps({"text": given}).encode() for given in strange]
    kinds = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain"]
    kinds += ["multipart/form-data", "multipart/mixed; boundary=b", "application/json; charset=no-such"]
    async with async_workspace() as slack, aiohttp.ClientSession() as http:
        app = await slack.install(MANIFEST, channels=["jobs"])
        headers = {"Authorization": f"Bearer {app.bot_token}"}
        wanted = {"filename": "a.txt", "length": "5"}
        async with http.post(f"{slack.url}files.getUploadURLExternal", data=wanted, headers=headers) as response:
            upload = (await response.json())["upload_url"]
        for url in (*app.webhooks, upload, f"{slack.url}chat.postMessage", f"{slack.page_url}actions/T/1/x"):
            for kind in kinds:
                for body in bodies:
                    async with http.post(url, data=body, headers={**headers, "Content-Type": kind}) as response:
                        said: Any = await response.text()
                        assert response.status < 500, (url, kind, body, said)
                        assert "Traceback" not in said
        assert await served(slack, http)


async def test_what_is_no_number_is_null_in_the_answer_beside_half_a_character_too() -> None:
    async with async_workspace() as slack, aiohttp.ClientSession() as http:
        for half in ("", r"\ud800"):
            body = f'{{"numbers": [NaN, Infinity, 1e999, {10**30}], "text": "{half}"}}'
            kind = {"Content-Type": "application/json; charset=utf-8"}
            async with http.post(f"{slack.url}api.test", data=body, headers=kind) as response:
                said = json.loads(await response.text(), parse_constant=pytest.fail)
                assert said["args"]["numbers"] == [None, None, None, 10**30]


async def test_half_a_character_anywhere_is_shown_on_the_page_as_a_replacement_character() -> None:
    half = "a \ud800 b"
    section = {"type": "section", "text": {"type": "mrkdwn", "text": f"<https://example.org/\udfff|{half}> *{half}*"}}
    async with async_workspace() as slack, aiohttp.ClientSession() as http:
        app = await slack.install({**MANIFEST, "oauth_config": {"scopes": {"bot": SCOPES}}}, channels=["jobs"])
        jobs, headers = slack.channel("jobs"), {"Authorization": f"Bearer {app.bot_token}"}

        async def call(method: str, **args: object) -> Any:
            async with http.post(f"{slack.url}{method}", json=args, headers=headers) as response:
                said = await response.json()
                assert said["ok"], said
                return said

        wanted = await call("files.getUploadURLExternal", filename=f"{half}.txt", length=5)
        async with http.post(wanted["upload_url"], data=b"hello") as response:
            assert response.status == 200
        files = [{"id": wanted["file_id"], "title": half}]
        shared = await call("files.completeUploadExternal", files=files, channel_id=jobs)
        await call("chat.postMessage", channel=jobs, text=half, username="\ud800", blocks=[section])
        await call("conversations.setTopic", channel=jobs, topic=half)
        address = shared["files"][0]["url_private"]
        async with http.get(address, headers=headers) as response:
            assert (response.status, await response.read()) == (200, b"hello")
        for path in (f"c/{jobs}", "search?q=%ed%a0%80", "search?q=a", f"c/{jobs}/pins"):
            async with http.get(f"{slack.page_url}{path}") as response:
                assert response.status == 200, path
                page = await response.text()
        async with http.get(f"{slack.page_url}c/{jobs}") as response:
            page = await response.text()
        assert "a \N{REPLACEMENT CHARACTER} b" in page
        async with http.get(f"{slack.page_url}c/{jobs}/stream") as response:
            await response.content.readuntil(b"event: change")
        assert await served(slack, http)


@pytest.mark.parametrize("armed", [False, True])
async def test_a_form_that_is_not_what_it_says_is_refused_at_every_door(armed: bool) -> None:  # noqa: FBT001
    part = b'--b\r\nContent-Disposition: form-data; name="text"\r\n'
    bodies = [
        b"",
        b"[" * 100_000,
        part + b"Content-Transfer-Encoding: none-such\r\n\r\nx\r\n--b--\r\n",
        part + b"x" * 20_000,
    ]
    async with async_workspace() as slack, aiohttp.ClientSession() as http:
        if armed:
            slack.arm(lag=0.01)
        jobs, headers = slack.channel("jobs"), {"Authorization": f"Bearer {slack.app.bot_token}"}
        here = slack.page_url
        page = [f"{here}c/{jobs}/{deed}" for deed in ("messages", "edit", "press", "files")]
        for url in (f"{slack.url}chat.postMessage", f"{here}services/T/B/x", *page, f"{here}v/V/submit"):
            for kind in ("multipart/form-data", "multipart/form-data; boundary=b"):
                for body in bodies:
                    async with http.post(url, data=body, headers={**headers, "Content-Type": kind}) as response:
                        assert response.status < 500, (url, kind, body[:80])
            kinds = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Connection": "close"}
            async with http.post(url, data=b"not packed", headers={**headers, **kinds}) as response:
                assert response.status < 500, url
                if url.startswith(slack.url):
                    assert await response.json() == {"ok": False, "error": "request_timeout"}
        assert await served(slack, http)
