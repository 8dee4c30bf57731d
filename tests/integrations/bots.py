"""A page's bot as real processes, one of which is killed while its function is at work."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Troupe

SLOW = """
import os, threading
from datetime import timedelta
from slackmq.policy import Timing

def at_work(text, attempt):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{os.getpid()} {attempt} {text}\\n")
    if attempt == 1:
        threading.Event().wait(60)

"""
FAST = """timing=Timing(
    lease=timedelta(seconds=4), margin=timedelta(seconds=0.5), skew=timedelta(seconds=0.5),
    scan=timedelta(seconds=1), quiet=timedelta(seconds=1),
)"""


class Bots:
    """Processes, each ended by its id when the test is over.

    Args:
        troupe: their workspace.
        folder: where they may write.
        code: their program; in it, `at_work` of `SLOW` is called for what takes long.
    """

    def __init__(self, troupe: Troupe, folder: Path, code: str) -> None:
        self.troupe = troupe
        self.of = troupe.slack.app
        self.notes = folder / "notes"
        self.notes.touch()
        self._folder = folder
        self.write(code)
        self.processes: dict[int, subprocess.Popen[bytes]] = {}

    def write(self, code: str) -> None:
        (self._folder / "bot.py").write_text(code, encoding="utf-8")

    def start(self) -> None:
        environment = {**os.environ, **self.of.environment, "NOTES": str(self.notes)}
        with (self._folder / f"{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, self._folder / "bot.py"], env=environment, stdout=log, stderr=log
            )
        self.processes[process.pid] = process

    def ran(self) -> list[list[str]]:
        return [line.split(maxsplit=2) for line in self.notes.read_text(encoding="utf-8").splitlines()]

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    def lose_one_at_work(self, *, answer: str, slow_answer: str) -> None:
        """Three of them are asked, one is killed in the middle of a post, and all is answered."""
        troupe = self.troupe
        for _ in range(3):
            self.start()
        troupe.until(lambda: len(troupe.slack.connections()) == 3, within=120)
        quick = [troupe.say(f"toggle {number}") for number in range(6)]
        slow = troupe.say("slow one")
        troupe.until(self.ran)
        self.processes[int(self.ran()[0][0])].kill()
        later = troupe.say("toggle the last")
        troupe.until(lambda: all("white_check_mark" in troupe.marks(ts) for ts in (*quick, slow, later)), within=120)
        for ts, text in [*((ts, answer) for ts in (*quick, later)), (slow, slow_answer)]:
            texts = [row["text"] for row in troupe.slack.messages("#jobs", thread=ts)][1:]
            # Whoever is killed may have answered before: then the thread says that it was begun once more.
            assert 1 <= texts.count(text) <= 1 + sum("attempt" in text for text in texts)
        first, second, *_ = runs = self.ran()
        assert (first[1:], second[1:]) == (["1", "slow one"], ["2", "slow one"])
        # A machine that stood still for longer than a lease has it begun once more: under another number.
        assert len({attempt for _, attempt, _ in runs}) == len(runs)
        assert first[0] != second[0]
