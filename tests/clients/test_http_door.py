"""The HTTP door itself: every way to send a call, and everybody who may not come in."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from slackmq.emulator.web_api import LARGEST_BODY

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


async def reply(response: aiohttp.ClientResponse) -> dict[str, Any]:
    body: dict[str, Any] = await response.json()
    return body


async def test_arguments_come_in_the_query_the_form_json_or_multipart(
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str], jobs: str
) -> None:
    url, args = f"{emulator.base_url}chat.postMessage", {"channel": jobs, "text": "hello"}
    multipart = aiohttp.FormData(default_to_multipart=True)
    for name, value in args.items():
        multipart.add_field(name, value)
    ways: list[dict[str, Any]] = [{"params": args}, {"data": args}, {"json": args}, {"data": multipart}]
    for way in ways:
        async with http.post(url, headers=bearer, **way) as response:
            assert (await reply(response))["message"]["text"] == "hello", way
    async with http.get(url, headers=bearer, params=args) as response:
        assert (await reply(response))["ok"]


async def test_the_token_may_stand_in_the_form_or_in_the_query_but_not_in_json(
    http: aiohttp.ClientSession, emulator: About
) -> None:
    token = {"token": emulator.apps[0].bot_token}
    async with http.post(f"{emulator.base_url}auth.test", data=token) as response:
        assert (await reply(response))["ok"]
    for ask in (http.post, http.get):
        async with ask(f"{emulator.base_url}auth.test", params=token) as response:
            assert (await reply(response))["ok"]
    async with http.post(f"{emulator.base_url}auth.test", json=token) as response:
        assert (await reply(response))["error"] == "not_authed"


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        ("application/json", "{", "invalid_json"),
        ("application/json", "[1]", "json_not_object"),
        ("application/json", "[" * 100_000, "invalid_json"),
        ("text/plain", "hello", "invalid_post_type"),
    ],
)
async def test_an_unreadable_body_is_named(
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str], *, content_type: str, body: str, error: str
) -> None:
    headers = {**bearer, "Content-Type": content_type}
    async with http.post(f"{emulator.base_url}auth.test", headers=headers, data=body) as response:
        assert (response.status, (await reply(response))["error"]) == (200, error)


async def test_an_empty_json_body_is_no_error(
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str]
) -> None:
    headers = {**bearer, "Content-Type": "application/json;charset=utf-8"}
    async with http.post(f"{emulator.base_url}auth.test", headers=headers, data=b"") as response:
        assert (await reply(response))["ok"]


async def test_json_without_a_charset_is_remarked_upon(
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str]
) -> None:
    headers = {**bearer, "Content-Type": "application/json"}
    async with http.post(f"{emulator.base_url}auth.test", headers=headers, data="{}") as response:
        body = await reply(response)
    assert body["warning"] == "missing_charset"
    assert body["response_metadata"]["warnings"] == ["missing_charset"]


async def test_an_unknown_method_is_answered_and_not_an_error_of_http(
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str]
) -> None:
    async with http.post(f"{emulator.base_url}nobody.knows", headers=bearer) as response:
        assert (response.status, await reply(response)) == (200, {"ok": False, "error": "unknown_method"})


async def test_the_operators_methods_are_unknown_to_tokens(
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str]
) -> None:
    async with http.post(f"{emulator.base_url}emulator.users.list", headers=bearer) as response:
        assert (await reply(response))["error"] == "unknown_method"


async def test_a_body_of_no_sane_size_is_refused(
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str]
) -> None:
    body = BytesIO(b"x" * (LARGEST_BODY + 1))
    async with http.post(f"{emulator.base_url}api.test", headers=bearer, data=body) as response:
        assert response.status == 413


async def test_answers_carry_the_date_and_what_the_method_wants(
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str], jobs: str
) -> None:
    async with http.get(f"{emulator.base_url}pins.list", headers=bearer, params={"channel": jobs}) as response:
        assert response.headers["X-Accepted-OAuth-Scopes"] == "pins:read"
        assert parsedate_to_datetime(response.headers["Date"]).tzinfo is not None


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1:1", "127.0.0.1.evil.example", ""])
@pytest.mark.parametrize("path", ["", "api/auth.test", "emulator/about", "link/"])
async def test_whoever_means_another_server_is_turned_away(
    http: aiohttp.ClientSession, emulator: About, path: str, host: str
) -> None:
    async with http.get(f"{emulator.page_url}{path}", headers={"Host": host}) as response:
        assert response.status == 403


async def test_this_machine_may_be_called_localhost(http: aiohttp.ClientSession, emulator: About) -> None:
    async with http.get(emulator.page_url, headers={"Host": "localhost"}) as response:
        assert response.status == 200


async def test_another_page_cannot_write_as_a_person(http: aiohttp.ClientSession, emulator: About, jobs: str) -> None:
    url = f"{emulator.page_url}c/{jobs}/messages"
    async with http.post(url, data={"text": "hi"}, headers={"Origin": "http://evil.example"}) as response:
        assert response.status == 403
    async with http.post(url, data={"text": "hi"}, headers={"Origin": emulator.page_url.rstrip("/")}) as response:
        assert response.status == 204


async def test_no_page_may_read_across_origins_and_scripts_come_from_here_only(
    http: aiohttp.ClientSession, emulator: About
) -> None:
    async with http.get(emulator.page_url) as response:
        assert "Access-Control-Allow-Origin" not in response.headers
        policy = response.headers["Content-Security-Policy"]
        html = await response.text()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in html
    assert "style=" not in html


async def test_the_operators_door_opens_only_with_the_secret_of_this_run(
    http: aiohttp.ClientSession, emulator: About
) -> None:
    for headers in ({}, {"X-Emulator-Operator": "guess"}):
        async with http.get(f"{emulator.page_url}emulator/record", headers=headers) as response:
            assert response.status == 403
            assert emulator.operator_token not in await response.text()


async def test_the_record_tells_every_write_and_how_it_ended(
    http: aiohttp.ClientSession, emulator: About, bearer: dict[str, str], jobs: str
) -> None:
    async def call(method: str, **args: str) -> dict[str, Any]:
        async with http.post(f"{emulator.base_url}{method}", headers=bearer, data=args) as response:
            return await reply(response)

    ts = (await call("chat.postMessage", channel=jobs, text="x"))["ts"]
    await call("reactions.add", channel=jobs, timestamp=ts, name="clock1")
    await call("conversations.history", channel=jobs)
    await call("reactions.add", channel=jobs, timestamp=ts, name="clock1")
    operator = {"X-Emulator-Operator": emulator.operator_token}
    async with http.get(f"{emulator.page_url}emulator/record?since=1", headers=operator) as response:
        calls = (await reply(response))["calls"]
    assert [(call["seq"], call["method"], call["ok"], call["error"]) for call in calls] == [
        (2, "reactions.add", True, ""),
        (3, "reactions.add", False, "already_reacted"),
    ]
    assert {call["app"] for call in calls} == {emulator.apps[0].id}
    assert calls[0]["args"]["timestamp"] == ts


async def test_the_operator_installs_an_app_and_reads_about_it(http: aiohttp.ClientSession, emulator: About) -> None:
    operator = {"X-Emulator-Operator": emulator.operator_token}
    url = f"{emulator.page_url}emulator/"
    async with http.post(f"{url}api/emulator.apps.install", json={"name": "second"}, headers=operator) as response:
        token = (await reply(response))["app"]["bot_token"]
    async with http.get(f"{url}about", headers=operator) as response:
        about = await reply(response)
    assert [app["name"] for app in about["apps"]] == ["slackmq", "second"]
    assert about["apps"][1]["bot_token"] == token
    assert about == json.loads(json.dumps(about))
