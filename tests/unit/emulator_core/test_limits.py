from __future__ import annotations

import pytest

from slackmq.emulator.limits import Limits, Rate
from slackmq.emulator.model import Caller, Toll
from slackmq.emulator.registry import Tier
from slackmq.emulator.seed import Seed, SeedApp
from slackmq.emulator.workspace import OPERATOR, Workspace

SECOND = 1_000_000
START = 1_700_000_000 * SECOND


def take(limits: Limits, now: int, method: str, *, app: str = "A1", channel: str = "") -> int | None:
    return limits.take(now, Toll(team="T1", app=app, method=method, channel=channel))


def admitted(limits: Limits, now: int, method: str, *, channel: str = "") -> int:
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
    assert limits.take(START, Toll(team="T2", app="A1", method="pins.add")) is None


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


def test_a_page_without_a_limit_counts_twice() -> None:
    limits = Limits(tiers={Tier.THREE: Rate(per_minute=50, burst=10)})
    whole = Toll(team="T1", app="A1", method="conversations.history", whole=True)
    count = 0
    while limits.take(START, whole) is None:
        count += 1
    assert count == 5


def test_all_bursts_can_be_chosen_at_once() -> None:
    limits = Limits().bursting(3)
    assert admitted(limits, START, "pins.add") == admitted(limits, START, "users.info") == 3
    assert admitted(limits, START, "chat.postMessage", channel="C1") == 3


def test_an_app_sold_outside_the_marketplace_reads_once_a_minute() -> None:
    limits = Limits()
    read = Toll(team="T1", app="A1", method="conversations.history", unlisted=True)
    assert (limits.take(START, read), limits.take(START, read)) == (None, 60)
    assert limits.take(START + 60 * SECOND, read) is None
    assert limits.take(START, Toll(team="T1", app="A1", method="pins.list", unlisted=True)) is None


def test_a_channels_budget_is_the_same_by_id_and_by_name() -> None:
    workspace = Workspace(Seed(apps=(SeedApp(name="sold", unlisted=True),)))
    listed = workspace.apply(0, OPERATOR, "emulator.channels.list", {}).reply["channels"]
    jobs = next(row["id"] for row in listed if row["name"] == "jobs")
    caller = workspace.authorize(workspace.apply(0, OPERATOR, "emulator.apps.list", {}).reply["apps"][0]["bot_token"])
    assert isinstance(caller, Caller)
    tolls = {workspace.toll(caller, "chat.postMessage", {"channel": name}) for name in (jobs, "#jobs", "jobs")}
    assert {(toll.channel, toll.unlisted) for toll in tolls} == {(jobs, True)}
    assert workspace.toll(caller, "users.list", {}).whole
    assert not workspace.toll(caller, "users.list", {"limit": 10}).whole


def test_a_direct_messages_budget_is_the_same_by_id_and_by_user() -> None:
    workspace = Workspace()
    bot = workspace.apply(0, OPERATOR, "emulator.apps.list", {}).reply["apps"][0]
    you = workspace.apply(0, OPERATOR, "emulator.users.list", {}).reply["users"][0]["id"]
    caller = workspace.authorize(bot["bot_token"])
    assert isinstance(caller, Caller)
    direct = workspace.apply(1, caller, "chat.postMessage", {"channel": you, "text": "x"}).reply["channel"]
    assert direct.startswith("D")
    assert {workspace.toll(caller, "chat.postMessage", {"channel": name}).channel for name in (you, direct)} == {direct}
