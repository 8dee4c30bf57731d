"""Batches under the published limits, in virtual time: the calls that one job costs, and jobs a minute."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tests.benchmarks.budget import Ours

from slackmq.handlers import Handlers
from slackmq.queue import AsyncQueue
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run
from slackmq.slack.client import Client

if TYPE_CHECKING:
    from tests.benchmarks.budget import Budget

SIZE = 100
"""Jobs in a batch."""


class _Batches(Ours):
    """One app's workers, and a program that posts batches through the same app; its calls are counted too."""

    def handlers(self) -> Handlers:
        handlers = Handlers()

        @handlers.task
        async def job(n: int) -> int:
            self.done += 1
            return n

        assert job is not None
        return handlers

    async def post(self) -> None:
        clock = SimClock(Random("producer"))  # noqa: S311  # a benchmark's dice must be repeatable
        async with AsyncQueue(Client(self.wire("p"), clock=clock), "#jobs", clock=clock) as queue:
            while True:
                await queue.post_batch("job", [{"n": n} for n in range(SIZE)])
                await clock.sleep(self.every)


def relaxed() -> Budget:
    """Four batches a minute: what a job costs, all calls counted, those of the producer and reads too."""
    return run(_Batches(every=15.0, by="program").main)


def saturated() -> Budget:
    """As many batches as the limits let through."""
    return run(_Batches(every=1.0, by="program").main)


if __name__ == "__main__":
    for measure in (relaxed, saturated):
        print(measure.__name__, measure())  # noqa: T201  # a quick look
