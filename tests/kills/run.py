"""`python -m tests.kills.run`: real processes are killed for some minutes, and every promise is judged."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tests.kills.pages import now
from tests.kills.plan import Plan
from tests.kills.points import points_of
from tests.kills.round import Round

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.kills.points import Point
    from tests.kills.story import Verdict

    from slackmq.claiming.way import Way

LEASES: dict[str, float] = {"reaction": 2.0, "pin": 10.0, "native": 20.0}
"""Seconds. A pin is settled three seconds after it was put there, and tells its age in whole seconds; who begins
without a call must have ten seconds and the margin left."""
_RATES: dict[str, float] = {"reaction": 3.0, "pin": 1.0, "native": 3.0}
"""Jobs that are posted a second."""
_CHAOS: float = 45.0
_GROUP = 6
_WITHIN = 120.0
"""Seconds in which everybody who shall die at a point must have got there."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="nox -s kills --", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="how long to go on")
    parser.add_argument("--seed", type=int, help="the first seed; drawn at random if not given")
    parser.add_argument("--way", choices=[*LEASES, "all"], default="all", help="how claims are made")
    parser.add_argument("--points", default="all", help="named points, comma-separated; all, or none")
    parser.add_argument("--round", type=float, default=_CHAOS, help="seconds for which a round is disturbed")
    parser.add_argument("--keep", action="store_true", help="keep the folders of rounds that hold, too")
    options = parser.parse_args(argv)
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    ways = cast("list[Way]", list(LEASES) if options.way == "all" else [options.way])
    tally = _Tally(keep=options.keep)
    until = now() + options.minutes * 60
    for way in ways:
        for group in _groups(way, options.points):
            tally.play(Plan(seed, seconds=_WITHIN, lease=LEASES[way], calm=True), way, group)
    number = 0
    while until - now() > options.round:
        plan = Plan(seed + number, seconds=options.round, lease=LEASES[ways[number % len(ways)]])
        tally.play(plan, ways[number % len(ways)], ())
        number += 1
    _say(f"{tally}")
    return 1 if tally.failed else 0


def _groups(way: Way, names: str) -> list[list[Point]]:
    if names == "none" or way == "native":  # its first claim has no step to die at, and all others are reactions
        return []
    found = [point for point in points_of(way) if names == "all" or point.name in names.split(",")]
    return [found[start : start + _GROUP] for start in range(0, len(found), _GROUP)]


class _Tally:
    """The sum of all rounds."""

    def __init__(self, *, keep: bool) -> None:
        self.failed = 0
        self._keep = keep
        self._rounds = self._kills = self._jobs = self._astray = 0
        self._began = now()

    def play(self, plan: Plan, way: Way, points: Sequence[Point]) -> None:
        """One more round."""
        folder = Path(tempfile.mkdtemp(prefix="slackmq-kills-"))
        verdict = asyncio.run(Round(plan, folder, way=way, points=points, rate=_RATES[way]).play())
        named = f" at {', '.join(point.name for point in points)}" if points else ""
        _say(f"seed {plan.seed}{named}: {verdict.summary()}")
        self._count(verdict)
        if not verdict.holds:
            self.failed += 1
            _say(f"{verdict}\n\nreplay: nox -s kills -- --seed {plan.seed} --way {way}; everything is in {folder}")
        elif not self._keep:
            shutil.rmtree(folder)

    def _count(self, verdict: Verdict) -> None:
        self._rounds += 1
        self._kills += verdict.kills
        self._astray += verdict.astray
        self._jobs += sum(bool(job.copies) for job in verdict.truth.jobs.values())

    def __str__(self) -> str:
        return (
            f"{self._rounds} rounds, {self._kills} kills, {self._astray} calls astray, {self._jobs} jobs, "
            f"{self.failed} rounds with a broken promise, {now() - self._began:.0f} s"
        )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
