"""Starting, stopping and starting again: what is kept, what is said, and how long it takes."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sqlite3
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
import anyio
import anyio.lowlevel
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from slackmq.emulator.launch import CannotStart, running
from slackmq.emulator.limits import Limits
from slackmq.emulator.methods import METHODS
from slackmq.emulator.seed import Seed
from slackmq.emulator.server import Server
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply

_PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from slackmq.emulator.launch import serve
asyncio.run(serve(data=Path(sys.argv[1]), ready=lambda about: print(json.dumps(about.to_json()), flush=True)))
"""


async def test_a_restart_finds_everything_as_it_was(tmp_path: Path) -> None:
    data = tmp_path / "workspace.db"
    async with running(data=data) as before:
        client: Any = AsyncWebClient(before.apps[0].bot_token, base_url=before.base_url)
        ts = (await client.chat_postMessage(channel=before.channels[0].id, text="hello"))["ts"]
        await client.reactions_add(channel=before.channels[0].id, timestamp=ts, name="clock1")
    async with running(data=data) as after:
        client = AsyncWebClient(before.apps[0].bot_token, base_url=after.base_url)
        rows = (await client.conversations_history(channel=before.channels[0].id))["messages"]
    assert (after.users, after.channels, after.apps) == (before.users, before.channels, before.apps)
    assert after.operator_token != before.operator_token
    assert [(row["ts"], row["reactions"][0]["name"]) for row in rows] == [(ts, "clock1")]


async def test_time_never_goes_back_behind_the_data_file(tmp_path: Path) -> None:
    data = tmp_path / "workspace.db"
    stamps: list[str] = []
    for now in (1_900_000_000, 1_800_000_000):  # the second run's clock was set back
        async with running(data=data, clock=partial(int, now * 1_000_000)) as about:
            client: Any = AsyncWebClient(about.apps[0].bot_token, base_url=about.base_url)
            stamps.append((await client.chat_postMessage(channel=about.channels[0].id, text="x"))["ts"])
    assert stamps == sorted(set(stamps))


async def test_the_same_app_may_be_named_again_and_a_new_one_is_installed(tmp_path: Path) -> None:
    data = tmp_path / "workspace.db"
    async with running(data=data, apps=["home", "home"]) as before:
        assert [app.name for app in before.apps] == ["home"]
    async with running(data=data, apps=["home", "garden"]) as after:
        assert [app.name for app in after.apps] == ["home", "garden"]
        assert after.apps[0] == before.apps[0]
        client: Any = AsyncWebClient(after.apps[1].bot_token, base_url=after.base_url)
        assert (await client.chat_postMessage(channel=after.channels[0].id, text="I am in"))["ok"]


async def test_two_workspaces_in_memory_share_no_token() -> None:
    async with running() as one, running() as two:
        assert one.apps[0].bot_token != two.apps[0].bot_token


async def test_a_taken_port_is_named_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"Port {port} of 127.0.0.1 is taken\. .*--port"):
            async with running(port=port):
                pass


async def test_whoever_lets_the_network_in_is_warned(capsys: pytest.CaptureFixture[str]) -> None:
    async with running(host="0.0.0.0"):  # noqa: S104  # that is the point
        assert "anybody on your network" in capsys.readouterr().err
    async with running():
        assert capsys.readouterr().err == ""


async def test_a_data_file_in_use_is_not_shared(tmp_path: Path) -> None:
    data = tmp_path / "workspace.db"
    async with running(data=data):
        with pytest.raises(CannotStart, match="open in another process"):
            async with running(data=data):
                pass


@pytest.mark.parametrize("damage", ["no database", "foreign", "newer", "no folder"])
async def test_an_unusable_data_file_is_named_with_a_remedy_and_left_alone(tmp_path: Path, damage: str) -> None:
    data = tmp_path / "workspace.db"
    match damage:
        case "no database":
            data.write_bytes(b"this is a letter to the landlord" * 100)
        case "foreign":
            _execute(data, "CREATE TABLE letters (text)")
        case "newer":
            async with running(data=data):
                pass
            _execute(data, "PRAGMA user_version = 99")
        case _:
            data = tmp_path / "missing" / "workspace.db"
    before = data.read_bytes() if data.exists() else None
    with pytest.raises(CannotStart) as error:
        async with running(data=data):
            pass
    assert str(data) in error.value.cause
    assert error.value.remedy
    assert (data.read_bytes() if data.exists() else None) == before


async def test_on_a_full_disk_nothing_is_applied_and_the_operator_hears_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Server.opened(tmp_path / "workspace.db", seed=Seed(), limits=Limits.off()) as server:
        token = server.ask(OPERATOR, "emulator.apps.list", {})["apps"][0]["bot_token"]
        channel = server.ask(OPERATOR, "emulator.channels.list", {})["channels"][0]["id"]
        await server._on_disk(lambda: server._journal._connection.execute("PRAGMA max_page_count = 1"))
        args = {"channel": channel, "text": "x" * 10_000}
        answer = await server.call(token, "chat.postMessage", args)
        assert (answer.status, answer.reply) == (500, {"ok": False, "error": "internal_error"})
        assert (await server.call(token, "conversations.history", {"channel": channel})).reply["messages"] == []
        assert await server.record(0) == []
        said = capsys.readouterr().err
        assert "chat.postMessage was not done" in said
        assert "Make room on the disk" in said
        await server._on_disk(lambda: server._journal._connection.execute("PRAGMA max_page_count = 100000"))
        assert (await server.call(token, "chat.postMessage", args)).reply["ok"]


