"""Bounds: checkers of how soon and how cheaply a promise was kept, where the others ask whether it was."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from slackmq.message import Outcome
from slackmq.simulation.violation import Violation
from slackmq.slack.pacing import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slackmq.simulation.record import Asked
    from slackmq.simulation.truth import Copy, Generation, Truth

__all__ = ["attempts", "impolite", "noted_and_run", "slow_takeover", "stale", "storm", "takeovers", "wasteful"]

_LOOK = 5.0
"""Seconds that the fault-free way of a call, a drifting clock and one more look may take together."""
_BURST = 0.1
_MINUTE = 60.0
_VISIBLE = 10.0
"""Seconds after which nobody may miss a note: a settled look and the way of a call."""
_HARMLESS = frozenset({"start", "heal"})
_CLAIMS = frozenset({"reactions.add", "chat.update"})
_SPARE = 1.4
"""Claim and done calls for each that is needed. Over many runs it is 1.0; a run of 24 jobs, of which some fail and are
tried again by whoever is first, is a small sample."""
_PINS = 1.5
"""pins.add for each message. One run is a small sample; over many runs three apps make 1.1, however many processes."""


def takeovers(truth: Truth, *, within: float | None = None) -> Iterator[tuple[Generation, Generation, float]]:
    """Claims taken over from a process that was killed: its last claim, the next one, and seconds since the former.

    With `within` only those of which somebody knew who had a hand free for so many seconds.
    """
    killed = {line.process for line in truth.disturbances if line.what.startswith("kill")}
    for job in truth.jobs.values():
        for copy in job.copies.values():
            for token, taken in sorted(copy.generations.items()):
                former = copy.generations.get(token - 1)
                handed = any(token - 1 <= given < token for given in copy.releases)
                known = within is None or (former is not None and _observer(truth, former, within))
                if former and known and former.process in killed and former.process != taken.process and not handed:
                    yield former, taken, taken.at - former.sent


def slow_takeover(truth: Truth) -> Iterator[Violation]:
    """I8: a killed worker's message is taken within L + M + P + Δ of its last claim, if somebody could and knew of it.

    Judged where nothing else is broken than that workers are killed.
    """
    if any(not _only_kills(line.what) for line in truth.disturbances) or truth.way == "pin":
        return
    bound = truth.lease + truth.margin + truth.scan + truth.skew + _LOOK
    for former, taken, took in takeovers(truth):
        if took > bound and _observer(truth, former, bound):
            what = f"{taken.process} took over from {former.process} after {took:.0f} s, not {bound:.0f} s"
            yield Violation(rule="I8 slow takeover", what=what, line=taken.line)


def _only_kills(what: str) -> bool:
    return what in _HARMLESS or what == "kill"


def _observer(truth: Truth, former: Generation, bound: float) -> bool:
    """Whether some process saw the claim begin, lived on, and had a hand free all the time.

    If another one died meanwhile, that may have been the only one that was told of the claim.
    """
    until = former.sent + bound
    others = [name for name, born in truth.born.items() if name != former.process and born <= former.sent]
    if any(former.sent < truth.died.get(name, 0.0) <= until for name in truth.born if name != former.process):
        return False
    living = [name for name in others if truth.died.get(name, until + 1) > until]
    return any(_hand_free(truth, name, former.sent, until) for name in living)


def _hand_free(truth: Truth, process: str, since: float, until: float) -> bool:
    """Whether a process never worked on as many messages as it can at once, between two moments."""
    runs = [run for job in truth.jobs.values() for run in job.runs if run.process == process]
    spans = [(run.began, until + 1 if run.ended is None else run.ended) for run in runs]
    spans = [(max(begun, since), over) for begun, over in spans if begun < until and over > since]
    return all(sum(begun <= moment < over for begun, over in spans) < truth.hands for moment, _ in spans)


def storm(truth: Truth) -> Iterator[Violation]:
    """I9: once everything is healed, no message is begun more often than its attempts allow and one more."""
    healed = next((line.at for line in truth.disturbances if line.what == "heal"), None)
    if healed is None:
        return
    for job in truth.jobs.values():
        late = [run for run in job.runs if run.began > healed]
        if len(late) > truth.attempts + 1:
            what = f"{job.key} was begun {len(late)} times after everything was healed"
            yield Violation(rule="I9 storm", what=what, line=late[-1].line)


def impolite(truth: Truth) -> Iterator[Violation]:
    """I10: a process keeps to a method's published rate, and is silent after a 429 for as long as it asks."""
    calls: dict[tuple[str, str], list[Asked]] = defaultdict(list)
    for asked in truth.asked:
        calls[asked.process, asked.method].append(asked)
    for (process, method), asked_so in calls.items():
        limit = LIMITS.get(method, 20)
        most = limit + max(1.0, limit * _BURST) + 1
        times = [asked.sent for asked in asked_so]
        for place, sent in enumerate(times):
            within = place - bisect_left(times, sent - _MINUTE * (1 - truth.drift)) + 1
            if within > most:
                what = f"{process} called {method} {within} times in a minute, at {sent:.1f} s"
                yield Violation(rule="I10 impolite", what=what, line=len(truth.lines) - 1)
                break
        yield from _unheeded(truth, process, method, asked_so)


