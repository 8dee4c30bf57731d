"""Scenario: workers, a producer and a person in one world; the only file that knows the product's own face."""

from __future__ import annotations

import gc
import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import anyio

from slackmq.errors import Ambiguous, ConfigurationError, SlackError
from slackmq.handlers import Handlers
from slackmq.hooks import Finished
from slackmq.job import Job  # noqa: TC001  # handlers' annotations are read at run time
from slackmq.message import Outcome
from slackmq.points import armed
from slackmq.policy import Backoff, Timing
from slackmq.queue import AsyncQueue
from slackmq.simulation.checkers import check, lost, repeated
from slackmq.simulation.clock import SimClock
from slackmq.simulation.faults import NONE, cell
from slackmq.simulation.loop import run
from slackmq.simulation.nemesis import Nemesis
from slackmq.simulation.people import People
from slackmq.simulation.process import Process
from slackmq.simulation.record import Called, Ended, Posted, Started, Target, Told
from slackmq.simulation.saboteur import Meddler
from slackmq.simulation.socket import SimEvents
from slackmq.simulation.truth import Truth
from slackmq.simulation.violation import Violation
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import World
from slackmq.slack.client import Client
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from slackmq.claiming.way import Way
    from slackmq.hooks import Happening
    from slackmq.message import Message
    from slackmq.simulation.faults import Faults

__all__ = ["Scenario", "Verdict", "replay"]

_log = logging.getLogger("slackmq")
JOBS = 20
APPS = 3
"""So many apps share the work by pins; of four workers two belong to one of them."""
ATTEMPTS = 4
HANDS = 2
"""So many messages a worker works on at once."""
_POISON = -1.0
"""The duration of the job that kills whoever begins it."""
_PATIENCE = 600.0
"""Seconds after the last fault in which everything must have ended, or a job must have been begun: several leases, and
the latest late effect."""
_END = 1800.0
"""Seconds after the last fault in which everything must have ended: four attempts at the longest jobs, one by one."""
_BURST = 10.0
"""Seconds in which a burst is posted."""
_LOOK = 5.0
"""Seconds between two looks whether all is over."""
_BACKOFF = Backoff(first=timedelta(seconds=2), longest=timedelta(seconds=20))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one run.

    Attributes:
        seed: which.
        cell: its faults.
        way: how claims were made.
        violations: broken promises; none is as it should be.
        truth: what really happened.
        apps: which process belonged to the app of which number.
        repeated: executions beyond the first of each job.
        seconds: how long it took, in virtual time.
    """

    seed: int
    cell: str
    way: Way
    violations: tuple[Violation, ...]
    truth: Truth
    apps: Mapping[str, int]
    repeated: int
    seconds: float

    def __str__(self) -> str:
        told = "\n\n".join(violation.told(self.truth) for violation in self.violations[:3])
        where = f"--seed {self.seed} --cell {self.cell} --way {self.way}"
        return f"{told}\n\nreplay: python -m slackmq.simulation {where}"


class _Program:
    """What runs in a worker's process; SIGTERM before it is ready makes it end as soon as it is."""

    def __init__(self, queue: AsyncQueue, worker: AsyncWorker, meddler: Meddler) -> None:
        self._meddler = meddler
        self._queue = queue
        self._worker = worker
        self._ready = False
        self._stopping = False

    async def main(self) -> None:
        with armed(self._meddler):
            await self._run()

    async def _run(self) -> None:
        async with self._queue:
            self._ready = True
            if not self._stopping:
                await self._worker.run()

    def drain(self) -> None:
        self._stopping = True
        if self._ready:
            self._worker.drain()


