"""Checkers: each reads the truth of one run and names what broke one promise."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from slackmq.message import Outcome
from slackmq.simulation.bounds import attempts, impolite, noted_and_run, slow_takeover, stale, storm, wasteful
from slackmq.simulation.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from slackmq.simulation.truth import Copy, Job, Run, Truth

__all__ = ["CHECKERS", "check", "repeated"]

_VISIBLE = 10.0
"""Seconds after which nobody may begin what was marked as ended: a settled look and the way of a call."""
_DRIFT = 0.002
"""Local clocks run at most this much slower than the simulation's: twice what the faults allow."""


def lost(truth: Truth) -> Iterator[Violation]:
    """I1: a job that stands in the channel, or that a producer was told of, ends done or dead, or people delete it.

    What Slack stores and never shows stands nowhere: it is begun if its event comes, and nobody can promise more.
    """
    vanished = {line.process for line in truth.disturbances if line.what == "vanished"}
    for job in truth.jobs.values():
        if job.deleted or _reworded(job) or vanished & job.copies.keys() or job.ended is not None:
            continue
        if any(_open(named) for copy in job.copies.values() for named in truth.named(copy)):
            continue  # it waits for that one, whose end is judged by itself
        if job.copies or job.promised is not None:
            line = job.promised if not job.copies else max(copy.line for copy in job.copies.values())
            yield Violation(rule="I1 lost", what=f"{job.key} never ended", line=line or 0)


def _open(job: Job) -> bool:
    return not job.deleted and job.ended is None


def _reworded(job: Job) -> bool:
    """Whether a person edited what they had typed before anybody began it, so that it may mean nothing to a bot now.

    That somebody began it by a native claim, without a call, nobody else can know.
    """
    begun = {run.ts for run in job.runs if run.token}
    return any(
        copy.edited and not copy.generations and copy.ts not in begun and copy.ts in job.key
        for copy in job.copies.values()
    )


def unexpected(truth: Truth) -> Iterator[Violation]:
    """I2: what is executed was posted, and what has an effect was executed."""
    for job in truth.jobs.values():
        for run in job.runs:
            if run.ts not in job.copies:
                yield Violation(rule="I2 from nowhere", what=f"{job.key} was executed, not posted", line=run.line)
        known = {run.number for run in job.runs}
        for line, effect in job.effects:
            if effect.run not in known:
                yield Violation(rule="I2 from nowhere", what=f"{job.key} had an effect, but no run", line=line)


def twice_under_one_token(truth: Truth) -> Iterator[Violation]:
    """I3: one start per message and token, and only by the process that took this generation."""
    for job in truth.jobs.values():
        seen: set[tuple[str, int]] = set()
        for run in job.runs:
            if (run.ts, run.token) in seen and not _told_twice(truth, run):
                what = f"{job.key} was started twice under token {run.token}"
                yield Violation(rule="I3 two holders", what=what, line=run.line)
            seen.add((run.ts, run.token))
            copy = job.copies.get(run.ts)
            owner = copy.generations.get(run.token) if copy else None
            written = copy is not None and run.process in copy.claims.get(run.token, ())
            called = truth.way == "reaction" or (truth.way == "native" and run.token > 0)
            if copy and called and not written and (owner is None or owner.process != run.process):
                what = f"{run.process} started {job.key} under token {run.token}, which it does not hold"
                yield Violation(rule="I3 two holders", what=what, line=run.line)


def _told_twice(truth: Truth, run: Run) -> bool:
    """Native claims trust that an event which comes twice says so; where it does not, a handler runs twice."""
    doubled = any(line.process == run.ts and line.what == "event doubled" for line in truth.disturbances)
    return truth.way == "native" and run.token == 0 and doubled


def taken_early(truth: Truth) -> Iterator[Violation]:
    """I4: nobody takes the generation after another's before that one's claim ran out, or was given back, or ended."""
    for job in truth.jobs.values():
        yield from _begun_early(truth, job)
        for copy in job.copies.values():
            yield from _taken_early(truth, job, copy)


