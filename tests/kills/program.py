"""Programs: what runs in the processes that are killed: workers and a producer, of the product's own code."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import sys
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from tests.kills.pages import Pages, now
from tests.kills.points import Kind  # noqa: TC002  # as Job below

from slackmq.app import App
from slackmq.errors import Ambiguous
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.points import armed
from slackmq.policy import Backoff, Timing
from slackmq.simulation.record import Disturbed, Ended, Posted, Started
from slackmq.slack import pacing
from slackmq.slack.connect import Settings
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.kills.points import Point

    from slackmq.claiming.way import Way
    from slackmq.points import Place
    from slackmq.queue import AsyncQueue

AWAY = 75
"""Exit status of a process that found no workspace (EX_TEMPFAIL)."""
STALL = 0.25
"""Seconds by which a loop must be late to count as disturbed: a machine that is too busy is a fault like others."""
_BUDGETS = 60
"""Leases are a thirtieth of those as shipped, and jobs come faster still, so each budget is this many times larger."""
_BACKOFF = Backoff(first=timedelta(seconds=0.3), longest=timedelta(seconds=2))
_ATTEMPTS: dict[Kind, int] = {"short": 4, "long": 4, "flaky": 4, "doomed": 1}
MIX: dict[Kind, int] = {"short": 70, "long": 12, "flaky": 13, "doomed": 5}
"""How many jobs of each kind there are among a hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What a process is told at its birth.

    Attributes:
        name: unlike that of any other process of the round.
        producer: it posts jobs; else it works on them.
        url: base of the Web API, through the proxy.
        token: of its bot.
        app_token: for Socket Mode; None: it only reads.
        folder: where it writes down what it does.
        way: how claims are made.
        lease: seconds that a claim lasts.
        seed: decides what a producer posts.
        rate: jobs a second.
        mix: how many jobs of each kind.
        point: where it dies; None: nowhere.
    """

    name: str
    producer: bool
    url: str
    token: str
    app_token: str | None
    folder: Path
    way: Way
    lease: float
    seed: int
    rate: float
    mix: Mapping[Kind, int]
    point: Point | None = None

    @property
    def timing(self) -> Timing:
        """The time constants of its queue."""
        return Timing(
            lease=timedelta(seconds=self.lease),
            margin=timedelta(seconds=self.lease / 4),
            scan=timedelta(seconds=0.2),
            skew=timedelta(seconds=0.3),
        )


def live(life: Life) -> None:
    """Be that process until the end."""
    with (life.folder / f"{life.name}.log").open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", force=True)
    pacing.LIMITS = {method: limit * _BUDGETS for method, limit in pacing.LIMITS.items()}
    try:
        anyio.run(_Process(life).main)
    except* Ambiguous:
        sys.exit(AWAY)


class _Process:
    def __init__(self, life: Life) -> None:
        self._life = life
        self._dice = Random(f"{life.seed}/{life.name}")  # noqa: S311  # what a seed decides
        self._pages = Pages(life.folder)
        self._app = App("#jobs", claim=life.way, timing=life.timing)
        for kind, attempts in _ATTEMPTS.items():
            if life.point is None or life.point.kind == kind:
                self._app.task(name=kind, attempts=attempts, backoff=_BACKOFF)(self._work)

    async def main(self) -> None:
        life = self._life
        settings = Settings(token=life.token, app_token=life.app_token, url=life.url)
        with armed(self):
            await self._live(settings)

    async def _live(self, settings: Settings) -> None:
        life = self._life
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._notice_stalls)
            async with self._app.connected(settings, worker=life.name) as queue:
                await (self._produce(queue) if life.producer else self._serve(queue))
            tasks.cancel_scope.cancel()

    async def _serve(self, queue: AsyncQueue) -> None:
        jobs = 1 if self._life.point else 2
        worker = AsyncWorker(queue, self._app.handlers, concurrency=jobs, drain=timedelta(seconds=0.5))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.drain)
        await worker.run()

    async def _notice_stalls(self) -> None:
        while True:
            before = now()
            await anyio.sleep(0.1)
            if (late := now() - before - 0.1) > STALL:
                self._disturbed(f"stalled for {late:.2f} s")

    def _disturbed(self, what: str) -> None:
        self._pages.tell(Disturbed(at=now(), process=self._life.name, what=what))

    # where it dies

    def reach(self, place: Place) -> None:
        """The product's code has come to a place."""
        self._reached(place)

    async def pause(self, place: Place) -> None:
        """The same, where it could wait."""
        self._reached(place)

    def _reached(self, place: str) -> None:
        point = self._life.point
        if point is None or point.place != place:
            return
        if point.withheld:
            self._pages.withhold(self._life.name).touch()
        else:
            self._disturbed(f"kill at {point.name}")
            os.kill(os.getpid(), signal.SIGKILL)

    # what it does

    async def _work(self, job: Job, kind: Kind, seconds: float) -> None:
        run, result, name = secrets.randbits(48), "cancelled", self._life.name
        self._pages.tell(
            Started(
                at=now(),
                process=name,
                run=run,
                key=job.key,
                ts=job.message.ts,
                token=job.token,
                attempt=job.attempt,
                until=now() + job.remaining().total_seconds(),
            )
        )
        try:
            await anyio.sleep(seconds)
            self._reached("middle")
            if kind == "doomed" or (kind == "flaky" and job.attempt == 1):
                result = "failed"
                raise ValueError("it fails on purpose")
            effect = partial(self._pages.effect, process=name, run=run, key=job.key, token=job.token)
            if not await anyio.to_thread.run_sync(effect):
                result = "failed"
                raise ValueError("its token is stale")
            self._reached("effect")
            result = "done"
        finally:
            self._pages.tell(Ended(at=now(), process=name, run=run, result=result))

    async def _produce(self, queue: AsyncQueue) -> None:
        stop = anyio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        async with anyio.create_task_group() as tasks:
            while not stop.is_set():
                with anyio.move_on_after(self._dice.expovariate(self._life.rate)):
                    await stop.wait()
                tasks.start_soon(self._post, queue)

    async def _post(self, queue: AsyncQueue) -> None:
        mix = self._life.mix
        kind = self._dice.choices(list(mix), weights=list(mix.values()))[0]
        lease = self._life.lease
        seconds = self._dice.uniform(1.2, 2.2) * lease if kind == "long" else self._dice.uniform(0.02, 0.4)
        key = f"k{self._dice.randrange(40)}-{round(now() / 20)}" if self._dice.random() < 0.2 else None
        try:
            message = await queue.post(kind, {"kind": kind, "seconds": seconds}, key=key)
        except Ambiguous:
            return
        self._pages.tell(Posted(at=now(), process=self._life.name, key=message.key))
