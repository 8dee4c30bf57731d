"""SimClock: the clock, the dice and the ids of one simulated process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from random import Random

__all__ = ["SimClock"]


class SimClock:
    """A clock with a zero of its own, that runs a little too fast or too slow. Implements `slackmq.clock.Clock`.

    Args:
        dice: where randomness and ids come from.
        drift: how much faster it runs than the simulation's time; 0.001 is a second in a quarter of an hour.
    """

    def __init__(self, dice: Random, *, drift: float = 0.0) -> None:
        self._dice = dice
        self._rate = 1.0 + dice.uniform(-drift, drift)
        self._zero = dice.uniform(0, 1e6)

    def monotonic(self) -> float:
        """Seconds since a moment that no other process knows."""
        return self._zero + asyncio.get_running_loop().time() * self._rate

    async def sleep(self, delay: float) -> None:
        """Wait `delay` seconds of this clock."""
        await anyio.sleep(max(0.0, delay / self._rate))

    def random(self) -> float:
        """A number in [0, 1) that the seed decides."""
        return self._dice.random()

    def new_id(self) -> str:
        """32 hexadecimal digits that the seed decides."""
        return f"{self._dice.getrandbits(128):032x}"
