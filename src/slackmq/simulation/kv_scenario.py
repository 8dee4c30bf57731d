"""KvScenario: several processes of several apps use one store in one world; the histories go to the judges."""

from __future__ import annotations

import gc
import logging
import math
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import anyio

from slackmq.errors import Ambiguous, ConfigurationError, SlackError
from slackmq.kv.batch import Batch
from slackmq.kv.cipher import available
from slackmq.kv.errors import (
    KeyExists,
    LockLost,
    LogBroken,
    RevisionMismatch,
    SnapshotDamaged,
    StoreMoved,
    WriteLost,
)
from slackmq.kv.seal import Seal
from slackmq.kv.secret import Secret
from slackmq.kv.store import AsyncStore
from slackmq.points import armed
from slackmq.policy import Timing
from slackmq.simulation.clock import SimClock
from slackmq.simulation.kv_cells import ROLLS, kv_cell, rolls
from slackmq.simulation.kv_checkers import Broken, judged
from slackmq.simulation.kv_history import Asking, Held, Watched, truth_of
from slackmq.simulation.loop import run
from slackmq.simulation.nemesis import Nemesis
from slackmq.simulation.people import People
from slackmq.simulation.saboteur import Meddler
from slackmq.simulation.socket import SimEvents
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import World
from slackmq.slack.client import Client

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from slackmq.simulation.faults import Faults
    from slackmq.simulation.kv_history import KvTruth
    from slackmq.simulation.process import Process
    from slackmq.simulation.record import Line

    _Deed = Callable[[AsyncStore, Asking], Awaitable[None]]

__all__ = ["KvScenario", "KvVerdict", "kv_replay"]