class Scenario:
    """One run: four workers or more, twenty jobs of a producer, a few messages of a person, and faults.

    Args:
        seed: decides everything.
        name: the cell of faults.
        way: how claims are made; with pins the workers belong to three apps, else to one.
        faults: the faults, where they are not those of the cell.
    """

    def __init__(self, seed: int, name: str, way: Way = "reaction", faults: Faults | None = None) -> None:
        self.seed = seed
        self.way: Way = way
        self.cell = name
        self.faults = faults or cell(name, seed)
        self.timing = Timing()
        self.world = World(seed, self.faults, apps=APPS if way == "pin" else 1)
        self.target = Target(self.world.record)
        self._runs = 0
        self._posting = True
        self._posted: list[Message] = []
        self._people = People(self.world, way)
        self._truth = Truth(
            self.world.record.lines,
            timing=self.timing,
            way=way,
            asked=self.world.asked,
            attempts=ATTEMPTS,
            hands=HANDS,
            drift=self.faults.drift,
            calm=self.faults == NONE,
        )
        self._nemesis = Nemesis(self.world, self.start_worker)

    def run(self) -> Verdict:
        """Play it to its end in virtual time."""
        collecting, level = gc.isenabled(), _log.level
        gc.disable()  # a run is short, and its dead shall not be collected while it lasts
        _log.setLevel(logging.CRITICAL)  # what fails on purpose needs no traceback
        try:
            return run(self._main)
        finally:
            _log.setLevel(level)
            if collecting:
                gc.enable()

    async def _main(self) -> Verdict:
        nemesis = self._nemesis
        for number in range(1, self.faults.workers + 1):
            nemesis.start(f"w{number}")
        Process("p").start(self._produce)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(nemesis.run)
            tasks.start_soon(self._people.run)
            await self._drained()
            tasks.cancel_scope.cancel()
        return self._judge()

    def _judge(self) -> Verdict:
        truth = self._truth
        truth.catch_up()
        crashes = [
            Violation(rule="I0 crash", what=f"{process.name}: {process.error!r}", line=len(truth.lines) - 1)
            for process in self._nemesis.processes
            if process.error is not None and not self._loud(process.error)
        ]
        return Verdict(
            seed=self.seed,
            cell=self.cell,
            way=self.way,
            violations=(*crashes, *check(truth, self.cell)),
            truth=truth,
            apps={line.process: self.world.place_of(line.process) for line in truth.lines if isinstance(line, Called)},
            repeated=repeated(truth),
            seconds=self.world.now,
        )

    def _loud(self, error: BaseException) -> bool:
        """Whether a process was right to stop: Slack did not answer at its start, or refused it altogether."""
        group = cast("BaseExceptionGroup[BaseException]", error) if isinstance(error, BaseExceptionGroup) else None
        if group is not None:
            return all(self._loud(each) for each in group.exceptions)
        return isinstance(error, SlackError if self.faults.outages else Ambiguous)

    async def _drained(self) -> None:
        """Wait until nothing can come any more: faults over, all posted, all ended, nothing under way."""
        await anyio.sleep(self.faults.until)
        self.world.disturbed("", "heal")
        with anyio.move_on_after(_END):
            while self._posting or self._people.typing or self.world.under_way or self._open():
                begun = max((run.began for job in self._truth.jobs.values() for run in job.runs), default=0.0)
                if self.world.now > max(self.faults.until, begun) + _PATIENCE:
                    break
                await anyio.sleep(_LOOK)
        await anyio.sleep(2 * _LOOK)

    def _open(self) -> bool:
        self._truth.catch_up()
        return next(lost(self._truth), None) is not None

    # the product

    def start_worker(self, process: Process) -> _Program:
        """Start a worker in a process."""
        name = process.name
        clock = SimClock(self.world.plan.dice(f"{name}/clock"), drift=self.faults.drift)
        handlers = self._handlers(process, clock)
        queue = self._queue(name, clock, handlers)
        meddler = Meddler(self.world, process, self._nemesis.kill)
        program = _Program(queue, AsyncWorker(queue, handlers, concurrency=HANDS, clock=clock), meddler)
        process.start(program.main)
        return program

    def _queue(self, name: str, clock: SimClock, handlers: Handlers) -> AsyncQueue:
        client = Client(SimWire(self.world, name, self.world.app_of(name)["bot_token"]), clock=clock)
        return AsyncQueue(
            client,
            "#jobs",
            events=SimEvents(self.world.socket_of(name), name),
            select=handlers.select,
            claim=self.way,
            timing=self.timing,
            clock=clock,
            worker=name,
            hooks=(partial(self._told, name),),
        )

    def _told(self, name: str, happened: Happening) -> None:
        if isinstance(happened, Finished) and happened.effective and happened.outcome is not Outcome.RELEASED:
            ts, token = happened.claim.message.ts, happened.claim.token
            self.world.record.add(Told(at=self.world.now, process=name, ts=ts, token=token))

    def _handlers(self, process: Process, clock: SimClock) -> Handlers:
        handlers = Handlers()

        async def work(job: Job, seconds: float, fails: int) -> None:
            await self._execute(process, clock, job, seconds, fails)

        async def toggle(job: Job, light: str) -> str:
            await self._execute(process, clock, job, 1.0, 0)
            return f"{light} light toggled"

        handlers.task(name="work", attempts=ATTEMPTS, backoff=_BACKOFF)(work)
        handlers.listen(r"toggle (?P<light>\w+) light", attempts=ATTEMPTS, backoff=_BACKOFF)(toggle)
        return handlers

    async def _execute(self, process: Process, clock: SimClock, job: Job, seconds: float, fails: int) -> None:
        self._runs += 1
        number, result, record, name = self._runs, "cancelled", self.world.record, process.name
        record.add(
            Started(
                at=self.world.now,
                process=name,
                run=number,
                key=job.key,
                ts=job.message.ts,
                token=job.token,
                attempt=job.attempt,
                until=self.world.now + job.remaining().total_seconds(),
            )
        )
        try:
            if seconds == _POISON:
                self.world.disturbed(name, "kill by a job")
                self._nemesis.kill(process)
                await anyio.sleep_forever()
            await clock.sleep(seconds)
            if job.attempt > fails and self.target.effect(
                at=self.world.now, process=name, run=number, key=job.key, token=job.token
            ):
                await clock.sleep(seconds / 10)
                result = "done"
            else:
                result = "failed"
        finally:
            record.add(Ended(at=self.world.now, process=name, run=number, result=result))
        if result == "failed":
            raise ValueError("it fails on purpose, or its token is stale")

    # those who want something

    async def _produce(self) -> None:
        dice = self.world.plan.dice("producer")
        clock = SimClock(self.world.plan.dice("p/clock"), drift=self.faults.drift)
        async with self._queue("p", clock, Handlers()) as queue, anyio.create_task_group() as tasks:
            for _ in range(self.faults.burst):
                await clock.sleep(_BURST / self.faults.burst)
                tasks.start_soon(self._post_short, queue, dice)
            for number in range(JOBS):
                await clock.sleep(dice.expovariate(0.3))
                tasks.start_soon(self._post, queue, dice, number)
        self._posting = False

    async def _post_short(self, queue: AsyncQueue, dice: Random) -> None:
        """One job of a burst, which says nothing about long ones."""
        try:
            message = await queue.post("work", {"seconds": dice.uniform(0.1, 1.0), "fails": 0})
        except SlackError:
            return
        self.world.record.add(Posted(at=self.world.now, process="p", key=message.key))

    async def _post(self, queue: AsyncQueue, dice: Random, number: int) -> None:
        poison = self.faults.poison and number == 3  # noqa: PLR2004  # any one
        body = {"seconds": _POISON if poison else _duration(dice), "fails": _failures(dice)}
        key = f"k{number // 2}" if dice.random() < 0.3 else None  # noqa: PLR2004  # some, and some of these twice
        priority, expires = _terms(self.world.plan.dice("terms")) if self.faults.terms else (0, None)
        after = self._named(self.world.plan.dice("after")) if self.faults.after else []
        luck = self.world.plan.dice("batches") if self.faults.batches else None
        if luck is not None and luck.random() < self.faults.batches:
            bodies = [{"seconds": luck.uniform(0.1, 8), "fails": _failures(luck)} for _ in range(2 + number // 2 % 8)]
            named = f"b{number // 2}" if key else None  # the same size under the same key
            await self._post_batch(queue, bodies, key=named, priority=priority, expires=expires)
            return
        try:
            message = await queue.post("work", body, key=key, priority=priority, expires=expires, after=after)
        except (SlackError, ConfigurationError):  # what a person typed may be deleted before it is named
            return
        self._posted.append(message)
        self.world.record.add(Posted(at=self.world.now, process="p", key=message.key))

    def _named(self, dice: Random) -> list[Message | str]:
        """What a job shall wait for: earlier ones, now and then what a person typed."""
        self._truth.catch_up()
        typed = [ts for job in self._truth.jobs.values() for ts in job.copies if ts in job.key]
        names: list[Message | str] = [*self._posted, *typed]
        if not names or dice.random() >= self.faults.after:
            return []
        return dice.sample(names[-12:], min(len(names), dice.randint(1, 3)))

    async def _post_batch(self, queue: AsyncQueue, bodies: Sequence[Mapping[str, float]], **terms: Any) -> None:
        try:
            message = await queue.post_batch("work", [dict(body) for body in bodies], **terms)
        except SlackError:
            return
        for number in range(1, len(bodies) + 1):
            self.world.record.add(Posted(at=self.world.now, process="p", key=f"{message.key}/{number}"))


def _duration(dice: Random) -> float:
    """Seconds that a job takes: mostly a few, now and then longer than a lease."""
    return dice.uniform(65, 110) if dice.random() < 0.1 else dice.uniform(0.1, 8)  # noqa: PLR2004  # one in ten


def _terms(dice: Random) -> tuple[int, timedelta | None]:
    """How urgent a job is, and how soon it expires: a third of them within seconds."""
    hurry = dice.random() < 0.3  # noqa: PLR2004  # a third
    return dice.choice((-1, 0, 0, 1, 5)), timedelta(seconds=dice.uniform(0.1, 12)) if hurry else None


def _failures(dice: Random) -> int:
    """How many attempts at a job fail: mostly none, now and then one, rarely all."""
    luck = dice.random()
    return 99 if luck < 0.03 else 1 if luck < 0.15 else 0  # noqa: PLR2004  # parts of all jobs


def replay(seed: int, name: str, way: Way = "reaction", faults: Faults | None = None) -> Verdict:
    """Play one run again, exactly as it was; with other faults than those of its cell, if given."""
    return Scenario(seed, name, way, faults).run()
