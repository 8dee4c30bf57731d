"""`python -m tests.models.run`: spin explores each model whole, and must find each mistake that is made on purpose."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MODELS = Path(__file__).parents[2] / "models"
SIZES = ("-DWORKERS=2", "-DFAULTS=1", "-DCRASHES=1")
_PINS = ("NO_MARK", "NO_LOOK", "NO_SETTLE", "NO_WITHDRAW", "LATE_RECEIPT")
EXPLORED: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("reaction.pml", (), ("MINE", "EARLY_CLOCK", "LATE_DEADLINE", "NO_LOOK", "BELIEF")),
    ("pin.pml", ("-DAPPS=1", "-DPERSONS=0", "-DK=3"), (*_PINS, "NO_SHIELD")),
    ("pin.pml", ("-DAPPS=2", "-DPERSONS=0", "-DK=3"), (*_PINS, "NO_SHIELD")),
    ("pin.pml", ("-DAPPS=1", "-DPERSONS=1", "-DK=2"), (*_PINS, "K_TOKEN")),
    ("pin.pml", ("-DAPPS=2", "-DPERSONS=1", "-DK=2"), (*_PINS, "K_TOKEN")),
)
"""Which model, of which size, and the mistakes that spin must find in it."""
_LONGEST = 500
"""Seconds that one exploration may take."""


def explored(model: Path, *options: str) -> tuple[int, int]:
    """Explore a model with these sizes and mistakes: how many states there are, and how many errors were found."""
    with tempfile.TemporaryDirectory() as folder:
        defines = [*SIZES, *options]
        spin, cc = shutil.which("spin") or "", shutil.which("cc") or ""
        subprocess.run([spin, *defines, "-a", str(model)], cwd=folder, check=True, capture_output=True)
        compile_ = [cc, "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"]
        subprocess.run(compile_, cwd=folder, check=True, capture_output=True)
        run = subprocess.run(
            [str(Path(folder, "pan")), "-m1000000"],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=_LONGEST,
        )
    errors, states = re.search(r"errors: (\d+)", run.stdout), re.search(r"(\d+) states, stored", run.stdout)
    if errors is None or states is None or "max search depth too small" in run.stdout:
        raise RuntimeError(f"spin did not finish {model.name}:\n{run.stdout}")
    return int(states[1]), int(errors[1])


def main() -> int:
    """Explore all; 1 if a model does not hold, or a mistake is not found; 3 if spin is not here."""
    if shutil.which("spin") is None or shutil.which("cc") is None:
        _say("The models need spin and a C compiler: apt install spin gcc.")
        return 3
    failed = 0
    for name, size, mistakes in EXPLORED:
        states, errors = explored(MODELS / name, *size)
        _say(f"{' '.join((name, *size))}: {states:,} states, {errors} errors")
        failed += errors > 0
        for mistake in mistakes:
            states, errors = explored(MODELS / name, *size, f"-D{mistake}")
            _say(f"  with {mistake}: {'found' if errors else 'NOT FOUND'} after {states:,} states")
            failed += not errors
    return 1 if failed else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
