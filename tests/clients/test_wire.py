"""Every way to say the same thing, and every way to say it wrong, over loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from slackmq.emulator.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from slackmq.emulator.launch import About


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def bearer(emulator: About) -> dict[str, str]:
    return {"Authorization": f"Bearer {emulator.apps[0].bot_token}"}


async def test_every_method_answers_get_and_post(
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str]
) -> None:
    for method in sorted(METHODS.keys() - {"auth.revoke"}):
        for ask in (http.get, http.post):
            async with ask(f"{emulator.base_url}{method}", headers=bearer) as response:
                body: dict[str, Any] = await response.json()
                assert response.status == 200, method
                assert isinstance(body["ok"], bool), method
                assert ("error" in body) is not body["ok"], method


async def test_booleans_and_nested_arguments_mean_the_same_however_they_are_spelt(
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str], jobs: str
) -> None:
    metadata = {"event_type": "job", "event_payload": {"a": [1, {"b": None}]}}
    post, read = f"{emulator.base_url}chat.postMessage", f"{emulator.base_url}conversations.history"
    ways: list[dict[str, Any]] = [
        {"json": {"channel": jobs, "text": "x", "metadata": metadata}},
        {"data": {"channel": jobs, "text": "x", "metadata": json.dumps(metadata)}},
        {"params": {"channel": jobs, "text": "x", "metadata": json.dumps(metadata)}},
        {"params": {"channel": jobs}, "data": {"text": "x", "metadata": json.dumps(metadata)}},
    ]
    for way in ways:
        async with http.post(post, headers=bearer, **way) as response:
            assert (await response.json())["message"]["metadata"] == metadata
    asked: list[tuple[dict[str, Any], bool]] = [
        ({"json": {"channel": jobs, "include_all_metadata": True}}, True),
        ({"data": {"channel": jobs, "include_all_metadata": "1"}}, True),
        ({"params": {"channel": jobs, "include_all_metadata": "true"}}, True),
        ({"params": {"channel": jobs, "include_all_metadata": "0"}}, False),
        ({"data": {"channel": jobs, "include_all_metadata": "false"}}, False),
    ]
    for way, whole in asked:
        async with http.post(read, headers=bearer, **way) as response:
            assert ("event_payload" in (await response.json())["messages"][0]["metadata"]) is whole, way


async def test_each_trouble_with_a_token_has_a_code_of_its_own(
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str]
) -> None:
    async def error(method: str, headers: dict[str, str], **args: str) -> dict[str, Any]:
        async with http.post(f"{emulator.base_url}{method}", headers=headers, data=args) as response:
            assert response.status == 200
            return dict(await response.json())

    assert (await error("auth.test", {}))["error"] == "not_authed"
    assert (await error("auth.test", {"Authorization": "Bearer xoxb-wrong"}))["error"] == "invalid_auth"
    assert (await error("stars.list", bearer))["error"] == "not_allowed_token_type"
    missing = await error("emoji.list", bearer)
    assert (missing["error"], missing["needed"]) == ("missing_scope", "emoji:read")
    assert "chat:write" in missing["provided"].split(",")


async def test_a_remark_stands_beside_an_error_too(
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str]
) -> None:
    headers = {**bearer, "Content-Type": "application/json"}
    async with http.post(f"{emulator.base_url}pins.list", headers=headers, data='{"channel": "C0"}') as response:
        body = await response.json()
    assert (body["error"], body["warning"]) == ("channel_not_found", "missing_charset")
    headers = {**bearer, "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    async with http.post(f"{emulator.base_url}api.test", headers=headers, data="a=1") as response:
        body = await response.json()
    assert (body["ok"], body["warning"]) == (True, "superfluous_charset")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"hello"),
        ("multipart/form-data; boundary=x", b"hello"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nhello"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--x"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Type: text/plain; charset=no-such\r\n\r\nb\r\n--x--"),
        ("multipart/form-data; boundary=" + "x" * 100, b"--x"),
        ("application/x-www-form-urlencoded", b"\xff\xfe=%zz&&=&a"),
        ("application/json; charset=utf-8", b"\xff\xfe"),
        ("application/json; charset=no-such", b'{"a": 1}'),
        ("application/json; charset=utf-8", b'{"channel": {"a": []}, "text": [1], "limit": 1e400}'),
        ("application/json; charset=utf-8", b'{"channel": "\\ud800", "text": "\\ud800", "thread_ts": "\\ud800"}'),
        ("nonsense", b"hello"),
        ("", b"hello"),
    ],
)
async def test_no_body_gets_more_than_slacks_error(  # a parametrized test with its fixtures
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str], jobs: str, *, content_type: str, body: bytes
) -> None:
    headers = {**bearer, "Content-Type": content_type}
    for method in ("api.test", "chat.postMessage", "conversations.history"):
        async with http.post(f"{emulator.base_url}{method}", headers=headers, data=body) as response:
            answer: dict[str, Any] = await response.json()
            assert response.status == 200, answer
            assert isinstance(answer["ok"], bool)
    args = {"channel": jobs, "text": "still here"}
    async with http.post(f"{emulator.base_url}chat.postMessage", headers=bearer, json=args) as response:
        assert (await response.json())["ok"]


async def test_who_calls_too_often_is_told_in_slacks_words(http: aiohttp.ClientSession, limited: About) -> None:
    headers = {"Authorization": f"Bearer {limited.apps[0].bot_token}"}
    jobs = next(channel.id for channel in limited.channels if channel.name == "jobs")
    for number in range(30):
        channel = ("#jobs", "jobs", jobs)[number % 3]
        args = {"channel": channel, "text": "x"}
        async with http.post(f"{limited.base_url}chat.postMessage", headers=headers, data=args) as response:
            if response.status == 429:
                assert int(response.headers["Retry-After"]) >= 1
                assert await response.json() == {"ok": False, "error": "ratelimited"}
                return
    raise AssertionError("thirty posts to one channel at once came through, by whatever name it was called")


async def test_a_direct_message_is_opened_by_writing_to_a_person(
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str]
) -> None:
    args = {"channel": emulator.users[0].id, "text": "psst"}
    async with http.post(f"{emulator.base_url}chat.postMessage", headers=bearer, json=args) as response:
        assert (await response.json())["channel"].startswith("D")
