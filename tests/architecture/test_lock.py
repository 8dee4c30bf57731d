"""The committed lock is the one that pyproject.toml asks for, so everybody installs the same."""

from __future__ import annotations

import json
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


JUDGES = ROOT / "tests" / "clients" / "judges"


@pytest.mark.parametrize(
    "judge", [path.parent for path in sorted(JUDGES.glob("*/requirements.in"))], ids=lambda path: path.name
)
def test_a_judges_lock_pins_what_is_asked_for_by_version_and_hash(judge: Path) -> None:
    wanted = judge.joinpath("requirements.in").read_text(encoding="utf-8").split()
    locked = judge.joinpath("requirements.txt").read_text(encoding="utf-8")
    entries = [line.removesuffix(" \\") for line in locked.splitlines() if not line.startswith(" ")]
    assert set(wanted) <= {entry.partition(" ;")[0] for entry in entries}
    assert all("==" in entry for entry in entries)
    assert "://" not in locked
    assert locked.count("--hash=sha256:") >= len(entries)


def test_the_lock_for_node_pins_by_hash_and_names_no_address_to_load_from() -> None:
    wanted = json.loads(JUDGES.joinpath("node", "package.json").read_text(encoding="utf-8"))
    packages = json.loads(JUDGES.joinpath("node", "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert packages.pop("")["dependencies"] == wanted["dependencies"]
    assert all("integrity" in package and "resolved" not in package for package in packages.values())
