"""kill -9 of the workspace itself: what was answered ok is there again, and what was going on goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import anyio
import pytest
from anyio import to_thread
from tests.ports import unused_port

from slackmq.cli.neighbour import Neighbour

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

WRITERS = 4
PATIENCE = 60.0


@dataclass
class Run:
    """One life of the server."""

    process: subprocess.Popen[str]
    about: Neighbour

    @property
    def port(self) -> int:
        return urlsplit(self.about.base_url).port or 0

    @property
    def jobs(self) -> str:
        return self.about.channel("jobs").id

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def call(self, method: str, *, token: str = "", path: str = "/api/", **args: Any) -> dict[str, Any]:
        """One call over a connection of its own; OSError or HTTPException if the server died meanwhile."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {
            "Authorization": f"Bearer {token or self.about.app().bot_token}",
            "Content-Type": "application/json; charset=utf-8",
        }
        try:
            connection.request("POST" if args else "GET", f"{path}{method}", json.dumps(args), headers)
            reply: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return reply

    def admin(self, path: str, **args: Any) -> dict[str, Any]:
        return self.call(path, token=self.about.admin_token, path="/__admin/", **args)


@contextmanager
def running(data: Path, port: int = 0) -> Generator[Run]:
    command = [sys.executable, "-m", "slackmq", "emulator", "--json", "--limits", "off"]
    command += ["--port", str(port), "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Run(process=process, about=Neighbour.read(process.stdout.readline()))
        finally:
            process.kill()


@dataclass
class Acked:
    """What writers were answered, in the order they were."""

    posts: dict[str, str] = field(default_factory=dict[str, str])
    marks: set[str] = field(default_factory=set[str])
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.posts) >= count, PATIENCE)

    def write(self, run: Run, name: str) -> None:
        """Post and react until the server dies."""
        number = 0
        while True:
            number += 1
            try:
                posted = run.call("chat.postMessage", channel=run.jobs, text=f"{name}/{number}")
                with self.changed:
                    self.posts[posted["ts"]] = f"{name}/{number}"
                    self.changed.notify_all()
                marked = run.call("reactions.add", channel=run.jobs, timestamp=posted["ts"], name="eyes")
                if marked["ok"]:
                    self.marks.add(posted["ts"])
            except (OSError, HTTPException, ValueError):
                return


def history(run: Run) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    cursor = ""
    while True:
        page = run.call("conversations.history", channel=run.jobs, limit=999, cursor=cursor)
        rows.update((row["ts"], row) for row in page["messages"])
        cursor = page.get("response_metadata", {}).get("next_cursor", "")
        if not cursor:
            return rows


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_that_was_answered_ok_is_lost_however_often_the_server_is_killed(tmp_path: Path, seed: int) -> None:
    dice, acked, data = Random(seed), Acked(), tmp_path / "workspace.db"  # noqa: S311  # dice, not keys
    for life in range(4):
        with running(data) as run:
            writers = [
                threading.Thread(target=acked.write, args=(run, f"{life}.{number}")) for number in range(WRITERS)
            ]
            for writer in writers:
                writer.start()
            acked.wait_for(len(acked.posts) + dice.randint(1, 60))
            run.kill()
            for writer in writers:
                writer.join(PATIENCE)
                assert not writer.is_alive()
    with running(data) as run:
        rows = history(run)
        assert {ts: rows[ts]["text"] for ts in acked.posts} == acked.posts
        assert [ts for ts in acked.marks if rows[ts].get("reactions", [{}])[0].get("name") != "eyes"] == []
        # What was on its way when the server died may have taken effect unanswered: one call a writer and life.
        assert len(rows) - len(acked.posts) <= 4 * WRITERS


async def test_tickets_schedules_and_retries_go_on_after_a_kill(tmp_path: Path) -> None:
    data = tmp_path / "workspace.db"

    def dies() -> tuple[int, str, str]:
        """What was going on when the server was killed: its port, an unused ticket, and what is scheduled."""
        with running(data, unused_port()) as run:
            url = run.call("apps.connections.open", token=run.about.app().app_token)["url"]
            first = float(run.call("chat.postMessage", channel=run.jobs, text="unheard")["ts"])
            later = run.call("chat.scheduleMessage", channel=run.jobs, text="later", post_at=int(first) + 3600)
            run.kill()
            return run.port, url, later["scheduled_message_id"]

    port, ticket, scheduled = await to_thread.run_sync(dies)
    life = running(data, port)
    run = await to_thread.run_sync(life.__enter__)
    try:
        waiting = await to_thread.run_sync(lambda: run.call("chat.scheduledMessages.list"))
        assert [row["id"] for row in waiting["scheduled_messages"]] == [scheduled]
        with anyio.fail_after(PATIENCE):
            async with aiohttp.ClientSession() as http, http.ws_connect(ticket) as socket:
                assert (await socket.receive_json())["type"] == "hello"
                await to_thread.run_sync(lambda: run.admin("clock", seconds=3))
                again = await socket.receive_json()
                assert (again["payload"]["event"]["text"], again["retry_reason"]) == ("unheard", "timeout")
                await socket.send_json({"envelope_id": again["envelope_id"]})
                await to_thread.run_sync(lambda: run.admin("clock", seconds=3600))
                come = await socket.receive_json()
                assert (come["payload"]["event"]["text"], come["retry_attempt"]) == ("later", 0)
    finally:
        await to_thread.run_sync(life.__exit__, None, None, None)