_log = logging.getLogger("slackmq")
PLACES = 5
APPS = 2
KEYS = ("a", "b")
STEPS = 14
"""Times that each place does something."""
_AT_ONCE = 1, 1, 1, 3
"""Things that it does then, all at once: some of them share a post."""
_PATIENCE = 1_800.0
_GIVEN_UP = 60.0
"""Seconds in which whoever finds that records were deleted has said so: nobody can go on then."""
_LOOK = 5.0
_QUIET = 30.0
"""Seconds after the last fault in which every process is there again."""
_TTL = timedelta(seconds=30)
_ROLLING = 60.0  # seconds at most before a place tries to move the store
_THINKS = 12.0
"""Seconds at most between reading a set and writing it: as long as it takes to lose a lock that nobody renews."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KvVerdict:
    """What became of one run.

    Attributes:
        seed: which.
        cell: its faults.
        broken: broken promises; none is as it should be.
        askings: what was asked of the store, and answered.
        holders: who believed to hold the lock, and when.
        loose: updates of the set that only the lock guards, and no token, and that were lost: it happens.
        truth: what the log says.
        lines: the record.
        seconds: how long it took, in virtual time.
    """

    seed: int
    cell: str
    broken: tuple[Broken, ...]
    askings: tuple[Asking, ...]
    holders: tuple[Held, ...]
    loose: int
    truth: KvTruth
    lines: tuple[Line, ...]
    seconds: float

    def __str__(self) -> str:
        told = "\n\n".join(f"{each.rule}: {each.what}" for each in self.broken[:3])
        return f"{told}\n\nreplay: python -m slackmq.simulation --kv --seed {self.seed} --cell {self.cell}"


class _Program:
    """What runs in one process: it does what is left for its place, then waits for the end and looks once more."""

    def __init__(self, scenario: KvScenario, process: Process) -> None:
        self._scenario = scenario
        self._process = process
        self._dice = scenario.world.plan.dice(f"{process.name}/steps")
        self._stopping = anyio.Event()

    async def main(self) -> None:
        scenario, process = self._scenario, self._process
        watched = Watched(process=process.name)
        scenario.watched.append(watched)
        with armed(Meddler(scenario.world, process, scenario.nemesis.kill)):
            async with scenario.store(process) as store, anyio.create_task_group() as tasks:
                tasks.start_soon(watched.run, store)
                tasks.start_soon(self._roll, store)
                while scenario.left[process.name[:2]] and not self._stopping.is_set():
                    async with anyio.create_task_group() as steps:
                        for _ in range(self._dice.choice(_AT_ONCE)):
                            steps.start_soon(self._step, store)
                    scenario.left[process.name[:2]] -= 1
                    await store.clock.sleep(self._dice.expovariate(0.4))
                await self._end(store)
                await store.clock.sleep(_LOOK)
                watched.until = max(scenario.ends.get(process.name, {}).values(), default=0)
                tasks.cancel_scope.cancel()

    def drain(self) -> None:
        self._stopping.set()

    async def _end(self, store: AsyncStore) -> None:
        async with anyio.create_task_group() as tasks:

            async def stop() -> None:
                await self._stopping.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(stop)
            await self._scenario.closing.wait()
            for key in KEYS:
                await self._ask(store, Asking(process=self._process.name, verb="read", key=key), self._read)
            self._scenario.ends[self._process.name] = {
                key: entry.revision for key in await store.keys() if (entry := await store.head(key)) is not None
            }
            tasks.cancel_scope.cancel()

    async def _roll(self, store: AsyncStore) -> None:
        """Move the store, now and then, until somebody has; several may try at once."""
        for to in ROLLS if rolls(self._scenario.cell) else ():
            while to not in self._scenario.rolled:
                await store.clock.sleep(self._dice.uniform(0, _ROLLING))
                try:
                    rolled = await store.roll(f"#{to}")
                except (Ambiguous, WriteLost, StoreMoved, SnapshotDamaged, ConfigurationError):
                    continue
                self._scenario.rolled[to] = rolled.channel

    async def _step(self, store: AsyncStore) -> None:
        name, dice, scenario = self._process.name, self._dice, self._scenario
        key, luck = dice.choice(KEYS), dice.random()
        if luck < 0.25:  # noqa: PLR2004  # parts of all steps
            await self._ask(store, Asking(process=name, verb="read", key=key), self._read)
        elif luck < 0.35:  # noqa: PLR2004
            await self._ask(store, Asking(process=name, verb="local", key=key), self._read)
        elif luck < 0.55:  # noqa: PLR2004
            new = None if dice.random() < 0.2 else scenario.value()  # noqa: PLR2004  # now and then it is deleted
            await self._ask(store, Asking(process=name, verb="put", key=key, new=new), self._put)
        elif luck < 0.8:  # noqa: PLR2004
            await self._ask(store, Asking(process=name, verb="cas", key=key, new=scenario.value()), self._cas)
        elif luck < 0.9:  # noqa: PLR2004
            await self._ask(store, Asking(process=name, verb="count", key="n"), self._count)
        elif luck < 0.96:  # noqa: PLR2004
            await self._locked(store)
        else:
            await self._snapshot(store)

    async def _snapshot(self, store: AsyncStore) -> None:
        with suppress(Ambiguous):
            await store.snapshot()

    async def _ask(self, store: AsyncStore, asking: Asking, do: _Deed) -> None:
        """Ask, and write down what came of it; a store that failed ends the process, as it says."""
        now = self._scenario.world
        asking.began = now.now
        if asking.verb != "cas":
            self._scenario.askings.append(asking)
        try:
            await do(store, asking)
        except (KeyExists, RevisionMismatch):
            asking.done, asking.ended = False, now.now
        except WriteLost:
            asking.done, asking.void, asking.ended = False, True, now.now
        except Ambiguous:
            return
        else:
            asking.ended = now.now

    async def _read(self, store: AsyncStore, asking: Asking) -> None:
        head = await store.head(asking.key, fresh=asking.verb == "read")
        asking.new = head.value.decode() if head else None
        asking.revision = head.revision if head else 0

    async def _put(self, store: AsyncStore, asking: Asking) -> None:
        if asking.new is None:
            asking.revision = await store.delete(asking.key)
        else:
            asking.revision = await store.put(asking.key, asking.new)

    async def _cas(self, store: AsyncStore, asking: Asking) -> None:
        """Replace what this process believes to stand there; it may be wrong, and then nothing may happen."""
        head = await store.head(asking.key)
        asking.old = head.value.decode() if head else None
        asking.began = self._scenario.world.now
        self._scenario.askings.append(asking)
        if head is None:
            asking.revision = await store.create(asking.key, asking.new)
        else:
            asking.revision = await store.update(asking.key, asking.new, last=head.revision)

    async def _count(self, store: AsyncStore, asking: Asking) -> None:
        entry = await store.transact(asking.key, lambda value: cast("int", value) + 1, default=0)
        asking.new, asking.revision = entry.value, entry.revision

    async def _locked(self, store: AsyncStore) -> None:
        scenario, lock = self._scenario, store.lock("door", ttl=_TTL)
        try:
            with anyio.move_on_after(120):
                async with lock:
                    held = Held(process=self._process.name, token=lock.token, began=scenario.world.now)
                    scenario.holders.append(held)
                    try:
                        await self._guarded(store, lock.key, lock.token)
                        await store.clock.sleep(self._dice.uniform(0, 20))
                    finally:
                        held.ended = scenario.world.now
        except (LockLost, Ambiguous):
            return

    async def _guarded(self, store: AsyncStore, lock: str, token: int) -> None:
        """Etcd's workload: read a set, add something, write it; one set with the token checked, and one without."""
        for key in ("set", "loose"):
            new = str(self._scenario.value())
            asking = Asking(process=self._process.name, verb="add", key=key, new=new)

            async def add(store: AsyncStore, asking: Asking) -> None:
                head = await store.head(asking.key, fresh=True)
                value = cast("list[str]", head.value.decode()) if head else []
                await store.clock.sleep(self._dice.uniform(0, _THINKS))
                batch = Batch().put(asking.key, [*value, asking.new])
                await store.commit(batch.held(lock, token=token) if asking.key == "set" else batch)

            await self._ask(store, asking, add)