def _begun_early(truth: Truth, job: Job) -> Iterator[Violation]:
    """Claims by pins and in threads: nobody starts while another's lasts, unless a person took the pin off."""
    runs = sorted(job.runs, key=lambda run: run.began)
    for former, run in pairwise(runs):
        copy = job.copies.get(run.ts)
        if copy is None or former.ts != run.ts or (truth.way != "pin" and run.token not in copy.claims):
            continue
        over = former.until
        for token, sent, at in copy.renewals:
            if token == former.token and at <= over:
                over = sent + truth.lease
        ended = copy.ended is not None and copy.ended[1].at <= run.began
        # An emoji's holder may have gone on in the thread, under the next token, before it gave back; not so a pin's.
        last = former.token if truth.way == "pin" else run.token - 1
        given = any(at <= run.began for token, at in copy.releases.items() if former.token <= token <= last)
        if run.began < over - truth.lease * _DRIFT and not (ended or given or _taken_off(truth, run.ts, run.began)):
            what = f"{run.process} started {job.key} {over - run.began:.1f} s too early"
            yield Violation(rule="I4 premature", what=what, line=run.line)


def _taken_early(truth: Truth, job: Job, copy: Copy) -> Iterator[Violation]:
    for number, taken in copy.generations.items():
        before = copy.generations.get(number - 1)
        if before is None or before.process == taken.process:
            continue
        released = copy.releases.get(number - 1)
        over = before.sent + truth.lease * (1 - _DRIFT)
        if taken.at < over and (released is None or released > taken.at):
            what = f"{taken.process} took generation {number} of {job.key} {over - taken.at:.1f} s too early"
            yield Violation(rule="I4 premature", what=what, line=taken.line)


def completed_twice(truth: Truth) -> Iterator[Violation]:
    """I5: at most one effective completion per job: of its copies one is marked done, and one process told so.

    A person who takes a pin off asks for the work again, and a bot may hear that sooner than it hears that it was done.
    """
    for job in truth.jobs.values():
        for copy in job.copies.values():
            for line, told in copy.told[1:]:
                if truth.way == "pin" and _taken_off(truth, copy.ts, told.at):
                    continue
                what = f"{told.process} took the end of {job.key} for its own, as {copy.told[0][1].process} had"
                yield Violation(rule="I5 completed twice", what=what, line=line)
        if job.deleted:
            continue  # whoever deletes one of two copies asks for the other
        ends = [copy.ended for copy in job.copies.values() if copy.ended and copy.ended[0] is Outcome.DONE]
        for _, taken in sorted(ends, key=lambda end: end[1].at)[1:]:
            yield Violation(rule="I5 completed twice", what=f"{job.key} was marked done again", line=taken.line)


def _taken_off(truth: Truth, ts: str, until: float) -> bool:
    """Whether a person took the pin off a message before a moment."""
    return any(line.what == "unpin" and line.process == ts and line.at <= until for line in truth.disturbances)


def out_of_turn(truth: Truth) -> Iterator[Violation]:
    """I17: nobody begins a job before all that it names are done; what was deleted had been done by then."""
    for job in truth.jobs.values():
        for run in job.runs:
            copy = job.copies.get(run.ts)
            for named in truth.named(copy) if copy else ():
                done = named.done_at is not None and named.done_at <= run.began
                deleted = named.deleted and any(each.result == "done" for each in named.runs)
                if not (done or deleted):
                    what = f"{run.process} began {job.key} before {named.key} was done"
                    yield Violation(rule="I17 out of turn", what=what, line=run.line)


def unfenced(truth: Truth) -> Iterator[Violation]:
    """I6: the tokens that a fenced target accepts rise with each new run, and what is marked done had its effect."""
    for job in truth.jobs.values():
        highest, by = -1, 0
        for line, effect in job.effects:
            if not effect.accepted:
                continue
            # Token 0 of native claims fences nothing, and whoever deletes one of two copies starts with the other.
            excused = job.deleted or (truth.way == "native" and effect.token == 0)
            fenced = effect.token < highest or (effect.token == highest and effect.run != by)
            if fenced and not excused:
                what = f"the target accepted token {effect.token} of {job.key} after {highest}"
                yield Violation(rule="I6 unfenced", what=what, line=line)
            highest, by = effect.token, effect.run
        end = job.ended
        if end and end[0] is Outcome.DONE and not any(e.accepted and e.at <= end[1].at for _, e in job.effects):
            yield Violation(rule="I6 done without effect", what=f"{job.key} was marked done", line=end[1].line)


