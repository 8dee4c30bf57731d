"""A worker that runs for ever holds no more than its window: what has ended is forgotten with it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.policy import Timing
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from slackmq.claiming.way import Way

    from .conftest import House

HOUR = Timing(window=timedelta(hours=1), reach=timedelta(hours=2))


@pytest.mark.parametrize("way", ["reaction", "pin", "native"])
def test_what_has_ended_is_forgotten_with_its_window(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, claim=way, timing=HOUR) as queue:
            for number in range(72):
                await queue.post("work", {"n": number}, key=f"key/{number}" if number % 3 == 0 else None)
                await queue.post("work", {"n": -1}, delay=timedelta(minutes=7))
                house.types(f"toggle light{number} light")
                await anyio.sleep(300)
            assert queue.opened is not None
            sightings, watch = queue._sightings, queue.opened.watch
            assert len([n for n, _, _ in runs if n >= 0]) == 72
            most = 3 * 24 + 6  # what was posted in the window, and in the hour since it was last tidied up
            assert 0 < len(sightings._by_ts) <= most
            assert len(sightings._copies) <= most
            assert len(sightings._open) <= 6
            assert len(sightings.held) <= 2
            assert len(watch.lag._reads) <= 100

    run(main)
