"""What a store promises, asked of the history of one run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from slackmq.kv.record import GROUPS
from slackmq.simulation.linearizable import Call, TooHard, linearizable
from slackmq.simulation.visibility import EPOCH

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from slackmq.simulation.kv_history import Asking, Held, KvTruth, Watched

__all__ = ["Broken", "check_local", "check_lock", "check_log", "check_register", "check_set", "check_watch", "judged"]

_RESOLUTION = 2e-6
"""Seconds by which two moments may differ that are one: timestamps have whole microseconds."""
_EXPIRE = "expire"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A promise that was broken: which, and how."""

    rule: str
    what: str


def judged(
    askings: Sequence[Asking],
    truth: KvTruth,
    *,
    holders: Sequence[Held],
    watched: Sequence[Watched],
    ends: Mapping[str, Mapping[str, int]],
    unfinished: Mapping[str, int],
) -> list[Broken]:
    """Every broken promise of a run.

    Args:
        askings: what was asked of the store, and answered.
        truth: what the log says.
        holders: who believed to hold the lock.
        watched: what watchers were given.
        ends: the keys and revisions that each process saw in the end.
        unfinished: how much each place had still to do when patience was over.
    """
    return [
        *check_register([each for each in askings if each.key not in {"n", "set", "loose"}]),
        *check_log([each for each in askings if each.verb in {"read", "put", "cas"}], truth),
        *check_local(askings),
        *check_watch(watched, truth),
        *check_lock(holders, truth),
        *check_set(askings, truth, "set"),
        *check_count(askings, truth, "n"),
        *check_end(ends, truth, unfinished),
    ]


def check_count(askings: Sequence[Asking], truth: KvTruth, key: str) -> Iterator[Broken]:
    """K7: a counter has as many counts as were acknowledged, or a few more that nobody knows of; none has two."""
    counts = [each for each in askings if each.key == key]
    known = [each.new for each in counts if each.ended < math.inf and each.done]
    head = truth.state.get(key)
    total = int(head.value.data) if head else 0
    unknown = sum(each.ended == math.inf for each in counts)
    if not len(known) <= total <= len(known) + unknown:
        yield Broken(
            rule="K7 count", what=f"{len(known)} counts are known, {unknown} unknown, and it stands at {total}"
        )
    if len(set(known)) != len(known):
        yield Broken(rule="K7 count", what=f"two were told the same: {sorted(map(str, known))}")


def check_end(ends: Mapping[str, Mapping[str, int]], truth: KvTruth, unfinished: Mapping[str, int]) -> Iterator[Broken]:
    """K8: in the end all see the same, what the log says, and everything has been done. Locks may run out meanwhile."""
    there = {key: head.revision for key, head in truth.state.items() if not key.startswith("lock/")}
    for process, seen in ends.items():
        if {key: revision for key, revision in seen.items() if not key.startswith("lock/")} != there:
            yield Broken(rule="K8 end", what=f"{process} sees {dict(seen)}, and there is {there}")
    if not ends:
        yield Broken(rule="K8 end", what="nobody saw the end")
    for place, left in unfinished.items():
        if left:
            yield Broken(rule="K8 end", what=f"{place} has still {left} things to do")


def check_register(askings: Sequence[Asking]) -> Iterator[Broken]:
    """K1: what was asked of each key can have happened at one moment each, between question and answer."""
    keys = sorted({asking.key for asking in askings})
    for key in keys:
        mine = [asking for asking in askings if asking.key == key and asking.verb in _STEPS and not asking.void]
        calls = [
            Call(began=each.began, ended=each.ended, op=each)
            for each in mine
            if each.verb != "read" or each.ended < math.inf
        ]
        try:
            good = linearizable(calls, _step, (None,))
        except TooHard as error:
            yield Broken(rule="K1 linearizable", what=f"{key}: {error}")
            continue
        if not good:
            told = "\n".join(map(str, sorted(mine, key=lambda each: each.began)))
            yield Broken(rule="K1 linearizable", what=f"no order explains what was asked of {key}:\n{told}")


_STEPS = frozenset({"read", "put", "cas"})


def _step(state: Hashable, asking: Asking) -> Hashable | None:
    """The state after an answer, as a tuple of the key's value; None if the answer contradicts the state before."""
    before, after = state, (asking.new,)
    match asking.verb:
        case "read":
            return before if before == after else None
        case "put":
            return after
        case _ if before == (asking.old,):
            return after if asking.done or asking.ended == math.inf else None
        case _:
            return before if not asking.done or asking.ended == math.inf else None


