"""The committed lock is the one that pyproject.toml asks for, so everybody installs the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_lock_is_up_to_date(tmp_path: Path) -> None:
    found = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if found is None:
        pytest.skip("no uv in .venv or on PATH: run scripts/setup dev")
    check = [found, "lock", "--check", "--offline", "--cache-dir", str(tmp_path), "--project", str(ROOT)]
    result = subprocess.run(check, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{result.stderr}\nto bring it up to date: uv lock"
