from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from slackmq.emulator.journal import Journal, JournalError, JournalFull, JournalUnreadable
from slackmq.emulator.migration import SCHEMA
from slackmq.emulator.model import Caller
from slackmq.emulator.seed import Seed
from slackmq.emulator.workspace import OPERATOR, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOT = Caller(type="bot", user="U1", app="A1", bot="B1", scopes=frozenset({"chat:write", "pins:write"}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.db"


def test_what_was_appended_comes_back_in_order(path: Path) -> None:
    with Journal(path) as journal:
        journal.append(5, BOT, "chat.postMessage", {"channel": "C1", "text": "ä", "blocks": [{"a": None}]})
        journal.append(4, OPERATOR, "emulator.users.create", {})
    with Journal(path) as journal:
        assert list(journal.replay()) == [
            (5, BOT, "chat.postMessage", {"channel": "C1", "text": "ä", "blocks": [{"a": None}]}),
            (4, OPERATOR, "emulator.users.create", {}),
        ]


def test_a_replay_rebuilds_the_workspace_with_its_ids_and_tokens(path: Path) -> None:
    def run(workspace: Workspace, journal: Journal | None) -> list[object]:
        replies: list[object] = []
        token = workspace.apply(1, OPERATOR, "emulator.apps.list", {}).reply["apps"][0]["bot_token"]
        caller = workspace.authorize(token)
        assert isinstance(caller, Caller)
        for at, who, method, args in (
            (2, caller, "chat.postMessage", {"channel": "#jobs", "text": "x"}),
            (2, caller, "pins.add", {"channel": "nowhere"}),
            (3, OPERATOR, "emulator.apps.install", {"name": "second"}),
        ):
            if journal is not None:
                journal.append(at, who, method, args)
            replies.append(workspace.apply(at, who, method, args).reply)
        return replies

    with Journal(path, seed=Seed(secret="drawn once")) as journal:
        before = run(Workspace(journal.seed), journal)
    with Journal(path, seed=Seed(secret="another")) as journal:
        assert journal.seed.secret == "drawn once"
        workspace = Workspace(journal.seed)
        assert [workspace.apply(*call).reply for call in journal.replay()] == before


def test_a_record_can_be_read_from_where_one_stopped() -> None:
    with Journal(None) as journal:
        for number in range(4):
            journal.append(number, BOT, "pins.add", {"n": number})
        entries = list(journal.record(2))
    assert [(entry.number, entry.at, entry.caller, entry.method, entry.args) for entry in entries] == [
        (3, 2, BOT, "pins.add", {"n": 2}),
        (4, 3, BOT, "pins.add", {"n": 3}),
    ]


def test_no_token_is_written_down(path: Path) -> None:
    with Journal(path) as journal:
        journal.append(1, BOT, "pins.add", {"token": "xoxb-open-sesame", "channel": "C1"})
        assert next(journal.record()).args == {"channel": "C1"}
    assert all(b"open-sesame" not in file.read_bytes() for file in path.parent.iterdir())


def test_what_was_appended_survives_a_kill(path: Path) -> None:
    writer = (
        "import os, signal, pathlib, sys\n"
        "from slackmq.emulator.journal import Journal\n"
        "from slackmq.emulator.workspace import OPERATOR\n"
        "journal = Journal(pathlib.Path(sys.argv[1]))\n"
        "for number in range(50): journal.append(number, OPERATOR, 'emulator.users.create', {'n': number})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", writer, str(path)], check=False)  # our own words
    assert done.returncode == -signal.SIGKILL
    with Journal(path) as journal:
        assert [entry.args["n"] for entry in journal.record()] == list(range(50))


def fill(journal: Journal) -> int:
    """Append until there is no room; how many calls came through."""
    for number in range(10_000):
        if not fits(journal, number):
            return number
    raise AssertionError("the disk never filled")


def fits(journal: Journal, number: int) -> bool:
    try:
        journal.append(number, BOT, "chat.postMessage", {"n": number, "text": "x" * 2000})
    except JournalFull as error:
        return "room" not in error.remedy
    return True


def bound(journal: Journal, pages: int) -> None:
    """Let the file grow to so many pages of 4 KiB."""
    file = journal._connection  # pyright: ignore[reportPrivateUsage]  # SQLite bounds a file by its connection only
    file.execute(f"PRAGMA max_page_count = {pages}")


def intact(journal: Journal, written: int) -> bool:
    return [entry.args["n"] for entry in journal.record()] == list(range(written))


def test_a_full_file_refuses_a_call_whole_and_keeps_the_earlier_ones(path: Path) -> None:
    with Journal(path) as journal:
        bound(journal, 30)
        written = fill(journal)
        assert written > 5
        assert intact(journal, written)
        bound(journal, 300)
        journal.append(0, BOT, "pins.add", {"n": written})
    with Journal(path) as journal:
        assert intact(journal, written + 1)


def test_calls_are_written_together_or_not_at_all(path: Path) -> None:
    other = Caller(type="bot", user="U2", app="A2", bot="B2")
    with Journal(path) as journal:
        journal.append(0, BOT, "pins.add", {"n": 0})
        bound(journal, 1)
        with pytest.raises(JournalFull):
            journal.append_all([(1, other, "pins.add", {"n": 1}), (2, BOT, "pins.add", {"text": "x" * 10_000})])
        assert intact(journal, 1)
        bound(journal, 300)
        journal.append_all([(1, other, "pins.add", {"n": 1}), (2, BOT, "pins.add", {"n": 2})])
    with Journal(path) as journal:
        assert intact(journal, 3)
        assert [entry.caller for entry in journal.record()] == [BOT, other, BOT]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None or os.geteuid() != 0:
        pytest.skip("a small file system can be mounted by root only")
    where = tmp_path / "disk"
    where.mkdir()
    command = [mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(where)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:  # fixed words
        pytest.skip("this machine does not let us mount a small file system")
    yield where
    subprocess.run([umount, str(where)], check=True)  # fixed words


def test_a_full_disk_refuses_a_call_whole_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    path, ballast = small_disk / "data.db", small_disk / "ballast"
    ballast.write_bytes(b"x" * 100_000)
    with Journal(path) as journal:
        written = fill(journal)
        assert written > 0
        assert intact(journal, written)
        ballast.unlink()
        journal.append(0, BOT, "pins.add", {"n": written})
    with Journal(path) as journal:
        assert intact(journal, written + 1)


def test_a_file_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    Journal(path).close()
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    before = path.read_bytes()
    with pytest.raises(JournalUnreadable, match="newer version") as caught:
        Journal(path)
    assert "Update" in caught.value.remedy
    assert path.read_bytes() == before


def test_a_file_that_is_no_journal_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("my diary, " * 200)
    with pytest.raises(JournalUnreadable):
        Journal(path)
    assert path.read_text().startswith("my diary")
    other = path.with_name("other.db")
    with closing(sqlite3.connect(other)) as file:
        file.execute("CREATE TABLE diary (day TEXT)")
    with pytest.raises(JournalUnreadable, match="no workspace's journal"):
        Journal(other)


def test_a_folder_that_does_not_exist_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="nowhere") as caught:
        Journal(tmp_path / "nowhere" / "data.db")
    assert "folder" in caught.value.remedy


def test_a_second_process_on_one_file_is_refused_with_a_remedy(path: Path) -> None:
    with Journal(path) as one:
        with pytest.raises(JournalError, match="open in another process") as caught:
            Journal(path)
        assert caught.value.remedy
        one.append(1, BOT, "pins.add", {"by": "one"})
        assert [entry.args["by"] for entry in one.record()] == ["one"]


def test_a_closed_journal_takes_nothing(path: Path) -> None:
    journal = Journal(path)
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.append(1, BOT, "pins.add", {})
