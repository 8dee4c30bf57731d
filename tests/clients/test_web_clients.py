"""Slack's own Python clients against the embedded Slack: what they send is understood, what they get fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

if TYPE_CHECKING:
    from slackmq.emulator.launch import About


@pytest.fixture
def client(emulator: About) -> WebClient:
    return WebClient(emulator.apps[0].bot_token, base_url=emulator.base_url, retry_handlers=[])


@pytest.fixture
async def aclient(emulator: About) -> AsyncWebClient:
    return AsyncWebClient(emulator.apps[0].bot_token, base_url=emulator.base_url, retry_handlers=[])


def test_the_sync_client_learns_who_it_is_and_what_it_may_do(client: Any, emulator: About) -> None:
    reply = client.auth_test()
    assert reply["user_id"] == emulator.apps[0].bot_user_id
    assert "chat:write" in reply.headers["x-oauth-scopes"]


def test_the_address_of_a_socket_is_all_that_the_app_level_token_is_told(emulator: About) -> None:
    reply: Any = WebClient(emulator.apps[0].app_token, base_url=emulator.base_url).apps_connections_open(
        app_token=emulator.apps[0].app_token
    )
    assert (reply.data.keys(), reply["url"][:15]) == ({"ok", "url"}, "ws://127.0.0.1:")


def test_the_sync_client_posts_reads_reacts_and_pins(client: Any, jobs: str) -> None:
    metadata = {"event_type": "job", "event_payload": {"width": 300, "tags": ["a", "b"]}}
    ts = client.chat_postMessage(channel=jobs, text="resize", metadata=metadata)["ts"]
    client.reactions_add(channel=jobs, timestamp=ts, name="clock1")
    client.pins_add(channel=jobs, timestamp=ts)
    rows = client.conversations_history(channel=jobs, include_all_metadata=True)["messages"]
    (row,) = [row for row in rows if row["ts"] == ts]
    assert row["metadata"] == metadata
    assert row["reactions"][0]["name"] == "clock1"
    assert row["pinned_to"] == [jobs]
    assert [item["message"]["ts"] for item in client.pins_list(channel=jobs)["items"]] == [ts]


async def test_the_async_client_posts_reads_reacts_and_pins(aclient: Any, jobs: str) -> None:
    ts = (await aclient.chat_postMessage(channel=jobs, text="resize"))["ts"]
    await aclient.reactions_add(channel=jobs, timestamp=ts, name="clock1")
    await aclient.pins_add(channel=jobs, timestamp=ts)
    reply = await aclient.conversations_history(channel=jobs, latest=ts, inclusive=True, limit=1)
    assert [row["ts"] for row in reply["messages"]] == [ts]
    assert reply["messages"][0]["reactions"][0]["count"] == 1


async def test_a_refusal_is_an_error_with_slacks_code(aclient: Any, jobs: str) -> None:
    ts = (await aclient.chat_postMessage(channel=jobs, text="once"))["ts"]
    await aclient.reactions_add(channel=jobs, timestamp=ts, name="clock1")
    with pytest.raises(SlackApiError) as refusal:
        await aclient.reactions_add(channel=jobs, timestamp=ts, name="clock1")
    assert refusal.value.response["error"] == "already_reacted"


async def test_a_thread_is_answered_and_read_back(aclient: Any, jobs: str) -> None:
    ts = (await aclient.chat_postMessage(channel=jobs, text="question"))["ts"]
    await aclient.chat_postMessage(channel=jobs, text="answer", thread_ts=ts)
    replies = (await aclient.conversations_replies(channel=jobs, ts=ts))["messages"]
    assert [row["text"] for row in replies] == ["question", "answer"]


def test_a_wrong_token_is_refused(emulator: About) -> None:
    with pytest.raises(SlackApiError) as refusal:
        WebClient("xoxb-wrong", base_url=emulator.base_url).auth_test()
    assert refusal.value.response["error"] == "invalid_auth"


def test_pages_are_followed_to_the_end(client: Any, jobs: str) -> None:
    sent = [client.chat_postMessage(channel=jobs, text=str(number))["ts"] for number in range(5)]
    pages = client.conversations_history(channel=jobs, limit=2)
    assert sorted(row["ts"] for page in pages for row in page["messages"]) == sent


def test_who_calls_too_often_is_told_how_long_to_wait(limited: About) -> None:
    client: Any = WebClient(limited.apps[0].bot_token, base_url=limited.base_url, retry_handlers=[])
    for _ in range(20):  # pins.list is Tier 2: 20 a minute
        client.pins_list(channel=limited.channels[0].id)
    with pytest.raises(SlackApiError) as refusal:
        client.pins_list(channel=limited.channels[0].id)
    response = refusal.value.response
    assert (response.status_code, response["error"]) == (429, "ratelimited")
    assert int(response.headers["Retry-After"]) >= 1


def test_another_app_has_a_budget_of_its_own(limited: About) -> None:
    bot: Any = WebClient(limited.apps[0].bot_token, base_url=limited.base_url, retry_handlers=[])
    for _ in range(20):
        bot.pins_list(channel=limited.channels[0].id)
    with pytest.raises(SlackApiError, match="ratelimited"):
        bot.pins_list(channel=limited.channels[0].id)
    person: Any = WebClient(limited.users[0].token, base_url=limited.base_url, retry_handlers=[])
    assert person.pins_list(channel=limited.channels[0].id)["ok"]