def check_log(askings: Sequence[Asking], truth: KvTruth) -> Iterator[Broken]:
    """K2: the log is the order; each answer is true of it, at a moment between question and answer."""
    took = {
        (change.key, change.entry.value): change.revision
        for change in truth.changes
        if change.entry is not None and isinstance(change.entry.value, int | str)
    }
    for asking in askings:
        if asking.ended == math.inf or asking.verb == "local":
            continue
        if asking.verb == "read":
            if not _read_true(asking, truth.values):
                yield Broken(rule="K2 log", what=f"never stood there meanwhile: {asking}")
            continue
        made = took.get((asking.key, asking.new)) if isinstance(asking.new, int | str) else None
        if asking.void or not asking.done:
            if made is not None:
                yield Broken(rule="K2 log", what=f"was refused, and counts: {asking}")
        elif asking.new is not None and asking.verb in {"put", "cas"}:
            yield from _wrote_true(asking, made)


def _wrote_true(asking: Asking, made: int | None) -> Iterator[Broken]:
    if made is None:
        yield Broken(rule="K2 log", what=f"was acknowledged, and does not count: {asking}")
        return
    at = made // GROUPS / 1_000_000 - EPOCH
    if not asking.began - _RESOLUTION <= at <= asking.ended + _RESOLUTION:
        yield Broken(rule="K2 log", what=f"took effect at {at:.3f}: {asking}")
    if asking.revision != made:
        yield Broken(rule="K2 log", what=f"has revision {made}, and {asking.revision} was told: {asking}")


def _read_true(asking: Asking, values: Mapping[str, Sequence[tuple[float, object]]]) -> bool:
    before: object = None
    for at, value in values.get(asking.key, ()):
        if at > asking.ended + _RESOLUTION:
            break
        if at >= asking.began - _RESOLUTION and before == asking.new:
            return True
        before = value
    return before == asking.new


def check_local(askings: Sequence[Asking]) -> Iterator[Broken]:
    """K3: what a process reads of its own knowledge never goes back."""
    latest: dict[tuple[str, str], int] = {}
    for asking in askings:
        if asking.verb != "local" or asking.new is None or asking.ended == math.inf:
            continue
        known = latest.get((asking.process, asking.key), 0)
        if asking.revision < known:
            yield Broken(rule="K3 local", what=f"revision {known} was read before: {asking}")
        latest[asking.process, asking.key] = max(known, asking.revision)


def check_watch(watched: Sequence[Watched], truth: KvTruth) -> Iterator[Broken]:
    """K4: a watcher is given every change from its beginning on, each once, in order, up to what it lived to see."""
    changes = [(change.key, change.revision, change.kind.value) for change in truth.changes]
    for watcher in watched:
        given = watcher.changes
        # What ran out after the last change that was settled by then may have run out before it began.
        first = 1 + max((number for number, each in enumerate(changes) if _by(watcher.since, each)), default=-1)
        late = next((number for number, each in enumerate(changes[first:], first) if each[2] != _EXPIRE), len(changes))
        last = 1 + max((number for number, each in enumerate(changes) if _by(watcher.until, each)), default=-1)
        whole = any(
            given == changes[begin : begin + len(given)] and begin + len(given) >= last
            for begin in range(first, late + 1)
        )
        if not whole:
            there = changes[first : max(last, first + len(given))]
            yield Broken(rule="K4 watch", what=f"{watcher.process} was given {given}, and there was {there}")


def _by(revision: int, change: tuple[str, int, str]) -> bool:
    return change[2] != _EXPIRE and change[1] <= revision


def check_lock(holders: Sequence[Held], truth: KvTruth) -> Iterator[Broken]:
    """K5: tokens rise in the order of holders, and two hold at once only if the former stood still meanwhile."""
    holders = sorted(holders, key=lambda each: each.began)
    for former, latter in pairwise(holders):
        if latter.token <= former.token:
            yield Broken(rule="K5 lock", what=f"token {latter.token} of {latter.process} came after {former.token}")
        excused = any(
            line.process == former.process
            and former.began <= line.at <= latter.began
            and line.what.startswith(("pause", "kill"))
            for line in truth.pauses
        )
        if latter.began < former.ended and not excused:
            yield Broken(
                rule="K5 lock",
                what=f"{former.process} held it until {former.ended:.3f}, {latter.process} from {latter.began:.3f}",
            )


def check_set(askings: Sequence[Asking], truth: KvTruth, key: str) -> Iterator[Broken]:
    """K6: what was added to the guarded set under a token that is checked is there in the end."""
    head = truth.state.get(key)
    value = head.value.decode() if head else []
    there = set(map(str, value)) if isinstance(value, list) else set[str]()
    for asking in askings:
        added = asking.verb == "add" and asking.key == key and asking.ended < math.inf and asking.done
        if added and str(asking.new) not in there:
            yield Broken(rule="K6 set", what=f"was added, and is not there: {asking}")
