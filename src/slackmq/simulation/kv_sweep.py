"""KvSweep: many histories of a store over several processes, and what came of them."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from time import perf_counter
from typing import TYPE_CHECKING

from slackmq.simulation.kv_cells import KV_CELLS
from slackmq.simulation.kv_scenario import kv_replay

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["KvReport", "KvTally", "kv_plays", "kv_sweep"]

_CHUNK = 5
"""Histories that a process is given at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KvReport:
    """What a sweep keeps of one history: the rules broken, updates lost without a token, and the story if any."""

    rules: tuple[str, ...]
    answered: int
    loose: int
    told: str


class KvTally:
    """The sum of many reports."""

    def __init__(self) -> None:
        self.failed = 0
        self._runs = 0
        self._answered = 0
        self._loose = 0
        self._rules: Counter[str] = Counter()
        self._begun = perf_counter()

    def add(self, report: KvReport) -> None:
        """Count one more history."""
        self._runs += 1
        self.failed += bool(report.rules)
        self._answered += report.answered
        self._loose += report.loose
        self._rules.update(rule.split()[0] for rule in report.rules)

    def __str__(self) -> str:
        minutes = (perf_counter() - self._begun) / 60
        broken = ", ".join(f"{count} {rule}" for rule, count in sorted(self._rules.items())) or "none"
        return (
            f"{self._runs} histories of a store, {self._answered} answers: broken promises: {broken}, in {self.failed} "
            f"histories; updates lost under a lock: {self._loose} without its token, {self._rules['K6']} with it; "
            f"{self._runs / minutes:.0f} histories/min"
        )


def kv_plays(base: int, count: int, only: str | None = None) -> list[tuple[int, str]]:
    """Seeds from `base` on, each with its cell: the given one, or all in turn."""
    names = (only,) if only else KV_CELLS
    return [(base + number, names[number % len(names)]) for number in range(count)]


def kv_sweep(plays: list[tuple[int, str]], *, processes: int) -> Generator[KvReport]:
    """Play seeds in their cells, several at a time; the reports come in the order of the seeds."""
    chunks = [plays[start : start + _CHUNK] for start in range(0, len(plays), _CHUNK)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for reports in pool.map(_play, chunks):
            yield from reports


def _play(plays: list[tuple[int, str]]) -> list[KvReport]:
    reports: list[KvReport] = []
    for seed, name in plays:
        verdict = kv_replay(seed, name)
        rules = tuple(broken.rule for broken in verdict.broken)
        answered = sum(asking.ended < float("inf") for asking in verdict.askings)
        reports.append(
            KvReport(rules=rules, answered=answered, loose=verdict.loose, told=str(verdict) if rules else "")
        )
    return reports
