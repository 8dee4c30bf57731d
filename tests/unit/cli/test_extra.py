"""Without the extra, the command says in one line what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("missing", ["cyclopts", "rich"])
def test_a_missing_extra_is_named_with_how_to_install_it(missing: str) -> None:
    script = f"import sys; sys.modules[{missing!r}] = None; from slackmq.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"slackmq: the command needs {missing}: pip install 'slackmq[cli]'\n"


def test_a_worker_loads_no_emulator_and_no_terminal_art() -> None:
    script = (
        "import sys; from slackmq.cli.command import command; command(['worker']); import slackmq.cli.worker;"
        "print(*(name for name in sys.modules if name.startswith('slackmq.emulator') or name == 'jinja2'))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
