"""Sweep: many runs over several processes, and what came of them."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from time import perf_counter
from typing import TYPE_CHECKING

from slackmq.claiming.way import WAYS, Way
from slackmq.simulation.faults import CELLS, PAIRS, cell
from slackmq.simulation.scenario import replay
from slackmq.simulation.shrink import replayed, shrunk

if TYPE_CHECKING:
    from collections.abc import Generator

    from slackmq.simulation.scenario import Verdict

__all__ = ["Report", "Tally", "plays", "sweep"]

Play = tuple[int, str, Way]
"""A seed, the cell of its faults, and how claims are made."""
_CHUNK = 10
"""Runs that a process is given at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a sweep keeps of one run: the rules broken, the executions repeated, and the story if there is one."""

    rules: tuple[str, ...]
    repeated: int
    told: str


class Tally:
    """The sum of many reports."""

    def __init__(self) -> None:
        self.runs = 0
        self.failed = 0
        self.repeated = 0
        self.rules: Counter[str] = Counter()
        self._begun = perf_counter()

    def add(self, report: Report) -> None:
        """Count one more run."""
        self.runs += 1
        self.failed += bool(report.rules)
        self.repeated += report.repeated
        self.rules.update(rule.split()[0] for rule in report.rules)

    def __str__(self) -> str:
        minutes = (perf_counter() - self._begun) / 60
        rest = self.rules.total() - sum(self.rules[rule] for rule in ("I1", "I3", "I4", "I7"))
        return (
            f"{self.runs} runs: {self.rules['I1']} lost, {self.rules['I3'] + self.rules['I4']} two-holders, "
            f"{self.rules['I7']} unexplained repeats, {rest} other broken promises, in {self.failed} runs; "
            f"{self.repeated} explained repeats; {self.runs / minutes:.0f} runs/min"
        )


def plays(base: int, count: int, only: str | None = None, way: Way | None = None) -> list[Play]:
    """Seeds from `base` on, each with its cell and its way: the given ones, or all in turn."""
    names = [only] if only else [*CELLS, *PAIRS]
    ways: tuple[Way, ...] = (way,) if way is not None else WAYS
    pairs: list[tuple[str, Way]] = [(name, each) for each in ways for name in names]
    return [(base + number, *pairs[number % len(pairs)]) for number in range(count)]


def sweep(runs: list[Play], *, processes: int) -> Generator[Report]:
    """Play seeds in their cells, several at a time; the reports come in the order of the seeds."""
    chunks = [runs[start : start + _CHUNK] for start in range(0, len(runs), _CHUNK)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for reports in pool.map(_play, chunks):
            yield from reports


def _play(runs: list[Play]) -> list[Report]:
    reports: list[Report] = []
    for seed, name, way in runs:
        verdict = replay(seed, name, way)
        rules = tuple(violation.rule for violation in verdict.violations)
        reports.append(Report(rules=rules, repeated=verdict.repeated, told=_told(verdict) if rules else ""))
    return reports


def _told(verdict: Verdict) -> str:
    """A failing run, under the fewest faults under which it fails."""
    names, smallest = shrunk(verdict, cell(verdict.cell, verdict.seed))
    return replayed(smallest, names)
