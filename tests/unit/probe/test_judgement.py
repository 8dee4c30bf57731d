"""What follows from what was seen: the edges of each verdict."""

from __future__ import annotations

import pytest

from slackmq.probe.bench import Outcome, Stamp
from slackmq.probe.capacity import NEEDED, judge_capacity
from slackmq.probe.finding import Finding, Verdict
from slackmq.probe.order import judge_dates, judge_order
from slackmq.probe.race import Round, judge_race
from slackmq.probe.redelivery import Delivery, judge_deliveries
from slackmq.probe.repeat import judge_repeat
from slackmq.probe.visibility import Look, Write, inversions, judge_visibility, lag_of


def stamp(ts: float, *, app: int = 0, sent: float = 0.0, answered: float = 0.0, date: float | None = None) -> Stamp:
    return Stamp(ts=f"{ts:.6f}", app=app, sent=sent, answered=answered, date=date)


def look(at: float, *shown: str, asked: str = "ab") -> Look:
    return Look(began=at, ended=at + 0.1, asked=frozenset(asked), shown=frozenset(shown))


A = Write(name="a", sent=0.0, answered=0.2)


def test_a_round_that_most_did_not_hear_the_end_of_decides_nothing() -> None:
    silent = Round.of([Outcome.WON, Outcome.UNANSWERED, Outcome.LIMITED])
    assert not silent.counts
    assert judge_race("P1", [silent], clients=3).verdict is Verdict.NOT_PROBED


def test_no_winner_is_no_breach_if_the_winner_may_not_have_heard_of_it() -> None:
    assert not Round(won=0, beaten=5, unanswered=1).broken
    assert Round(won=0, beaten=5).broken
    assert Round(won=2, beaten=0).broken
    assert not Round(won=1, beaten=1).broken


def test_a_read_that_began_before_the_write_was_answered_says_nothing() -> None:
    assert lag_of(A, [look(0.1)]).least == 0.0
    assert lag_of(A, [look(0.1, "a")]).most is None
    assert lag_of(A, [look(5.2)]).least == 5.0


def test_a_write_is_late_if_a_read_that_began_after_the_skew_missed_it() -> None:
    looks = [look(1.2), look(4.3), look(6.0, "a")]
    assert judge_visibility("P3", [A], looks, skew=4.0, what="messages").verdict is Verdict.BROKEN
    assert judge_visibility("P3", [A], looks, skew=4.2, what="messages").verdict is Verdict.HOLDS


def test_a_write_that_nobody_watched_long_enough_is_no_evidence() -> None:
    assert judge_visibility("P3", [A], [look(1.0)], skew=4.0, what="messages").verdict is Verdict.NOT_PROBED


def test_the_recommended_skew_is_three_times_the_worst_and_three_seconds_at_least() -> None:
    quick = judge_visibility("P3", [A], [look(0.3, "a")], skew=4.0, what="messages")
    assert quick.numbers["recommended_skew_s"] == 3.0
    assert quick.remedy == ""
    slow = judge_visibility("P3", [A], [look(1.2), look(1.9, "a")], skew=4.0, what="messages")
    assert slow.verdict is Verdict.HOLDS
    assert slow.numbers["recommended_skew_s"] == pytest.approx(6.0)
    assert "skew=timedelta(seconds=6.0)" in slow.remedy


def test_a_later_message_seen_before_an_earlier_one_is_an_inversion() -> None:
    first, second = (Write(name=name, sent=0.0, answered=0.2) for name in ("1.0", "2.0"))
    seen = Look(began=0.3, ended=0.4, asked=frozenset({"1.0", "2.0"}), shown=frozenset({"2.0"}))
    assert inversions([first, second], [seen]) == 1
    early = Look(began=0.1, ended=0.4, asked=frozenset({"1.0", "2.0"}), shown=frozenset({"2.0"}))
    assert inversions([first, second], [early]) == 0


def test_posts_that_overlap_may_get_their_timestamps_in_any_order() -> None:
    overlapping = [stamp(2.0, sent=0.0, answered=1.0), stamp(1.0, app=1, sent=0.5, answered=1.5)]
    assert judge_order(overlapping).verdict is Verdict.HOLDS
    in_turn = [stamp(2.0, sent=0.0, answered=1.0), stamp(1.0, app=1, sent=1.5, answered=2.0)]
    assert judge_order(in_turn).verdict is Verdict.BROKEN


def test_one_app_alone_says_nothing_about_the_order_of_two() -> None:
    assert judge_order([stamp(1.0), stamp(2.0)]).verdict is Verdict.NOT_PROBED


@pytest.mark.parametrize(
    ("date", "verdict"),
    [(100.0, Verdict.HOLDS), (101.9, Verdict.HOLDS), (103.0, Verdict.BROKEN), (94.0, Verdict.BROKEN)],
)
def test_a_date_header_may_be_a_second_ahead_and_the_margin_behind(date: float, verdict: Verdict) -> None:
    posts = [stamp(100.5, answered=0.1, date=date), stamp(100.9, sent=0.2, answered=0.3, date=100.0)]
    assert judge_dates(posts).verdict is verdict


def test_without_a_date_header_its_axiom_is_not_probed() -> None:
    assert judge_dates([stamp(1.0), stamp(2.0, sent=1.0)]).verdict is Verdict.NOT_PROBED


def delivered(ts: str, at: float, **more: object) -> Delivery:
    return Delivery(ts=ts, connection=0, at=at, **more)  # type: ignore[arg-type]  # a test's own words


def test_only_a_later_delivery_must_be_marked() -> None:
    marked = [delivered("1", 0.0, withheld=True), delivered("1", 3.0, attempt=1)]
    assert judge_deliveries(marked, posted=1).verdict is Verdict.HOLDS
    assert judge_deliveries([delivered("1", 0.0), delivered("1", 3.0)], posted=1).verdict is Verdict.BROKEN


def test_where_no_event_comes_its_axiom_is_not_probed() -> None:
    found = judge_deliveries([], posted=5)
    assert found.verdict is Verdict.NOT_PROBED
    assert "message.channels" in found.remedy


def test_emoji_that_were_not_all_tried_are_no_verdict() -> None:
    assert judge_capacity(NEEDED - 1, pins=0, full=False).verdict is Verdict.NOT_PROBED
    assert judge_capacity(NEEDED, pins=0, full=False).verdict is Verdict.HOLDS
    assert judge_capacity(NEEDED - 1, pins=0, full=True).verdict is Verdict.BROKEN


@pytest.mark.parametrize(
    ("seen", "says"),
    [(["1.0", "1.0"], "one message"), (["1.0", "2.0"], "two messages"), (["1.0", "duplicate"], "refused (duplicate)")],
)
def test_what_became_of_a_repeated_post_is_told(seen: list[str], says: str) -> None:
    assert says in judge_repeat(seen).detail


def test_without_a_failure_the_bound_is_the_rule_of_three() -> None:
    assert Finding(probe="P1", verdict=Verdict.HOLDS, tries=30).bound == pytest.approx(0.1)
    assert Finding(probe="P1", verdict=Verdict.BROKEN, tries=30, broken=1).bound is None
