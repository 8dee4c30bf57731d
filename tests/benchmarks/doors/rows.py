"""The figures of guarded bots of other frameworks, as rows: what was measured, the goal, what came out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.benchmarks.doors.cell import REPLICAS, Cell
from tests.benchmarks.doors.door import DOORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.doors.cell import Calm
    from tests.benchmarks.doors.door import Door
    from tests.benchmarks.doors.verdict import Verdict

__all__ = ["APPS", "NAMES", "rows"]

Row = tuple[str, str, str]
APPS = (1, 4)
NAMES = tuple(door.name for door in DOORS)
_LAPS = {1: 200, 4: 90}
"""Messages at rest to either bot, at most, by the number of apps: a channel takes a hundred pins, and those of what has
ended are taken off within a minute, so that without Slack's limits there would soon be as many."""


def rows(messages: int = 500, *, doors: Sequence[str] = NAMES, apps: Sequence[int] = APPS) -> list[Row]:
    """Figure, goal, what was measured, of each door with each number of apps."""
    chosen = [door for door in DOORS if door.name in doors]
    return [row for door in chosen for count in apps for row in _rows(door, count, messages)]


def _rows(door: Door, apps: int, messages: int) -> list[Row]:
    name = f"{door.name}, {'one app' if apps == 1 else f'{apps} apps'}"
    if not door.installed:
        return [(name, "", f"skipped: {door.judge} is not installed (scripts/judges {door.judge})")]
    cell = Cell(door, apps, messages=messages, laps=min(messages, _LAPS[apps]))
    calm, storm = cell.calm(), cell.storm()
    for line in (*storm.lost, *storm.repeated):
        sys.stderr.write(f"{name}: {line}\n")
    return [(f"{name}: lost, repeated without a lapsed lease", "0, 0", _kept(storm)), *_costs(calm, storm)]


def _kept(storm: Verdict) -> str:
    met = ", ".join(f"{count} {what}" for what, count in sorted(storm.met.items()))
    return (
        f"{len(storm.lost)}, {len(storm.repeated)} of {storm.messages} messages by {REPLICAS} replicas "
        f"({met}; {storm.lapsed} repeated after a lapse)"
    )


def _costs(calm: Calm, storm: Verdict) -> list[Row]:
    added = "; ".join(
        f"{name} {(ours - bare) * 1e3:+.0f} ({ours * 1e3:.0f} to {bare * 1e3:.0f}) ms"
        for name, ours, bare in (("p50", calm.ours.p50, calm.bare.p50), ("p99", calm.ours.p99, calm.bare.p99))
    )
    bare = "" if calm.bare_answers < 1.5 else f"; the unguarded bot answers {calm.bare_answers:.1f} times"
    return [
        (
            "the same, claim calls per message, at rest",
            "<= 1.15",
            f"{calm.claims:.2f}; {storm.claims:.2f} in the storm",
        ),
        ("the same, added from post to answer", "<= 15 ms", f"{added}{bare}"),
    ]
