from __future__ import annotations

from typing import Any

import pytest

from slackmq.slack.api import Added, Arrived, Changed, Deleted, HomeOpened, Metadata
from slackmq.slack.rows import event, in_channel, pressed, row

SAID = {"type": "message", "user": "U1", "text": "hi &amp; bye", "ts": "1700000000.000100", "channel": "C1"}
POSTED = SAID | {"bot_id": "B1", "metadata": {"event_type": "mq", "event_payload": {"key": "k"}}}


def callback(**inner: Any) -> dict[str, Any]:
    return {"type": "event_callback", "event": inner}


def test_a_row_carries_what_history_shows() -> None:
    seen = row(
        POSTED
        | {
            "edited": {"user": "U1", "ts": "1700000009.000000"},
            "thread_ts": SAID["ts"],
            "reply_count": 2,
            "latest_reply": "1700000010.000000",
            "reactions": [{"name": "clock1", "users": ["U1", "U2"], "count": 2}],
        }
    )
    assert (seen.ts, seen.user, seen.bot, seen.text) == ("1700000000.000100", "U1", "B1", "hi & bye")
    assert seen.edited
    assert seen.reactions == {"clock1": frozenset({"U1", "U2"})}
    assert (seen.thread, seen.replies, seen.latest_reply) == (seen.ts, 2, "1700000010.000000")
    assert seen.metadata == Metadata(type="mq", payload={"key": "k"})
    assert in_channel(seen)


def test_a_bare_row_has_no_author_and_no_metadata() -> None:
    seen = row({"ts": "1.000000"})
    assert (seen.user, seen.bot, seen.subtype, seen.thread, seen.metadata, seen.edited) == (
        "",
        None,
        None,
        None,
        None,
        False,
    )


def test_a_message_without_a_timestamp_is_none() -> None:
    with pytest.raises(KeyError):
        row({"text": "hi"})


@pytest.mark.parametrize("subtype", [None, "bot_message", "thread_broadcast", "file_share", "me_message"])
def test_what_somebody_says_arrives(subtype: str | None) -> None:
    happened = event(callback(**SAID, subtype=subtype))
    assert isinstance(happened, Arrived)
    assert (happened.channel, happened.row.text, happened.redelivered) == ("C1", "hi & bye", False)


@pytest.mark.parametrize("subtype", ["channel_join", "pinned_item", "channel_topic", "bot_add", "message_replied"])
def test_a_notice_of_slack_does_not_arrive(subtype: str) -> None:
    assert event(callback(**SAID, subtype=subtype)) is None


def test_a_repeated_envelope_is_marked() -> None:
    happened = event(callback(**POSTED), redelivered=True)
    assert isinstance(happened, Arrived)
    assert happened.redelivered


def test_a_thread_reply_is_no_message_of_the_channel() -> None:
    assert event(callback(**SAID, thread_ts="1600000000.000000")) is None


def test_a_broadcast_reply_is_a_message_of_the_channel() -> None:
    happened = event(callback(**SAID, thread_ts="1600000000.000000", subtype="thread_broadcast"))
    assert isinstance(happened, Arrived)


def test_an_edit_shows_how_the_message_stands_now() -> None:
    inner = SAID | {"edited": {"user": "U1", "ts": "1700000005.000000"}, "text": "new"}
    happened = event(
        callback(type="message", subtype="message_changed", channel="C1", message=inner, ts="1700000005.1")
    )
    assert isinstance(happened, Changed)
    assert (happened.row.ts, happened.row.text, happened.row.edited) == (SAID["ts"], "new", True)


def test_a_parent_deleted_under_its_thread_is_deleted() -> None:
    inner = {"subtype": "tombstone", "ts": "1700000000.000100", "thread_ts": "1700000000.000100"}
    assert event(callback(type="message", subtype="message_changed", channel="C1", message=inner)) == Deleted(
        channel="C1", ts="1700000000.000100"
    )


def test_a_deletion_names_the_message() -> None:
    gone = callback(
        type="message", subtype="message_deleted", channel="C1", deleted_ts=SAID["ts"], previous_message=SAID
    )
    assert event(gone) == Deleted(channel="C1", ts="1700000000.000100")


@pytest.mark.parametrize("subtype", ["message_changed", "message_deleted"])
def test_what_happens_to_a_reply_is_nothing_to_the_channel(subtype: str) -> None:
    reply = SAID | {"thread_ts": "1600000000.000000"}
    inner = {"message": reply, "previous_message": reply, "deleted_ts": reply["ts"]}
    assert event(callback(type="message", subtype=subtype, channel="C1", **inner)) is None


def test_a_reaction_on_a_message_is_added() -> None:
    item = {"type": "message", "channel": "C1", "ts": "1700000000.000100"}
    assert event(callback(type="reaction_added", user="U1", reaction="clock1", item=item)) == Added(
        channel="C1", ts="1700000000.000100", emoji="clock1", user="U1"
    )


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"event": None},
        {"event": []},
        {"event": "x"},
        callback(type="message"),
        callback(type="message", channel="C1"),
        callback(type="message", subtype="message_changed", channel="C1"),
        callback(type="reaction_added", item={"type": "file"}),
        callback(type="reaction_added"),
        callback(type="app_home_opened"),
    ],
)
def test_an_event_that_cannot_be_read_is_left_out(payload: dict[str, Any]) -> None:
    assert event(payload) is None


PRESS: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "U1"},
    "actions": [{"type": "button", "action_id": "go", "value": "v"}],
}


def test_a_press_in_a_home_tab_has_no_place() -> None:
    happened = pressed(PRESS | {"view": {"id": "V1"}})
    assert happened is not None
    assert (happened.user, happened.action, happened.value) == ("U1", "go", "v")
    assert (happened.channel, happened.ts, happened.thread) == ("", "", None)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        PRESS | {"type": "view_submission"},
        PRESS | {"actions": []},
        PRESS | {"actions": None},
        PRESS | {"user": None},
        PRESS | {"actions": [{"type": "static_select", "action_id": "go"}]},
        PRESS | {"channel": "C1"},
    ],
)
def test_what_is_no_press_of_a_button_is_left_out(payload: dict[str, Any]) -> None:
    assert pressed(payload) is None


def test_of_an_app_s_tabs_only_the_home_tab_counts() -> None:
    assert event(callback(type="app_home_opened", user="U1", tab="home")) == HomeOpened(user="U1")
    assert event(callback(type="app_home_opened", user="U1", tab="messages")) is None
