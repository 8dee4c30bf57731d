"""A worker that runs for ever holds no more than its window: what has ended is forgotten with it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio

from slackmq.policy import Timing
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from .conftest import House

HOUR = Timing(window=timedelta(hours=1), reach=timedelta(hours=2), scan=timedelta(minutes=1))


def test_what_has_ended_is_forgotten_with_its_window(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, timing=HOUR) as queue:
            for number in range(36):
                await queue.post("work", {"n": 1000 + number}, key=f"key/{number}" if number % 3 == 0 else None)
                await queue.post("work", {"n": -1}, delay=timedelta(minutes=12))
                house.types(f"toggle light{number} light")
                await anyio.sleep(600)
            assert queue.opened is not None
            sightings, lag = queue._sightings, queue.opened.watch.lag
            assert len([n for n, _, _ in runs if n >= 1000]) == 36
            most = 3 * 12 + 6  # what was posted in the window, and in the hour since it was last tidied up
            assert 0 < len(sightings._by_ts) <= most
            assert len(sightings._copies) <= most
            assert len(sightings._open) <= 6
            assert len(sightings.held) <= 2
            assert len(lag._reads) <= 100

    run(main)
