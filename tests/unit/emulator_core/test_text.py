from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from slackmq.emulator.text import length, shortened, stored

if TYPE_CHECKING:
    from slackmq.emulator.model import Event
    from slackmq.emulator.workspace import Workspace

Ask = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("see example.com/a?b=1&c today", "see <http://example.com/a?b=1&amp;c|example.com/a?b=1&amp;c> today"),
        ("example.com.", "<http://example.com|example.com>."),
        ("sub.domain.example.co.uk", "<http://sub.domain.example.co.uk|sub.domain.example.co.uk>"),
        ("README.md", "<http://README.md|README.md>"),
        ("write to a.b@example.com", "write to <mailto:a.b@example.com|a.b@example.com>"),
        ("cat.png and 1.5.com2 and e.g. this", "cat.png and 1.5.com2 and e.g. this"),
        ("`example.com & co`", "`example.com &amp; co`"),
        ("```\nhttps://example.com <x>\n```", "```\nhttps://example.com &lt;x&gt;\n```"),
        ("@here is no mention", "@here is no mention"),
        ("http://a.com and b.org", "<http://a.com> and <http://b.org|b.org>"),
        ("/usr/lib/x.py", "/usr/lib/x.py"),
    ],
)
def test_bare_domains_and_addresses_become_links_outside_of_code(sent: str, shown: str) -> None:
    assert stored(sent) == shown


def test_storing_what_was_stored_changes_nothing() -> None:
    for text in ("a & b", "see example.com", "https://example.com/?a&b", "`<x>`", "x@example.com"):
        assert stored(stored(text)) == stored(text)


def test_an_escape_counts_as_one_character() -> None:
    assert (length("&amp;&lt;x"), length("&x"), length("&eacute;")) == (3, 2, 8)
    assert shortened("&amp;" * 5, 3) == "&amp;" * 3
    assert shortened("abc", 3) == "abc"


def test_limits_count_what_people_see(bot: Ask, jobs: str, post: Callable[..., str]) -> None:
    ts = post()
    assert bot("chat.update", channel=jobs, ts=ts, text="&lt;" * 4_000)["ok"]
    assert bot("chat.update", channel=jobs, ts=ts, text="&lt;" * 4_001)["error"] == "msg_too_long"
    assert "warning" not in bot("chat.postMessage", channel=jobs, text="&" * 40_000)
    cut = bot("chat.postMessage", channel=jobs, text="&gt;" * 40_001)
    assert (cut["warning"], cut["message"]["text"]) == ("message_truncated", "&gt;" * 40_000)


def test_a_bot_under_another_name_writes_the_old_subtype(bot_of: Callable[..., Ask], you: Ask, jobs: str) -> None:
    dressed = {"username": "robot", "icon_emoji": ":x:"}
    plain = bot_of("chat:write")("chat.postMessage", channel=jobs, text="x", **dressed)["message"]
    assert ("subtype" in plain, "username" in plain) == (False, False)
    robot = bot_of("chat:write", "chat:write.customize", "pins:write", "reactions:write")
    message = robot("chat.postMessage", channel=jobs, text="x", **dressed)["message"]
    assert (message["subtype"], message["username"], message["icons"]) == ("bot_message", "robot", {"emoji": ":x:"})
    assert "user" not in message
    ts = message["ts"]
    for method in ("pins.add", "reactions.add"):
        assert robot(method, channel=jobs, timestamp=ts, name="eyes")["ok"]
    you("chat.postMessage", channel=jobs, text="x", thread_ts=ts)
    robot("chat.postMessage", channel=jobs, text="x", thread_ts=ts, **dressed)
    parent, first, second = you("conversations.replies", channel=jobs, ts=ts)["messages"]
    assert first["parent_user_id"] == message["bot_id"]
    assert parent["reply_users"] == [first["user"], second["bot_id"]]
    assert you("chat.update", channel=jobs, ts=ts, text="y")["error"] == "cant_update_message"
    assert robot("chat.update", channel=jobs, ts=ts, text="y")["ok"]
    assert robot("chat.delete", channel=jobs, ts=ts)["ok"]


def test_what_one_does_has_a_subtype(bot: Ask, jobs: str, told: list[Event]) -> None:
    ts = bot("chat.meMessage", channel="#jobs", text="dances & sings")["ts"]
    assert (told[-1].inner["subtype"], told[-1].inner["text"]) == ("me_message", "dances &amp; sings")
    assert bot("conversations.history", channel=jobs)["messages"][0]["ts"] == ts


def test_a_whisper_is_in_no_history_and_no_app_is_told(
    workspace: Workspace, bot: Ask, you: Ask, jobs: str, told: list[Event]
) -> None:
    me = you("auth.test")["user_id"]
    ts = bot("chat.postEphemeral", channel=jobs, user=me, text="psst")["message_ts"]
    assert bot("conversations.history", channel=jobs)["messages"] == []
    assert [(event.to, workspace.audience(event)) for event in told] == [(me, ())]
    assert bot("chat.update", channel=jobs, ts=ts, text="x")["error"] == "message_not_found"


def test_a_preview_is_an_edit_of_somebody_elses_message(
    bot_of: Callable[..., Ask], you: Ask, jobs: str, told: list[Event]
) -> None:
    ts = you("chat.postMessage", channel=jobs, text="see https://example.com/a")["ts"]
    previewer = bot_of("links:write")
    for text in ("one", "two"):
        unfurls = {"https://example.com/a": {"text": text}}
        assert previewer("chat.unfurl", channel=jobs, ts=ts, unfurls=unfurls)["ok"]
    row = you("conversations.history", channel=jobs)["messages"][0]
    assert [entry["text"] for entry in row["attachments"]] == ["two"]
    assert told[-1].inner["subtype"] == "message_changed"
    assert "edited" not in row


def test_a_reply_can_be_shown_in_the_channel_later(bot: Ask, jobs: str, post: Callable[..., str]) -> None:
    parent = post("parent")
    reply = post("reply", thread_ts=parent)
    later = post("later")
    assert bot("chat.update", channel=jobs, ts=reply, text="reply", reply_broadcast=True)["ok"]
    rows = bot("conversations.history", channel=jobs)["messages"]
    assert [row["ts"] for row in rows] == [later, reply, parent]
    assert rows[1]["subtype"] == "thread_broadcast"
    assert bot("chat.delete", channel=jobs, ts=reply)["ok"]
    assert [row["ts"] for row in bot("conversations.history", channel=jobs)["messages"]] == [later, parent]
