"""All figures in one run, as a table: `python -m tests.benchmarks.run [queue] [emulator] [store] [--write FILE]`.

Those of the doors for other frameworks take long, and are made where they are named: `… doors --messages 500`.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from tests.benchmarks import batches, budget, drain, emulator, latency, store, weight
from tests.benchmarks.doors import rows as doors

from slackmq.policy import Timing
from slackmq.simulation.scenario import replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_RUNS = 60
"""Simulated runs that are timed, with all faults at once."""


Row = tuple[str, str, str]


def rows() -> list[Row]:
    """Figure, goal, what was measured, of the queue."""
    return [*_calls(), *_rates(), *_takeovers(), *_work(), *_costs()]


SUBJECTS: dict[str, Callable[[], list[Row]]] = {"queue": rows, "emulator": emulator.rows, "store": store.rows}
"""Name -> what makes its rows."""
USUAL = tuple(SUBJECTS)
"""What is measured where no subject is named."""


def _calls() -> list[Row]:
    """What a job costs where nothing goes wrong, and what a queue costs in which nothing happens."""
    reaction, native, pin = budget.relaxed(), budget.relaxed("native"), budget.relaxed("pin", apps=3)
    pins = sum(pin.calls[method] for method in ("pins.add", "pins.remove", "reactions.add"))
    return [
        ("claim and done calls per job, reaction", "<= 2.1", f"{reaction.calls['reactions.add']:.2f}"),
        ("the same, pin, three bots (pin, mark, done, unpin)", "<= 4.1", f"{pins:.2f}"),
        ("the same, native", "<= 1.1", f"{native.calls['reactions.add']:.2f}"),
        ("reads of history per job at 10 jobs/min, reaction", "", f"{reaction.calls['conversations.history']:.2f}"),
        (
            "all calls per job of a batch of 100, posting and reading included",
            "<= 0.1",
            f"{_all(batches.relaxed()):.3f}",
        ),
        ("calls/min of three workers, nothing to do", "<= 2", f"{budget.idle():.1f}"),
    ]


def _all(cost: budget.Budget) -> float:
    return sum(cost.calls.values())


def _rates() -> list[Row]:
    """Jobs a minute under the published limits."""
    program, typed = budget.saturated(by="program"), budget.saturated()
    native = budget.saturated("native", by="program")
    alone, four = budget.saturated("pin"), budget.saturated("pin", apps=4)
    batch, classic = batches.saturated(), budget.classic()
    return [
        ("jobs/min, reaction, posted by the app itself", ">= 45", f"{program.per_minute:.1f}"),
        ("jobs/min, reaction, typed by people", ">= 22", f"{typed.per_minute:.1f}"),
        ("jobs/min, native, posted by the app itself", ">= 50", f"{native.per_minute:.1f}"),
        ("jobs/min in batches of 100, reaction, posted by the app itself", ">= 1,000", f"{batch.per_minute:,.0f}"),
        ("jobs/min, pin, one app", "", f"{alone.per_minute:.1f}"),
        ("jobs/min, pin, four apps, ratio to one", ">= 3.8", f"{four.per_minute / alone.per_minute:.2f}"),
        ("calls answered with 429 per job, reaction, typed", "", f"{typed.limited:.2f}"),
        ("jobs/min, claim of the 2019 library", "", f"{classic.per_minute:.1f}"),
        ("the same, calls answered with 429 per job", "", f"{classic.limited:.2f}"),
    ]


def _takeovers() -> list[Row]:
    """Seconds until a killed worker's message is taken over."""
    took = budget.takeovers()
    timing = Timing()
    bound = timing.lease + timing.margin + timing.scan + timing.skew
    p99 = took[int(len(took) * 0.99)]
    shown = f"{p99:.0f} s of {len(took)} takeovers, median {took[len(took) // 2]:.0f} s"
    name = "takeover after a kill with a hand free, p99 from the last claim on"
    return [(name, f"<= {bound.total_seconds():.0f} s", shown)]


def _work() -> list[Row]:
    """What the code itself costs, beside the calls that it makes and beside other queues."""
    ours, bare = drain.cpu()
    mine = drain.ours()
    others = drain.rivals(os.environ.get("SLACKMQ_RIVALS_PYTHON"))
    return [
        ("CPU per job of a worker, ratio to its calls alone", "<= 1.5", _ratio(ours, bare, "ms", 1e3)),
        ("10,000 jobs, limits off, two processes", "", f"{mine.per_second:.0f} jobs/s"),
        *(
            (f"the same, ratio to {other.name} over Redis", ">= 1.0", _ratio(mine.per_second, other.per_second, "", 1))
            for other in others
        ),
        ("one scan of 10,000 unfinished messages", "", f"{budget.scan(10_000) * 1e3:.0f} ms of CPU"),
    ]


def _costs() -> list[Row]:
    """Latency, size, and how fast the simulation is."""
    echo, ours = anyio.run(latency.measured)
    sdk, worker = weight.weigh(weight.SDK), weight.weigh(weight.WORKER)
    return [
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


def table(subjects: Iterable[str]) -> str:
    """The figures as Markdown."""
    lines = ["| Figure | Goal | Measured |", "|---|---|---|"]
    made = (row for subject in subjects for row in SUBJECTS[subject]())
    lines += [f"| {name} | {goal} | {measured} |" for name, goal, measured in made]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "subjects", nargs="*", metavar="subject", help="queue, emulator, store, doors; without one, the first three"
    )
    parser.add_argument("--write", type=Path, help="a Markdown file to write the table to")
    chosen = parser.add_argument_group("doors")
    chosen.add_argument("--messages", type=int, default=500, help="how many for each, 500 unless told")
    chosen.add_argument("--door", action="append", choices=doors.NAMES, help="of which framework; without it, all")
    chosen.add_argument("--apps", action="append", type=int, choices=doors.APPS, help="of how many; without it, both")
    options = parser.parse_args()
    SUBJECTS["doors"] = partial(
        doors.rows, options.messages, doors=options.door or doors.NAMES, apps=options.apps or doors.APPS
    )
    if unknown := set(options.subjects) - set(SUBJECTS):
        parser.error(f"There are no figures of {', '.join(sorted(unknown))}: the subjects are {', '.join(SUBJECTS)}.")
    text = table(options.subjects or USUAL)
    print(text)  # noqa: T201  # the result
    if options.write:
        options.write.write_text(text, encoding="utf-8")