def _unheeded(truth: Truth, process: str, method: str, calls: list[Asked]) -> Iterator[Violation]:
    for refused in calls:
        if not refused.retry_after or refused.answered is None:
            continue
        until = refused.answered + refused.retry_after * (1 - truth.drift)
        for asked in calls:
            if refused.answered < asked.sent < until:
                what = f"{process} called {method} at {asked.sent:.1f} s, and was to wait until {until:.1f} s"
                yield Violation(rule="I10 impolite", what=what, line=len(truth.lines) - 1)
                return


def wasteful(truth: Truth) -> Iterator[Violation]:
    """I11: where nothing goes wrong, claims and marks cost what the way promises and hardly more."""
    if not truth.calm:
        return
    copies = [copy for job in truth.jobs.values() for copy in job.copies.values()]
    if truth.way == "pin":
        pins = sum(asked.method == "pins.add" for asked in truth.asked)
        if pins > _PINS * len(copies):
            what = f"{pins} calls of pins.add for {len(copies)} messages"
            yield Violation(rule="I11 wasteful", what=what, line=len(truth.lines) - 1)
        return
    if truth.way == "native":
        yield from _called(truth)
    spent = sum(asked.method in _CLAIMS for asked in truth.asked)
    needed = sum(len(copy.generations) + (copy.ended is not None) for copy in copies)
    if spent > _SPARE * needed + 1:
        what = f"{spent} calls to claim and to mark, where {needed} were needed"
        yield Violation(rule="I11 wasteful", what=what, line=len(truth.lines) - 1)


def _called(truth: Truth) -> Iterator[Violation]:
    """Native claims that cost a call: only who had no hand free for most of a lease may have left it to others."""
    first: dict[str, int] = {}
    for run in (run for job in truth.jobs.values() for run in job.runs):
        first[run.ts] = min(run.token, first.get(run.ts, run.token))
    called = sum(token > 0 for token in first.values())
    if called > len(first) / 2:
        what = f"{called} of {len(first)} messages were first claimed by a call"
        yield Violation(rule="I11 wasteful", what=what, line=len(truth.lines) - 1)


def attempts(truth: Truth) -> Iterator[Violation]:
    """I13: no execution has a higher number than the attempts allow, and only what spent them all is dead, once."""
    for job in truth.jobs.values():
        for run in job.runs:
            if run.attempt > truth.attempts:
                what = f"{job.key} was begun as attempt {run.attempt} of {truth.attempts}"
                yield Violation(rule="I13 attempts", what=what, line=run.line)
        numbered = sorted((run for run in job.runs if run.result == "failed"), key=lambda run: run.began)
        for former, run in pairwise(numbered):
            if run.ts == former.ts and run.attempt <= former.attempt and run.began > (former.ended or 0.0) + _LOOK:
                what = f"{job.key} failed as attempt {former.attempt}, and then again as {run.attempt}"
                yield Violation(rule="I13 attempts", what=what, line=run.line)
        for copy in job.copies.values():
            yield from _dead(truth, copy, sum(run.ts == copy.ts for run in job.runs), job.key)


def stale(truth: Truth) -> Iterator[Violation]:
    """I16: nobody begins what has expired, unless somebody had, or may have, begun it before."""
    for job in truth.jobs.values():
        for run in job.runs:
            copy = job.copies.get(run.ts)
            if copy is None or copy.expires is None or run.attempt > 1:
                continue
            late = run.began - copy.expires
            if late > _LOOK and not truth.disturbed(run.process, copy.expires - _MINUTE, run.began):
                what = f"{run.process} began {job.key} {late:.1f} s after it had expired"
                yield Violation(rule="I16 stale", what=what, line=run.line)


def noted_and_run(truth: Truth) -> Iterator[Violation]:
    """I17: what a note says of a batch is not executed again by whoever claims it once the note can be seen.

    A claim begins no later than the first job that is executed under it.
    """
    claimed: dict[tuple[str, str, int], float] = {}
    runs = [(job, run) for job in truth.jobs.values() for run in job.runs]
    for _, run in runs:
        claim = (run.ts, run.process, run.attempt)
        claimed[claim] = min(run.began, claimed.get(claim, run.began))
    for job, run in runs:
        copy = job.copies.get(run.ts)
        if copy is None or not copy.batch or job.deleted:
            continue
        noted = copy.noted.get(int(job.key.rpartition("/")[2]))
        if noted is not None and claimed[run.ts, run.process, run.attempt] > noted + _VISIBLE:
            what = f"{run.process} ran {job.key} {run.began - noted:.0f} s after a note had called it settled"
            yield Violation(rule="I17 run although noted", what=what, line=run.line)


def _dead(truth: Truth, copy: Copy, begun: int, key: str) -> Iterator[Violation]:
    if copy.ended is None or copy.ended[0] is not Outcome.DEAD or copy.edited:
        return
    if not begun and any(named.failed for named in truth.named(copy)):
        return
    if copy.expires is not None and not begun:
        if copy.ended[1].at < copy.expires - _LOOK:
            what = f"{key} was dropped {copy.expires - copy.ended[1].at:.1f} s before it expired"
            yield Violation(rule="I16 stale", what=what, line=copy.ended[1].line)
        return
    # With native claims an execution may have begun, and died, of which nobody knows.
    # One whose attempt was written down may have died, or come too late, before its handler began.
    begun = max(begun, copy.attempts)
    if begun < truth.attempts - (truth.way == "native"):
        what = f"{key} is dead after {begun} executions of {truth.attempts}"
        yield Violation(rule="I13 attempts", what=what, line=copy.ended[1].line)
