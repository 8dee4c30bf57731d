"""What a job gets to know of those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from slackmq.claiming.way import WAYS
from slackmq.errors import ResultUntold
from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.message import Json  # as above
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from slackmq.claiming.way import Way

    from .conftest import House


@pytest.mark.parametrize("way", WAYS)
def test_a_handler_reads_what_those_before_it_returned(house: House, way: Way) -> None:
    async def main() -> None:
        handlers, told = Handlers(), list[tuple[Json, ...]]()

        @handlers.task
        async def give(what: int) -> object:
            return {1: {"path": "cat.png"}, 2: None, 3: "three" * 4_000}[what]

        @handlers.task
        async def take(job: Job) -> int:
            told.append(await job.results())
            return len(told[-1])

        @handlers.task
        def take_plainly(job: Job) -> None:
            told.append(job.read_results())

        assert (give, take, take_plainly) is not None
        async with house.at_work(handlers, claim=way, workers=2) as queue:
            given = [await queue.post("give", {"what": what}) for what in (1, 2, 3)]
            taken = await queue.post("take", after=given)
            await queue.post("take_plainly", after=[taken])
            await house.ended(queue)
        assert told == [({"path": "cat.png"}, None, "three" * 4_000), (3,)]

    run(main)


def test_a_result_that_is_not_told_is_an_error_for_whoever_reads_it(house: House) -> None:
    async def main() -> None:
        handlers, errors = Handlers(), list[str]()

        @handlers.task
        async def give() -> str:
            return "xoxb-1161947729678-1470260871585-beef"  # looks like a secret, so no program is told

        @handlers.task(attempts=1)
        async def take(job: Job) -> None:
            try:
                await job.results()
            except ResultUntold as error:
                errors.append(error.ts)

        assert (give, take) is not None
        async with house.at_work(handlers) as queue:
            given = await queue.post("give")
            await queue.post("take", after=[given])
            await house.ended(queue)
            assert errors == [given.ts]

    run(main)
