"""`python -m slackmq.simulation`: replay one seed, or sweep over many."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter
from typing import TYPE_CHECKING

from slackmq.simulation.faults import CELLS
from slackmq.simulation.scenario import replay

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHUNK = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m slackmq.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this seed and print its history")
    parser.add_argument("--cell", choices=sorted(CELLS), help="the faults; a sweep takes all in turn by default")
    parser.add_argument("--seeds", type=int, default=2000, help="how many runs a sweep has")
    parser.add_argument("--base", type=int, default=0, help="the first seed of a sweep")
    parser.add_argument("--processes", type=int, default=2, help="how many processes sweep")
    options = parser.parse_args(argv)
    if options.seed is not None:
        return _replay(options.seed, options.cell or "everything")
    return _sweep(options.base, options.seeds, options.cell, options.processes)


def _replay(seed: int, cell: str) -> int:
    verdict = replay(seed, cell)
    for line in verdict.truth.lines:
        print(f"{line.at:9.3f} {line}")
    for violation in verdict.violations:
        print(f"\n{violation.told(verdict.truth)}")
    print(f"\n{len(verdict.violations)} broken promises, {verdict.repeated} repeats in {verdict.seconds:.0f} s")
    return 1 if verdict.violations else 0


def _sweep(base: int, count: int, cell: str | None, processes: int) -> int:
    names = [cell] if cell else list(CELLS)
    runs = [(base + number, names[number % len(names)]) for number in range(count)]
    chunks = [runs[start : start + _CHUNK] for start in range(0, count, _CHUNK)]
    begun = perf_counter()
    rules: Counter[str] = Counter()
    repeats = failed = 0
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for result in pool.map(_chunk, chunks):
            for found, repeated, told in result:
                rules.update(found)
                repeats += repeated
                if told:
                    failed += 1
                    print(f"{told}\n", flush=True)
    minutes = (perf_counter() - begun) / 60
    print(
        f"{count} runs: {rules['I1']} lost, {rules['I3'] + rules['I4']} two holders, "
        f"{rules['I7']} unexplained repeats, {sum(rules.values())} broken promises in {failed} runs; "
        f"{repeats} explained repeats; {count / minutes:.0f} runs/min"
    )
    return 1 if failed else 0


def _chunk(runs: list[tuple[int, str]]) -> list[tuple[list[str], int, str]]:
    """Each run's broken rules, repeats, and report if there is something to report."""
    results: list[tuple[list[str], int, str]] = []
    for seed, cell in runs:
        verdict = replay(seed, cell)
        rules = [violation.rule.split()[0] for violation in verdict.violations]
        results.append((rules, verdict.repeated, str(verdict) if rules else ""))
    return results


if __name__ == "__main__":
    sys.exit(main())
