"""Faults: what may go wrong and how often; Plan: the seed's decision for each single case."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import Enum
from itertools import combinations
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CELLS", "NONE", "PAIRS", "Failure", "Fate", "Faults", "Plan", "cell"]

PAUSES = (5.0, 30.0, 70.0, 130.0)
"""Seconds that a paused process stands still: below a lease of 60 s, near it, and far above."""
LATE = (5.0, 90.0)
"""Seconds after which a late call takes effect: its caller mostly has given up by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How often what goes wrong. The letters are those of the fault matrix in the documentation.

    Attributes:
        lost_request: H1, the part of calls that never arrive.
        lost_response: H2, the part of calls that take effect and go unanswered.
        late_effect: H3, the part of calls that take effect 5 to 90 s late.
        error_before: H4, the part of calls answered with a 5xx without effect.
        error_after: H4, the part of calls answered with a 5xx after their effect.
        limited: H5, the part of calls answered with 429 and a Retry-After of up to 60 s.
        slow: H6, the part of calls that take 5 to 9 s.
        kills: C1, kill -9 of a worker, times a minute.
        pauses: C2, stops of a worker for 5, 30, 70 or 130 s, times a minute.
        drains: C3, SIGTERM of a worker, times a minute.
        lag: V1, seconds by which reads may be late.
        reorder: V2, True if what was written later may be seen earlier.
        events_lost: E1, the part of events that never arrive.
        redelivered: E2, the part of events whose acknowledgement is lost, so that they come again with a mark.
        doubled: E3, the part of events that come twice without a mark.
        late_events: E4, the part of events that come up to a minute late, and so out of order.
        cuts: E5, times a minute that a socket is cut; the process connects again seconds later.
        denied: E5, the part of connections that Slack refuses because too many are open; tried again ten seconds later.
        marks_lag: V4, True if only marks and pins are late in reads, and messages are not.
        fleets: C3, times a minute that all workers are killed at once.
        deletes: M1, times a minute that a person deletes a message.
        unsays: M1, times a minute that a person deletes a note of a thread.
        decoys: M2, times a minute that a person puts an emoji on a message that means something to bots.
        fills: M2, times a minute that people put fifty emoji on a message, so that it takes no other.
        unpins: M3, times a minute that a person takes a pin off.
        edits: M4, times a minute that somebody edits a message.
        retry_after: what the 429 of `limited` ask to wait, in seconds.
        poison: S2, True if one job kills the process of whoever begins it.
        vanished: S4, the part of posts that Slack stores and no read ever shows.
        outages: S3, times a minute that the token is revoked, or the channel archived, for up to 40 s.
        points: the part of the product's named points at which a process is held up, or ended.
        limits: S1, True if Slack's published rate limits are enforced.
        burst: S1, so many jobs are posted within ten seconds, besides the others.
        terms: True if some jobs expire, and some are more urgent than others.
        after: the part of jobs that name one to three earlier messages which must be done before them.
        batches: the part of posts that carry two to nine jobs instead of one.
        workers: how many work; six are two processes of each of three apps, where bots of several apps claim by pins.
        drift: C4, how much faster or slower local clocks may run.
        until: seconds after which nothing new goes wrong.
    """

    lost_request: float = 0.0
    lost_response: float = 0.0
    late_effect: float = 0.0
    error_before: float = 0.0
    error_after: float = 0.0
    limited: float = 0.0
    slow: float = 0.0
    kills: float = 0.0
    pauses: float = 0.0
    drains: float = 0.0
    lag: float = 0.0
    reorder: bool = False
    events_lost: float = 0.0
    redelivered: float = 0.0
    doubled: float = 0.0
    late_events: float = 0.0
    cuts: float = 0.0
    denied: float = 0.0
    marks_lag: bool = False
    fleets: float = 0.0
    deletes: float = 0.0
    unsays: float = 0.0
    decoys: float = 0.0
    fills: float = 0.0
    unpins: float = 0.0
    edits: float = 0.0
    retry_after: tuple[int, ...] = (1, 5, 30, 60)
    poison: bool = False
    vanished: float = 0.0
    outages: float = 0.0
    points: float = 0.0
    limits: bool = False
    burst: int = 0
    terms: bool = False
    after: float = 0.0
    batches: float = 0.0
    workers: int = 4
    drift: float = 0.001
    until: float = 120.0


NONE = Faults()
_EVERYTHING = Faults(
    lost_request=0.03,
    lost_response=0.03,
    late_effect=0.03,
    error_before=0.02,
    error_after=0.03,
    limited=0.01,
    slow=0.02,
    kills=1.5,
    pauses=1.0,
    drains=0.5,
    lag=3.0,
    reorder=True,
    events_lost=0.15,
    redelivered=0.2,
    unpins=1.0,
    late_events=0.1,
    cuts=1.0,
    fleets=0.2,
    deletes=0.5,
    decoys=1.0,
    edits=0.5,
    poison=True,
    outages=0.3,
    points=0.02,
)
CELLS: Mapping[str, Faults] = {
    "none": NONE,
    "H1": Faults(lost_request=0.1),
    "H2": Faults(lost_response=0.1),
    "H3": Faults(late_effect=0.08),
    "H4": Faults(error_before=0.05, error_after=0.06),
    "H5": Faults(limited=0.05),
    "H6": Faults(slow=0.15),
    "C1": Faults(kills=2.0),
    "C2": Faults(pauses=2.0),
    "C3": Faults(drains=2.0),
    "V1": Faults(lag=3.0),
    "V2": Faults(lag=3.0, reorder=True),
    "E1": Faults(events_lost=0.15),
    "E1-all": Faults(events_lost=1.0),
    "E2": Faults(redelivered=0.2),
    "S1": Faults(limits=True),
    "storm": Faults(pauses=6.0, lag=3.0, reorder=True, events_lost=1.0),
    "H5-long": Faults(limited=0.01, retry_after=(120, 300)),
    "C3-fleet": Faults(fleets=1.0),
    "C4": Faults(drift=0.15),
    "V3": Faults(lag=20.0, reorder=True),
    "V4": Faults(lag=3.0, reorder=True, marks_lag=True),
    "E3": Faults(doubled=0.2),
    "E4": Faults(late_events=0.3),
    "E5": Faults(cuts=4.0),
    "M1": Faults(deletes=3.0),
    "M1-notes": Faults(unsays=6.0, kills=1.0),
    "M2": Faults(decoys=6.0),
    "M3": Faults(unpins=4.0),
    "M4": Faults(edits=4.0),
    "S2": Faults(poison=True),
    "S3": Faults(outages=1.0),
    "S4": Faults(vanished=0.2, events_lost=0.15),
    "points": Faults(points=0.06),
    "everything": _EVERYTHING,
    "swarm": _EVERYTHING,
    "crowd": replace(_EVERYTHING, workers=6),
    "S1-burst": Faults(limits=True, burst=200),
    "M2-full": Faults(fills=4.0, kills=1.0),
    "E5-full": Faults(cuts=4.0, denied=0.5),
    "terms": Faults(terms=True, kills=1.0, limited=0.02),
    "wild": replace(_EVERYTHING, fills=1.0, denied=0.3, terms=True, after=0.4),
    "after": Faults(after=0.5),
    "batch": Faults(batches=0.6, kills=1.5, drains=1.0, lost_response=0.06, late_effect=0.04, lag=3.0, reorder=True),
    "batch-all": replace(_EVERYTHING, batches=0.5, terms=True),
}
"""What goes wrong, by name; "storm" makes holders and successors meet as often as it can, "swarm" and "wild" are the
most that a seed draws its own mixture from."""
_STARRED = ("H2", "H3", "H4", "C1", "C2", "V2", "E2")
_WAITING = (
    "H2",
    "H3",
    "C1",
    "C2",
    "C3-fleet",
    "V1",
    "V2",
    "V4",
    "E1-all",
    "M1",
    "M2-full",
    "S1",
    "terms",
    "everything",
)
PAIRS: Mapping[str, tuple[str, str]] = {
    **{f"{one}+{two}": (one, two) for one, two in combinations(_STARRED, 2)},
    **{f"after+{other}": ("after", other) for other in _WAITING},
}
"""The faults that most easily make each other worse, two by two, and what makes it hard to see that what a job waits
for is done; the names of both cells by the name of the pair."""


def cell(name: str, seed: int) -> Faults:
    """The faults of a cell, or of a pair; those of "swarm" and "wild" are a seed's own subset at its own rates.

    Raises:
        KeyError: there is no cell of this name.
    """
    if name in PAIRS:
        one, two = (CELLS[each] for each in PAIRS[name])
        changed = {each.name: getattr(two, each.name) for each in fields(two) if _differs(two, each.name)}
        return replace(one, **changed)
    dice = Random(f"{seed}/swarm")  # noqa: S311  # dice, not keys
    if name == "swarm":
        return _swarm(dice)
    return _wild(dice) if name == "wild" else CELLS[name]


def _differs(faults: Faults, name: str) -> bool:
    return bool(getattr(faults, name) != getattr(NONE, name))


def _wild(dice: Random) -> Faults:
    """A swarm's mixture, and some of what came later: it is drawn last, so that the seeds of a swarm keep theirs."""
    swarm, wild = _swarm(dice), CELLS["wild"]
    names = [name for name in ("fills", "denied", "terms", "after") if dice.random() < 0.5]  # noqa: PLR2004  # a coin for each
    return replace(swarm, **{name: getattr(wild, name) for name in names})


