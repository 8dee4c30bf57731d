"""Files as slack_sdk uploads, shares and downloads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from tests.clients.manifests import Operator, manifest

from slackmq.emulator.launch import running

if TYPE_CHECKING:
    from pathlib import Path

    from slackmq.emulator.launch import About

SCOPES = ["files:read", "files:write", "channels:history", "chat:write"]


def token(about: About, *scopes: str) -> str:
    given = {**manifest(), "oauth_config": {"scopes": {"bot": list(scopes or SCOPES)}}}
    return str(Operator(about).install(given)["bot_token"])


@pytest.fixture
def client(emulator: About) -> WebClient:
    return WebClient(token(emulator), base_url=emulator.base_url, retry_handlers=[])


async def fetch(url: str, bearer: str = "") -> tuple[int, bytes, str]:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    async with (
        aiohttp.ClientSession() as http,
        http.get(url, headers=headers, allow_redirects=False) as response,
    ):
        return response.status, await response.read(), response.headers.get("Location", "")


def test_the_sync_client_uploads_and_shares_a_file(client: Any, jobs: str) -> None:
    uploaded = client.files_upload_v2(channel=jobs, content="a,b\n1,2\n", filename="table.csv", initial_comment="look")
    file = client.files_info(file=uploaded["file"]["id"])["file"]
    assert (file["name"], file["mimetype"], file["size"], file["channels"]) == ("table.csv", "text/csv", 8, [jobs])
    row = client.conversations_history(channel=jobs, limit=1)["messages"][0]
    assert (row["subtype"], row["text"], row["files"][0]["id"]) == ("file_share", "look", file["id"])
    assert file["shares"]["public"][jobs][0]["ts"] == row["ts"]


async def test_the_async_client_uploads_bytes_that_come_back_with_a_token_only(emulator: About, jobs: str) -> None:
    bearer = token(emulator)
    client: Any = AsyncWebClient(bearer, base_url=emulator.base_url)
    content = bytes(range(256)) * 1000
    uploaded = await client.files_upload_v2(channel=jobs, content=content, filename="x y.bin", title="Bytes")
    file = uploaded["file"]
    for url in (file["url_private"], file["url_private_download"]):
        assert urlsplit(url).netloc == urlsplit(emulator.base_url).netloc
        assert (await fetch(url, bearer))[:2] == (200, content)
        status, body, location = await fetch(url)
        assert (status, content in body, location.startswith("/?redir=")) == (302, False, True)


async def test_who_may_not_see_a_file_gets_neither_its_row_nor_its_bytes(emulator: About, client: Any) -> None:
    file = client.files_upload_v2(content="secret", filename="s.txt")["file"]  # shared nowhere
    stranger = token(emulator)
    with pytest.raises(SlackApiError) as refusal:
        WebClient(stranger, base_url=emulator.base_url).files_info(file=file["id"])
    assert refusal.value.response["error"] == "not_visible"
    assert (await fetch(file["url_private"], stranger))[0] == 404
    assert (await fetch(file["url_private"], token(emulator, "chat:write")))[0] == 403


async def test_a_deleted_file_is_a_tombstone_and_its_bytes_are_gone(client: Any, jobs: str) -> None:
    file = client.files_upload_v2(channel=jobs, content="x", filename="x.txt")["file"]
    assert [row["id"] for row in client.files_list(channel=jobs)["files"]] == [file["id"]]
    client.files_delete(file=file["id"])
    row = client.conversations_history(channel=jobs, limit=1)["messages"][0]
    assert row["files"] == [{"id": file["id"], "mode": "tombstone"}]
    assert client.files_list()["paging"] == {"count": 100, "total": 0, "page": 1, "pages": 0}
    assert (await fetch(file["url_private"], client.token))[0] == 404
    with pytest.raises(SlackApiError, match="file_deleted"):
        client.files_info(file=file["id"])


def test_the_old_upload_is_gone(client: Any) -> None:
    with pytest.raises(SlackApiError, match="method_deprecated"):
        client.api_call("files.upload", params={"content": "x"})


@pytest.mark.parametrize(
    ("method", "args", "error"),
    [
        ("files.getUploadURLExternal", {"filename": "x", "length": 0}, "missing_argument"),
        ("files.getUploadURLExternal", {"length": 1}, "missing_argument"),
        ("files.completeUploadExternal", {"files": "[]"}, "invalid_arguments"),
        ("files.completeUploadExternal", {"files": '[{"id": "F1"}]'}, "file_not_found"),
        ("files.completeUploadExternal", {"files": "[7]"}, "file_not_found"),
        ("files.info", {"file": "F1"}, "file_not_found"),
        ("files.list", {"types": "songs"}, "unknown_type"),
        ("files.list", {"user": "U1"}, "user_not_found"),
        ("files.delete", {"file": "F1"}, "file_not_found"),
    ],
)
def test_a_refusal_has_slacks_code(client: Any, method: str, args: dict[str, Any], error: str) -> None:
    with pytest.raises(SlackApiError) as refusal:
        client.api_call(method, params=args)
    assert refusal.value.response["error"] == error


async def test_a_file_must_be_uploaded_before_it_is_completed_and_the_address_is_good_for_one_file(
    client: Any, jobs: str
) -> None:
    asked = client.files_getUploadURLExternal(filename="x.txt", length=3)
    with pytest.raises(SlackApiError, match="file_not_found"):
        client.files_completeUploadExternal(files=[{"id": asked["file_id"]}], channel_id=jobs)
    form = aiohttp.FormData()
    form.add_field("file", b"abc", filename="x.txt")
    async with aiohttp.ClientSession() as http:
        async with http.post(asked["upload_url"], data=form) as response:
            assert (response.status, await response.text()) == (200, "OK - 3")
        client.files_completeUploadExternal(files=[{"id": asked["file_id"]}], channel_id=jobs)
        async with http.post(asked["upload_url"], data=b"other") as response:
            assert response.status == 404
        async with http.post(f"{asked['upload_url']}x", data=b"other") as response:
            assert response.status == 404


async def test_a_restart_keeps_files_and_their_addresses_follow_the_server(tmp_path: Path) -> None:
    async with running(data=tmp_path / "w.db", apps=["one"]) as before:
        client: Any = AsyncWebClient(before.users[0].token, base_url=before.base_url)
        channel = before.channels[0].id
        file = (await client.files_upload_v2(channel=channel, content="kept", filename="k.txt"))["file"]
    async with running(data=tmp_path / "w.db") as after:
        client = AsyncWebClient(before.users[0].token, base_url=after.base_url)
        row = (await client.files_info(file=file["id"]))["file"]
        assert urlsplit(row["url_private"]).netloc == urlsplit(after.base_url).netloc
        assert (await fetch(row["url_private"], before.users[0].token))[1] == b"kept"
