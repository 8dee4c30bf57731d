"""Progress is one reply with a bar, edited at a decent pace, and a handler that reports none can be stopped for it."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.handlers import Handlers
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.options import Backoff
from slackmq.queue.progress import bar
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.claiming.way import Way

    from .conftest import House

STEPS = 100


def resizing(*, fails: int = 0, pause: float = 1.0) -> Handlers:
    """A handler that reports a hundred steps."""
    handlers = Handlers()

    @handlers.task(attempts=2, backoff=Backoff(first=timedelta(seconds=1)))
    async def resize(job: Job) -> str:
        for step in range(1, STEPS + 1):
            await anyio.sleep(pause)
            await job.progress(step / STEPS, f"picture {step} <!channel> xoxb-1-2-beef")
            if job.attempt <= fails and step == STEPS // 2:
                raise ValueError("out of ink")
        return "resized"

    assert resize is not None
    return handlers


def work(house: House, handlers: Handlers, kind: str, *, claim: Way = "reaction") -> tuple[list[str], list[str]]:
    """The thread of one job, and how it ended."""

    async def main() -> tuple[list[str], list[str]]:
        async with house.at_work(handlers, claim=claim) as queue:
            message = await queue.post(kind)
            states = [str(standing.state) for standing in await house.ended(queue)]
            return house.thread(message.ts), states

    return run(main)


@pytest.mark.parametrize("claim", ["reaction", "pin", "native"])
def test_a_hundred_reports_are_one_reply_that_shows_the_last_of_them(house: House, claim: Way) -> None:
    thread, states = work(house, resizing(), "resize", claim=claim)
    bars = [line for line in thread if "%" in line]
    assert bars == ["▓▓▓▓▓▓▓▓▓▓ 100 % · picture 100 &lt;!channel&gt; xoxb-…"]
    assert (thread[-1], states) == ("resized", ["done"])
    assert 20 <= house.calls.count("chat.update") <= 34


def test_the_next_attempt_edits_the_same_reply(house: House) -> None:
    thread, states = work(house, resizing(fails=1), "resize")
    assert len([line for line in thread if "%" in line]) == 1
    assert any("out of ink" in line for line in thread)
    assert states == ["done"]


def test_what_is_over_at_once_shows_no_bar_and_costs_no_call(house: House) -> None:
    thread, _ = work(house, resizing(pause=0.01), "resize")
    assert thread == ["resized"]
    assert house.calls.count("chat.update") == 0


@pytest.mark.parametrize("trouble", ["lost", "refused"])
def test_edits_that_slack_does_not_take_keep_no_job_from_its_end(house: House, trouble: str) -> None:
    def fault(method: str, _: Mapping[str, object]) -> str | None:
        return "lost" if method == "chat.update" and trouble == "lost" else None

    house.faults.append(fault)
    if trouble == "refused":
        house.refused["chat.update"] = "cant_update_message"
    thread, states = work(house, resizing(), "resize")
    assert (thread[-1], states) == ("resized", ["done"])


def test_who_reports_may_take_long_and_who_is_silent_is_stopped_and_tried_again(house: House) -> None:
    handlers, runs = Handlers(), list[int]()

    @handlers.task(silence=timedelta(seconds=10), attempts=2, backoff=Backoff(first=timedelta(seconds=1)))
    async def dig(job: Job) -> str:
        runs.append(job.attempt)
        for step in range(12):
            await job.progress(step / 12)
            await anyio.sleep(9 if job.attempt == 2 else 4 * (step + 1))
        return "dug"

    assert dig is not None
    thread, states = work(house, handlers, "dig")
    assert (runs, states) == ([1, 2], ["done"])
    assert any("attempt 1 failed: it reported no progress for 0:00:10" in line for line in thread)


@pytest.mark.parametrize(
    ("fraction", "text", "shown"),
    [
        (0.0, "", "░░░░░░░░░░ 0 %"),
        (0.4, "resizing", "▓▓▓▓░░░░░░ 40 % · resizing"),
        (0.999, "two\nlines", "▓▓▓▓▓▓▓▓▓░ 99 % · two lines"),
        (1.0, "x" * 400, f"▓▓▓▓▓▓▓▓▓▓ 100 % · {'x' * 299}…"),
    ],
)
def test_a_bar_is_full_only_at_the_end(fraction: float, text: str, shown: str) -> None:
    assert bar(fraction, text) == shown


@pytest.mark.parametrize(("fraction", "shown"), [(math.nan, "0 %"), (-3.0, "0 %"), (math.inf, "100 %"), (7, "100 %")])
def test_what_is_no_fraction_is_shown_as_the_nearest(house: House, fraction: float, shown: str) -> None:
    handlers = Handlers()

    @handlers.task
    async def odd(job: Job) -> None:
        await job.progress(fraction)
        await anyio.sleep(5)

    assert odd is not None
    thread, _ = work(house, handlers, "odd")
    assert thread[0].endswith(f" {shown}")
