"""`slackmq kv roll` as its page shows it: its commands run as they stand there, beside a program that has the store."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from slackmq import Store, Timing
from slackmq.testing import workspace

if TYPE_CHECKING:
    from slackmq.testing import Workspace

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "move-a-store.md"
SKEW = 0.2
NOTICE = 120
"""Seconds for which the store stays after it was said where it goes; the workspace's clock is put forward by them."""


def start(slack: Workspace, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **slack.app.environment, "SLACKMQ_KV_SKEW": str(SKEW)}
    command = [sys.executable, "-m", *words]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> str:
    said, complained = process.communicate(timeout=60)
    assert process.returncode == 0, complained
    return said


def moved(slack: Workspace, *words: str) -> str:
    """Run a command that moves a store, and put the clock forward once it has said so in the channel."""
    process = start(slack, *words)
    before = sum("the store goes on in" in row["text"] for row in slack.messages("#state"))
    deadline = time.perf_counter() + 60
    while sum("the store goes on in" in row["text"] for row in slack.messages("#state")) == before:
        assert process.poll() is None, process.communicate()
        assert time.perf_counter() < deadline
    slack.advance(NOTICE + 1)
    return ended(process)


def test_the_commands_of_the_page_move_a_store_that_a_program_has_open() -> None:
    roll, old, new = [shlex.split(line) for line in re.findall(r"^ *\$ (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)]
    with workspace(channels=("general", "state", "state-2")) as slack:
        timing = Timing(skew=timedelta(seconds=SKEW), scan=timedelta(seconds=2), quiet=timedelta(seconds=2))
        with Store("#state", settings=slack.app.settings, timing=timing) as store:
            first = store.put("lamp", "on")
            assert "keys; " in moved(slack, *roll)
            store.put("late", 1)
            assert store.entry("lamp", fresh=True).revision == first
            assert store.find() == ["lamp", "late"]
        assert ended(start(slack, *old)) == ended(start(slack, *new)) == "on\n"
        assert any(row["text"].startswith("late = ") for row in slack.messages("#state-2"))


def test_a_store_that_is_young_need_not_move() -> None:
    with workspace(channels=("general", "state", "state-2")) as slack:
        ended(start(slack, "slackmq", "kv", "put", "#state", "lamp", "on"))
        slack.advance(59 * 86_400)
        words = ("slackmq", "kv", "roll", "#state", "#state-2", "--older", "60")
        assert "need not" in ended(start(slack, *words))
        slack.advance(2 * 86_400)
        assert "keys; " in moved(slack, *words)
