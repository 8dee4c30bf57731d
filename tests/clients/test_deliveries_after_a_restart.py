"""What was not acknowledged before the server stopped comes once more after it started again; what was, does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from slackmq.emulator.launch import running

if TYPE_CHECKING:
    from pathlib import Path


async def link(base_url: str, token: str) -> str:
    client: Any = AsyncWebClient(base_url=base_url)
    url: str = (await client.apps_connections_open(app_token=token))["url"]
    return url


async def test_an_event_that_nobody_acknowledged_comes_again_after_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "w.db"
    async with running(data=data) as before, aiohttp.ClientSession() as http:
        token = before.apps[0].app_token
        person: Any = AsyncWebClient(before.users[0].token, base_url=before.base_url)
        async with http.ws_connect(await link(before.base_url, token)) as socket:
            frame: dict[str, Any] = await socket.receive_json(timeout=60)
            for text in ("taken", "left"):
                await person.chat_postMessage(channel=before.channels[0].id, text=text)
                frame = await socket.receive_json(timeout=60)
                if text == "taken":
                    await socket.send_json({"envelope_id": frame["envelope_id"]})
    async with (
        running(data=data) as after,
        aiohttp.ClientSession() as http,
        http.ws_connect(await link(after.base_url, token)) as socket,
    ):
        await socket.receive_json(timeout=60)
        again = await socket.receive_json(timeout=60)
    assert (again["payload"]["event"]["text"], again["retry_attempt"], again["retry_reason"]) == ("left", 1, "timeout")
    assert again["payload"]["event_id"] == frame["payload"]["event_id"]
