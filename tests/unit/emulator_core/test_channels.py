from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from slackmq.emulator.model import Event

Ask = Callable[..., dict[str, Any]]


def subtypes(told: list[Event]) -> list[str]:
    return [event.inner.get("subtype", event.inner["type"]) for event in told]


def test_a_renamed_channel_frees_its_old_name_and_keeps_its_history(bot: Ask, told: list[Event]) -> None:
    channel = bot("conversations.create", name="before")["channel"]["id"]
    ts = bot("chat.postMessage", channel=channel, text="x")["ts"]
    shown = bot("conversations.rename", channel=channel, name="after")["channel"]
    assert (shown["name"], shown["previous_names"]) == ("after", ["before"])
    assert subtypes(told)[-2:] == ["channel_name", "channel_rename"]
    assert bot("chat.postMessage", channel="#before", text="x")["error"] == "channel_not_found"
    assert bot("chat.postMessage", channel="#after", text="x")["channel"] == channel
    assert bot("conversations.create", name="before")["ok"]
    assert ts in [row["ts"] for row in bot("conversations.history", channel=channel)["messages"]]


@pytest.mark.parametrize("what", ["topic", "purpose"])
def test_a_topic_is_set_shown_and_announced(bot: Ask, jobs: str, told: list[Event], what: str) -> None:
    method = f"conversations.set{what.capitalize()}"
    assert bot(method, channel=jobs, **{what: "a < b"})["channel"][what]["value"] == "a &lt; b"
    described = bot("conversations.info", channel=jobs)["channel"][what]
    assert (described["value"], described["creator"]) == ("a &lt; b", bot("auth.test")["user_id"])
    assert (told[-1].inner["subtype"], told[-1].inner[what]) == (f"channel_{what}", "a &lt; b")
    assert bot(method, channel=jobs, **{what: "&amp;" * 250})["ok"]
    assert bot(method, channel=jobs, **{what: ""})["channel"][what]["value"] == ""


def test_whoever_is_kicked_is_a_member_no_more(bot: Ask, you: Ask, jobs: str, told: list[Event]) -> None:
    me = you("auth.test")["user_id"]
    assert bot("conversations.kick", channel=jobs, user=me)["ok"]
    assert subtypes(told)[-2:] == ["channel_leave", "member_left_channel"]
    assert me not in bot("conversations.members", channel=jobs)["members"]
    assert you("chat.postMessage", channel=jobs, text="x")["error"] == "not_in_channel"


def test_an_unarchived_channel_takes_messages_again(bot: Ask, jobs: str, told: list[Event]) -> None:
    bot("conversations.archive", channel=jobs)
    assert bot("conversations.unarchive", channel=jobs) == {"ok": True}
    assert subtypes(told)[-2:] == ["channel_unarchive", "channel_unarchive"]
    assert bot("chat.postMessage", channel=jobs, text="x")["ok"]


def test_how_far_one_has_read_is_ones_own(bot: Ask, you: Ask, jobs: str, post: Callable[..., str]) -> None:
    ts = post()
    assert bot("conversations.mark", channel=jobs, ts=ts) == {"ok": True}
    assert bot("conversations.info", channel=jobs)["channel"]["last_read"] == ts
    assert you("conversations.info", channel=jobs)["channel"]["last_read"] == "0000000000.000000"


def test_those_who_can_be_invited_come_although_others_can_not(bot: Ask, you: Ask) -> None:
    channel = bot("conversations.create", name="fresh")["channel"]["id"]
    me = you("auth.test")["user_id"]
    refused = bot("conversations.invite", channel=channel, users=f"U0NONE,{me}")
    wrong = [{"user": "U0NONE", "ok": False, "error": "user_not_found"}]
    assert (refused["error"], refused["errors"]) == ("user_not_found", wrong)
    assert bot("conversations.invite", channel=channel, users=f"U0NONE,{me}", force=True)["errors"] == wrong
    assert me in bot("conversations.members", channel=channel)["members"]


def test_a_users_channels_are_those_that_both_know(bot: Ask, you: Ask, jobs: str) -> None:
    secret = you("conversations.create", name="secret", is_private=True)["channel"]["id"]
    me = you("auth.test")["user_id"]
    every = "public_channel,private_channel"
    assert secret in [row["id"] for row in you("users.conversations", types=every)["channels"]]
    seen = [row["id"] for row in bot("users.conversations", user=me, types=every)["channels"]]
    assert jobs in seen
    assert secret not in seen


def test_links_above_a_channel_come_change_and_go(bot_of: Callable[..., Ask], you: Ask, jobs: str) -> None:
    keeper = bot_of("bookmarks:read", "bookmarks:write")
    link = {"title": "docs", "type": "link", "link": "https://example.com", "emoji": ":eyes:"}
    ident = keeper("bookmarks.add", channel_id=jobs, **link)["bookmark"]["id"]
    assert [row["title"] for row in you("bookmarks.list", channel_id=jobs)["bookmarks"]] == ["docs"]
    changed = you("bookmarks.edit", channel_id=jobs, bookmark_id=ident, title="handbook")["bookmark"]
    assert (changed["title"], changed["link"]) == ("handbook", "https://example.com")
    assert keeper("bookmarks.list", channel_id=jobs)["bookmarks"] == [changed]
    assert keeper("bookmarks.remove", channel_id=jobs, bookmark_id=ident) == {"ok": True}
    assert keeper("bookmarks.list", channel_id=jobs)["bookmarks"] == []
