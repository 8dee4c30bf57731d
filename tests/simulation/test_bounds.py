"""The checkers of time, calls and attempts, on records made by hand: each must be able to say no."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from slackmq.claiming.marks import CLOCKS
from slackmq.policy import Timing
from slackmq.simulation import bounds
from slackmq.simulation.record import Asked, Called, Disturbed, Ended, Started
from slackmq.simulation.truth import Truth

if TYPE_CHECKING:
    from slackmq.simulation.record import Line

TS = "1800000001.000000"
TIMING = Timing(lease=timedelta(seconds=60))


def posted(at: float) -> Called:
    metadata = {"event_type": "slackmq_job", "event_payload": {"key": "k"}}
    args = {"channel": "C1", "text": "work()", "metadata": metadata}
    return Called(at=at, sent=at, process="p", method="chat.postMessage", args=args, reply={"ok": True, "ts": TS})


def marked(at: float, process: str, emoji: str) -> Called:
    args = {"channel": "C1", "timestamp": TS, "name": emoji}
    return Called(at=at, sent=at, process=process, method="reactions.add", args=args, reply={"ok": True})


def execution(at: float, run: int, attempt: int, result: str = "failed", process: str = "a") -> list[Line]:
    return [
        Started(at=at, process=process, run=run, key="k", ts=TS, token=run, attempt=attempt),
        Ended(at=at + 1, process=process, run=run, result=result),
    ]


def truth(lines: list[Line], asked: tuple[Asked, ...] = (), **more: Any) -> Truth:
    return Truth(sorted(lines, key=lambda line: line.at), timing=TIMING, asked=asked, attempts=4, **more)


def broke(process: str, at: float, what: str) -> Disturbed:
    return Disturbed(at=at, process=process, what=what)


def took_over(after: float, *lines: Line, hands: int = 1) -> Truth:
    began: list[Line] = [broke("a", 0, "start"), broke("b", 0, "start"), posted(1), marked(2, "a", CLOCKS[0])]
    return truth([*began, broke("a", 3, "kill"), marked(2 + after, "b", CLOCKS[1]), *lines], hands=hands)


def test_a_takeover_within_lease_margin_scan_and_skew_is_in_time() -> None:
    assert not list(bounds.slow_takeover(took_over(74)))


def test_a_takeover_later_than_that_is_slow() -> None:
    assert len(list(bounds.slow_takeover(took_over(90)))) == 1


def test_nobody_is_slow_who_had_no_hand_free() -> None:
    busy = Started(at=1.5, process="b", run=1, key="k", ts=TS, token=9, attempt=1)
    assert not list(bounds.slow_takeover(took_over(90, busy)))


def test_whoever_works_on_one_message_and_can_on_two_has_a_hand_free() -> None:
    busy = Started(at=1.5, process="b", run=1, key="k", ts=TS, token=9, attempt=1)
    more = Started(at=4, process="b", run=2, key="k", ts=TS, token=8, attempt=1)
    assert len(list(bounds.slow_takeover(took_over(90, busy, hands=2)))) == 1
    assert not list(bounds.slow_takeover(took_over(90, busy, more, hands=2)))


def test_nobody_is_slow_where_another_died_who_may_have_known_alone() -> None:
    assert not list(bounds.slow_takeover(took_over(90, broke("c", 1, "start"), broke("c", 5, "kill"))))


def test_the_time_of_a_takeover_is_not_judged_where_more_is_broken() -> None:
    assert not list(bounds.slow_takeover(took_over(90, broke("b", 5, "pause for 70 s"))))


@pytest.mark.parametrize(("times", "found"), [(5, 0), (6, 1)])
def test_a_message_begun_again_and_again_after_the_healing_is_a_storm(times: int, found: int) -> None:
    lines: list[Line] = [posted(1), broke("", 2, "heal")]
    for number in range(times):
        lines += execution(10.0 + number, number, 1)
    assert len(list(bounds.storm(truth(lines)))) == found


def calls(count: int, every: float) -> tuple[Asked, ...]:
    return tuple(Asked(process="a", method="reactions.add", sent=number * every) for number in range(count))


def test_a_method_may_be_called_at_its_rate_after_a_burst() -> None:
    burst = tuple(Asked(process="a", method="reactions.add", sent=0.0) for _ in range(5))
    assert not list(bounds.impolite(truth([], (*burst, *calls(100, 60 / 50)))))


def test_a_method_called_faster_than_its_rate_is_found() -> None:
    assert list(bounds.impolite(truth([], calls(100, 60 / 60))))


@pytest.mark.parametrize(("sent", "found"), [(4.0, 1), (11.5, 0)])
def test_whoever_calls_before_a_refusal_is_over_is_found(sent: float, found: int) -> None:
    refused = Asked(process="a", method="pins.add", sent=1.0, answered=1.2, retry_after=10.0)
    again = Asked(process="a", method="pins.add", sent=sent)
    assert len(list(bounds.impolite(truth([], (refused, again))))) == found


@pytest.mark.parametrize(("spent", "found"), [(3, 0), (5, 1)])
def test_calls_beyond_claim_and_mark_are_waste_where_nothing_goes_wrong(spent: int, found: int) -> None:
    lines: list[Line] = [posted(1), marked(2, "a", CLOCKS[0]), marked(3, "a", "white_check_mark")]
    assert len(list(bounds.wasteful(truth(lines, calls(spent, 2.0), calm=True)))) == found
    assert not list(bounds.wasteful(truth(lines, calls(spent, 2.0))))


@pytest.mark.parametrize(("token", "found"), [(0, 0), (1, 1)])
def test_native_claims_that_cost_a_call_are_waste_where_nothing_goes_wrong(token: int, found: int) -> None:
    lines: list[Line] = [posted(1), *execution(2, token, 1, "done")]
    assert len(list(bounds.wasteful(truth(lines, calm=True, way="native")))) == found


def dead_after(runs: int) -> Truth:
    lines: list[Line] = [posted(1), marked(200, "a", "x")]
    for number in range(1, runs + 1):
        lines += execution(10.0 * number, number, number)
    return truth(lines)


def test_what_failed_as_often_as_allowed_may_be_dead() -> None:
    assert not list(bounds.attempts(dead_after(4)))


def test_what_died_sooner_is_found() -> None:
    assert list(bounds.attempts(dead_after(3)))


def test_an_attempt_beyond_the_last_is_found() -> None:
    assert list(bounds.attempts(dead_after(5)))


def test_attempts_that_are_not_counted_up_are_found() -> None:
    lines: list[Line] = [posted(1), *execution(10, 1, 1), *execution(30, 2, 1)]
    assert list(bounds.attempts(truth(lines)))
