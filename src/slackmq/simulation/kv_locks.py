"""What a lock of a store protects, and what it does not: etcd's three workloads, with processes that stand still.

A process that stands still inside a lock cannot know that the lock ran out. So a bare lock is now and then believed to
be held by two, and a set that only the lock guards loses what was added to it; a set that refuses tokens lower than one
it has seen, at a read as at a write, loses nothing.
"""

from __future__ import annotations

import gc
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Self

import anyio

from slackmq.errors import Ambiguous
from slackmq.kv.errors import LockLost
from slackmq.kv.secret import Secret
from slackmq.kv.store import AsyncStore
from slackmq.simulation.clock import SimClock
from slackmq.simulation.faults import Faults
from slackmq.simulation.loop import run
from slackmq.simulation.nemesis import Nemesis
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import World
from slackmq.slack.client import Client

if TYPE_CHECKING:
    from slackmq.simulation.process import Process

__all__ = ["LockTally", "lock_replay"]

_log = logging.getLogger("slackmq")
_PLACES, _TURNS = 4, 10
_TTL = timedelta(seconds=20)
_INSIDE = 2.0, 8.0
"""Seconds between reading a set and writing it."""
_FAULTS = Faults(pauses=6.0, kills=0.5, lag=2.0, late_effect=0.02, until=300.0)
_PATIENCE = 3_000.0


@dataclass(slots=True, kw_only=True)
class LockTally:
    """What came of one run, or of many.

    Attributes:
        turns: how often somebody believed to hold the lock.
        overlaps: how often two did at once (the bare lock).
        added: additions to each set that its writer believed to be there.
        lost: of these, the ones missing from the set that the lock alone guards.
        fenced_lost: and from the set that checks tokens.
        refused: writes that the second set refused for their token.
        falls: tokens that did not rise.
    """

    turns: int = 0
    overlaps: int = 0
    added: int = 0
    lost: int = 0
    fenced_lost: int = 0
    refused: int = 0
    falls: int = 0

    def __iadd__(self, other: LockTally) -> Self:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def __str__(self) -> str:
        return (
            f"{self.turns} turns: bare, {self.overlaps} overlaps; a set that the lock guards, {self.lost} of "
            f"{self.added} additions lost; with its token checked, {self.fenced_lost} lost, {self.refused} late writes "
            "refused"
        )


@dataclass(slots=True, kw_only=True)
class _Set:
    """Something outside the store that is read and written whole; `latest` is the highest token that it has seen."""

    fenced: bool
    there: frozenset[int] = frozenset()
    latest: int = 0
    acknowledged: set[int] = field(default_factory=set[int])

    def read(self, token: int) -> frozenset[int]:
        """What is in it. Who reads shows its token, too: what was read under a lower one must not be written later."""
        self.latest = max(token, self.latest)
        return self.there

    def write(self, values: frozenset[int], new: int, token: int) -> bool:
        if self.fenced and token < self.latest:
            return False
        self.there = values
        self.acknowledged.add(new)
        return True


class _Holder:
    def __init__(self, scenario: _LockScenario, process: Process) -> None:
        self._scenario = scenario
        self._process = process
        self._dice = scenario.world.plan.dice(f"{process.name}/steps")

    def drain(self) -> None:
        """Nothing is drained here."""

    async def main(self) -> None:
        scenario, name = self._scenario, self._process.name
        clock = SimClock(scenario.world.plan.dice(f"{name}/clock"))
        client = Client(SimWire(scenario.world, name, scenario.world.app_of(name)["bot_token"]), clock=clock)
        async with AsyncStore(client, "#jobs", clock=clock, name=name, secret=Secret()) as store:
            while scenario.left[name[:2]]:
                try:
                    async with store.lock("door", ttl=_TTL) as held:
                        await self._inside(held.token, clock)
                except (LockLost, Ambiguous):
                    continue
                scenario.left[name[:2]] -= 1

    async def _inside(self, token: int, clock: SimClock) -> None:
        scenario, name = self._scenario, self._process.name
        scenario.enter(name, token)
        try:
            new = next(scenario.numbers)
            seen = {each.fenced: each.read(token) for each in scenario.sets}
            await clock.sleep(self._dice.uniform(*_INSIDE))
            for each in scenario.sets:
                if not each.write(seen[each.fenced] | {new}, new, token):
                    scenario.tally.refused += 1
        finally:
            scenario.leave(name)


class _LockScenario:
    def __init__(self, seed: int) -> None:
        self.world = World(seed, _FAULTS, apps=2)
        self.left = {f"w{number}": _TURNS for number in range(1, _PLACES + 1)}
        self.sets = (_Set(fenced=False), _Set(fenced=True))
        self.numbers = count(1)
        self.tally = LockTally()
        self._nemesis = Nemesis(self.world, self._start)
        self._inside: set[str] = set()
        self._latest = 0

    def enter(self, name: str, token: int) -> None:
        alive = {process.name for process in self._nemesis.processes if process.alive}
        self._inside &= alive  # the dead hold nothing
        self.tally.turns += 1
        self.tally.overlaps += bool(self._inside)
        self.tally.falls += token <= self._latest
        self._latest = max(self._latest, token)
        self._inside.add(name)

    def leave(self, name: str) -> None:
        self._inside.discard(name)

    async def main(self) -> LockTally:
        for place in self.left:
            self._nemesis.start(place)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._nemesis.run)
            with anyio.move_on_after(_PATIENCE):
                while any(self.left.values()):  # noqa: ASYNC110  # none of them can tell
                    await anyio.sleep(5.0)
            tasks.cancel_scope.cancel()
        bare, fenced = self.sets
        self.tally.added = len(bare.acknowledged)
        self.tally.lost = len(bare.acknowledged - bare.there)
        self.tally.fenced_lost = len(fenced.acknowledged - fenced.there)
        return self.tally

    def _start(self, process: Process) -> _Holder:
        holder = _Holder(self, process)
        process.start(holder.main)
        return holder


def lock_replay(seed: int) -> LockTally:
    """Play one run again, exactly as it was."""
    collecting, level = gc.isenabled(), _log.level
    gc.disable()  # a run is short, and its dead shall not be collected while it lasts
    _log.setLevel(logging.CRITICAL)  # what fails on purpose needs no words
    try:
        return run(_LockScenario(seed).main)
    finally:
        _log.setLevel(level)
        if collecting:
            gc.enable()
