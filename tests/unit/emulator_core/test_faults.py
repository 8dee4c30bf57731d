"""Faults strike by seed alone; reads that are behind are behind as they were told to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackmq.emulator.faults import Failure, Faults, FaultsUnreadable, Plan, faults_of, faults_said
from slackmq.emulator.lag import Lag

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from slackmq.emulator.model import Event
    from slackmq.emulator.workspace import Workspace

    Ask = Callable[..., dict[str, Any]]

SECOND = 1_000_000
MIXED = Faults(lost_answer=0.2, latency=0.2, event_loss=0.3, event_doubling=0.3, event_delay=0.3)


def fates(plan: Plan, app: str, count: int = 200) -> list[Failure | None]:
    return [plan.fate(app, "chat.postMessage").failure for _ in range(count)]


def test_a_seed_strikes_the_same_calls_whatever_others_do() -> None:
    alone, among = Plan(seed=7, faults=MIXED), Plan(seed=7, faults=MIXED)
    mine: list[Failure | None] = []
    for _ in range(200):
        among.fate("A2", "chat.postMessage")
        among.fate("A1", "pins.add")
        mine.append(among.fate("A1", "chat.postMessage").failure)
    assert mine == fates(alone, "A1")
    assert mine != fates(Plan(seed=8, faults=MIXED), "A1")
    assert set(mine) == {None, Failure.LOST_ANSWER, Failure.LATENCY}


@pytest.mark.parametrize("failure", list(Failure))
def test_each_failure_strikes_as_often_as_it_was_told(failure: Failure) -> None:
    plan = Plan(seed=1, faults=faults_of({failure.value: 0.25}))
    struck = fates(plan, "A1", 1000)
    assert set(struck) == {None, failure}
    assert 180 < struck.count(failure) < 320
    assert plan.suffered == {failure.value: struck.count(failure)}


def test_faults_can_be_few_and_for_some_methods_alone() -> None:
    plan = Plan(seed=0, faults=Faults(lost_answer=1.0, methods=("pins.add",), times=2))
    assert plan.fate("A1", "pins.list").failure is None
    assert [plan.fate("A1", "pins.add").failure for _ in range(3)] == [Failure.LOST_ANSWER, Failure.LOST_ANSWER, None]


def test_events_are_lost_doubled_and_late() -> None:
    plan = Plan(seed=3, faults=MIXED)
    seen = [plan.arrivals("A1", f"Ev{number}", SECOND) for number in range(300)]
    assert {len(arrivals) for arrivals in seen} == {0, 1, 2}
    assert all(SECOND <= when <= 6 * SECOND for arrivals in seen for when in arrivals)
    assert any(when > SECOND for arrivals in seen for when in arrivals)
    assert plan.suffered.keys() == {"event_loss", "event_doubling", "event_delay"}


moments = st.lists(st.integers(0, 100 * SECOND), min_size=2, max_size=20)


@given(st.integers(0, 100), moments, st.floats(0, 30))
def test_reads_in_order_are_behind_by_the_lag_at_most_and_nothing_overtakes(
    seed: int, written: list[int], lag: float
) -> None:
    plan = Plan(seed=seed, faults=Faults(lag=lag))
    shown = [plan.seen_at(str(at), at) for at in sorted(written)]
    assert shown == sorted(shown)
    assert all(at <= seen <= at + round(lag * SECOND) + 1 for at, seen in zip(sorted(written), shown, strict=True))


def test_reads_out_of_order_overtake() -> None:
    plan = Plan(seed=1, faults=Faults(lag=5, reorder=True))
    shown = [plan.seen_at(f"{number}", number * SECOND) for number in range(50)]
    assert shown != sorted(shown)
    assert all(number * SECOND <= seen <= (number + 5) * SECOND for number, seen in enumerate(shown))


def test_a_read_that_is_behind_shows_messages_threads_edits_and_reactions_as_they_were(
    workspace: Workspace, bot: Ask, jobs: str, told: list[Event]
) -> None:
    def history() -> dict[str, Any]:
        return bot("conversations.history", channel=jobs)

    def rows(now: int) -> list[dict[str, Any]]:
        return list(lag.shown("conversations.history", {"channel": jobs}, history(), now)["messages"])

    start = 1_700_000_000 * SECOND
    lag = Lag(plan=Plan(seed=1, faults=Faults(lag=60, reorder=True)), replies=workspace.replies)
    parent = bot("chat.postMessage", channel=jobs, text="parent")["ts"]
    before = history()["messages"]
    told.clear()
    bot("chat.postMessage", channel=jobs, text="new")
    bot("chat.postMessage", channel=jobs, text="reply", thread_ts=parent)
    bot("reactions.add", channel=jobs, timestamp=parent, name="eyes")
    bot("chat.update", channel=jobs, ts=parent, text="changed")
    for event in told:
        lag.heard(event, start)
    assert rows(start) == before
    assert rows(start + 60 * SECOND) == history()["messages"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("earthquake=1", "There is no fault 'earthquake'"),
        ("lag=long", "lag must be a number"),
        ("lost_answer=2", "lost_answer must be between 0 and 1"),
        ("lag=-1", "lag must be between 0 and 3600"),
    ],
)
def test_faults_that_do_not_exist_are_refused_with_what_there_is(text: str, reason: str) -> None:
    with pytest.raises(FaultsUnreadable, match=reason):
        faults_said(text)


def test_faults_are_said_in_words() -> None:
    said = faults_said("lost_answer=0.1, lag=3,reorder, times=2,methods=pins.add+pins.remove")
    assert said == Faults(lost_answer=0.1, lag=3.0, reorder=True, times=2, methods=("pins.add", "pins.remove"))
    assert faults_of(said.to_json()) == said
