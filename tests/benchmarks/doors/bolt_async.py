"""The page's Bolt bot as an async one; a program that a benchmark edits as it edits the page's."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from slackmq.integrations.bolt import exactly_one_async

url = os.environ.get("SLACKMQ_URL", AsyncWebClient.BASE_URL)
app = AsyncApp(client=AsyncWebClient(os.environ["SLACK_BOT_TOKEN"], base_url=url))


@app.message("toggle")
async def toggle(message: dict[str, Any], say: Any) -> None:
    await say(text="toggled", thread_ts=message["ts"])


async def main() -> None:
    async with exactly_one_async(app, "#jobs"):
        socket: Any = AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"])
        await socket.start_async()


if __name__ == "__main__":
    asyncio.run(main())
