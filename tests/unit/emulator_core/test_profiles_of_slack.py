"""What a plan, a kind of app or an owner's setting changes in an otherwise equal workspace."""

from __future__ import annotations

from typing import Any

import pytest

from slackmq.emulator.model import Caller
from slackmq.emulator.seed import Seed, SeedApp, SeedChannel, SeedPerson
from slackmq.emulator.workspace import OPERATOR, Workspace

START = 1_700_000_000
DAY = 86_400


class Slack:
    """A workspace, its first bot, and a clock that the test moves."""

    def __init__(self, **seed: Any) -> None:
        self.workspace = Workspace(Seed(**seed))
        self.second = START
        caller = self.workspace.authorize(self.as_operator("emulator.apps.list")["apps"][0]["bot_token"])
        assert isinstance(caller, Caller)
        self.caller = caller

    def as_operator(self, method: str, **args: Any) -> dict[str, Any]:
        return dict(self.workspace.apply(self.second * 1_000_000, OPERATOR, method, args).reply)

    def __call__(self, method: str, **args: Any) -> dict[str, Any]:
        args = {"channel": self.jobs, **args}
        return dict(self.workspace.apply(self.second * 1_000_000, self.caller, method, args).reply)

    @property
    def jobs(self) -> str:
        return str(self.as_operator("emulator.channels.list")["channels"][-1]["id"])


def test_the_free_plan_hides_what_is_older_than_90_days() -> None:
    slack = Slack(visible_days=90)
    old = slack("chat.postMessage", text="old")["ts"]
    slack("pins.add", timestamp=old)
    slack("reactions.add", timestamp=old, name="eyes")
    slack.second += 89 * DAY
    new = slack("chat.postMessage", text="new")["ts"]
    before = slack("conversations.history")
    assert ([row["text"] for row in before["messages"]][-1], "is_limited" in before) == ("old", False)
    slack.second += 2 * DAY
    after = slack("conversations.history")
    assert ([row["text"] for row in after["messages"]], after["is_limited"]) == (["new"], True)
    assert "is_limited" not in slack("conversations.history", oldest=new, inclusive=True)
    assert slack("conversations.replies", ts=old)["error"] == "thread_not_found"
    assert slack("reactions.get", timestamp=old)["error"] == "message_not_found"
    assert slack("chat.postMessage", text="x", thread_ts=old)["error"] == "thread_not_found"
    assert slack("pins.list")["items"] == slack("reactions.list")["items"] == []


def test_a_paid_plan_hides_nothing() -> None:
    slack = Slack()
    slack("chat.postMessage", text="old")
    slack.second += 1_000 * DAY
    reply = slack("conversations.history")
    assert ([row["text"] for row in reply["messages"]], "is_limited" in reply) == (["old"], False)


def test_an_app_sold_outside_the_marketplace_gets_15_messages_a_page() -> None:
    slack = Slack(apps=(SeedApp(name="sold", unlisted=True),))
    parent = slack("chat.postMessage", text="x")["ts"]
    for _ in range(20):
        slack("chat.postMessage", text="x")
        slack("chat.postMessage", text="x", thread_ts=parent)
    for limit in ({}, {"limit": 200}):
        for method in ("conversations.history", "conversations.replies"):
            reply = slack(method, ts=parent, **limit)
            assert (len(reply["messages"]), reply["has_more"]) == (15, True), method
    assert len(slack("conversations.history", limit=3)["messages"]) == 3


def test_a_message_can_be_edited_only_within_the_owners_window() -> None:
    slack = Slack(edit_window=60)
    ts = slack("chat.postMessage", text="x")["ts"]
    slack.second += 60
    assert slack("chat.update", ts=ts, text="y")["ok"]
    slack.second += 1
    assert slack("chat.update", ts=ts, text="z")["error"] == "edit_window_closed"
    assert slack("chat.delete", ts=ts)["ok"]


