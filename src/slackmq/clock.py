"""The only door to time, randomness and new ids."""

from __future__ import annotations

import random
import time
import uuid
from typing import Protocol

import anyio

__all__ = ["SYSTEM", "Clock", "SystemClock"]


class Clock(Protocol):
    """Where a process gets its time, its dice and its names from.

    `monotonic` never goes back and, where the system can tell, goes on while the machine is suspended: a lease
    must not outlive a laptop's closed lid. Its zero means nothing, and no two processes may compare theirs.
    """

    def monotonic(self) -> float:
        """Seconds since some moment in the past."""
        ...

    async def sleep(self, delay: float) -> None:
        """Wait `delay` seconds; 0 or less lets others run once."""
        ...

    def random(self) -> float:
        """A number in [0, 1), different in every process."""
        ...

    def new_id(self) -> str:
        """32 hexadecimal digits that nobody else draws."""
        ...


class SystemClock:
    """The time of this machine."""

    def monotonic(self) -> float:
        """Seconds since boot, suspended time included where the system counts it (Linux)."""
        if _BOOTTIME is None:
            return time.monotonic()  # noqa: TID251  # this is the door
        return time.clock_gettime(_BOOTTIME)

    async def sleep(self, delay: float) -> None:
        """Wait `delay` seconds."""
        await anyio.sleep(max(0.0, delay))

    def random(self) -> float:
        """A number in [0, 1) from the system's generator."""
        return _DICE.random()

    def new_id(self) -> str:
        """A random UUID without its dashes."""
        return uuid.uuid4().hex  # noqa: TID251  # this is the door


_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)
_DICE = random.SystemRandom()
SYSTEM: Clock = SystemClock()