def _swarm(dice: Random) -> Faults:
    rates: tuple[str, ...] = (
        "lost_request",
        "lost_response",
        "late_effect",
        "error_before",
        "error_after",
        "limited",
        "slow",
    )
    rates += ("kills", "pauses", "drains", "fleets", "lag", "events_lost", "redelivered", "late_events", "cuts")
    rates += ("unpins", "deletes", "decoys", "edits", "outages", "points")
    drawn: dict[str, float] = {}
    for name in rates:
        chosen, factor = dice.random() < 0.5, dice.uniform(0.2, 2.0)  # noqa: PLR2004  # a coin for each
        if chosen:
            drawn[name] = getattr(_EVERYTHING, name) * (min(factor, 1.0) if name == "lag" else factor)
    coins = {name: dice.random() < 0.5 for name in ("reorder", "limits", "marks_lag", "poison")}  # noqa: PLR2004
    return replace(NONE, **coins, **drawn)  # type: ignore[arg-type]  # bools where bools are, rates where rates are


class Failure(Enum):
    """What goes wrong with one call."""

    LOST_REQUEST = "request lost"
    LOST_RESPONSE = "response lost"
    LATE_EFFECT = "effect late"
    ERROR_BEFORE = "5xx without effect"
    ERROR_AFTER = "5xx after the effect"
    LIMITED = "429"
    SLOW = "slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of one call.

    Attributes:
        there: seconds until it arrives.
        back: seconds until its answer arrives.
        failure: what goes wrong.
        retry_after: seconds that a refusal asks to wait.
    """

    there: float
    back: float
    failure: Failure | None = None
    retry_after: float = 0.0


class Plan:
    """Draws what happens. Everybody has dice of their own, so that one's calls do not change another's luck."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self.faults = faults
        self._seed = seed
        self._dice: dict[str, Random] = {}
        self._settled = 0.0
        rates = (
            faults.lost_request,
            faults.lost_response,
            faults.late_effect,
            faults.error_before,
            faults.error_after,
            faults.limited,
            faults.slow,
        )
        self._failures = tuple(zip(Failure, rates, strict=True))

    def dice(self, name: str) -> Random:
        """The dice of whoever has this name."""
        if name not in self._dice:
            self._dice[name] = Random(f"{self._seed}/{name}")  # noqa: S311  # dice, not keys
        return self._dice[name]

    def fate(self, caller: str, now: float) -> Fate:
        """What becomes of a call that somebody sends now."""
        dice = self.dice(caller)
        there, back, luck = dice.uniform(0.02, 0.15), dice.uniform(0.02, 0.15), dice.random()
        if now < self.faults.until:
            for failure, rate in self._failures:
                if luck < rate:
                    return self._failing(failure, there, back, dice)
                luck -= rate
        return Fate(there=there, back=back)

    def _failing(self, failure: Failure, there: float, back: float, dice: Random) -> Fate:
        retry_after = 0.0
        match failure:
            case Failure.LATE_EFFECT:
                there = dice.uniform(*LATE)
            case Failure.SLOW:
                there, back = dice.uniform(2.5, 4.5), dice.uniform(2.5, 4.5)
            case Failure.LIMITED:
                retry_after = float(dice.choice(self.faults.retry_after))
            case _:
                pass
        return Fate(there=there, back=back, failure=failure, retry_after=retry_after)

    def visible_at(self, written: float) -> float:
        """When something that was written at a time shows up in reads."""
        faults = self.faults
        if not faults.lag or written >= faults.until:
            return max(written, 0.0 if faults.reorder else self._settled)
        seen = written + self.dice("lag").uniform(0, faults.lag)
        if not faults.reorder:
            seen = self._settled = max(seen, self._settled)
        return seen

    def travel(self) -> float:
        """Seconds that an event takes."""
        dice = self.dice("travel")
        late = dice.random() < self.faults.late_events
        return dice.uniform(0.02, 60.0 if late else 0.3)

    def loses_event(self, now: float) -> bool:
        """Whether an event that happens now never arrives."""
        return now < self.faults.until and self.dice("events").random() < self.faults.events_lost

    def vanishes(self, now: float) -> bool:
        """Whether a message that is posted now is never shown by any read."""
        return now < self.faults.until and self.dice("vanished").random() < self.faults.vanished

    def doubles_event(self, now: float) -> bool:
        """Whether an event that happens now comes twice, and does not say so."""
        return now < self.faults.until and self.dice("doubles").random() < self.faults.doubled

    def loses_acknowledgement(self, now: float) -> bool:
        """Whether Slack does not hear that an event arrived, and sends it again."""
        return now < self.faults.until and self.dice("acknowledgements").random() < self.faults.redelivered

    def denies(self, now: float) -> bool:
        """Whether a connection that is opened now is one too many."""
        return now < self.faults.until and self.dice("denied").random() < self.faults.denied

    def next_blow(self, what: str, rate: float) -> float:
        """Seconds until something of a kind happens that happens `rate` times a minute."""
        return self.dice(what).expovariate(rate / 60)
