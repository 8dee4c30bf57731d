"""`python -m slackmq.simulation`: replay one seed, or sweep over many."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING

from slackmq.claiming.way import WAYS
from slackmq.simulation.faults import CELLS, PAIRS, cell
from slackmq.simulation.kv_cells import KV_CELLS
from slackmq.simulation.kv_scenario import kv_replay
from slackmq.simulation.kv_sweep import KvTally, kv_plays, kv_sweep
from slackmq.simulation.live import Live, NotThere
from slackmq.simulation.scenario import replay
from slackmq.simulation.shrink import only, replayed, shrunk
from slackmq.simulation.sweep import Tally, plays, sweep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.claiming.way import Way
    from slackmq.simulation.faults import Faults
    from slackmq.simulation.scenario import Verdict

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m slackmq.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this seed and print its history")
    parser.add_argument("--cell", choices=[*CELLS, *PAIRS], help="the faults; a sweep takes all in turn by default")
    parser.add_argument("--way", choices=WAYS, help="how claims are made; a sweep takes all by default")
    parser.add_argument("--seeds", type=int, default=2000, help="how many runs a sweep has")
    parser.add_argument("--base", type=int, default=0, help="the first seed of a sweep")
    parser.add_argument("--fresh", action="store_true", help="take the first seed from the clock")
    parser.add_argument("--only", help="replay with these faults of the cell alone: names with commas, or none")
    parser.add_argument("--shrink", action="store_true", help="look for the fewest faults that break the same promise")
    parser.add_argument("--live", metavar="FILE", help="carry the replayed calls into the workspace of this file, too")
    parser.add_argument("--kv", action="store_true", help="histories of a store, not of a queue")
    parser.add_argument("--processes", type=int, default=2, help="how many processes sweep")
    options = parser.parse_args(argv)
    if options.kv:
        return _store(options)
    if options.seed is not None:
        name = options.cell or "everything"
        faults = cell(name, options.seed)
        if options.only is not None:
            try:
                faults = only(faults, options.only.split(","))
            except ValueError as error:
                parser.error(f"--only: {error}")
        return _replay(options.seed, name, options.way or "reaction", faults, shrink=options.shrink, live=options.live)
    base = _base(options)
    _print(f"{options.seeds} runs from seed {base} on")
    tally = Tally()
    for report in sweep(plays(base, options.seeds, options.cell, options.way), processes=options.processes):
        tally.add(report)
        if report.told:
            _print(f"{report.told}\n")
    _print(str(tally))
    return 1 if tally.failed else 0


def _base(options: argparse.Namespace) -> int:
    return time_ns() // 1_000_000_000 * 100_000 if options.fresh else int(options.base)


def _store(options: argparse.Namespace) -> int:
    """Histories of a store: one of them with all that was asked, or many."""
    if options.cell is not None and options.cell not in KV_CELLS:
        _print(f"The cell {options.cell} means nothing to a store; these do: {', '.join(KV_CELLS)}")
        return 2
    if options.seed is not None:
        verdict = kv_replay(options.seed, options.cell or "everything")
        for line in verdict.lines:
            _print(f"{line.at:9.3f} {line}")
        for asking in verdict.askings:
            _print(str(asking))
        _print(f"\n{verdict}\n{len(verdict.broken)} broken promises in {verdict.seconds:.0f} s")
        return 1 if verdict.broken else 0
    base, tally = _base(options), KvTally()
    _print(f"{options.seeds} histories of a store from seed {base} on")
    for report in kv_sweep(kv_plays(base, options.seeds, options.cell), processes=options.processes):
        tally.add(report)
        if report.told:
            _print(f"{report.told}\n")
    _print(str(tally))
    return 1 if tally.failed else 0


def _replay(seed: int, name: str, way: Way, faults: Faults, *, shrink: bool, live: str | None) -> int:
    verdict = replay(seed, name, way, faults)
    if shrink and verdict.violations:
        names, verdict = shrunk(verdict, faults)
        _print(replayed(verdict, names))
        return 1
    if live is not None:
        return _carry(verdict, live)
    for line in verdict.truth.lines:
        _print(f"{line.at:9.3f} {line}")
    for violation in verdict.violations:
        _print(f"\n{violation.told(verdict.truth)}")
    _print(f"\n{len(verdict.violations)} broken promises, {verdict.repeated} repeats in {verdict.seconds:.0f} s")
    return 1 if verdict.violations else 0


def _carry(verdict: Verdict, file: str) -> int:
    """Carry a run into the workspace whose first line of `slackmq emulator --json` this file holds."""
    try:
        live = Live(json.loads(Path(file).read_text(encoding="utf-8").splitlines()[0]))
        carried = live.carry(f"seed-{verdict.seed}", verdict.truth.lines, verdict.apps)
    except (OSError, ValueError, LookupError, TypeError, NotThere) as error:
        _print(f"It cannot be carried there: {error}\n{file} must hold what `slackmq emulator --json` prints.")
        return 2
    for difference in carried.differences:
        _print(difference)
    for violation in verdict.violations:
        _print(f"{violation.rule}: {violation.what}")
    _print(f"{carried.calls} calls in {carried.channel}, {len(carried.differences)} answered otherwise than in the run")
    return 1 if verdict.violations or carried.differences else 0


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
