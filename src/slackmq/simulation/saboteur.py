"""Saboteur: holds a process up, or ends it, at the points between two steps that the product names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable

    from slackmq.points import Place
    from slackmq.simulation.process import Process
    from slackmq.simulation.world import World

__all__ = ["Meddler"]

_LONGEST = 12.0
"""Seconds for which a process is held up at most: longer than the skew, and than the margin."""
_KILLS = 0.2
"""The part of interventions that end the process."""


class Meddler:
    """Implements `slackmq.points.Saboteur` for one simulated process.

    Args:
        world: what its faults are.
        process: whom to hold up.
        kill: how it is ended.
    """

    def __init__(self, world: World, process: Process, kill: Callable[[Process], None]) -> None:
        self._world = world
        self._process = process
        self._kill = kill
        self._dice = world.plan.dice(f"{process.name}/points")

    def reach(self, place: Place) -> None:
        """End the process here, now and then."""
        if self._strikes() and self._dice.random() < _KILLS:
            self._die(place)

    async def pause(self, place: Place) -> None:
        """Hold the process up here, now and then, or end it."""
        if not self._strikes():
            return
        if self._dice.random() < _KILLS:
            self._die(place)
            await anyio.sleep_forever()
        seconds = self._dice.uniform(0, _LONGEST)
        self._world.disturbed(self._process.name, f"held up for {seconds:.1f} s at {place}")
        await anyio.sleep(seconds)

    def _strikes(self) -> bool:
        faults = self._world.plan.faults
        return self._world.now < faults.until and self._dice.random() < faults.points

    def _die(self, place: Place) -> None:
        self._world.disturbed(self._process.name, f"kill at {place}")
        self._kill(self._process)
