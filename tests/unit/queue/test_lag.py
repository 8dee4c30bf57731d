"""A process sees how late Slack is, tells it, and waits longer before it trusts a read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackmq.hooks import Lagged
from slackmq.queue.lag import Lag
from slackmq.simulation.loop import run
from slackmq.telemetry.logging import log_happenings

if TYPE_CHECKING:
    from collections.abc import Mapping

    House = Any  # the fixture's class stands in conftest.py, which is no module to import from


def lag(*, longest: float = 30.0) -> Lag:
    return Lag(skew=4.0, longest=longest)


def test_a_message_that_the_read_before_did_not_show_tells_how_late_that_read_was() -> None:
    seen = lag()
    seen.read(read_at=100.0, oldest=0.0, shown={90.0})
    assert (seen.reads, seen.skew) == (0.0, 4.0)
    seen.read(read_at=106.0, oldest=0.0, shown={90.0, 97.5})
    assert (seen.reads, seen.skew) == (2.5, 7.5)


def test_what_was_posted_after_the_last_read_began_was_not_missed_by_it() -> None:
    seen = lag()
    seen.read(read_at=100.0, oldest=0.0, shown=set())
    seen.read(read_at=106.0, oldest=0.0, shown={100.0, 105.9})
    assert seen.reads == 0.0


def test_a_read_that_did_not_reach_so_far_back_missed_nothing() -> None:
    seen = lag()
    seen.read(read_at=100.0, oldest=95.0, shown={96.0})
    seen.read(read_at=106.0, oldest=0.0, shown={90.0, 96.0})
    assert seen.reads == 0.0


def test_of_several_reads_that_missed_a_message_the_last_one_counts() -> None:
    seen = lag()
    for read_at in (100.0, 106.0, 112.0):
        seen.read(read_at=read_at, oldest=0.0, shown=set())
    seen.read(read_at=118.0, oldest=0.0, shown={99.0})
    assert seen.reads == 13.0


def test_a_message_that_was_imported_long_after_its_time_is_not_late() -> None:
    seen = lag()
    seen.read(read_at=10_000.0, oldest=0.0, shown=set())
    seen.read(read_at=10_006.0, oldest=0.0, shown={20.0})
    assert seen.reads == 0.0


def test_the_skew_grows_no_further_than_leases_allow_and_what_is_needed_is_told() -> None:
    seen = lag(longest=30.0)
    seen.read(read_at=100.0, oldest=0.0, shown=set())
    seen.read(read_at=106.0, oldest=0.0, shown={80.0})
    assert (seen.skew, seen.needed) == (30.0, 60.0)


def test_after_two_quiet_hours_the_skew_is_the_configured_one_again() -> None:
    seen = lag()
    seen.read(read_at=100.0, oldest=0.0, shown=set())
    seen.read(read_at=106.0, oldest=0.0, shown={95.0})
    assert seen.skew == 15.0
    seen.read(read_at=106.0 + 3599, oldest=0.0, shown=set())
    assert seen.skew == 15.0
    for hours in (1, 2):
        seen.read(read_at=107.0 + 3600 * hours, oldest=0.0, shown=set())
    assert seen.skew == 4.0


def test_the_age_of_events_is_told_and_widens_nothing() -> None:
    seen = lag()
    seen.heard(100.0, 125.0)
    seen.heard(130.0, 130.5)
    assert seen.events == 25.0
    assert seen.skew == 4.0
    assert seen.news() == Lagged(
        reads=timedelta(0), events=timedelta(seconds=25), skew=timedelta(seconds=4), needed=timedelta(seconds=4)
    )
    assert seen.news() is None


def test_what_changed_by_less_than_slacks_clock_is_known_is_no_news() -> None:
    seen = lag()
    seen.heard(100.0, 100.9)
    assert seen.news() is None


@given(posts=st.lists(st.floats(1.0, 1e5), unique=True, max_size=3000), every=st.floats(1.0, 500.0))
def test_where_nothing_is_late_nothing_is_found_however_much_is_forgotten(posts: list[float], every: float) -> None:
    seen, now = lag(), 0.0
    while now < 1e5 and now < 300 * every:
        now += every
        oldest = max(0.0, now - 600)
        seen.read(read_at=now, oldest=oldest, shown={posted for posted in posts if oldest < posted <= now})
    assert seen.reads == 0.0


def late(house: House, by: float) -> None:
    """Let history show messages late, from now on."""
    call = house.call

    def slow(token: str, method: str, **args: object) -> Mapping[str, Any]:
        reply: Mapping[str, Any] = call(token, method, **args)
        if method != "conversations.history":
            return reply
        return {**reply, "messages": [row for row in reply["messages"] if float(row["ts"]) + by <= house.now()]}

    house.call = slow


def test_a_worker_that_saw_a_read_miss_a_job_waits_longer_before_it_trusts_the_next(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        late(house, by=9.0)
        async with house.at_work(handlers) as queue:
            for n in range(4):
                await queue.post("work", {"n": n, "seconds": 0.1})
            await house.until(lambda: len(runs) == 4)
            told = [happening for happening in house.happened if isinstance(happening, Lagged)]
            assert told
            assert timedelta(0) < told[-1].reads <= timedelta(seconds=9)
            assert told[-1].skew > queue.timing.skew
            keyed = await queue.post("work", {"n": 9, "seconds": 0.1}, key="chosen")
            await house.until(lambda: len(runs) == 5)
            widened = told[-1].skew.total_seconds()
            assert widened > 9 + queue.timing.scan.total_seconds()  # when it would have begun otherwise
            assert house.now() - float(keyed.ts) >= widened

    run(main)


@pytest.mark.parametrize(
    ("needed", "level", "says"), [(9.0, "INFO", "up to 3.0 s late"), (60.0, "WARNING", "seconds=60")]
)
def test_the_log_tells_the_lag_and_warns_where_leases_are_too_short(
    caplog: pytest.LogCaptureFixture, needed: float, level: str, says: str
) -> None:
    caplog.set_level("INFO")
    skew = min(30.0, needed)
    reads, wait = timedelta(seconds=needed / 3), timedelta(seconds=needed)
    log_happenings(Lagged(reads=reads, events=timedelta(0), skew=timedelta(seconds=skew), needed=wait))
    assert [record.levelname for record in caplog.records] == [level]
    assert says in caplog.text


def test_where_nothing_is_late_workers_tell_of_no_lag(house: House) -> None:
    async def main() -> None:
        handlers, runs = house.ran()
        async with house.at_work(handlers, workers=2) as queue:
            for n in range(6):
                await queue.post("work", {"n": n})
            await house.until(lambda: len(runs) == 6)

    run(main)
    assert [happening for happening in house.happened if isinstance(happening, Lagged)] == []
