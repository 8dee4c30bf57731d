from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from slackmq.emulator.model import Event

Ask = Callable[..., dict[str, Any]]
SCOPES = ("chat:write", "im:write", "im:read", "im:history", "mpim:write", "mpim:read", "mpim:history", "users:read")


@pytest.fixture
def friend(bot_of: Callable[..., Ask]) -> Ask:
    """A bot that may write to people."""
    return bot_of(*SCOPES)


@pytest.fixture
def people(operator: Ask) -> list[str]:
    return [row["id"] for row in operator("emulator.users.list")["users"]]


def test_a_direct_message_is_opened_once(friend: Ask, people: list[str]) -> None:
    first = friend("conversations.open", users=people[0], return_im=True)
    assert first["channel"]["id"].startswith("D")
    assert (first["channel"]["is_im"], first["channel"]["user"], "no_op" in first) == (True, people[0], False)
    again = friend("conversations.open", users=people[0])
    assert again == {"ok": True, "no_op": True, "already_open": True, "channel": {"id": first["channel"]["id"]}}


def test_posting_to_a_users_id_opens_the_direct_message(friend: Ask, you: Ask, people: list[str]) -> None:
    channel = friend("chat.postMessage", channel=people[0], text="psst")["channel"]
    assert channel == friend("conversations.open", users=people[0])["channel"]["id"]
    assert you("conversations.history", channel=channel)["messages"][0]["text"] == "psst"
    assert you("chat.postMessage", channel=channel, text="yes?")["ok"]
    shown = you("conversations.info", channel=channel)["channel"]
    assert shown["user"] == friend("auth.test")["user_id"]


def test_nobody_else_knows_of_a_direct_message(friend: Ask, bot: Ask, people: list[str]) -> None:
    channel = friend("conversations.open", users=people[0])["channel"]["id"]
    for method in ("conversations.info", "conversations.history", "conversations.members", "chat.postMessage"):
        assert bot(method, channel=channel, text="x")["error"] == "channel_not_found"


def test_several_people_make_a_group_message(friend: Ask, you: Ask, people: list[str]) -> None:
    channel = friend("conversations.open", users=people, return_im=True)["channel"]
    assert (channel["is_mpim"], channel["name"]) == (True, "mpdm-other--you--colleague-1")
    assert friend("conversations.open", users=people[::-1])["channel"]["id"] == channel["id"]
    assert you("conversations.open", users=[friend("auth.test")["user_id"], people[1]])["already_open"]
    assert len(you("conversations.members", channel=channel["id"])["members"]) == 3


def test_events_of_direct_messages_have_names_of_their_own(friend: Ask, people: list[str], told: list[Event]) -> None:
    friend("chat.postMessage", channel=people[0], text="x")
    group = friend("conversations.open", users=people)["channel"]["id"]
    friend("chat.postMessage", channel=group, text="x")
    assert [(event.subscription, event.inner["channel_type"]) for event in told] == [
        ("message.im", "im"),
        ("message.mpim", "mpim"),
    ]


def test_direct_messages_are_listed_only_if_asked_for(friend: Ask, you: Ask, people: list[str]) -> None:
    channel = friend("conversations.open", users=people[0])["channel"]["id"]
    for method in ("conversations.list", "users.conversations"):
        assert channel not in [row["id"] for row in you(method)["channels"]]
        assert [row["id"] for row in you(method, types="im")["channels"]] == [channel]
    assert friend("conversations.list", types="im,public_channel")["error"] == "missing_scope"


def test_a_closed_direct_message_is_out_of_sight_until_the_next(friend: Ask, you: Ask, people: list[str]) -> None:
    channel = friend("conversations.open", users=people[0])["channel"]["id"]
    assert you("conversations.close", channel=channel) == {"ok": True}
    assert you("conversations.close", channel=channel) == {"ok": True, "no_op": True, "already_closed": True}
    assert you("users.conversations", types="im")["channels"] == []
    friend("chat.postMessage", channel=channel, text="x")
    assert [row["id"] for row in you("users.conversations", types="im")["channels"]] == [channel]


def test_a_scope_for_channels_opens_no_direct_message(bot: Ask, people: list[str]) -> None:
    reply = bot("conversations.open", users=people[0])
    assert (reply["error"], reply["needed"]) == ("missing_scope", "im:write")
