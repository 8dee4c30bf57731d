"""P3 and P4: how long it takes until a read shows what was written, and whether it keeps the order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import anyio

from slackmq.claiming.marks import CLOCKS
from slackmq.errors import Ambiguous
from slackmq.message import seconds
from slackmq.probe.finding import ONE_APP, Finding, Verdict, not_probed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slackmq.probe.bench import Answer, Bench, Stamp
    from slackmq.probe.plan import Part

__all__ = ["LEAST_SKEW", "Lag", "Look", "Write", "inversions", "judge_visibility", "lag_of", "time_emoji", "time_posts"]

LEAST_SKEW = 3.0
"""Seconds; no shorter skew is recommended, however fast Slack was while it was measured."""
_FACTOR = 3.0
"""What was measured within minutes is not the worst that a month brings."""
_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds to wait before each further look."""
_MARKS_A_MESSAGE = 20
_READ = "conversations.history"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Something that was written.

    Attributes:
        name: what a read shows it by.
        sent: when the call was sent, on this process's monotonic clock.
        answered: when it certainly had taken effect.
    """

    name: str
    sent: float
    answered: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A read.

    Attributes:
        began: when it was sent, on this process's monotonic clock.
        ended: when its answer was here.
        asked: the names of what it was to show.
        shown: the names of those of them that it showed.
    """

    began: float
    ended: float
    asked: frozenset[str]
    shown: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How late reads showed a write, in seconds.

    Attributes:
        least: a read that began so long after it missed it.
        most: a read that ended so long after it showed it; None if none ever did.
        watched: the last read began so long after it.
    """

    least: float
    most: float | None
    watched: float

    def later_than(self, skew: float) -> bool:
        """Whether a read that began more than `skew` seconds after the write missed it."""
        return self.least > skew


async def time_posts(bench: Bench, pairs: int, part: Part, *, skew: float) -> Finding:
    """P3: post two messages at once, and read the channel until it shows them."""
    writes: list[Write] = []
    looks: list[Look] = []
    with bench.allowing(part.calls):
        for number in range(pairs):
            await bench.ready(_READ)
            posted = await _post_two(bench)
            fresh = [Write(name=stamp.ts, sent=stamp.sent, answered=stamp.answered) for stamp in posted]
            if fresh:
                writes += fresh
                looks += await _look(bench, fresh, app=number)
    turned = inversions(writes, looks)
    finding = judge_visibility("P3", writes, looks, skew=skew, what="messages", turned=turned)
    return finding if bench.apps > 1 else replace(finding, unprobed=f"No other app read what one wrote. {ONE_APP}")


async def _post_two(bench: Bench) -> list[Stamp]:
    stamps: list[Stamp] = []

    async def post(app: int) -> None:
        try:
            stamps.append(await bench.post("how soon is this seen?", app=app))
        except Ambiguous:
            return

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(post, 0)
        tasks.start_soon(post, bench.apps - 1)
    return stamps


async def _look(bench: Bench, fresh: Sequence[Write], *, app: int) -> list[Look]:
    """Look again and again, with the apps' tokens in turn, until everything is seen or the patience ends."""
    looks: list[Look] = []
    names = frozenset(write.name for write in fresh)
    missing = set(names)
    oldest = min(names, key=seconds)
    args = {"channel": bench.channel, "oldest": oldest, "inclusive": True, "limit": 200}
    for number, pause in enumerate(_PAUSES):
        if not missing or not bench.affords(1):
            break
        await bench.clock.sleep(pause)
        answer = await bench.call(_READ, args, app=(app + number) % bench.apps, ready=number == 0)
        looks.append(_seen(answer, names, {str(row["ts"]) for row in _rows(answer)}))
        missing -= looks[-1].shown
    return looks


