"""Judges a run from the workspace's record and from what the handlers' target saw, never from what workers believe."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import timedelta

    from slackmq.cli.record import Ledger, Sent
    from slackmq.cli.target import Effect

__all__ = ["Kill", "Repeat", "Tally", "tally"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A worker that was killed.

    Attributes:
        worker: its process id.
        at: when, in microseconds since 1970.
    """

    worker: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A job whose execution began again.

    Attributes:
        job: the job.
        before: the execution that came first.
        again: the one that followed.
        reason: why, by the record.
        explained: False if the record gives no right to it.
        takeover: seconds from the kill of the earlier holder to the next execution; None if it was not killed.
    """

    job: Sent
    before: Effect
    again: Effect
    reason: str
    explained: bool
    takeover: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of all jobs.

    Attributes:
        sent: jobs in the channel, by the record; copies with an earlier one's key are none.
        handled: of those, marked done by the record, with their effect in the target.
        lost: why each other one is not handled.
        repeats: executions that were not a job's first.
        faults: what must not be: effects nobody had a right to, repetitions without a lapsed lease.
    """

    sent: int
    handled: int
    lost: tuple[str, ...]
    repeats: tuple[Repeat, ...]
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Nothing was lost, and nothing was repeated without a lapsed lease; of nothing, nothing can be said."""
        return self.sent > 0 and not self.lost and not self.faults

    @property
    def takeover(self) -> float | None:
        """The longest time from a kill to the next execution of what was held, in seconds; None if nobody was."""
        return max((repeat.takeover for repeat in self.repeats if repeat.takeover is not None), default=None)


def tally(ledger: Ledger, effects: Sequence[Effect], *, lease: timedelta, kills: Sequence[Kill] = ()) -> Tally:
    """Judge a run.

    Args:
        ledger: the workspace's record.
        effects: the lines of the target.
        lease: how long a claim lasts unless it is extended.
        kills: which workers were killed, and when.
    """
    lost = tuple(_lost(ledger, effects))
    repeats = tuple(_repeats(ledger, effects, lease, kills))
    unexplained = (f"{_name(repeat.job)}: {repeat.reason}" for repeat in repeats if not repeat.explained)
    return Tally(
        sent=len(ledger.jobs),
        handled=len(ledger.jobs) - len(lost),
        lost=lost,
        repeats=repeats,
        faults=(*unexplained, *_trespasses(ledger, effects)),
    )


def _lost(ledger: Ledger, effects: Iterable[Effect]) -> Iterator[str]:
    ended = {effect.key for effect in effects if effect.step == "end"}
    for job in ledger.jobs.values():
        if job.ts in ledger.dead:
            yield f"{_name(job)}: given up"
        elif job.ts not in ledger.done:
            yield f"{_name(job)}: never marked done"
        elif job.key not in ended:
            yield f"{_name(job)}: marked done, but the target never saw its effect"


def _trespasses(ledger: Ledger, effects: Iterable[Effect]) -> Iterator[str]:
    """Effects of what was never sent, or under a token that the record does not know."""
    jobs = ledger.by_key()
    for effect in effects:
        job = jobs.get(effect.key)
        if job is None:
            yield f"the target saw {effect.key}, which nobody sent"
        elif (taken := ledger.taken.get((job.ts, effect.token))) is None or taken > effect.at:
            yield f"{_name(job)}: process {effect.worker} worked under token {effect.token} before it was taken"


def _repeats(ledger: Ledger, effects: Iterable[Effect], lease: timedelta, kills: Sequence[Kill]) -> Iterator[Repeat]:
    begun: dict[str, list[Effect]] = {}
    for effect in effects:
        if effect.step == "begin":
            begun.setdefault(effect.key, []).append(effect)
    for job in ledger.jobs.values():
        for before, again in pairwise(begun.get(job.key, ())):
            explained, reason = _why(ledger, job, before, again, lease)
            killed = next((kill.at for kill in kills if before.worker == kill.worker and kill.at <= again.at), None)
            yield Repeat(
                job=job,
                before=before,
                again=again,
                reason=reason,
                explained=explained,
                takeover=None if killed is None else (again.at - killed) / 1e6,
            )


def _why(ledger: Ledger, job: Sent, before: Effect, again: Effect, lease: timedelta) -> tuple[bool, str]:
    """Whether the record explains that an execution began again, and how."""
    if again.token <= before.token:
        return False, f"began twice, under tokens {before.token} and {again.token}"
    # Every generation up to the one before `again` was the earlier holder's, or taken by somebody who never began.
    taken, former = ledger.taken.get((job.ts, again.token)), ledger.taken.get((job.ts, again.token - 1))
    if taken is None or former is None:
        return False, f"began again under token {again.token}, which the record does not know"
    released = ledger.released.get((job.ts, again.token - 1))
    if released is not None and released <= taken:
        return True, f"given back under token {again.token - 1}, taken again {_span(released, taken)} later"
    length = lease.total_seconds()
    if taken > former + length * 1e6:
        return True, (
            f"the lease of {length:g} s from token {again.token - 1} lapsed; taken over {_span(former, taken)} "
            f"after that token"
        )
    return False, f"taken over {_span(former, taken)} after token {again.token - 1}, before its {length:g} s had lapsed"


def _span(earlier: int, later: int) -> str:
    return f"{(later - earlier) / 1e6:.1f} s"


def _name(job: Sent) -> str:
    return f"{job.text or job.key} ({job.ts})"
