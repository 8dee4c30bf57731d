from __future__ import annotations

import pytest

from slackmq.emulator.limits import Limits, Rate
from slackmq.emulator.registry import Tier

SECOND = 1_000_000
START = 1_700_000_000 * SECOND


def take(limits: Limits, now: int, method: str, *, app: str = "A1", channel: str | None = None) -> int | None:
    return limits.take(now, team="T1", app=app, method=method, channel=channel)


def admitted(limits: Limits, now: int, method: str, *, channel: str | None = None) -> int:
    """How many calls come through at one moment."""
    count = 0
    while take(limits, now, method, channel=channel) is None:
        count += 1
    return count


@pytest.mark.parametrize(
    ("method", "budget"),
    [("pins.add", 20), ("reactions.remove", 20), ("reactions.add", 50), ("users.info", 100), ("auth.test", 600)],
)
def test_a_bucket_holds_one_minutes_budget_and_fills_within_a_minute(method: str, budget: int) -> None:
    limits = Limits()
    assert admitted(limits, START, method) == budget
    assert admitted(limits, START + 30 * SECOND, method) == budget // 2
    assert admitted(limits, START + 600 * SECOND, method) == budget


def test_who_waits_as_long_as_told_comes_through() -> None:
    limits = Limits()
    admitted(limits, START, "pins.add")
    wait = take(limits, START, "pins.add")
    assert wait == 3
    assert take(limits, START + wait * SECOND, "pins.add") is None


def test_a_refused_call_uses_nothing_up() -> None:
    limits = Limits()
    admitted(limits, START, "pins.add")
    for _ in range(100):
        assert take(limits, START, "pins.add") == 3
    assert take(limits, START + 3 * SECOND, "pins.add") is None


def test_each_method_and_each_app_has_a_budget_of_its_own() -> None:
    limits = Limits()
    admitted(limits, START, "pins.add")
    assert take(limits, START, "pins.remove") is None
    assert take(limits, START, "pins.add", app="A2") is None
    assert limits.take(START, team="T2", app="A1", method="pins.add", channel=None) is None


def test_posting_goes_by_channel_at_one_a_second() -> None:
    limits = Limits()
    assert admitted(limits, START, "chat.postMessage", channel="C1") == 25
    assert take(limits, START, "chat.postMessage", channel="C1") == 1
    assert take(limits, START, "chat.postMessage", channel="C2") is None
    assert admitted(limits, START + 10 * SECOND, "chat.postMessage", channel="C1") == 10


def test_an_app_posts_some_hundreds_a_minute_in_all_channels() -> None:
    limits = Limits()
    count = sum(admitted(limits, START, "chat.postMessage", channel=f"C{number}") for number in range(100))
    assert count == 300


def test_a_post_that_the_workspace_refuses_leaves_the_channels_budget_alone() -> None:
    limits = Limits(posting=Rate(per_minute=1, burst=1), posting_anywhere=Rate(per_minute=60, burst=1))
    assert take(limits, START, "chat.postMessage", channel="C1") is None
    assert take(limits, START, "chat.postMessage", channel="C2") == 1
    assert take(limits, START + SECOND, "chat.postMessage", channel="C2") is None


def test_a_burst_can_be_chosen() -> None:
    limits = Limits(tiers={Tier.TWO: Rate(per_minute=20, burst=1)})
    assert admitted(limits, START, "pins.add") == 1
    assert take(limits, START, "reactions.add") is None


def test_limits_can_be_off_and_never_bind_the_operator() -> None:
    off = Limits.off()
    assert {take(off, START, "chat.postMessage", channel="C1") for _ in range(1000)} == {None}
    assert {take(Limits(), START, "emulator.users.list") for _ in range(1000)} == {None}
    assert take(Limits(), START, "no.such.method") is None
