"""Real processes: a workspace, workers, and commands, each ended by its id when the test is over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import anyio
import pytest

from slackmq.claiming.marks import Marks
from slackmq.cli.neighbour import Neighbour
from slackmq.cli.record import read_record
from slackmq.cli.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from pathlib import Path

    from slackmq.cli.record import Ledger
    from slackmq.cli.target import Effect

HOUSE = """
import os, threading
from datetime import timedelta
from pathlib import Path
from slackmq.app import App
from slackmq.cli.target import Target
from slackmq.job import Job
from slackmq.policy import Timing

app = App("#jobs", timing=Timing(
    lease=timedelta(seconds=float(os.environ["LEASE"])), margin=timedelta(seconds=0.5),
    scan=timedelta(seconds=1), skew=timedelta(seconds=0.3),
))
empty = App("#nowhere")

@app.task
def nap(job: Job, seconds: float) -> str:
    target = Target(Path(os.environ["NAPS"]))
    target.write("begin", key=job.key, token=job.token, attempt=job.attempt)
    for _ in range(round(seconds / 0.05)):
        if job.cancelled:
            return ""
        threading.Event().wait(0.05)
    target.write("end", key=job.key, token=job.token, attempt=job.attempt)
    return "slept"

@app.task
def linger(job: Job) -> str:
    target = Target(Path(os.environ["NAPS"]))
    target.write("begin", key=job.key, token=job.token, attempt=job.attempt)
    first = job.token == 1
    while first:  # whoever comes next is done at once
        if job.cancelled:
            return ""
        threading.Event().wait(0.05)
    target.write("end", key=job.key, token=job.token, attempt=job.attempt)
    return "slept"

@app.task
def hang(job: Job) -> None:
    Target(Path(os.environ["NAPS"])).write("begin", key=job.key, token=job.token, attempt=job.attempt)
    threading.Event().wait()

@app.middleware
def named(job, call_next):
    result = call_next()
    return f"{result} by {job.handler}" if job.handler == "count" else result

@app.task
def grave(job: Job, by: str) -> str:
    Target(Path(os.environ["NAPS"])).write("begin", key=job.key, token=job.token, attempt=job.attempt)
    return f"allowed by {job.approve('Go on?', by=[by]).wait().by}"

@app.task(silence=timedelta(seconds=30))
def count(job: Job, steps: int) -> str:
    for step in range(steps):
        threading.Event().wait(0.05)
        job.progress((step + 1) / steps, f"step {step + 1}")
    return "counted"

@app.task(concurrency=1)
def single(job: Job, seconds: float) -> str:
    target = Target(Path(os.environ["NAPS"]))
    target.write("begin", key=job.key, token=job.token, attempt=job.attempt)
    threading.Event().wait(seconds)
    target.write("end", key=job.key, token=job.token, attempt=job.attempt)
    return "alone"

@app.task
async def block(job: Job, seconds: float) -> str:
    target = Target(Path(os.environ["NAPS"]))
    target.write("begin", key=job.key, token=job.token, attempt=job.attempt)
    for _ in range(round(seconds / 0.05) if job.attempt == 1 else 0):
        threading.Event().wait(0.05)  # the whole loop waits
        if len(target.read()) > 1:  # until somebody else has begun
            break
    target.write("end", key=job.key, token=job.token, attempt=job.attempt)
    return "awake"
