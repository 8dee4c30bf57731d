"""A queue watched while it works: figures, the pace of each worker, and what Slack's limits leave."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import anyio

from slackmq.operating import looking
from slackmq.operating.survey import Survey
from slackmq.queue.pausing import pause
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from .conftest import House


def test_it_tells_who_ended_how_many_jobs_and_what_was_used(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        clock = SimClock(Random(3))  # noqa: S311  # a simulation's dice must be repeatable
        async with house.at_work(handlers) as queue, looking(house.slack(clock=clock), "#jobs", clock=clock) as look:
            survey = Survey(look, clock=clock)
            first = await survey.view()
            assert (first.figures.depth, first.paces) == (0, ())
            assert all(budget.used is None for budget in first.budgets)
            for n in range(5):
                await queue.post("work", {"n": n})
            await house.ended(queue)
            view = await survey.view()
            assert (view.figures.depth, view.figures.in_flight, view.figures.done) == (0, 0, 5)
            assert [(pace.worker, pace.per_minute) for pace in view.paces] == [("w0", 1.0)]
            budgets = {budget.method: budget for budget in view.budgets}
            assert budgets["chat.postMessage"].used is not None
            assert budgets["chat.postMessage"].used > 0
            left = budgets["chat.postMessage"].left
            assert left is not None
            assert left < budgets["chat.postMessage"].limit
            await anyio.sleep(400)
            quiet = await survey.view()
            assert quiet.paces == ()
            assert all(budget.left == budget.limit for budget in quiet.budgets)

    run(main)


def test_it_tells_the_pace_of_workers_also_where_jobs_wait_for_long(house: House) -> None:
    async def main() -> None:
        handlers, _ = house.ran()
        clock = SimClock(Random(3))  # noqa: S311  # a simulation's dice must be repeatable
        async with house.visiting() as queue:
            for n in range(12):
                await queue.post("work", {"n": n, "seconds": 20.0})
        await anyio.sleep(30 * 3_600)
        look = looking(house.slack(clock=clock), "#jobs", clock=clock)
        async with house.at_work(handlers, concurrency=1), look as looked:
            survey = Survey(looked, clock=clock)
            assert (await survey.view()).figures.oldest >= timedelta(hours=30)
            await anyio.sleep(150)
            view = await survey.view()
            assert [pace.worker for pace in view.paces] == ["w0"]
            assert view.paces[0].per_minute >= 4 / 5

    run(main)


def test_it_tells_who_paused_and_what_waits_meanwhile(house: House) -> None:
    async def main() -> None:
        async with house.visiting() as queue, looking(house.slack(), "#jobs") as look:
            await pause(house.slack(), queue.channel, by="Ann")
            await queue.post("work", {"n": 1})
            view = await Survey(look).view()
            assert view.pause is not None
            assert (view.pause.by, view.figures.depth) == ("Ann", 1)

    run(main)
