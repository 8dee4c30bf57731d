"""What becomes of an attempt that failed, by the exception in which it ended."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest

from slackmq.errors import Reject, Retry
from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.options import Backoff
from slackmq.simulation.loop import run

from .conftest import House  # noqa: TC001  # a fixture's annotation

ERRORS: dict[str, BaseException] = {
    "busy": ConnectionResetError("busy"),
    "wrong": ValueError("no such cat"),
    "soon": Retry("not yet", after=timedelta(seconds=7)),
    "never": Reject("never"),
}


def picky() -> tuple[Handlers, list[int]]:
    handlers, runs = Handlers(), list[int]()

    @handlers.task(attempts=3, backoff=Backoff(first=timedelta(seconds=2)), retry_on=(OSError, TimeoutError))
    async def work(job: Job, how: str) -> str:
        runs.append(job.attempt)
        if job.attempt < 3:
            raise ERRORS[how]
        return "did it"

    assert work is not None
    return handlers, runs


@pytest.mark.parametrize(
    ("how", "state", "attempts"),
    [("busy", "done", [1, 2, 3]), ("wrong", "dead", [1]), ("soon", "done", [1, 2, 3]), ("never", "dead", [1])],
)
def test_what_is_worth_it_is_tried_again_and_the_rest_is_dead_at_once(
    house: House, how: str, state: str, attempts: list[int]
) -> None:
    handlers, runs = picky()

    async def main() -> None:
        async with house.at_work(handlers) as queue:
            await queue.post("work", {"how": how})
            assert [standing.state for standing in await house.ended(queue)] == [state]

    run(main)
    assert runs == attempts


@pytest.mark.parametrize(("kinds", "attempts"), [((TimeoutError,), [1, 2]), ((OSError,), [1, 2]), ((KeyError,), [1])])
def test_an_attempt_out_of_its_time_counts_as_a_timeout_error(
    house: House, kinds: tuple[type[BaseException], ...], attempts: list[int]
) -> None:
    handlers, runs = Handlers(), list[int]()

    @handlers.task(attempts=2, timeout=timedelta(seconds=3), retry_on=kinds)
    async def sleep(job: Job) -> None:
        runs.append(job.attempt)
        await anyio.sleep(60)

    async def main() -> None:
        async with house.at_work(handlers) as queue:
            await queue.post("sleep")
            assert [standing.state for standing in await house.ended(queue)] == ["dead"]

    assert sleep is not None
    run(main)
    assert runs == attempts
