"""Story: the workspace's record and the pages of a round as one record, judged by the checkers of the simulation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.kills.proxy import SENDER, SENT

from slackmq.policy import Timing
from slackmq.simulation.checkers import check, repeated
from slackmq.simulation.record import Called
from slackmq.simulation.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from slackmq.claiming.way import Way
    from slackmq.simulation.record import Line
    from slackmq.simulation.violation import Violation


_JUDGED = frozenset({"I1", "I2", "I3", "I4", "I5", "I6", "I7"})


def called(calls: Iterable[dict[str, Any]]) -> list[Line]:
    """The workspace's record as lines; those that were not sent through the proxy are the operator's."""
    return [_called(call) for call in calls if SENDER in call["args"]]


def _called(call: dict[str, Any]) -> Called:
    args = {name: value for name, value in call["args"].items() if name not in {SENDER, SENT}}
    if isinstance(args.get("metadata"), str):
        args["metadata"] = json.loads(args["metadata"])
    reply = {"ok": True, "ts": call["ts"]} if call["ok"] else {"ok": False, "error": call["error"]}
    return Called(
        at=call["at"] / 1_000_000,
        sent=float(call["args"][SENT]),
        process=str(call["args"][SENDER]),
        method=call["method"],
        args=args,
        reply=reply,
    )


def truth_of(calls: Iterable[dict[str, Any]], pages: Sequence[Line], *, lease: float, way: Way) -> Truth:
    """What really happened, in the order of this machine's clock."""
    lines = sorted([*called(calls), *pages], key=lambda line: line.at)
    return Truth(lines, timing=Timing(lease=timedelta(seconds=lease)), way=way)


def unfinished(truth: Truth) -> int:
    """How many jobs stand in the channel and have not ended."""
    return sum(bool(job.copies) and job.ended is None for job in truth.jobs.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a round.

    Attributes:
        plan: the seed and what it decided, in words.
        way: how claims were made.
        truth: what really happened.
        crashes: processes that ended otherwise than they should.
        missed: points at which nobody died.
        kills: processes that were killed.
        astray: calls that went astray.
        seconds: how long the round took.
    """

    plan: str
    way: Way
    truth: Truth
    crashes: tuple[str, ...]
    missed: tuple[str, ...]
    kills: int
    astray: int
    seconds: float

    @property
    def violations(self) -> list[Violation]:
        """Broken promises: those that say what may happen. How soon and how cheaply is for virtual time to judge."""
        return [violation for violation in check(self.truth) if violation.rule.split()[0] in _JUDGED]

    @property
    def holds(self) -> bool:
        """Nothing was broken."""
        return not (self.violations or self.crashes or self.missed)

    def summary(self) -> str:
        """The round in one line."""
        jobs = [job for job in self.truth.jobs.values() if job.copies]
        done = sum(job.ended is not None for job in jobs)
        stalls = sum("stalled" in line.what for line in self.truth.disturbances)
        return (
            f"{self.way}: {self.kills} kills, {self.astray} calls astray, {len(jobs)} jobs, {done} ended, "
            f"{repeated(self.truth)} explained repeats, {stalls} stalls, {len(self.violations)} violations, "
            f"{self.seconds:.0f} s"
        )

    def __str__(self) -> str:
        told = [violation.told(self.truth) for violation in self.violations[:1]]
        missed = [f"nobody died at {name}" for name in self.missed]
        return "\n\n".join([self.plan, *self.crashes, *missed, *told, self.summary()])