class KvScenario:
    """One run: five places of two apps, fourteen things to do for each, and faults.

    Args:
        seed: decides everything.
        name: the cell of faults.
        faults: the faults, where they are not those of the cell.
    """

    def __init__(self, seed: int, name: str, faults: Faults | None = None) -> None:
        self.seed = seed
        self.cell = name
        self.faults = faults or kv_cell(name, seed)
        self.timing = Timing()
        self.secret = _secret(seed)
        self.world = World(seed, self.faults, apps=APPS, beside=ROLLS if rolls(name) else ())
        self.nemesis = Nemesis(self.world, self._start)
        self.left = {f"w{number}": STEPS * (1 + 2 * rolls(name)) for number in range(1, PLACES + 1)}
        self.askings: list[Asking] = []
        self.holders: list[Held] = []
        self.watched: list[Watched] = []
        self.ends: dict[str, Mapping[str, int]] = {}
        self.rolled: dict[str, str] = {}
        self._values = 0

    @property
    def closing(self) -> anyio.Event:
        """Set once everybody shall look for the last time."""
        return self._closing

    def value(self) -> int:
        """A value that nobody else writes."""
        self._values += 1
        return self._values

    def run(self) -> KvVerdict:
        """Play it to its end in virtual time."""
        collecting, level = gc.isenabled(), _log.level
        gc.disable()  # a run is short, and its dead shall not be collected while it lasts
        _log.setLevel(logging.CRITICAL)  # what fails on purpose needs no words
        try:
            return run(self._main)
        finally:
            _log.setLevel(level)
            if collecting:
                gc.enable()

    async def _main(self) -> KvVerdict:
        self._closing = anyio.Event()
        for place in self.left:
            self.nemesis.start(place)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.nemesis.run)
            tasks.start_soon(People(self.world, "reaction").run)
            await anyio.sleep(self.faults.until)
            self.world.disturbed("", "heal")
            with anyio.move_on_after(_GIVEN_UP if self.cell == "M1" else _PATIENCE):
                while any(self.left.values()):  # noqa: ASYNC110  # none of them can tell
                    await anyio.sleep(_LOOK)
            await anyio.sleep(_QUIET)
            tasks.cancel_scope.cancel()
        self._closing.set()
        alive = [process for process in self.nemesis.processes if process.alive]
        with anyio.move_on_after(_PATIENCE):
            for process in alive:
                await process.ended.wait()
        return self._judge()

    def _judge(self) -> KvVerdict:
        world = self.world
        truth = truth_of(world.record.lines, self._seal, channel=world.channel, now=world.now)
        broken = [
            Broken(rule="K0 crash", what=f"{process.name}: {process.error!r}")
            for process in self.nemesis.processes
            if process.error is not None and not self._loud(process.error)
        ]
        if self.cell != "M1":
            broken += judged(
                self.askings, truth, holders=self.holders, watched=self.watched, ends=self.ends, unfinished=self.left
            )
        return KvVerdict(
            seed=self.seed,
            cell=self.cell,
            broken=tuple(broken),
            askings=tuple(self.askings),
            holders=tuple(self.holders),
            loose=_lost(self.askings, truth),
            truth=truth,
            lines=tuple(world.record.lines),
            seconds=world.now,
        )

    def _seal(self, channel: str) -> Seal:
        return Seal(channel, secret=self.secret)

    def _loud(self, error: BaseException) -> bool:
        """Whether a process was right to stop: Slack did not answer at its start, or refused, or the log is broken."""
        if isinstance(error, BaseExceptionGroup):
            return all(map(self._loud, cast("BaseExceptionGroup[BaseException]", error).exceptions))
        if isinstance(error, LogBroken):
            return self.cell == "M1"
        return isinstance(error, SlackError if self.faults.outages else Ambiguous)

    # the product

    def _start(self, process: Process) -> _Program:
        program = _Program(self, process)
        process.start(program.main)
        return program

    def store(self, process: Process) -> AsyncStore:
        """The store as a process opens it."""
        name = process.name
        clock = SimClock(self.world.plan.dice(f"{name}/clock"), drift=self.faults.drift)
        client = Client(SimWire(self.world, name, self.world.app_of(name)["bot_token"]), clock=clock)
        events = SimEvents(self.world.socket_of(name), name)
        return AsyncStore(
            client, "#jobs", events=events, timing=self.timing, clock=clock, name=name, secret=self.secret
        )


def _secret(seed: int) -> Secret:
    """Every third store is signed, and every third is encrypted, too, where that can be done."""
    if seed % 3 == 0:
        return Secret()
    return Secret("of the simulation: it opens nothing, and is long enough", encrypt=seed % 3 == 2 and available())  # noqa: PLR2004


def _lost(askings: list[Asking], truth: KvTruth) -> int:
    head = truth.state.get("loose")
    there = cast("list[str]", head.value.decode()) if head else []
    added = [each for each in askings if each.key == "loose" and each.ended < math.inf and each.done]
    return sum(each.new not in there for each in added)


def kv_replay(seed: int, name: str, faults: Faults | None = None) -> KvVerdict:
    """Play one run again, exactly as it was; with other faults than those of its cell, if given."""
    return KvScenario(seed, name, faults).run()
