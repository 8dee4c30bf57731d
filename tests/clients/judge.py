"""A judge: somebody else's Slack client as a program of its own, in the environment that scripts/judges made for it."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

PROGRAMS = Path(__file__).with_name("judges")
ENVIRONMENTS = Path(__file__).parents[2] / ".judges"
MARK = "tell: "
PATIENCE = 60.0
"""Seconds that a judge may take for its next line: less than a test has, and enough to start on a busy machine."""


def needs(judge: str) -> pytest.MarkDecorator:
    """Mark tests that are skipped where `judge` is not installed."""
    missing = not (ENVIRONMENTS / judge / ".setup").exists() or (judge == "node" and shutil.which("node") is None)
    return pytest.mark.skipif(missing, reason=f"the judge {judge} is not installed: scripts/judges {judge}")


class Judge:
    """A running judge. What it tells the test are JSON values, each on a line after `MARK`; all else is its log."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: queue.Queue[Any] = queue.Queue()
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(MARK):
                self._lines.put(json.loads(line.removeprefix(MARK)))
            else:
                self.log.append(line)
        self._lines.put(EOFError)

    def says(self, within: float = PATIENCE) -> Any:
        """The next value that it prints.

        Raises:
            AssertionError: it ended, or told nothing for `within` seconds.
        """
        try:
            value = self._lines.get(timeout=within)
        except queue.Empty:
            value = EOFError
        assert value is not EOFError, "the judge told nothing more"
        return value

    def told(self) -> list[Any]:
        """All that it has printed by now and was not asked for; nobody waits."""
        values = [self._lines.get() for _ in range(self._lines.qsize())]
        return [value for value in values if value is not EOFError]

    def until(self, true: Callable[[Any], bool]) -> Any:
        """The next value for which `true` holds; those before it are passed over."""
        while not true(value := self.says()):
            pass
        return value

    def end(self) -> None:
        """End it, and wait until it is gone."""
        self.process.kill()  # it has nothing to put away, and errbot would wait for its threads
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def running(name: str, program: str, **facts: Any) -> Generator[Judge]:
    """Run tests/clients/judges/<name>/<program>; it gets `facts` as one JSON object, its only argument.

    A test that fails meanwhile shows what the judge printed.
    """
    home = ENVIRONMENTS / name
    interpreter = ["node"] if name == "node" else [str(home / "bin" / "python"), "-u"]
    command = [*interpreter, str(PROGRAMS / name / program), json.dumps(facts)]
    environment = os.environ | {"NODE_PATH": str(home / "node_modules")} if name == "node" else None
    judge = Judge(
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
        )
    )
    try:
        yield judge
    except BaseException as error:
        error.add_note(f"what {name}/{program} printed:\n{''.join(judge.log)}")
        raise
    finally:
        judge.end()
