"""No more is begun, and no more at once, than handlers and worker allow; what must wait is held by nobody."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from slackmq.errors import ConfigurationError
from slackmq.handlers import Handlers
from slackmq.hooks import Claimed
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.options import Rate
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from slackmq.claiming.way import Way

    from .conftest import House

MINUTE = 60.0


def mailing(house: House, **options: Any) -> tuple[Handlers, list[float], list[int]]:
    """A handler with these options and one without any, when the first began, and how many ran at once."""
    handlers, began, at_once = Handlers(), list[float](), [0, 0]

    async def mail(n: int, seconds: float = 1.0) -> str:
        began.append(house.now())
        at_once[0] += 1
        at_once[1] = max(at_once)
        await anyio.sleep(seconds)
        at_once[0] -= 1
        return f"sent {n}"

    handlers.task(name="mail", **options)(mail)
    handlers.task(name="other")(lambda n: f"other {n}")
    return handlers, began, at_once


def worked(house: House, handlers: Handlers, count: int, *, claim: Way = "reaction", **options: Any) -> list[str]:
    """How so many mails and one other job ended."""

    async def main() -> list[str]:
        async with house.at_work(handlers, claim=claim, concurrency=6, **options) as queue:
            for n in range(count):
                await queue.post("mail", {"n": n})
            await queue.post("other", {"n": 0})
            return [str(standing.state) for standing in await house.ended(queue, within=timedelta(hours=2))]

    return run(main)


def most_within(began: list[float], span: float) -> int:
    """How many began within one span of this length at most."""
    return max(sum(start <= other < start + span for other in began) for start in began)


@pytest.mark.parametrize("claim", ["reaction", "pin", "native"])
def test_no_minute_sees_more_than_the_rate_of_a_handler(house: House, claim: Way) -> None:
    handlers, began, _ = mailing(house, rate="4/m")
    assert set(worked(house, handlers, 12, claim=claim)) == {"done"}
    assert len(began) == 12
    assert most_within(began, MINUTE - 1) <= 4
    assert began[-1] - began[0] >= 2 * MINUTE - 2


def test_what_waits_for_its_rate_is_held_by_nobody_and_holds_up_nobody(house: House) -> None:
    handlers, began, _ = mailing(house, rate="2/m")

    async def main() -> None:
        async with house.at_work(handlers, concurrency=4) as queue:
            posted = [await queue.post("mail", {"n": n}) for n in range(4)]
            other = await queue.post("other", {"n": 1})
            await house.until(lambda: house.thread(other.ts))
            assert began[-1] < house.now() <= began[0] + MINUTE
            claimed = [happened.claim.message.ts for happened in house.happened if isinstance(happened, Claimed)]
            waiting = [message.ts for message in posted if message.ts not in claimed]
            assert len(waiting) == 2
            assert [house.marks(ts) for ts in waiting] == [set(), set()]
            await house.ended(queue)

    run(main)
    assert len(began) == 4


def test_what_one_process_may_not_begin_yet_another_does(house: House) -> None:
    handlers, began, _ = mailing(house, rate="2/m")

    async def main() -> None:
        async with house.at_work(handlers, workers=2) as queue:
            for n in range(4):
                await queue.post("mail", {"n": n})
            await house.ended(queue)

    run(main)
    assert most_within(began, MINUTE - 1) == 4


def test_no_minute_sees_more_than_the_rate_of_a_worker(house: House) -> None:
    handlers, began, _ = mailing(house)
    assert set(worked(house, handlers, 6, rate=Rate(count=3, per=timedelta(minutes=1)))) == {"done"}
    claimed = [happened for happened in house.happened if isinstance(happened, Claimed)]
    assert len(claimed) == 7
    assert most_within(began, MINUTE - 1) <= 3


@pytest.mark.parametrize("claim", ["reaction", "pin", "native"])
def test_no_more_of_a_handler_run_at_once_than_it_allows(house: House, claim: Way) -> None:
    handlers, began, at_once = mailing(house, concurrency=2)
    assert set(worked(house, handlers, 7, claim=claim)) == {"done"}
    assert (len(began), at_once[1]) == (7, 2)
    if claim == "reaction":
        assert all(later - earlier < 20 for earlier, later in pairwise(began))  # the next begins when one has ended


def test_a_job_that_is_tried_again_counts_once(house: House) -> None:
    handlers, runs = Handlers(), list[tuple[int, int]]()

    @handlers.task(concurrency=2, attempts=2)
    async def slow(job: Job, n: int) -> None:
        runs.append((n, job.attempt))
        if runs == [(1, 1)]:
            raise ValueError("no")
        await anyio.sleep(100)

    async def main() -> None:
        async with house.at_work(handlers) as queue:
            await queue.post("slow", {"n": 1})
            await house.until(lambda: len(runs) == 2)
            await queue.post("slow", {"n": 2})
            await anyio.sleep(30)
            assert runs == [(1, 1), (1, 2), (2, 1)]

    run(main)


def test_jobs_that_fail_make_room_for_the_next(house: House) -> None:
    handlers, runs = Handlers(), list[int]()

    @handlers.task(concurrency=1, attempts=2)
    async def fail(n: int) -> None:
        runs.append(n)
        raise ValueError("no")

    async def main() -> None:
        async with house.at_work(handlers) as queue:
            for n in range(3):
                await queue.post("fail", {"n": n})
            assert {standing.state for standing in await house.ended(queue)} == {"dead"}

    run(main)
    assert sorted(runs) == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("words", "rate"),
    [
        ("10/m", Rate(count=10, per=timedelta(minutes=1))),
        ("1/s", Rate(count=1, per=timedelta(seconds=1))),
        ("500/d", Rate(count=500, per=timedelta(days=1))),
        (None, None),
    ],
)
def test_a_rate_is_read_from_words(words: str | None, rate: Rate | None) -> None:
    assert Rate.read(words) == rate


def zero() -> Rate:
    return Rate(count=1, per=timedelta(0))


@pytest.mark.parametrize("wrong", [lambda: "10", lambda: "0/m", lambda: "-1/m", lambda: "ten/m", lambda: "1/w", zero])
def test_a_rate_that_allows_nothing_or_means_nothing_is_refused_when_decorating(
    wrong: Callable[[], str | Rate],
) -> None:
    with pytest.raises(ConfigurationError):
        Handlers().task(rate=wrong())


def test_a_handler_that_may_never_run_is_refused_when_decorating() -> None:
    with pytest.raises(ConfigurationError, match="concurrency is 0"):
        Handlers().task(concurrency=0)(zero)
