"""The workspace behind --local: started once, found again, its secrets kept from others."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
from tests.ports import unused_port

from slackmq.cli.local import Home

if TYPE_CHECKING:
    from collections.abc import Iterator

PROCESSES = Path("/proc")
pytestmark = pytest.mark.skipif(not PROCESSES.exists(), reason="needs /proc to find the detached process")


@dataclass(frozen=True)
class Account:
    """A user with a data folder and a port."""

    folder: Path
    port: int

    @property
    def home(self) -> Home:
        return Home(path=self.folder / "slackmq")

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        mine = {"XDG_DATA_HOME": str(self.folder), "SLACKMQ_LOCAL_PORT": str(self.port)}
        return subprocess.run(
            [sys.executable, "-m", "slackmq", *words],
            env={**os.environ, **mine, **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def post(self, key: str) -> None:
        done = self.run("post", "jobs", "nap", "--key", key, "--local")
        assert done.returncode == 0, done.stderr

    def workspaces(self) -> set[int]:
        """Ids of the processes that serve this account's workspace."""
        found: set[int] = set()
        for process in PROCESSES.iterdir():
            with suppress(OSError):
                if process.name.isdecimal() and str(self.home.data).encode() in (process / "cmdline").read_bytes():
                    found.add(int(process.name))
        return found

    def until_one_is_left(self) -> None:
        """Of two that start at once one finds the port taken, and ends a moment later."""
        deadline = time.perf_counter() + 60
        while len(self.workspaces()) != 1:
            assert time.perf_counter() < deadline, "two workspaces go on"
            threading.Event().wait(0.05)

    def alive(self) -> bool:
        known = self.home.known()
        return known is not None and anyio.run(known.alive)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    account = Account(folder=tmp_path, port=unused_port())
    yield account
    for pid in account.workspaces():
        os.kill(pid, signal.SIGTERM)


def test_it_is_started_once_and_found_again(account: Account) -> None:
    account.post("one")
    (first,) = account.workspaces()
    account.post("two")
    assert account.workspaces() == {first}


def test_it_outlives_a_crash_with_all_that_was_posted(account: Account) -> None:
    account.post("one")
    (first,) = account.workspaces()
    os.kill(first, signal.SIGKILL)
    assert account.home.known() is not None  # its address stayed behind
    account.post("two")
    assert account.workspaces() - {first}
    listed = account.run("ls", "jobs", "--json", SLACKMQ_URL="local")
    assert len(listed.stdout.splitlines()) == 2


def test_nobody_else_may_read_its_files(account: Account) -> None:
    account.post("one")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in account.home.path.iterdir()}
    assert {"local.json", "local.log", "workspace.db"} <= modes.keys()
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(account.home.path.stat().st_mode) == 0o700


def test_an_address_that_leads_to_another_workspace_is_noticed(account: Account) -> None:
    account.post("one")
    known = account.home.known()
    assert known is not None
    stale = account.home.address.read_text(encoding="utf-8").replace(known.operator_token, "of another run")
    account.home.address.write_text(stale, encoding="utf-8")
    assert not account.alive()
    done = account.run("ls", "jobs", "--local")
    assert done.returncode == 4
    assert "another port" in done.stderr


def test_somebody_else_on_its_port_is_told_apart(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = Account(folder=tmp_path, port=other.getsockname()[1]).run("ls", "jobs", "--local")
    assert done.returncode == 4
    assert "is taken" in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_two_commands_at_once_start_one_workspace(account: Account) -> None:
    env = {**os.environ, "XDG_DATA_HOME": str(account.folder), "SLACKMQ_LOCAL_PORT": str(account.port)}
    words = [sys.executable, "-m", "slackmq", "ls", "jobs", "--local"]
    both = [subprocess.Popen(words, env=env, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(one.communicate(timeout=60)[1], one.returncode) for one in both] == [("", 0), ("", 0)]
    account.until_one_is_left()