async def test_writes_from_many_callers_replay_to_the_same_workspace(tmp_path: Path) -> None:
    data, limits = tmp_path / "workspace.db", Limits.off()
    reads: list[Mapping[str, Any]] = []
    async with Server.opened(data, seed=Seed(), limits=limits) as server:
        app = server.ask(OPERATOR, "emulator.apps.list", {})["apps"][0]
        channel = server.ask(OPERATOR, "emulator.channels.list", {})["channels"][0]["id"]

        async def write(number: int) -> None:
            args = {"channel": channel, "text": str(number)}
            ts = (await server.call(app["bot_token"], "chat.postMessage", args)).reply["ts"]
            await server.call(app["bot_token"], "reactions.add", {"channel": channel, "timestamp": ts, "name": "eyes"})

        async with anyio.create_task_group() as group:
            for number in range(30):
                group.start_soon(write, number)
        reads.append((await server.call(app["bot_token"], "conversations.history", {"channel": channel})).reply)
        record = await server.record(0)
    async with Server.opened(data, seed=Seed(), limits=limits) as server:
        reads.append((await server.call(app["bot_token"], "conversations.history", {"channel": channel})).reply)
        assert await server.record(0) == record
    assert reads[0] == reads[1]
    assert len(record) == 60


async def test_calls_that_share_a_transaction_on_a_full_disk_are_all_refused(
    tmp_path: Path,
) -> None:
    async with Server.opened(tmp_path / "workspace.db", seed=Seed(), limits=Limits.off()) as server:
        token = server.ask(OPERATOR, "emulator.apps.list", {})["apps"][0]["bot_token"]
        channel = server.ask(OPERATOR, "emulator.channels.list", {})["channels"][0]["id"]
        await server._on_disk(lambda: server._journal._connection.execute("PRAGMA max_page_count = 1"))
        answers: list[int] = []

        async def post(text: str) -> None:
            answers.append((await server.call(token, "chat.postMessage", {"channel": channel, "text": text})).status)

        async with anyio.create_task_group() as group:
            for text in ("small", "x" * 10_000, "small too"):
                group.start_soon(post, text)
        assert answers == [500, 500, 500]
        assert (await server.call(token, "conversations.history", {"channel": channel})).reply["messages"] == []
        assert await server.record(0) == []


async def test_a_mistake_in_a_method_is_an_internal_error_that_no_restart_stumbles_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(_call: Call) -> Reply:
        raise KeyError("nobody thought of this")

    for method in ("stars.add", "stars.list"):
        monkeypatch.setitem(METHODS, method, replace(METHODS[method], run=mistaken))
    data = tmp_path / "workspace.db"
    async with Server.opened(data, seed=Seed(), limits=Limits.off()) as server:
        token = server.ask(OPERATOR, "emulator.users.list", {})["users"][0]["token"]
        channel = server.ask(OPERATOR, "emulator.channels.list", {})["channels"][0]["id"]
        for method in ("stars.add", "stars.list"):
            assert (await server.call(token, method, {})).reply == {"ok": False, "error": "internal_error"}
        assert (await server.call(token, "chat.postMessage", {"channel": channel, "text": "after"})).reply["ok"]
    async with Server.opened(data, seed=Seed(), limits=Limits.off()) as server:
        told = [(call["method"], call["error"]) for call in await server.record(0)]
        assert told == [("stars.add", "internal_error"), ("chat.postMessage", "")]
        history = (await server.call(token, "conversations.history", {"channel": channel})).reply["messages"]
        assert [row["text"] for row in history] == ["after"]


async def test_a_write_whose_caller_is_gone_takes_effect_whole_and_in_its_place(tmp_path: Path) -> None:
    async with Server.opened(tmp_path / "workspace.db", seed=Seed(), limits=Limits.off()) as server:
        token = server.ask(OPERATOR, "emulator.apps.list", {})["apps"][0]["bot_token"]
        channel = server.ask(OPERATOR, "emulator.channels.list", {})["channels"][0]["id"]

        async def post(text: str) -> None:
            assert (await server.call(token, "chat.postMessage", {"channel": channel, "text": text})).reply["ok"]

        tasks = [asyncio.ensure_future(post(text)) for text in ("first", "second", "third", "fourth")]
        await anyio.lowlevel.checkpoint()
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        history = (await server.call(token, "conversations.history", {"channel": channel})).reply["messages"]
        assert [row["text"] for row in history] == ["fourth", "third", "second", "first"]
        assert [call["args"]["text"] for call in await server.record(0)] == ["first", "second", "third", "fourth"]
        assert tasks[1].cancelled()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_soon_although_a_page_and_a_socket_are_open(
    tmp_path: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path / "workspace.db")]
    async with await anyio.open_process(command, stderr=None) as process:
        assert process.stdout is not None
        about = json.loads(await process.stdout.receive())
        async with aiohttp.ClientSession() as http:
            headers = {"Authorization": f"Bearer {about['apps'][0]['app_token']}"}
            async with http.post(f"{about['base_url']}apps.connections.open", headers=headers) as response:
                url = (await response.json())["url"]
            stream = f"{about['page_url']}c/{about['channels'][0]['id']}/stream"
            async with http.ws_connect(url) as link, http.get(stream) as page:
                assert page.status == 200
                assert (await link.receive_json())["type"] == "hello"
                process.send_signal(number)
                assert (await link.receive_json(timeout=60))["reason"] == "refresh_requested"
                with anyio.fail_after(30):  # aiohttp waits for a minute, if it is not told otherwise
                    assert await process.wait() == 0


def _execute(data: Path, statement: str) -> None:
    rows = sqlite3.connect(data)
    rows.execute(statement)
    rows.commit()
    rows.close()
