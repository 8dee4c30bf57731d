from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from slackmq.emulator.request_url import AGAIN, Allowance, RequestUrl, Result

if TYPE_CHECKING:
    from slackmq.emulator.request_url import Sending

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
FINE = Result(status=200)
BROKEN = Result(status=500)


def address(*, verified: bool = True, **settings: Any) -> RequestUrl:
    numbers = count(1)
    return RequestUrl(
        app="A1", team="T1", token="tok", new_challenge=lambda: f"c{next(numbers)}", verified=verified, **settings
    )


def attempts(url: RequestUrl, result: Result, until: int) -> list[tuple[int, int, str]]:
    """What is sent until then, if every sending ends the same way: seconds, retry number, reason."""
    sent: list[tuple[int, int, str]] = []
    while (due := url.next_due()) is not None and due <= until:
        for sending in url.due(due):
            sent.append((due // SECOND, sending.retry, sending.reason))
            url.returned(sending.number, result, due)
    return sent


def test_an_address_is_asked_for_its_challenge_before_anything_else() -> None:
    url = address(verified=False)
    url.offer({"n": 1}, 0)
    (challenge,) = url.due(0)
    assert challenge.body == {"token": "tok", "challenge": "c1", "type": "url_verification"}
    assert url.due(0) == []
    url.returned(challenge.number, Result(status=200, text='{"challenge": "c1"}'), 0)
    assert [sending.body for sending in url.due(0)] == [{"n": 1}]


def test_a_wrong_answer_to_the_challenge_counts_as_a_failed_delivery_and_is_asked_again() -> None:
    url = address(verified=False)
    url.offer({"n": 1}, 0)
    (challenge,) = url.due(0)
    url.returned(challenge.number, Result(status=200, text="hello"), 0)
    assert not url.verified
    (again,) = url.due(0)
    assert again.challenge == "c2"
    url.returned(again.number, Result(status=200, text="c2"), 0)
    (sending,) = url.due(0)
    assert (sending.body, sending.retry, sending.reason) == ({"n": 1}, 1, "http_error")


def test_an_address_that_never_verifies_loses_the_event_after_the_last_turn() -> None:
    url = address(verified=False)
    url.offer({}, 0)
    attempts(url, Result(reason="connection_failed"), HOUR)
    assert (url.pending, url.next_due()) == (0, None)


def test_what_is_not_taken_comes_again_at_once_after_a_minute_and_after_five() -> None:
    url = address()
    url.offer({}, 0)
    sent = attempts(url, BROKEN, HOUR)
    assert [(at, retry) for at, retry, _ in sent] == [(0, 0), (0, 1), (60, 2), (360, 3)]
    assert [reason for _, _, reason in sent] == ["", *["http_error"] * 3]
    assert url.pending == 0
    assert len(AGAIN) == 3


def test_a_retry_tells_why() -> None:
    for reason in ("http_timeout", "connection_failed", "ssl_error", "too_many_redirects", "unknown_error"):
        url = address()
        url.offer({}, 0)
        assert attempts(url, Result(reason=reason), 0)[1] == (0, 1, reason)


def test_a_success_ends_the_matter() -> None:
    url = address()
    url.offer({}, 0)
    assert attempts(url, FINE, HOUR) == [(0, 0, "")]


def test_an_app_may_ask_not_to_be_asked_again() -> None:
    url = address()
    url.offer({}, 0)
    assert attempts(url, Result(status=500, no_retry=True), HOUR) == [(0, 0, "")]


def test_a_result_that_nobody_waits_for_changes_nothing() -> None:
    url = address()
    url.returned(99, BROKEN, 0)
    url.offer({}, 0)
    (sending,) = url.due(0)
    url.returned(sending.number, FINE, 0)
    url.returned(sending.number, BROKEN, 0)
    assert url.pending == 0


def deliver(url: RequestUrl, results: list[Result], now: int) -> list[Sending]:
    sent: list[Sending] = []
    for result in results:
        url.offer({}, now)
        for sending in url.due(now):
            sent.append(sending)
            url.returned(sending.number, result, now)
    return sent


def test_more_than_95_failures_of_100_switch_the_subscription_off() -> None:
    url = address(fewest=100)
    failed = Result(status=500, no_retry=True)
    deliver(url, [FINE] * 5 + [failed] * 95, 0)
    assert not url.disabled
    deliver(url, [failed], 0)
    assert deliver(url, [FINE], MINUTE) == []
    url.enable()
    (challenge,) = deliver(url, [Result(status=200, text="c1")], MINUTE)
    assert challenge.challenge == "c1"
    assert len(url.due(MINUTE)) == 1


def test_few_deliveries_are_never_switched_off_and_old_failures_are_forgotten() -> None:
    url = address(fewest=100)
    failed = Result(status=500, no_retry=True)
    deliver(url, [failed] * 99, 0)
    assert not url.disabled
    deliver(url, [failed] * 99, HOUR)
    assert not url.disabled


def test_over_the_hourly_allowance_an_app_is_told_so_once_a_minute() -> None:
    url = address(allowance=Allowance(most=2))
    sent = deliver(url, [FINE] * 4, 0) + deliver(url, [FINE] * 2, MINUTE)
    assert [sending.body.get("type", "event") for sending in sent] == [
        "event",
        "event",
        "app_rate_limited",
        "app_rate_limited",
    ]
    assert sent[3].body == {
        "type": "app_rate_limited",
        "token": "tok",
        "team_id": "T1",
        "api_app_id": "A1",
        "minute_rate_limited": 60,
    }
    assert [sending.body for sending in deliver(url, [FINE], 61 * MINUTE)] == [{}]
