"""The page on testing shows code that runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "test-your-bot.md"
BLOCKS = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_code_of_the_page_passes_as_a_test_file_of_its_own(tmp_path: Path) -> None:
    blocks = BLOCKS.findall(PAGE.read_text(encoding="utf-8"))
    (tmp_path / "test_page.py").write_text("\n\n".join(blocks), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-p", "no:cacheprovider", str(tmp_path)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert f"{sum(block.count('def test_') for block in blocks)} passed" in result.stdout


@pytest.mark.parametrize(
    "page",
    [
        "ask-and-wait.md",
        "large-data.md",
        "when-jobs-die.md",
        "steer-by-emoji.md",
        "ask-a-person.md",
        "app-home.md",
        "explain-itself.md",
        "show-progress.md",
        "wrap-handlers.md",
        "hand-over.md",
        "limit-the-pace.md",
        "effects-that-happen-once.md",
        "later.md",
        "after-others.md",
        "batches.md",
        "one-or-all.md",
        "every.md",
        "measure-and-trace.md",
        "keep-state.md",
        "open-a-shelf.md",
        "bolt-installations.md",
    ],
)
def test_the_code_of_a_page_runs_and_its_assertions_hold(tmp_path: Path, page: str) -> None:
    [block] = BLOCKS.findall(PAGE.with_name(page).read_text(encoding="utf-8"))
    result = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
