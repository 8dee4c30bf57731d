"""All checks, or those that are named, one after another; stops at the first that fails and says how to repeat it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = Path(".venv", "bin")  # relative, so that a line can be pasted into a shell whatever the clone's folder is called

DOCS = "docs -W --keep-going -n -q -d docs/_build/doctrees"
CHECKS = {
    "lint": ("ruff check .", "ruff format --check ."),
    "types": ("mypy", "pyright"),
    "layers": ("lint-imports",),
    "docs": (f"sphinx-build -b html {DOCS} docs/_build/html", f"sphinx-build -b doctest {DOCS} docs/_build/doctest"),
    # Most of their time tests wait for processes. Last: the closing line is the last line of all.
    "tests": (f"pytest -n {2 * (os.cpu_count() or 1)} --dist worksteal --timeout 60",),
}


def main(names: list[str]) -> int:
    """Run the named checks, all if none is named; returns the exit status of the first that failed, or 0."""
    if unknown := set(names) - set(CHECKS):
        print(f"no such check: {', '.join(sorted(unknown))}; there are: {', '.join(CHECKS)}", file=sys.stderr)
        return 2
    return next(filter(None, (run(name) for name in names or CHECKS)), 0)


def run(name: str) -> int:
    """Run one check; returns its exit status. No tests collected (pytest's 5) is a failure like any other."""
    for line in CHECKS[name]:
        print(f"\n== {name}: {line}", flush=True)
        started = time.perf_counter()
        words = shlex.split(line)
        status = subprocess.run([BIN / words[0], *words[1:]], cwd=ROOT, env=environment(), check=False).returncode
        if status:
            print(f"\n== {name} FAILED ({status}). To repeat it: {BIN}/{line}", file=sys.stderr)
            return status
        if name != "tests":
            print(f"   {name}: {time.perf_counter() - started:.0f} s", flush=True)
    return 0


def environment() -> dict[str, str]:
    """This process's environment with the tools of .venv first on PATH."""
    return os.environ | {"PATH": f"{ROOT / BIN}{os.pathsep}{os.environ.get('PATH', '')}"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