async def time_emoji(bench: Bench, marks: int, part: Part, *, skew: float) -> Finding:
    """P4: put an emoji on a message, and read the message until it shows it."""
    writes: list[Write] = []
    looks: list[Look] = []
    with bench.allowing(part.calls):
        ts = ""
        for number in range(marks):
            if number % _MARKS_A_MESSAGE == 0:
                ts = (await bench.post("how soon are emoji seen?")).ts
            emoji = CLOCKS[number % _MARKS_A_MESSAGE]
            await bench.ready(_READ)
            added = await bench.call("reactions.add", {"channel": bench.channel, "timestamp": ts, "name": emoji})
            writes.append(Write(name=f"{ts} {emoji}", sent=added.sent, answered=added.answered))
            looks += await _look_at(bench, ts, f"{ts} {emoji}", app=number)
    return judge_visibility("P4", writes, looks, skew=skew, what="emoji")


async def _look_at(bench: Bench, ts: str, name: str, *, app: int) -> list[Look]:
    looks: list[Look] = []
    args = {"channel": bench.channel, "oldest": ts, "latest": ts, "inclusive": True, "limit": 1}
    for number, pause in enumerate(_PAUSES):
        if (looks and name in looks[-1].shown) or not bench.affords(1):
            break
        await bench.clock.sleep(pause)
        answer = await bench.call(_READ, args, app=(app + number) % bench.apps, ready=number == 0)
        shown = {f"{ts} {entry['name']}" for row in _rows(answer) for entry in row.get("reactions") or ()}
        looks.append(_seen(answer, frozenset({name}), shown))
    return looks


def _rows(answer: Answer) -> Sequence[Mapping[str, Any]]:
    return answer.body.get("messages") or ()


def _seen(answer: Answer, asked: frozenset[str], shown: set[str]) -> Look:
    return Look(began=answer.sent, ended=answer.answered, asked=asked, shown=asked & shown)


def lag_of(write: Write, looks: Sequence[Look]) -> Lag:
    """How late reads showed a write; reads that began before its answer say nothing."""
    after = [look for look in looks if write.name in look.asked and look.began >= write.answered]
    return Lag(
        least=max((look.began - write.answered for look in after if write.name not in look.shown), default=0.0),
        most=min((look.ended - write.sent for look in after if write.name in look.shown), default=None),
        watched=max((look.began - write.answered for look in after), default=0.0),
    )


def inversions(writes: Sequence[Write], looks: Sequence[Look]) -> int:
    """How many reads showed a message, but not an earlier one that was answered before the read began."""
    answered = {write.name: write.answered for write in writes}
    count = 0
    for look in looks:
        newest = max(map(seconds, look.shown), default=0.0)
        missing = (name for name in look.asked - look.shown if answered[name] <= look.began)
        count += any(seconds(name) < newest for name in missing)
    return count


def judge_visibility(
    probe: str, writes: Sequence[Write], looks: Sequence[Look], *, skew: float, what: str, turned: int = 0
) -> Finding:
    """Whether no read that began `skew` seconds after a write missed it."""
    lags = [lag for write in writes if (lag := lag_of(write, looks)).most is not None or lag.watched > skew]
    if not lags:
        return not_probed(probe, f"No {what} could be watched for long enough.")
    broken = sum(lag.later_than(skew) for lag in lags)
    taken = sorted(lag.most if lag.most is not None else lag.watched for lag in lags)
    half = taken[len(taken) // 2]
    recommended = max(LEAST_SKEW, _FACTOR * taken[-1])
    detail = f"{len(lags)} {what}, half of them seen within {half:.2f} s, all within {taken[-1]:.2f} s"
    if never := sum(lag.most is None for lag in lags):
        detail = f"{len(lags)} {what}, {never} of them not seen within {max(lag.watched for lag in lags):.0f} s"
    if turned:
        detail += f"; {turned} reads showed a later one before an earlier one"
    remedy = f"Set Timing(skew=timedelta(seconds={recommended:.1f})), and a lease of at least twice that."
    return Finding(
        probe=probe,
        verdict=Verdict.BROKEN if broken else Verdict.HOLDS,
        tries=len(lags),
        broken=broken,
        detail=detail,
        remedy=remedy if broken or recommended > skew else "",
        numbers={
            "p50_s": half,
            "p90_s": taken[len(taken) * 9 // 10],
            "p100_s": taken[-1],
            "missed_after_s": max(lag.least for lag in lags),
            "inversions": turned,
            "skew_s": skew,
            "recommended_skew_s": recommended,
        },
    )
