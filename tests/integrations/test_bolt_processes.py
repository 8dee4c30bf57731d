"""The page's bot as three real processes, one of which is killed while its listener is at work."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from .test_bolt_payloads import done, marks, records
from .test_how_to import blocks_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from slackmq.testing import TestApp

    from .conftest import Troupe

pytestmark = pytest.mark.timeout(120)

NOTE = """
import pathlib, threading
from datetime import timedelta
from slackmq.policy import Timing

def note(text):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{os.getpid()} {text}\\n")

"""
SLOW = """
@app.message("slow")
def slow(message, say, context):
    note(f"{context['slackmq']['attempt']} {message['text']}")
    if context["slackmq"]["attempt"] == 1:
        threading.Event().wait(60)
    say(text="at last", thread_ts=message["ts"])

"""
DEPLOY = """
@app.command("/deploy")
def deploy(ack, body, command, respond, context):
    ack()
    mine = context["slackmq"]
    note(f"{mine['attempt']} {mine['key']} {mine['token']} {body['trigger_id']} {command['text']}")
    if mine["attempt"] == 1:
        threading.Event().wait(60)
    respond(text="deployed", response_type="in_channel")

"""
FAST = """timing=Timing(
    lease=timedelta(seconds=4), margin=timedelta(seconds=0.5), skew=timedelta(seconds=0.5),
    scan=timedelta(seconds=1), quiet=timedelta(seconds=1),
)"""


class Bots:
    """Processes, each ended by its id when the test is over."""

    def __init__(self, troupe: Troupe, folder: Path) -> None:
        self.troupe = troupe
        self.of = troupe.slack.app
        self.notes = folder / "notes"
        self.notes.touch()
        self._folder = folder
        self.write(SLOW, FAST)
        self.processes: dict[int, subprocess.Popen[bytes]] = {}

    def write(self, listener: str, options: str) -> None:
        """The page's bot with a listener more."""
        code = blocks_of("bolt.md")[0]
        whole = code.replace('exactly_one(app, "#jobs")', f'{NOTE}{listener}exactly_one(app, "#jobs", {options})')
        (self._folder / "bot.py").write_text(whole, encoding="utf-8")

    def start(self) -> None:
        environment = {**os.environ, **self.of.environment, "NOTES": str(self.notes)}
        with (self._folder / f"{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, self._folder / "bot.py"], env=environment, stdout=log, stderr=log
            )
        self.processes[process.pid] = process

    def ran(self) -> list[list[str]]:
        return [line.split(maxsplit=2) for line in self.notes.read_text(encoding="utf-8").splitlines()]

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


@pytest.fixture
def bots(troupe: Troupe, tmp_path: Path) -> Iterator[Bots]:
    bots = Bots(troupe, tmp_path)
    try:
        yield bots
    finally:
        bots.end()


def test_what_a_killed_replica_had_acknowledged_another_one_does(troupe: Troupe, bots: Bots) -> None:
    for _ in range(3):
        bots.start()
    troupe.until(lambda: len(troupe.slack.connections()) == 3, within=60)
    quick = [troupe.say(f"toggle {number}") for number in range(6)]
    slow = troupe.say("slow one")
    troupe.until(bots.ran, within=30)
    bots.processes[int(bots.ran()[0][0])].kill()
    later = troupe.say("toggle the last")
    troupe.until(lambda: all("white_check_mark" in troupe.marks(ts) for ts in (*quick, slow, later)), within=60)
    for ts, answer in [*((ts, "toggled") for ts in (*quick, later)), (slow, "at last")]:
        texts = [row["text"] for row in troupe.slack.messages("#jobs", thread=ts)][1:]
        # Whoever is killed may have answered before: then the thread says that it was begun once more.
        assert 1 <= texts.count(answer) <= 1 + sum("attempt" in text for text in texts)
    first, second = bots.ran()
    assert (first[1:], second[1:]) == (["1", "slow one"], ["2", "slow one"])
    assert first[0] != second[0]


def test_a_command_that_a_killed_replica_had_acknowledged_another_one_does(
    troupe: Troupe, bots: Bots, deployer: TestApp
) -> None:
    bots.of = deployer
    bots.write(DEPLOY, f'work="#ops-work", {FAST}')
    for _ in range(2):
        bots.start()
    troupe.until(lambda: len(troupe.slack.connections()) == 2, within=60)
    channel = troupe.slack.channel("jobs")
    accepted = troupe.slack.interact("command", channel=channel, text="/deploy the lamp")
    assert accepted["answer"] == {}
    troupe.until(lambda: "clock1" in marks(records(troupe)[0]))
    bots.processes[int(bots.ran()[0][0])].kill()
    troupe.until(lambda: [row for row in troupe.slack.messages("#jobs") if row["text"] == "deployed"], within=60)
    troupe.until(lambda: done(records(troupe)[0]))
    (dead, first, before), (other, second, after) = bots.ran()
    assert dead != other
    assert (first, second) == ("1", "2")
    key, token, _, text = before.split(maxsplit=3)
    assert after.split(maxsplit=3) == [key, str(max(2, int(token) + 1)), "expired", text]
