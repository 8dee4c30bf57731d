"""What goes wrong, and for whom: decided by a seed alone, so that the same calls suffer the same in every run.

Pure: the fate of an app's n-th call of a method follows from the seed, the app, the method and n, whatever others do.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Failure", "Fate", "Faults", "FaultsUnreadable", "Plan", "faults_of", "faults_said"]

_SECOND = 1_000_000


class FaultsUnreadable(ValueError):
    """No faults can be made of what was given. The message says why, and what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How often what goes wrong. Rates are parts of all calls or events, from 0 to 1.

    Attributes:
        latency: calls whose answer comes `slow` seconds late.
        slow: seconds.
        lost_request: calls that never arrive: the connection is cut.
        lost_answer: calls that take effect and go unanswered: the connection is cut.
        late_effect: calls whose connection is cut, and which take effect `late` seconds afterwards.
        late: seconds.
        error_before: calls answered with HTTP 503 that have no effect.
        error_after: calls answered with HTTP 500 that took effect.
        limited: calls refused with 429 and `retry_after`.
        retry_after: seconds that a refusal asks to wait.
        event_loss: events that an app never gets.
        event_doubling: events that an app gets twice at once.
        event_delay: events that an app gets up to `delay` seconds late, and so out of order.
        delay: seconds.
        lag: seconds by which reads of history and threads are at most behind, in everything that they show:
            messages, replies and their counts, edits, reactions, pins, deletions. pins.list is never behind.
        reorder: True if what was written later may be read earlier; else reads are behind as a whole.
        methods: the only methods whose calls suffer; () is all.
        times: how many calls suffer at most, counted from the arming; None is no bound.
    """

    latency: float = 0.0
    slow: float = 2.0
    lost_request: float = 0.0
    lost_answer: float = 0.0
    late_effect: float = 0.0
    late: float = 5.0
    error_before: float = 0.0
    error_after: float = 0.0
    limited: float = 0.0
    retry_after: int = 60
    event_loss: float = 0.0
    event_doubling: float = 0.0
    event_delay: float = 0.0
    delay: float = 5.0
    lag: float = 0.0
    reorder: bool = False
    methods: tuple[str, ...] = ()
    times: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The same as a JSON object."""
        return asdict(self)


_RATES = (
    *("latency", "lost_request", "lost_answer", "late_effect", "error_before", "error_after", "limited"),
    *("event_loss", "event_doubling", "event_delay"),
)
_SECONDS = ("slow", "late", "delay", "lag", "retry_after")
_LONGEST = 3600


def faults_of(values: Mapping[str, object]) -> Faults:
    """Faults from a JSON object.

    Raises:
        FaultsUnreadable: a name is unknown, or a value is none that it can have.
    """
    known = {one.name for one in fields(Faults)}
    if unknown := sorted(values.keys() - known):
        raise FaultsUnreadable(f"There is no fault {unknown[0]!r}. There are: {', '.join(sorted(known))}.")
    return Faults(**{name: _value(name, value) for name, value in values.items()})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # each was just checked


def faults_said(text: str) -> Faults:
    """Faults from words as "lost_answer=0.1,lag=3,reorder"; a name alone is true, or a rate of 1.

    Raises:
        FaultsUnreadable: as `faults_of`.
    """
    given: dict[str, object] = {}
    for word in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = word.partition("=")
        given[name.strip()] = value.strip() if equals else "1"
    return faults_of(given)


def _value(name: str, value: object) -> object:
    if name == "methods":
        return _methods(value)
    if name == "reorder":
        return value in {True, "1", "true", "on"}
    if name == "times" and value is None:
        return None
    try:
        number = float(str(value))
    except ValueError:
        raise FaultsUnreadable(f"{name} must be a number, not {value!r}.") from None
    most = 1.0 if name in _RATES else _LONGEST if name in _SECONDS else 1e9
    if not 0 <= number <= most:
        raise FaultsUnreadable(f"{name} must be between 0 and {most:g}, not {value!r}.")
    return int(number) if name in {"retry_after", "times"} else number


def _methods(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.split("+"))  # the comma stands between faults
    if isinstance(value, (list, tuple)):
        return tuple(map(str, value))  # pyright: ignore[reportUnknownArgumentType]  # str takes anything
    raise FaultsUnreadable("methods must be a list of names, or names with + between them.")


class Failure(Enum):
    """What goes wrong with one call."""

    LATENCY = "latency"
    LOST_REQUEST = "lost_request"
    LOST_ANSWER = "lost_answer"
    LATE_EFFECT = "late_effect"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    LIMITED = "limited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of one call.

    Attributes:
        failure: what goes wrong; None: nothing.
        seconds: until the answer, or until the effect.
        retry_after: seconds that a refusal asks to wait.
    """

    failure: Failure | None = None
    seconds: float = 0.0
    retry_after: int = 0


@dataclass(slots=True, kw_only=True)
class Plan:
    """The decisions of one seed.

    Attributes:
        suffered: how often which failure was dealt out so far.
    """

    seed: int
    faults: Faults
    suffered: dict[str, int] = field(default_factory=dict[str, int])
    _calls: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def fate(self, caller: str, method: str) -> Fate:
        """What becomes of the caller's next call of a method."""
        faults = self.faults
        number = self._calls.get((caller, method), 0)
        self._calls[caller, method] = number + 1
        if (faults.methods and method not in faults.methods) or self._spent():
            return Fate()
        luck = self._luck("call", caller, method, number)
        for failure in Failure:
            rate: float = getattr(faults, failure.value)
            if luck < rate:
                self._count(failure.value)
                seconds = {Failure.LATENCY: faults.slow, Failure.LATE_EFFECT: faults.late}.get(failure, 0.0)
                return Fate(failure=failure, seconds=seconds, retry_after=faults.retry_after)
            luck -= rate
        return Fate()

    def arrivals(self, listener: str, event: str, at: int) -> tuple[int, ...]:
        """When an event that happened at `at` comes to somebody, in microseconds; () if never, two if doubled."""
        faults = self.faults
        luck = self._luck("event", listener, event)
        if luck < faults.event_loss:
            self._count("event_loss")
            return ()
        luck -= faults.event_loss
        if luck < faults.event_doubling:
            self._count("event_doubling")
            return (at, at)
        if luck - faults.event_doubling < faults.event_delay:
            self._count("event_delay")
            return (at + round(self._luck("delay", listener, event) * faults.delay * _SECOND),)
        return (at,)

    def seen_at(self, what: str, at: int) -> int:
        """When something that was written at `at` shows up in reads, both in microseconds."""
        lag = round(self.faults.lag * _SECOND)
        if not lag:
            return at
        if self.faults.reorder:
            return at + round(self._luck("lag", what) * lag)
        # Reads follow in steps, one in each half of the lag, so that nothing overtakes and nothing is later than it.
        half = max(1, lag // 2)
        turn = at // half
        moments = (step * half + int(self._luck("step", step) * half) for step in (turn, turn + 1))
        return next(moment for moment in moments if moment >= at)

    def _spent(self) -> bool:
        most = self.faults.times
        return most is not None and sum(self.suffered.get(failure.value, 0) for failure in Failure) >= most

    def _count(self, what: str) -> None:
        self.suffered[what] = self.suffered.get(what, 0) + 1

    def _luck(self, *what: object) -> float:
        """A number in [0, 1) that belongs to the seed and to these words."""
        digits = sha256("/".join(map(str, (self.seed, *what))).encode()).digest()
        return int.from_bytes(digits[:6], "big") / 2**48
