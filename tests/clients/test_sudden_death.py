from __future__ import annotations

import json
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import anyio
import anyio.lowlevel
from aiohttp import web
from slack_sdk.signature import Clock, SignatureVerifier
from tests.clients.manifests import manifest
from tests.clients.test_events_over_http import serving

from slackmq.emulator.launch import running

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from pathlib import Path

    from anyio.abc import Process

_ENOUGH = 60
"""Answers after which the process is killed, while others are under way."""


async def test_a_kill_amid_many_calls_loses_none_that_was_answered_ok(tmp_path: Path) -> None:
    data = tmp_path / "workspace.db"
    command = [sys.executable, "-m", "slackmq", "emulator", "--port", "0", "--json", "--limits", "off"]
    answered: set[str] = set()
    async with await anyio.open_process([*command, "--data", str(data)], stderr=None) as process:
        assert process.stdout is not None
        about = json.loads(await process.stdout.receive())
        headers = {"Authorization": f"Bearer {about['apps'][0]['bot_token']}"}
        channel = about["channels"][0]["id"]

        async def post(http: aiohttp.ClientSession, writer: int) -> None:
            for number in range(1000):
                args = {"channel": channel, "text": f"{writer}/{number}"}
                try:
                    async with http.post(f"{about['base_url']}chat.postMessage", data=args, headers=headers) as answer:
                        reply: dict[str, Any] = await answer.json()
                except aiohttp.ClientError:
                    return
                assert reply["ok"]
                answered.add(reply["ts"])
                if len(answered) == _ENOUGH:
                    process.kill()

        async with aiohttp.ClientSession() as http, anyio.create_task_group() as group:
            for writer in range(8):
                group.start_soon(post, http, writer)
    assert len(answered) >= _ENOUGH
    async with running(data=data, limits=False) as about_now, aiohttp.ClientSession() as http:
        args = {"channel": channel, "limit": "999"}
        async with http.get(f"{about_now.base_url}conversations.history", params=args, headers=headers) as answer:
            kept = {row["ts"] for row in (await answer.json())["messages"]}
    assert answered <= kept


class Address:
    """An app's request URL: it takes, refuses or keeps the sender waiting, as the text of the message says."""

    def __init__(self) -> None:
        self.well = anyio.Event()
        self.seen: list[tuple[str, str, str, str]] = []
        """Text, number of the retry, event_id, and whether the signature is right."""
        self.secret = ""
        self._changed = anyio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        raw = await request.text()
        body = json.loads(raw)
        if body["type"] == "url_verification":
            return web.Response(text=body["challenge"])
        text, headers = body["event"]["text"], dict(request.headers)
        signed = SignatureVerifier(self.secret, clock=At(headers)).is_valid_request(raw, headers)
        self.seen.append((text, headers.get("X-Slack-Retry-Num", "0"), body["event_id"], str(signed)))
        self._changed.set()
        if text.startswith("waits"):
            await self.well.wait()
        return web.Response(status=200 if self.well.is_set() or text.startswith("taken") else 500)

    async def until(self, true: Callable[[], bool]) -> None:
        with anyio.fail_after(60):
            while not true():
                await self._changed.wait()
                self._changed = anyio.Event()

    def heard(self, start: str = "") -> set[tuple[str, str]]:
        return {(text, retry) for text, retry, _, _ in self.seen if text.startswith(start)}


class At(Clock):
    """The moment at which a request says that it was signed: the server's clock was put forward."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._now = float(headers["X-Slack-Request-Timestamp"])

    def now(self) -> float:
        return self._now


@asynccontextmanager
async def emulator(data: Path) -> AsyncGenerator[tuple[Process, Callable[..., Awaitable[dict[str, Any]]]]]:
    """A process of its own, killed at the end; and how to ask it: a path, a token, arguments as JSON."""
    command = [sys.executable, "-m", "slackmq", "emulator", "--port", "0", "--json", "--limits", "off"]
    async with (
        aiohttp.ClientSession() as http,
        await anyio.open_process([*command, "--data", str(data)], stderr=None) as process,
    ):
        assert process.stdout is not None
        about = json.loads(await process.stdout.receive())

        async def ask(path: str, **args: Any) -> dict[str, Any]:
            tokens = {"api": about["users"][0]["token"], "__admin": about["admin_token"]}
            headers = {
                "Authorization": f"Bearer {tokens.get(path.partition('/')[0], '')}",
                "X-Emulator-Operator": about["operator_token"],
            }
            async with http.post(f"{about['page_url']}{path}", json=args, headers=headers) as answer:
                reply: dict[str, Any] = await answer.json()
            assert reply.get("ok", True), reply
            return reply

        try:
            yield process, ask
        finally:
            process.kill()


def ids(seen: list[tuple[str, str, str, str]], of: set[str]) -> set[tuple[str, str]]:
    return {(text, event) for text, _, event, _ in seen if text in of}


async def test_kills_amid_retries_over_http_lose_no_event_and_bring_none_back_that_was_taken(tmp_path: Path) -> None:
    data, address = tmp_path / "workspace.db", Address()
    texts = [f"{kind} {number}" for number in range(3) for kind in ("taken", "refused", "waits")]
    left = {text for text in texts if not text.startswith("taken")}
    notes = anyio.Path(tmp_path / "workspace.db.receipts")

    async with serving(address.answer) as url:
        async with emulator(data) as (process, ask):
            installed = await ask("emulator/api/emulator.apps.create", manifest=manifest(url), channels=["#jobs"])
            address.secret = installed["credentials"]["signing_secret"]
            for text in texts:
                await ask("api/chat.postMessage", channel="#jobs", text=text)
            await address.until(
                lambda: (
                    {(text, "1") for text in left if text.startswith("refused")} <= address.heard("refused")
                    and {text for text, _ in address.heard("waits")}
                    == {text for text in left if text.startswith("waits")}
                )
            )
            taken = {event for text, _, event, _ in address.seen if text.startswith("taken")}
            with anyio.fail_after(60):
                while taken - {line.rpartition("/")[2] for line in (await notes.read_text()).splitlines()}:
                    await anyio.lowlevel.checkpoint()
            process.kill()  # three deliveries are under way, three wait for their minute to pass
        first = [*address.seen]

        async with emulator(data) as (process, ask):
            await ask("__admin/clock", seconds=70)
            await ask("api/chat.postMessage", channel="#jobs", text="waits to the last")
            await address.until(lambda: {(text, "2") for text in left} <= address.heard())
            process.kill()
        address.well.set()

        async with emulator(data) as (process, ask):
            await ask("__admin/clock", seconds=310)
            await address.until(lambda: {(text, "3") for text in left} <= address.heard())
            await address.until(lambda: ("waits to the last", "2") in address.heard())

    again = address.seen[len(first) :]
    assert not {text for text, *_ in again if text.startswith("taken")}
    assert sorted(text for text, retry, *_ in again if retry == "3" and text in left) == sorted(left)
    assert ids(again, left) == ids(first, left)
    assert {signed for *_, signed in address.seen} == {"True"}