@pytest.mark.parametrize(
    ("rule", "post", "reply"),
    [
        ("read_only", "restricted_action_read_only_channel", "restricted_action_read_only_channel"),
        ("thread_only", "restricted_action_thread_only_channel", None),
        ("non_threadable", None, "restricted_action_non_threadable_channel"),
        ("", None, None),
    ],
)
def test_a_channels_rule_binds_all_but_the_owner(rule: str, post: str | None, reply: str | None) -> None:
    slack = Slack()
    parent = slack("chat.postMessage", text="x")["ts"]
    assert slack.as_operator("emulator.channels.restrict", channel=slack.jobs, posting=rule)["ok"]
    assert slack("chat.postMessage", text="x").get("error") == post
    assert slack("chat.postMessage", text="x", thread_ts=parent).get("error") == reply
    assert slack("conversations.info")["channel"].get(f"is_{rule}", False) is bool(rule)
    slack.caller = Caller(type="user", user=slack("users.list")["members"][0]["id"], scopes=frozenset({"client"}))
    assert slack("chat.postMessage", text="x")["ok"]
    assert (
        slack.as_operator("emulator.channels.restrict", channel=slack.jobs, posting="x")["error"] == "invalid_posting"
    )


def test_a_locked_thread_takes_nothing_more() -> None:
    slack = Slack()
    parent = slack("chat.postMessage", text="x")["ts"]
    reply = slack("chat.postMessage", text="x", thread_ts=parent)["ts"]
    assert slack.as_operator("emulator.threads.lock", channel="#jobs", ts=parent)["ok"]
    assert slack("conversations.replies", ts=parent)["messages"][0]["is_locked"] is True
    assert slack("chat.postMessage", text="x", thread_ts=reply)["error"] == "restricted_action_thread_locked"
    for ts in (parent, reply):
        assert slack("reactions.add", timestamp=ts, name="eyes")["error"] == "thread_locked"


def test_two_workspaces_share_no_id_and_no_token() -> None:
    one, two = Slack(), Slack(team="Second", team_id="T0SECOND000", domain="second", secret="another")
    assert (one("team.info")["team"]["id"], two("team.info")["team"]["id"]) == ("T0LOCAL0000", "T0SECOND000")
    assert two.workspace.authorize(one.as_operator("emulator.apps.list")["apps"][0]["bot_token"]) == "invalid_auth"
    assert one.jobs != two.jobs
    assert two("conversations.info", channel=one.jobs)["error"] == "channel_not_found"
    assert two("users.info", user=one.caller.user)["error"] == "user_not_found"
    assert one("chat.getPermalink", message_ts=one("chat.postMessage", text="x")["ts"])["permalink"].startswith(
        "https://local.slack.com/"
    )
    assert [row["id"] for row in two("auth.teams.list")["teams"]] == ["T0SECOND000"]


def test_a_seed_with_guests_and_profiles_survives_json() -> None:
    seed = Seed(
        people=(SeedPerson(name="you"), SeedPerson(name="visitor", email="v@example.com", guest="restricted")),
        apps=(SeedApp(name="sold", unlisted=True),),
        visible_days=90,
        edit_window=5,
        scheduled_metadata_bug=False,
    )
    assert Seed.of_json(seed.as_json()) == seed


def test_a_seed_of_an_older_version_reads_as_it_was_meant() -> None:
    old = Seed().as_json()
    for name in ("visible_days", "edit_window", "scheduled_metadata_bug"):
        del old[name]
    old["people"] = [{"name": person["name"]} for person in old["people"]]
    for app in old["apps"]:
        del app["unlisted"]
    assert Seed.of_json(old) == Seed()


def test_a_guest_is_in_no_channel_that_is_for_everybody() -> None:
    guest = SeedPerson(name="visitor", guest="restricted")
    slack = Slack(people=(SeedPerson(name="you"), guest), channels=(SeedChannel(name="jobs"),))
    people = {row["name"]: row["id"] for row in slack.as_operator("emulator.users.list")["users"]}
    assert people["you"] in slack("conversations.members")["members"]
    assert people["visitor"] not in slack("conversations.members")["members"]