def unexplained(truth: Truth) -> Iterator[Violation]:
    """I7: whatever is executed again had failed, been given back, or lost its claim because something was broken."""
    for job in truth.jobs.values():
        runs = sorted(job.runs, key=lambda run: run.began)
        unpins = [line for line in truth.disturbances if line.what == "unpin" and line.process in job.copies]
        for former, run in pairwise(runs):
            why = _why_not(truth, job, former, run)
            taken_off = next((line for line in unpins if line.process == run.ts and line.at <= run.began), None)
            if why and (_told_twice(truth, run) or _late(truth, job, former, run)):
                continue
            if why and taken_off:
                unpins.remove(taken_off)  # a person who puts a job back explains one more execution, not two
            elif why:
                what = f"{job.key} ran again (runs {former.number}, {run.number}): {why}"
                yield Violation(rule="I7 unexplained repeat", what=what, line=run.line)


def _why_not(truth: Truth, job: Job, former: Run, run: Run) -> str:
    """Why nothing explains a repeated execution; empty if something does."""
    copy = job.copies.get(run.ts)
    if former.ts != run.ts or copy is None:
        return "" if job.deleted else "on another copy of the same key"
    if truth.way == "pin":
        return _why_not_pinned(truth, copy, former, run)
    taken = copy.generations.get(run.token)
    if copy.ended and taken and copy.ended[1].at <= taken.at:
        return "it had ended before it was claimed"
    if any(former.token <= token < run.token and at <= run.began for token, at in copy.releases.items()):
        return ""
    until = copy.holds_until(former.token, former.process, truth.lease, below=run.token)
    if run.began < until - truth.lease * _DRIFT:
        return "the claim had not run out"
    claimed = copy.generations.get(former.token)
    since = claimed.sent if claimed else former.began
    broken = truth.disturbed(former.process, since, run.began) or _silenced(truth, former.process, since)
    return "" if broken else "the claim ran out although nothing was broken"


def _late(truth: Truth, job: Job, former: Run, run: Run) -> bool:
    """Whether a process stood still between its claim and its work, so that it began after its successor."""
    copy = job.copies.get(run.ts)
    taken = copy.generations.get(run.token) if copy else None
    return taken is not None and run.token < former.token and truth.disturbed(run.process, taken.sent, run.began)


def _silenced(truth: Truth, process: str, since: float) -> bool:
    """Whether a 429 from before a moment still kept a process from calling then."""
    for asked in truth.asked:
        if asked.process == process and asked.retry_after and asked.answered is not None:
            over = asked.answered + asked.retry_after + truth.lease / 2
            if asked.sent <= since <= over:
                return True
    return False


def _why_not_pinned(truth: Truth, copy: Copy, former: Run, run: Run) -> str:
    # What a lapsed holder sent may take effect after the next claim, and before that one's work.
    if copy.ended and copy.ended[1].at + _VISIBLE <= copy.written.get(run.token, run.began):
        return "it had ended before it was claimed"
    if any(token == former.token and at <= run.began for token, at in copy.releases.items()):
        return ""
    since = former.began - truth.lease
    broken = truth.disturbed(former.process, since, run.began) or _silenced(truth, former.process, since)
    return "" if broken else "the claim ran out although nothing was broken"


CHECKERS: tuple[Callable[[Truth], Iterator[Violation]], ...] = (
    lost,
    unexpected,
    twice_under_one_token,
    taken_early,
    completed_twice,
    out_of_turn,
    unfenced,
    unexplained,
    slow_takeover,
    storm,
    impolite,
    wasteful,
    attempts,
    stale,
    noted_and_run,
)
_DOUBTFUL: Mapping[str, frozenset[str]] = {
    # What is assumed of Slack and of clocks does not hold there, so all that is promised is that nothing is lost.
    "V3": frozenset({"I1", "I2"}),
    "M1-notes": frozenset({"I1", "I2", "I3", "I6"}),
    "S4": frozenset({"I1", "I2", "I3", "I4", "I17"}),
    "C4": frozenset({"I1", "I2", "I3", "I6"}),
}
"""Cells that break an assumption, and the promises that hold without it."""


def check(truth: Truth, cell: str = "") -> list[Violation]:
    """All broken promises, in the order of the record; in some cells not all are made."""
    made = _DOUBTFUL.get(cell)
    found = [violation for checker in CHECKERS for violation in checker(truth)]
    if made is not None:
        found = [violation for violation in found if violation.rule.split()[0] in made]
    return sorted(found, key=lambda violation: violation.line)


def repeated(truth: Truth) -> int:
    """How many executions there were beyond the first of each job."""
    return sum(count - 1 for count in Counter(job.key for job in truth.jobs.values() for _ in job.runs).values())
