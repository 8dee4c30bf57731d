"""The page's listener and its webhook handler as real processes, one of which is killed while it is at work."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from .bots import FAST, SLOW, Bots
from .test_how_to import blocks_of

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Troupe


AWAITING = f"""{SLOW}
import asyncio

from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slackmq.integrations.slack_sdk import exactly_one

async def main():
    web = AsyncWebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACKMQ_URL"])
    client = SocketModeClient(os.environ["SLACK_APP_TOKEN"], web_client=web)

    @exactly_one(client, "#jobs", matching="^(toggle|slow)", {FAST})
    async def listen(client, request):
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id))
        event = request.payload["event"]
        if event["text"].startswith("slow"):
            await asyncio.to_thread(at_work, event["text"], request.payload["slackmq"]["attempt"])
        await web.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="toggled")

    client.socket_mode_request_listeners.append(listen)
    await client.connect()
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_what_a_killed_listener_that_awaits_had_acknowledged_another_one_does(troupe: Troupe, tmp_path: Path) -> None:
    with closing(Bots(troupe, tmp_path, AWAITING)) as bots:
        bots.lose_one_at_work(answer="toggled", slow_answer="toggled")


def test_what_a_killed_listener_had_acknowledged_another_one_does(troupe: Troupe, tmp_path: Path) -> None:
    socket, _ = blocks_of("slack-sdk.md")
    code = SLOW + socket.replace('matching="^toggle"', f'matching="^(toggle|slow)", {FAST}').replace(
        '    event = request.payload["event"]\n',
        '    event = request.payload["event"]\n'
        '    if event["text"].startswith("slow"):\n'
        '        at_work(event["text"], request.payload["slackmq"]["attempt"])\n',
    )
    with closing(Bots(troupe, tmp_path, code)) as bots:
        bots.lose_one_at_work(answer="toggled", slow_answer="toggled")
