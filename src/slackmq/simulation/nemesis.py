"""Nemesis: starts workers, kills, stops and terminates them, and starts new ones in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import anyio

from slackmq.simulation.faults import PAUSES
from slackmq.simulation.process import Process
from slackmq.simulation.record import ADMITTED, REFUSED
from slackmq.simulation.world import later

if TYPE_CHECKING:
    from collections.abc import Callable

    from slackmq.simulation.world import World

__all__ = ["Nemesis", "Stoppable"]


class Stoppable(Protocol):
    """A worker, as far as it can be told to stop."""

    def drain(self) -> None:
        """Stop gently: SIGTERM."""
        ...


class Nemesis:
    """What happens to workers. Each has a place, "w1"; its later processes are called "w1b", "w1c" and so on.

    Args:
        world: where they work.
        work: starts a worker in a process.
    """

    def __init__(self, world: World, work: Callable[[Process], Stoppable]) -> None:
        self.processes: list[Process] = []
        self._world = world
        self._work = work
        self._places: dict[str, Process] = {}
        self._workers: dict[str, Stoppable] = {}

    def start(self, place: str) -> None:
        """Start the next process of a place."""
        count = sum(process.name.startswith(place) for process in self.processes)
        process = Process(f"{place}{chr(ord('a') + count) if count else ''}")
        self.processes.append(process)
        self._places[place] = process
        self._workers[place] = self._work(process)
        self._world.disturbed(process.name, "start")

    async def run(self) -> None:
        """Do what the faults say, and restart what ended, for ever."""
        faults = self._world.plan.faults
        blows = (
            (faults.kills, "kill", self._kill),
            (faults.pauses, "pause", self._pause),
            (faults.drains, "drain", self._drain),
            (faults.fleets, "fleet", self._kill_all),
            (faults.cuts, "cut", self._cut),
            (faults.outages, "outage", self._refuse),
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._restart)
            for rate, what, blow in blows:
                if rate:
                    tasks.start_soon(self._strike, what, rate, blow)

    async def _strike(self, what: str, rate: float, blow: Callable[[str, Process], None]) -> None:
        plan = self._world.plan
        while True:
            await anyio.sleep(plan.next_blow(what, rate))
            if self._world.now >= plan.faults.until:
                return
            running = [place for place, process in self._places.items() if process.alive and not process.paused]
            if running:
                place = plan.dice(what).choice(running)
                blow(place, self._places[place])

    def kill(self, process: Process) -> None:
        """End a process; Slack finds its socket closed a moment later."""
        process.kill()
        later(0.05, self._world.socket_of(process.name).disconnect, process.name)

    def _kill(self, place: str, process: Process) -> None:  # noqa: ARG002  # as the other blows
        self._world.disturbed(process.name, "kill")
        self.kill(process)

    def _kill_all(self, place: str, process: Process) -> None:  # noqa: ARG002  # as the other blows
        for each, running in self._places.items():
            if running.alive:
                self._kill(each, running)

    def _cut(self, place: str, process: Process) -> None:  # noqa: ARG002  # as the other blows
        self._world.disturbed(process.name, "socket cut")
        self._world.socket_of(process.name).cut(process.name)

    def _refuse(self, place: str, process: Process) -> None:  # noqa: ARG002  # as the other blows
        dice, world = self._world.plan.dice("outages"), self._world
        world.outage = dice.choice(("token_revoked", "is_archived"))
        world.outage_until = world.now + dice.uniform(5, 40)
        self._tell(f"{REFUSED}: {world.outage}")
        later(world.outage_until - world.now, self._tell, ADMITTED)

    def _tell(self, what: str) -> None:
        for each in self._places.values():
            self._world.disturbed(each.name, what)

    def _pause(self, place: str, process: Process) -> None:  # noqa: ARG002  # as the other blows
        seconds = self._world.plan.dice("pause").choice(PAUSES)
        self._world.disturbed(process.name, f"pause for {seconds:.0f} s")
        process.pause(seconds)

    def _drain(self, place: str, process: Process) -> None:
        self._world.disturbed(process.name, "drain")
        self._workers[place].drain()

    async def _restart(self) -> None:
        dice = self._world.plan.dice("restart")
        while True:
            await anyio.sleep(dice.uniform(2, 12))
            for place, process in self._places.items():
                if not process.alive:
                    if process.error is not None:
                        self._world.disturbed(process.name, f"stopped: {type(process.error).__name__}")
                    self.start(place)
