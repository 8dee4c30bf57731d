"""How far a budget of calls goes: which probe tries how often, how many calls that is, and how long it takes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from math import ceil, isqrt
from typing import TYPE_CHECKING

from slackmq.claiming.marks import Marks
from slackmq.errors import ConfigurationError
from slackmq.slack.pacing import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EMOJI", "FEWEST", "ROUNDS_A_MESSAGE", "SETUP", "WATCH", "Part", "Plan", "Race", "planned"]

_USED = Marks()

FEWEST = 100
"""Calls below which some probe could not try even once."""
SETUP = 10
"""Calls to find out who we are and what we may do, and to look at the channel before and after."""
ROUNDS_A_MESSAGE = 8
"""So many emoji are raced for on one message, for it takes only so many."""
WATCH = 15.0
"""Seconds for which a withheld acknowledgement is waited out: Slack repeats the event after about three."""

EMOJI = (*_USED.generations, _USED.done, _USED.dead, _USED.watched)
"""All that the queue may put on one message."""
_POST = {"chat.postMessage": 1, "chat.delete": 1}

# The sizes of the whole examination; a smaller budget makes them smaller.
_CLIENTS, _ROUNDS = 20, 30
_POSTS, _MARKS, _PAIRS, _EVENTS = 200, 100, 50, 200
_SHARES = {"P1": 0.28, "P2": 0.20, "P3": 0.22, "P4": 0.10, "P5": 0.10, "P7": 0.10}
"""How what the fixed probes leave of the budget is divided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """So many clients at once, so many times."""

    clients: int
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one probe may spend.

    Attributes:
        probe: "P1" to "P9".
        calls: at most so many, removing what it posted included.
        seconds: about so long, within Slack's published limits.
    """

    probe: str
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The sizes of all probes.

    Attributes:
        emoji: the race for an emoji.
        pins: the race for a pin.
        posts: messages whose way into view is timed.
        marks: emoji whose way into view is timed.
        pairs: pairs of posts by two apps at once; 0 without a second app.
        events: messages whose events are counted; 0 without an app-level token.
        pinned: messages pinned at a time.
        parts: what each probe may spend, in order.
    """

    emoji: Race
    pins: Race
    posts: int
    marks: int
    pairs: int
    events: int
    pinned: int
    parts: tuple[Part, ...] = ()

    @property
    def calls(self) -> int:
        """At most so many calls altogether."""
        return SETUP + sum(part.calls for part in self.parts)

    @property
    def seconds(self) -> float:
        """About so long altogether."""
        return sum(part.seconds for part in self.parts)

    def part(self, probe: str) -> Part:
        """What one probe may spend."""
        return next(part for part in self.parts if part.probe == probe)


def planned(calls: int, *, second: bool, sockets: bool) -> Plan:
    """The best that can be done with a budget.

    Args:
        calls: at most so many.
        second: whether there is a second app.
        sockets: whether Socket Mode can be used.

    Raises:
        ConfigurationError: the budget is too small.
    """
    if calls < FEWEST:
        raise ConfigurationError(
            f"{calls} calls are too few to try everything once.", remedy=f"Give it at least --calls {FEWEST}."
        )
    pinned = 2 if calls >= 3 * FEWEST else 0
    rest = calls - SETUP - 4 - (2 + len(EMOJI)) - 5 * pinned
    possible = {"P5": second, "P7": sockets}
    weights = {probe: share for probe, share in _SHARES.items() if possible.get(probe, True)}
    shares = {probe: int(rest * share / sum(weights.values())) for probe, share in weights.items()}
    plan = Plan(
        emoji=_race(shares["P1"], beside=2 / ROUNDS_A_MESSAGE, once=2),
        pins=_race(shares["P2"], beside=4, once=0),
        posts=2 * min(_POSTS // 2, int(shares["P3"] * 0.8) // 5),
        marks=min(_MARKS, max(1, int(shares["P4"] * 0.75 - 2) // 2)),
        pairs=min(_PAIRS, shares.get("P5", 0) // 4),
        events=min(_EVENTS, max(0, (shares.get("P7", 0) - 4) // 2)),
        pinned=pinned,
    )
    return replace(plan, parts=tuple(_part(probe, methods) for probe, methods in _methods(plan).items()))


def _race(share: int, *, beside: float, once: int) -> Race:
    """As many clients as rounds, about: few clients rarely meet, and few rounds prove little."""
    clients = min(_CLIENTS, max(3, isqrt(share)))
    return Race(clients=clients, rounds=max(1, min(_ROUNDS, int((share - once) / (clients + beside)))))


def _methods(sizes: Plan) -> Mapping[str, Mapping[str, int]]:
    """Calls by method, for each probe."""
    messages = ceil(sizes.emoji.rounds / ROUNDS_A_MESSAGE)
    pins, marks = sizes.pins, sizes.marks
    return {
        "P1": {**_posts(messages), "reactions.add": sizes.emoji.clients * sizes.emoji.rounds},
        "P2": _pinned(pins.rounds, clients=pins.clients),
        "P3": {**_posts(sizes.posts), "conversations.history": sizes.posts // 2 + max(6, sizes.posts // 2)},
        "P4": {
            **_posts(ceil(marks / 20)),
            "reactions.add": marks,
            "conversations.history": marks + max(4, marks // 3),
        },
        "P5": _posts(2 * sizes.pairs),
        "P6": _posts(2),
        "P7": {**_posts(1 + sizes.events), "apps.connections.open": 2} if sizes.events else {},
        "P8": {},
        "P9": _sum(_posts(1), {"reactions.add": len(EMOJI)}, _pinned(sizes.pinned, clients=1)),
    }


def _posts(count: int) -> dict[str, int]:
    return {method: count * times for method, times in _POST.items()}


def _pinned(messages: int, *, clients: int) -> dict[str, int]:
    """Messages that are pinned: each pin, whoever tries for it, leaves a notice of Slack's that is removed too."""
    pins = {"pins.add": clients * messages, "pins.remove": messages, "chat.delete": messages}
    return _sum(_posts(messages), pins)


def _sum(*methods: Mapping[str, int]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counts in methods:
        total.update(counts)
    return dict(total)


def _part(probe: str, methods: Mapping[str, int]) -> Part:
    seconds = sum(count * 60 / LIMITS[method] for method, count in methods.items())
    watch = WATCH if probe == "P7" and methods else 0.0
    return Part(probe=probe, calls=sum(methods.values()), seconds=seconds + watch)