"""

COMMAND = [sys.executable, "-m", "slackmq"]
PATIENCE = 60.0
"""Seconds to wait for what a process does; on a busy machine it takes many to start one."""


@dataclass
class Stage:
    """A workspace in a process of its own, a folder with an app, and everything that was started here."""

    folder: Path
    workspace: Neighbour
    lease: timedelta = timedelta(seconds=60)
    """How long claims last; longer than any machine stands still, where no test waits for one to lapse."""
    processes: list[subprocess.Popen[str]] = field(default_factory=list[subprocess.Popen[str]])

    @property
    def target(self) -> Path:
        return self.folder / "naps.jsonl"

    @property
    def env(self) -> dict[str, str]:
        """What a program needs to be the app."""
        app = self.workspace.app()
        return {
            **os.environ,
            "SLACKMQ_URL": self.workspace.base_url,
            "SLACK_BOT_TOKEN": app.bot_token,
            "SLACK_APP_TOKEN": app.app_token,
            "NAPS": str(self.target),
            "LEASE": str(self.lease.total_seconds()),
        }

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """A command until its end."""
        return subprocess.run(
            [*COMMAND, *words],
            cwd=self.folder,
            env={**self.env, **(env or {})},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def start(self, *words: str, program: str | None = None) -> subprocess.Popen[str]:
        """A command that goes on, or a program that runs the command; its words go to a file of its own."""
        log = self.folder / f"{len(self.processes)}.log"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [*(COMMAND if program is None else [sys.executable, program]), *words],
                cwd=self.folder,
                env=self.env,
                stderr=stderr,
                stdout=stderr,
                text=True,
            )
        self.processes.append(process)
        return process

    def post(self, seconds: float | None, *, kind: str = "nap") -> str:
        """A nap for somebody; returns its ts."""
        done = self.run("post", "#jobs", kind, *(() if seconds is None else ("--arg", f"seconds={seconds}")))
        assert done.returncode == 0, done.stderr
        return self.ledger().by_key()[done.stdout.split("key ")[1].strip()].ts

    def ledger(self) -> Ledger:
        calls = anyio.run(self.workspace.record)
        channel, bot = self.workspace.channel("jobs").id, self.workspace.app().bot_user_id
        return read_record(calls, channel=channel, bot=bot, marks=Marks())

    def effects(self) -> tuple[Effect, ...]:
        return Target(self.target).read()

    def begun(self) -> list[Effect]:
        return [effect for effect in self.effects() if effect.step == "begin"]

    def ended(self) -> list[Effect]:
        return [effect for effect in self.effects() if effect.step == "end"]

    def until(self, condition: Callable[[], object], *, within: float = PATIENCE) -> None:
        """Look again and again until it holds."""
        deadline = time.perf_counter() + within
        while not condition():
            assert time.perf_counter() < deadline, "it did not come true in time"
            threading.Event().wait(0.05)

    def type(self, method: str, **args: str) -> str:
        """Call a method as the workspace's first person; returns the ts of what it is about, if the answer has one."""
        where = urlsplit(self.workspace.base_url)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE)
        headers = {
            "Authorization": f"Bearer {self.workspace.users[0].token}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection.request("POST", f"{where.path}{method}", urlencode(args), headers)
        answer = json.load(connection.getresponse())
        connection.close()
        assert answer["ok"]
        return str(answer.get("ts", ""))

    def press(self, ts: str, action: str) -> None:
        """The workspace's first person presses a button in the first reply of a thread."""
        where = urlsplit(self.workspace.base_url)
        channel = self.workspace.channel("jobs").id
        connection = HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE)
        person = {"Authorization": f"Bearer {self.workspace.users[0].token}"}
        query = urlencode({"channel": channel, "ts": ts})
        connection.request("GET", f"{where.path}conversations.replies?{query}", headers=person)
        row = json.load(connection.getresponse())["messages"][1]["ts"]
        headers = {
            "X-Emulator-Operator": self.workspace.operator_token,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        args = {"user": self.workspace.users[0].id, "channel": channel, "message_ts": row, "action_id": action}
        connection.request("POST", "/emulator/api/emulator.interactions.click", urlencode(args), headers)
        answer = json.load(connection.getresponse())
        connection.close()
        assert answer["ok"], answer

    def thread(self, ts: str) -> list[str]:
        """What stands in the thread of a job."""
        where = urlsplit(self.workspace.base_url)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {self.workspace.users[0].token}"}
        channel = self.workspace.channel("jobs").id
        connection.request(
            "GET", f"{where.path}conversations.replies?{urlencode({'channel': channel, 'ts': ts})}", headers=headers
        )
        rows = json.load(connection.getresponse())["messages"]
        connection.close()
        return [str(row["text"]) for row in rows[1:]]

    def install(self, name: str, scopes: Sequence[str], events: Sequence[str]) -> Neighbour:
        """Another app in the workspace, a member of #jobs; returns the workspace with it."""
        where = urlsplit(self.workspace.base_url)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE)
        args = {"name": name, "scopes": ",".join(scopes), "events": ",".join(events), "channels": "jobs"}
        headers = {
            "X-Emulator-Operator": self.workspace.operator_token,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection.request("POST", "/emulator/api/emulator.apps.install", urlencode(args), headers)
        assert b'"ok": true' in connection.getresponse().read()
        connection.request("GET", "/emulator/about", headers=headers)
        body = connection.getresponse().read()
        connection.close()
        return Neighbour.read(body)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A workspace of one test's own."""
    with opened(tmp_path) as stage:
        yield stage


@pytest.fixture
def unlimited_stage(tmp_path: Path) -> Iterator[Stage]:
    """A workspace of one test's own, which takes as many calls as come."""
    with opened(tmp_path, "--limits", "off") as stage:
        yield stage


@pytest.fixture(scope="session")
def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A workspace for tests that change nothing in it."""
    with opened(tmp_path_factory.mktemp("shared")) as stage:
        yield stage


@contextmanager
def opened(folder: Path, *flags: str) -> Generator[Stage]:
    """A workspace that answers, in a process; it is ended on leaving, with everything that was started for it."""
    (folder / "nap_house.py").write_text(HOUSE, encoding="utf-8")
    with (folder / "emulator.log").open("w") as stderr:
        emulator = subprocess.Popen(
            [*COMMAND, "emulator", "--port", "0", "--json", *flags],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    assert emulator.stdout is not None
    line = emulator.stdout.readline()
    emulator.stdout.close()
    stage = Stage(folder=folder, workspace=Neighbour.read(line), processes=[emulator])
    try:
        yield stage
    finally:
        for process in stage.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
