"""Slack's framework for bots, Bolt, against the embedded Slack: it starts, hears, answers and acknowledges."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

import anyio
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk import WebClient
from slack_sdk.web.async_client import AsyncWebClient

if TYPE_CHECKING:
    from slackmq.emulator.launch import About


def test_a_sync_bolt_app_answers_a_person(emulator: About, jobs: str) -> None:
    app: Any = App(client=WebClient(emulator.apps[0].bot_token, base_url=emulator.base_url))
    answered: queue.Queue[str] = queue.Queue()

    @app.message("toggle")  # type: ignore[untyped-decorator]  # Bolt has no type for it
    def toggle(message: dict[str, Any], say: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # Bolt keeps it
        answered.put(say(text="toggled", thread_ts=message["ts"])["ts"])

    handler: Any = SocketModeHandler(app, emulator.apps[0].app_token)
    person: Any = WebClient(emulator.users[0].token, base_url=emulator.base_url)
    try:
        handler.connect()
        ts = person.chat_postMessage(channel=jobs, text="toggle dining light")["ts"]
        answer = answered.get(timeout=60)
    finally:
        handler.close()
    assert [row["ts"] for row in person.conversations_replies(channel=jobs, ts=ts)["messages"]] == [ts, answer]


async def test_an_async_bolt_app_answers_a_person(emulator: About, jobs: str) -> None:
    app: Any = AsyncApp(client=AsyncWebClient(emulator.apps[0].bot_token, base_url=emulator.base_url))
    answered = anyio.Event()

    @app.event("message")  # type: ignore[untyped-decorator]  # as above
    async def toggle(event: dict[str, Any], client: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        await client.reactions_add(channel=event["channel"], timestamp=event["ts"], name="white_check_mark")
        answered.set()

    handler: Any = AsyncSocketModeHandler(app, emulator.apps[0].app_token)
    person: Any = AsyncWebClient(emulator.users[0].token, base_url=emulator.base_url)
    try:
        await handler.connect_async()
        ts = (await person.chat_postMessage(channel=jobs, text="toggle"))["ts"]
        with anyio.fail_after(60):
            await answered.wait()
    finally:
        await handler.close_async()
    reactions = (await person.reactions_get(channel=jobs, timestamp=ts))["message"]["reactions"]
    assert reactions == [{"name": "white_check_mark", "users": [emulator.apps[0].bot_user_id], "count": 1}]
