"""Data flows one way: the import contracts of pyproject.toml hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_import_contracts_hold() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_importing_the_library_reads_no_environment_and_starts_nothing() -> None:
    look = (
        "import sys, threading, os\n"
        "os.environ.clear()\n"
        "import slackmq\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "heavy = {'jinja2', 'rich', 'cyclopts', 'slack_bolt', 'sqlite3'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    result = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
