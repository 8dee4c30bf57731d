"""Programs on other people's clients, each in an environment of its own that `scripts/judges` makes."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "tests" / "judges"
ENVIRONMENTS = ROOT / ".judges"


def needs(judge: str) -> pytest.MarkDecorator:
    """Skip where the judge's environment was not made."""
    return pytest.mark.skipif(
        not (ENVIRONMENTS / judge / ".ready").exists(), reason=f"{judge} is not installed: scripts/judges"
    )


def python(judge: str) -> str:
    """The interpreter that has the judge."""
    return str(ENVIRONMENTS / judge / "bin" / "python")


@contextmanager
def running(*command: str, folder: Path, environment: Mapping[str, str], log: Path) -> Generator[subprocess.Popen[str]]:
    """A program that is ended on leaving; what it says goes into a file, and into the report if the test fails."""
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT, text=True
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
    print(log.read_text(encoding="utf-8"))  # noqa: T201  # pytest shows it when the test fails
