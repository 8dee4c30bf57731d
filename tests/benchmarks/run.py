"""All figures in one run, as a table: `python -m tests.benchmarks.run [--write FILE]`."""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path

import anyio
from tests.benchmarks import budget, latency, weight

from slackmq.simulation.scenario import replay

_RUNS = 60
"""Simulated runs that are timed, with all faults at once."""


def rows() -> list[tuple[str, str, str]]:
    """Figure, goal, what was measured."""
    relaxed, saturated, classic = budget.relaxed(), budget.saturated(), budget.classic()
    echo, ours = anyio.run(latency.measured)
    sdk, worker = weight.weigh(weight.SDK), weight.weigh(weight.WORKER)
    return [
        ("claim and done calls per job, fault-free", "<= 2.3", f"{relaxed.calls['reactions.add']:.2f}"),
        ("reads of history per job at 10 jobs/min", "", f"{relaxed.calls['conversations.history']:.2f}"),
        ("jobs/min, published limits, 1 app, 3 workers", ">= 22", f"{saturated.per_minute:.1f}"),
        ("the same, calls answered with 429 per job", "", f"{saturated.limited:.2f}"),
        ("the same load, claim of the 2019 library: jobs/min", "", f"{classic.per_minute:.1f}"),
        ("the same, calls answered with 429 per job", "", f"{classic.limited:.2f}"),
        ("post to handler, p50, ratio to a bare echo", "<= 1.5", _ratio(ours.p50, echo.p50, "ms", 1e3)),
        ("post to handler, p99, ratio to a bare echo", "<= 1.5", _ratio(ours.p99, echo.p99, "ms", 1e3)),
        ("import time, ratio to slack_sdk alone", "", _ratio(worker.seconds, sdk.seconds, "ms", 1e3)),
        ("resident memory, ratio to slack_sdk alone", "", _ratio(worker.mebibytes, sdk.mebibytes, "MiB", 1)),
        ("simulated runs/min, one process, every fault", "", f"{_simulated():.0f}"),
    ]


def _ratio(ours: float, theirs: float, unit: str, scale: float) -> str:
    return f"{ours / theirs:.2f} ({ours * scale:.1f} to {theirs * scale:.1f} {unit})"


def _simulated() -> float:
    begun = time.perf_counter()
    for seed in range(_RUNS):
        replay(seed, "everything")
    return _RUNS * 60 / (time.perf_counter() - begun)


def table() -> str:
    """The figures as Markdown."""
    lines = ["| Figure | Goal | Measured |", "|---|---|---|"]
    lines += [f"| {name} | {goal} | {measured} |" for name, goal, measured in rows()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="a Markdown file to write the table to")
    options = parser.parse_args()
    text = table()
    print(text)  # noqa: T201  # the result
    if options.write:
        options.write.write_text(text, encoding="utf-8")
