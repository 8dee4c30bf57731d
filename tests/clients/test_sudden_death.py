from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import aiohttp
import anyio

from slackmq.emulator.launch import running

if TYPE_CHECKING:
    from pathlib import Path

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
