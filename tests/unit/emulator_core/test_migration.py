"""A data file that an older program wrote is brought up to date, and everything in it is as it was."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from slackmq.emulator import migration
from slackmq.emulator.journal import Journal, JournalError, JournalUnreadable
from slackmq.emulator.limits import Limits
from slackmq.emulator.migration import SCHEMA
from slackmq.emulator.seed import Seed
from slackmq.emulator.server import Server
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).parents[2] / "data"
OLD = [1]
NOW = 1_760_000_500_000_000


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as rows:
        return int(rows.execute("PRAGMA user_version").fetchone()[0])


@pytest.fixture(params=OLD)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A file of an older layout, and what its program answered."""
    path = tmp_path / "workspace.db"
    shutil.copy(DATA / f"journal-{request.param}.db", path)
    assert version(path) == request.param
    return path, json.loads((DATA / f"journal-{request.param}.json").read_text(encoding="utf-8"))


def test_there_is_a_file_of_every_older_layout() -> None:
    assert list(range(1, SCHEMA)) == OLD


async def test_everything_that_an_older_file_holds_is_as_it_was(old: tuple[Path, dict[str, Any]]) -> None:
    path, truth = old
    for _ in range(2):  # a file is migrated once and opened as any other afterwards
        async with Server.opened(path, seed=Seed(), limits=Limits.off(), clock=lambda: NOW) as server:
            token = truth["apps"][0]["bot_token"]
            jobs = next(
                row["id"]
                for row in server.ask(OPERATOR, "emulator.channels.list", {})["channels"]
                if row["name"] == "jobs"
            )

            async def ask(method: str, token: str = token, server: Server = server, **args: Any) -> Any:
                return (await server.call(token, method, args)).reply

            parent = truth["replies"]["messages"][0]["ts"]
            assert server.ask(OPERATOR, "emulator.apps.list", {})["apps"] == truth["apps"]
            assert server.ask(OPERATOR, "emulator.users.list", {})["users"] == truth["users"]
            assert await ask("conversations.history", channel=jobs, include_all_metadata=True) == truth["history"]
            assert await ask("conversations.replies", channel=jobs, ts=parent) == truth["replies"]
            assert await ask("pins.list", channel=jobs) == truth["pins"]
            assert await ask("chat.scheduledMessages.list") == truth["scheduled"]
            assert (await server.record(0))[: len(truth["record"])] == truth["record"]
        assert version(path) == SCHEMA


async def test_a_migrated_file_is_written_on(old: tuple[Path, dict[str, Any]]) -> None:
    path, truth = old
    texts: list[list[str]] = []
    for _ in range(2):
        async with Server.opened(path, seed=Seed(), limits=Limits.off(), clock=lambda: NOW) as server:
            token = truth["apps"][1]["bot_token"]
            assert (await server.call(token, "chat.postMessage", {"channel": "#jobs", "text": "on"})).reply["ok"]
            texts.append([row["args"].get("text", "") for row in await server.record(len(truth["record"]))])
    assert texts == [["on"], ["on", "on"]]


def test_a_migration_that_cannot_be_done_leaves_the_file_as_it_was(
    old: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = old
    whole = migration._callers_once

    def broken(rows: sqlite3.Connection) -> None:
        whole(rows)
        rows.execute("INSERT INTO calls SELECT * FROM calls")

    steps: dict[int, Callable[[sqlite3.Connection], None]] = {1: broken}
    before = version(path)
    with monkeypatch.context() as patch:
        patch.setattr(migration, "_STEPS", steps)
        with pytest.raises(JournalError):
            Journal(path)
    assert version(path) == before
    with Journal(path) as journal:
        assert len(list(journal.record())) > 1
    assert version(path) == SCHEMA


def test_a_file_of_a_newer_program_is_refused_with_cause_and_remedy(tmp_path: Path) -> None:
    path = tmp_path / "workspace.db"
    Journal(path).close()
    with closing(sqlite3.connect(path)) as rows:
        rows.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    with pytest.raises(JournalUnreadable) as refused:
        Journal(path)
    assert f"its layout is {SCHEMA + 1}, this one reads {SCHEMA}" in refused.value.cause
    assert "Update slackmq" in refused.value.remedy


def test_a_caller_is_written_down_once(tmp_path: Path) -> None:
    with Journal(tmp_path / "workspace.db") as journal:
        for number in range(100):
            journal.append(number, OPERATOR, "emulator.due", {})
    with closing(sqlite3.connect(tmp_path / "workspace.db")) as rows:
        assert rows.execute("SELECT count(*) FROM callers").fetchone()[0] == 1  # the operator wrote the seed too
