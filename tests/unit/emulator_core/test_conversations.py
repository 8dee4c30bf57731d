from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from slackmq.emulator.model import Event

Ask = Callable[..., dict[str, Any]]


def test_a_new_channel_belongs_to_its_creator(bot: Ask) -> None:
    channel = bot("conversations.create", name="night-shift")["channel"]
    assert (channel["name"], channel["is_member"], channel["is_private"]) == ("night-shift", True, False)
    assert bot("conversations.members", channel=channel["id"])["members"] == [bot("auth.test")["user_id"]]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("jobs", "name_taken"),
        ("", "invalid_name_required"),
        ("x" * 81, "invalid_name_maxlength"),
        ("Jobs", "invalid_name_specials"),
        ("two words", "invalid_name_specials"),
        ("a.b", "invalid_name_specials"),
        ("--_", "invalid_name_punctuation"),
    ],
)
def test_a_channels_name_is_checked(bot: Ask, name: str, error: str) -> None:
    assert bot("conversations.create", name=name)["error"] == error


def test_a_private_channel_does_not_exist_for_others(bot: Ask, you: Ask) -> None:
    private = you("conversations.create", name="secret", is_private="true")["channel"]["id"]
    for method in ("conversations.info", "conversations.history", "conversations.join", "conversations.members"):
        assert bot(method, channel=private)["error"] == "channel_not_found"
    types = {"types": "public_channel,private_channel"}
    assert private not in [channel["id"] for channel in bot("conversations.list", **types)["channels"]]
    assert you("conversations.invite", channel=private, users=bot("auth.test")["user_id"])["ok"]
    assert private in [channel["id"] for channel in bot("conversations.list", **types)["channels"]]
    assert bot("chat.postMessage", channel=private, text="x")["ok"]


def test_events_of_a_private_channel_go_by_message_groups(bot: Ask, told: list[Event]) -> None:
    private = bot("conversations.create", name="secret", is_private=True)["channel"]["id"]
    bot("chat.postMessage", channel=private, text="x")
    assert (told[-1].subscription, told[-1].inner["channel_type"]) == ("message.groups", "group")


def test_joining_is_announced_and_joining_again_warns(stranger: Ask, operator: Ask, told: list[Event]) -> None:
    general = operator("emulator.channels.list")["channels"][0]["id"]
    assert stranger("conversations.join", channel=general)["channel"]["is_member"]
    assert [event.inner.get("subtype", event.inner["type"]) for event in told[-2:]] == [
        "channel_join",
        "member_joined_channel",
    ]
    before = len(told)
    assert stranger("conversations.join", channel=general)["warning"] == "already_in_channel"
    assert len(told) == before


def test_leaving_ends_membership_and_leaving_again_says_so(bot: Ask, jobs: str, operator: Ask) -> None:
    assert bot("conversations.leave", channel=jobs) == {"ok": True}
    assert bot("conversations.leave", channel=jobs) == {"ok": True, "not_in_channel": True}
    assert bot("chat.postMessage", channel=jobs, text="x")["error"] == "not_in_channel"
    general = operator("emulator.channels.list")["channels"][0]["id"]
    assert bot("conversations.leave", channel=general)["error"] == "cant_leave_general"


def test_the_last_member_of_a_private_channel_stays(bot: Ask) -> None:
    private = bot("conversations.create", name="secret", is_private=True)["channel"]["id"]
    assert bot("conversations.leave", channel=private)["error"] == "last_member"


def test_who_can_not_be_invited(bot: Ask, you: Ask, jobs: str) -> None:
    def invite(**args: object) -> object:
        return bot("conversations.invite", channel=jobs, **args)["error"]

    assert invite() == "no_user"
    assert invite(users=bot("auth.test")["user_id"]) == "cant_invite_self"
    assert invite(users="U0NONE") == "user_not_found"
    assert invite(users=["U0NONE"]) == "user_not_found"
    assert invite(users=you("auth.test")["user_id"]) == "already_in_channel"


def test_an_archived_channel_takes_nothing_more(
    bot: Ask, jobs: str, post: Callable[..., str], told: list[Event]
) -> None:
    ts = post()
    assert bot("conversations.archive", channel=jobs) == {"ok": True}
    assert told[-1].subscription == "channel_archive"
    assert bot("conversations.archive", channel=jobs)["error"] == "already_archived"
    for method, args in {
        "chat.postMessage": {"text": "x"},
        "reactions.add": {"timestamp": ts, "name": "x"},
        "reactions.remove": {"timestamp": ts, "name": "x"},
        "pins.add": {"timestamp": ts},
        "conversations.join": {},
        "conversations.leave": {},
    }.items():
        assert bot(method, channel=jobs, **args)["error"] == "is_archived", method
    assert bot("chat.update", channel=jobs, ts=ts, text="x")["error"] == "is_inactive"
    assert bot("conversations.history", channel=jobs)["ok"]
    assert bot("conversations.create", name="jobs")["error"] == "name_taken"


def test_the_general_channel_can_not_be_archived(bot: Ask, operator: Ask) -> None:
    general = operator("emulator.channels.list")["channels"][0]["id"]
    assert bot("conversations.archive", channel=general)["error"] == "cant_archive_general"


def test_channels_are_listed_in_pages(bot: Ask) -> None:
    first = bot("conversations.list", limit="2")
    cursor = first["response_metadata"]["next_cursor"]
    second = bot("conversations.list", limit=2, cursor=cursor)
    names = [channel["name"] for channel in first["channels"] + second["channels"]]
    assert names == ["general", "homeops", "jobs"]
    assert second["response_metadata"]["next_cursor"] == ""


def test_lists_refuse_what_makes_no_sense(bot: Ask, jobs: str) -> None:
    assert bot("conversations.list", types="dungeon")["error"] == "invalid_types"
    assert bot("conversations.list", limit=1001)["error"] == "invalid_limit"
    assert bot("conversations.list", limit=-1)["error"] == "invalid_limit"
    assert bot("conversations.members", channel=jobs, cursor="x")["error"] == "invalid_cursor"


def test_a_list_leaves_archived_channels_out_if_asked(bot: Ask, jobs: str) -> None:
    bot("conversations.archive", channel=jobs)
    assert jobs in [channel["id"] for channel in bot("conversations.list")["channels"]]
    assert jobs not in [channel["id"] for channel in bot("conversations.list", exclude_archived="1")["channels"]]


def test_info_counts_the_members_if_asked(bot: Ask, jobs: str) -> None:
    assert "num_members" not in bot("conversations.info", channel=jobs)["channel"]
    assert bot("conversations.info", channel=jobs, include_num_members=True)["channel"]["num_members"] == 3
