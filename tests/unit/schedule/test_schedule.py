"""When something is due, and what becomes of what was missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackmq.cron import Cron
from slackmq.errors import ConfigurationError
from slackmq.handlers import Handlers
from slackmq.schedule import Interval
from slackmq.task import Task

if TYPE_CHECKING:
    from slackmq.schedule import Missed, Schedule, Ticks

BERLIN = ZoneInfo("Europe/Berlin")
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # Hypothesis adds the zone


def ticks(line: str, zone: str, since: datetime, count: int) -> list[str]:
    cron, found = Cron(line, zone), list[str]()
    for _ in range(count):
        since = cron.after(since)
        found.append(f"{since.astimezone(ZoneInfo(zone)):%m-%d %H:%M %z}")
    return found


def test_seven_o_clock_is_seven_o_clock_in_summer_and_in_winter() -> None:
    found = ticks("0 7 * * *", "Europe/Berlin", datetime(2026, 10, 23, 12, tzinfo=BERLIN), 3)
    assert found == ["10-24 07:00 +0200", "10-25 07:00 +0100", "10-26 07:00 +0100"]


def test_what_falls_into_the_hour_that_a_clock_skips_happens_once_when_it_ends() -> None:
    found = ticks("30 2 * * *", "Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=BERLIN), 2)
    assert found == ["03-29 03:00 +0200", "03-30 02:30 +0200"]


def test_what_falls_into_the_hour_that_comes_twice_happens_the_first_time_only() -> None:
    found = ticks("30 2 * * *", "Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=BERLIN), 2)
    assert found == ["10-25 02:30 +0200", "10-26 02:30 +0100"]


def test_what_is_due_every_half_hour_goes_on_through_both_of_the_hours() -> None:
    found = ticks("*/30 * * * *", "Europe/Berlin", datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN), 5)
    assert [one[6:] for one in found] == ["02:00 +0200", "02:30 +0200", "02:00 +0100", "02:30 +0100", "03:00 +0100"]


@pytest.mark.parametrize(
    ("line", "zone", "why"),
    [
        ("0 0 30 2 *", "UTC", "never due"),
        ("0 0 31 2,4,6 *", "UTC", "never due"),
        ("0 7 * *", "UTC", "4 fields"),
        ("0 0 7 * * *", "UTC", "6 fields"),
        ("0 25 * * *", "UTC", "Bad hour"),
        ("tomorrow at seven please ok", "UTC", "Bad minute"),
        ("0 7 * * *", "Europe/Nowhere", "no time zone"),
        ("0 7 * * *", "../../etc/passwd", "no time zone"),
    ],
)
def test_a_line_that_cannot_be_kept_is_refused_with_the_remedy(line: str, zone: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        Cron(line, zone)
    assert caught.value.remedy


def test_a_line_that_is_due_every_fourth_year_only_is_taken() -> None:
    assert Cron("0 0 29 2 *", "UTC").after(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2028, 2, 29, tzinfo=UTC)


@given(
    when=moments,
    of=st.sampled_from(
        [
            Cron("0 7 * * *", "Europe/Berlin"),
            Cron("30 2 * * SUN", "America/New_York"),
            Cron("*/10 * * * *", "Asia/Kathmandu"),
            Interval(timedelta(minutes=7)),
        ]
    ),
)
def test_between_the_tick_before_and_the_tick_after_there_is_none(when: datetime, of: Ticks) -> None:
    before, after = of.before(when), of.after(when)
    assert before is not None
    assert before < when < after or of.after(before) == when
    assert of.after(before) in {when, after}


@given(when=moments, minutes=st.integers(1, 10_000))
def test_an_interval_means_the_same_times_wherever_one_begins_to_count(when: datetime, minutes: int) -> None:
    interval = Interval(timedelta(minutes=minutes))
    following = [interval.after(when)]
    following.append(interval.after(following[0]))
    assert [later - earlier for earlier, later in pairwise(following)] == [timedelta(minutes=minutes)]
    assert interval.after(following[0] - timedelta(microseconds=1)) == following[0]


@pytest.mark.parametrize("span", [timedelta(seconds=9), timedelta(0), -timedelta(days=1), timedelta(seconds=20.5)])
def test_an_interval_that_a_channel_cannot_keep_is_refused(span: timedelta) -> None:
    with pytest.raises(ConfigurationError, match="at least ten"):
        Interval(span)


def test_an_interval_that_no_calendar_holds_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="ten years"):
        Interval(timedelta(days=10**8))


def schedule(missed: Missed, *, within: timedelta = timedelta(days=1)) -> Schedule:
    handlers = Handlers()

    @handlers.every(timedelta(hours=1), missed=missed, within=within)
    def report() -> None:
        return

    [found] = handlers.schedules
    assert found.task is report
    return found


def hours(*numbers: float) -> list[datetime]:
    return [datetime(2026, 11, 27, tzinfo=UTC) + timedelta(hours=number) for number in numbers]


@pytest.mark.parametrize(("missed", "due"), [("skip", hours()), ("latest", hours(5)), ("all", hours(1, 2, 3, 4, 5))])
def test_what_was_missed_is_made_up_for_as_the_policy_says(missed: Missed, due: list[datetime]) -> None:
    [since, now] = hours(0, 5.5)
    assert schedule(missed).due(since=since, now=now) == due


@pytest.mark.parametrize("missed", ["skip", "latest", "all"])
def test_what_is_on_time_is_posted_whatever_the_policy(missed: Missed) -> None:
    [since, now] = hours(4, 5.01)
    assert schedule(missed).due(since=since, now=now) == hours(5)
    assert schedule(missed).due(since=now, now=now) == []


def test_what_was_missed_too_long_ago_is_not_made_up_for() -> None:
    [since, now] = hours(0, 5.5)
    assert schedule("all", within=timedelta(hours=2)).due(since=since, now=now) == hours(4, 5)
    assert schedule("latest", within=timedelta(minutes=20)).due(since=since, now=now) == []


def test_a_tick_has_one_key_and_the_key_names_the_tick() -> None:
    found, [tick] = schedule("skip"), hours(7)
    assert found.key(tick) == "every/report/2026-11-27T07:00:00Z"
    assert found.tick_of(found.key(tick)) == tick
    for other in ("every/report/2026-11-27T07:30:00Z", "every/report/soon", "every/other/2026-11-27T07:00:00Z", "x"):
        assert found.tick_of(other) is None


def test_every_may_stand_above_a_task_and_makes_a_task_of_a_function() -> None:
    handlers = Handlers()

    @handlers.every("0 7 * * *")
    @handlers.every("0 19 * * *")
    @handlers.task(name="tidy", attempts=2)
    def tidy_up(tick: datetime, days: int = 3) -> None:
        del tick, days

    assert isinstance(tidy_up, Task)
    assert [one.task.name for one in handlers.schedules] == ["tidy", "tidy"]


def test_a_function_that_needs_arguments_is_refused() -> None:
    handlers = Handlers()

    def report(whom: str, tick: datetime) -> None:
        del whom, tick

    with pytest.raises(ConfigurationError, match="nobody gives it whom"):
        handlers.every("0 7 * * *")(report)


@pytest.mark.parametrize(
    ("option", "why"),
    [({"missed": "never"}, "no policy"), ({"within": timedelta(0)}, "within"), ({"within": timedelta.max}, "within")],
)
def test_options_that_cannot_be_meant_are_refused(option: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        Handlers().every("0 7 * * *", **option)(lambda: None)
