"""Right and wrong uses of the door for plain slack_sdk, as api.py has them of the face. Nothing runs this file."""

from __future__ import annotations

# pyright: reportUnnecessaryTypeIgnoreComment=true
from typing import TYPE_CHECKING, assert_type

from slack_sdk import WebClient

from slackmq.integrations.slack_sdk import exactly_one

if TYPE_CHECKING:
    from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest


@exactly_one(WebClient(), "#jobs", matching="^toggle", retries=2)
def webhook(body: dict[str, object]) -> str:
    return str(body)


def listen(client: BaseSocketModeClient, request: SocketModeRequest) -> None:
    client.send_message(request.envelope_id)


async def hear(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
    await client.send_message(request.envelope_id)


async def count(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> int:
    await client.send_message(request.envelope_id)
    return len(request.payload)


def right(client: BaseSocketModeClient) -> None:
    assert_type(webhook({}), str | None)
    with exactly_one(client, "#jobs", own=True, claim="pin")(listen) as listener:
        client.socket_mode_request_listeners.append(listener)


async def right_that_awaits(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
    client.socket_mode_request_listeners.append(exactly_one(client, "#jobs", event="app_mention")(hear))
    assert_type(await exactly_one(client, "#jobs")(count)(client, request), int | None)


def wrong() -> None:
    webhook(3)  # type: ignore[arg-type]
    exactly_one("xoxb-token", "#jobs")  # type: ignore[arg-type]
    exactly_one(WebClient(), "#jobs", retrys=2)  # type: ignore[call-arg]
    exactly_one(WebClient(), "#jobs", event="reaction_added")  # type: ignore[arg-type]
