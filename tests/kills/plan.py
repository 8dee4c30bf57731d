"""Plan: what a seed decides: who is struck when, and how often a call goes astray."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

What = Literal["kill", "fleet", "stop", "drain", "cut", "restart"]


class Fate(Enum):
    """What becomes of a call between a process and the workspace."""

    PASSES = "passes"
    LOST_REQUEST = "its request is lost"
    LOST_ANSWER = "its answer is lost"
    LATE = "it takes effect late"
    ERROR_BEFORE = "an error, and no effect"
    ERROR_AFTER = "an error after its effect"
    LIMITED = "answered with 429"
    SLOW = "slow"


ODDS: dict[Fate, float] = {
    Fate.LOST_REQUEST: 0.012,
    Fate.LOST_ANSWER: 0.012,
    Fate.LATE: 0.012,
    Fate.ERROR_BEFORE: 0.008,
    Fate.ERROR_AFTER: 0.008,
    Fate.LIMITED: 0.006,
    Fate.SLOW: 0.01,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """Something that is broken on purpose.

    Attributes:
        at: when, in seconds of the round.
        what: kill -9 of one process or of all, SIGSTOP, SIGTERM, cut sockets, a killed and restarted workspace.
        seconds: how long it lasts, where it lasts.
        luck: chooses whom it hits, from 0 to 1.
    """

    at: float
    what: What
    seconds: float = 0.0
    luck: float = 0.0

    def __str__(self) -> str:
        return f"{self.at:.1f} {self.what}" + (f" {self.seconds:.1f}" if self.seconds else "")


class Plan:
    """A seed's decisions.

    Args:
        seed: decides everything.
        seconds: how long things are broken.
        lease: seconds that a claim lasts.
        calm: only kills; nothing happens to calls.
    """

    def __init__(self, seed: int, *, seconds: float, lease: float, calm: bool = False) -> None:
        self.seed = seed
        self.seconds = seconds
        self.lease = lease
        self.calm = calm
        self._calls = self.dice("calls")

    def dice(self, name: str) -> Random:
        """Dice of their own for one purpose."""
        return Random(f"{self.seed}/{name}")  # noqa: S311  # what a seed decides

    def blows(self) -> list[Blow]:
        """Everything that happens to processes, in the order of time."""
        dice = self.dice("blows")
        found = [
            *self._every(0.4, 1.4, lambda at: Blow(at=at, what="kill", luck=dice.random())),
            *self._every(
                4, 9, lambda at: Blow(at=at, what="stop", seconds=_pause(dice, self.lease), luck=dice.random())
            ),
            *self._every(8, 16, lambda at: Blow(at=at, what="drain", luck=dice.random())),
            *self._every(10, 20, lambda at: Blow(at=at, what="cut")),
            *self._every(30, 50, lambda at: Blow(at=at, what="restart", seconds=dice.uniform(0.1, 1.5))),
        ]
        kills = [blow for blow in found if blow.what == "kill"]
        for blow in kills[19::20]:
            found[found.index(blow)] = Blow(at=blow.at, what="fleet")
        return sorted(found, key=lambda blow: blow.at)

    def _every(self, least: float, most: float, blow: Callable[[float], Blow]) -> Iterator[Blow]:
        dice, at = self.dice(f"{least}-{most}"), 2.0
        while (at := at + dice.uniform(least, most)) < self.seconds:
            yield blow(at)

    def fate(self) -> Fate:
        """What becomes of the next call."""
        luck = 1.0 if self.calm else self._calls.random()
        for fate, odds in ODDS.items():
            luck -= odds
            if luck < 0:
                return fate
        return Fate.PASSES

    def delay(self) -> float:
        """Seconds after which a late call takes effect, up to three leases."""
        return self._calls.uniform(0.2, 3 * self.lease)

    def __str__(self) -> str:
        if self.calm:
            return f"seed {self.seed}, nothing but named points"
        blows = ", ".join(map(str, self.blows()))
        odds = ", ".join(f"{odds:.1%} {fate.value}" for fate, odds in ODDS.items())
        return f"seed {self.seed}, {self.seconds:.0f} s\ncalls: {odds}\nblows: {blows}"


def _pause(dice: Random, lease: float) -> float:
    return lease * dice.choice((1.0, 1.5, 3.0))
