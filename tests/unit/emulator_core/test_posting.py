from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from slackmq.emulator.model import Caller

if TYPE_CHECKING:
    from slackmq.emulator.model import Event
    from slackmq.emulator.workspace import Workspace

Ask = Callable[..., dict[str, Any]]


def test_a_bots_message_looks_like_one_of_todays_apps(bot: Ask, jobs: str) -> None:
    message = bot("chat.postMessage", channel=jobs, text="hello")["message"]
    assert message.keys() == {"type", "text", "user", "ts", "team", "bot_id", "app_id", "bot_profile"}


def test_a_persons_message_carries_a_client_id_and_a_rich_text_block(you: Ask, jobs: str) -> None:
    message = you("chat.postMessage", channel=jobs, text="toggle dining & hall")["message"]
    assert message.keys() == {"type", "text", "user", "ts", "team", "client_msg_id", "blocks"}
    assert message["blocks"][0]["elements"][0]["elements"] == [{"type": "text", "text": "toggle dining & hall"}]


def test_blocks_and_buttons_without_ids_get_some(bot: Ask, jobs: str) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}}
    given = [{"type": "actions", "elements": [button, {**button, "action_id": "mine"}]}, {"type": ["strange"]}]
    block, strange = bot("chat.postMessage", channel=jobs, text="x", blocks=given)["message"]["blocks"]
    drawn, own = (element["action_id"] for element in block["elements"])
    assert (bool(drawn), own, bool(block["block_id"])) == (True, "mine", True)
    assert strange["type"] == ["strange"]


def test_texts_in_blocks_come_back_with_what_slack_adds_where_an_app_left_it_open(bot: Ask, jobs: str) -> None:
    words: dict[str, Any] = {"type": "mrkdwn", "text": "*now*"}
    plain: dict[str, Any] = {"type": "plain_text", "text": "Go"}
    button = {"type": "button", "action_id": "go", "text": plain}
    given = [{"type": "section", "text": words, "fields": [{**words, "verbatim": True}], "accessory": button}]
    (block,) = bot("chat.postMessage", channel=jobs, text="x", blocks=given)["message"]["blocks"]
    assert block["text"] == {**words, "verbatim": False}
    assert block["fields"] == [{**words, "verbatim": True}]
    assert block["accessory"]["text"] == {**plain, "emoji": True}


def test_the_channel_can_be_named_only_when_posting(bot: Ask, jobs: str) -> None:
    assert bot("chat.postMessage", channel="#jobs", text="x")["channel"] == jobs
    assert bot("chat.postMessage", channel="jobs", text="x")["channel"] == jobs
    assert bot("conversations.history", channel="#jobs")["error"] == "channel_not_found"


def test_ts_rises_even_if_the_clock_stands_or_goes_back(workspace: Workspace, operator: Ask) -> None:
    caller = workspace.authorize(operator("emulator.apps.list")["apps"][0]["bot_token"])
    assert isinstance(caller, Caller)
    args = {"channel": "#jobs", "text": "x"}
    stamps = [workspace.apply(now, caller, "chat.postMessage", args).reply["ts"] for now in (5, 5, 4, 1, 9)]
    assert stamps == [
        "0000000000.000005",
        "0000000000.000006",
        "0000000000.000007",
        "0000000000.000008",
        "0000000000.000009",
    ]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("already &amp; &lt;escaped&gt;", "already &amp; &lt;escaped&gt;"),
        ("<@U123ABC> and <!here> and <#C123ABC|jobs>", "<@U123ABC> and <!here> and <#C123ABC|jobs>"),
        ("see https://example.com/a?b=1&c=2.", "see <https://example.com/a?b=1&amp;c=2>."),
        ("<https://example.com|here>", "<https://example.com|here>"),
        ("<script>", "&lt;script&gt;"),
    ],
)
def test_text_is_escaped_and_linked_as_slack_does(bot: Ask, jobs: str, sent: str, stored: str) -> None:
    assert bot("chat.postMessage", channel=jobs, text=sent)["message"]["text"] == stored


def test_parse_none_leaves_addresses_alone(bot: Ask, jobs: str) -> None:
    reply = bot("chat.postMessage", channel=jobs, text="https://example.com", parse="none")
    assert reply["message"]["text"] == "https://example.com"


def test_text_over_40000_characters_loses_its_end_with_a_warning(bot: Ask, jobs: str) -> None:
    reply = bot("chat.postMessage", channel=jobs, text="x" * 41_000)
    assert (reply["ok"], reply["warning"], len(reply["message"]["text"])) == (True, "message_truncated", 40_000)
    assert "warning" not in bot("chat.postMessage", channel=jobs, text="x" * 40_000)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "   "}, "no_text"),
        ({"text": "x", "channel": "C0NONE"}, "channel_not_found"),
        ({"text": "x", "channel": ""}, "channel_not_found"),
        ({"text": "x", "thread_ts": "1600000000.000000"}, "thread_not_found"),
        ({"text": "x", "blocks": "{"}, "invalid_blocks_format"),
        ({"blocks": [{"text": "no type"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"text": "x", "attachments": [{"text": "y"}] * 101}, "too_many_attachments"),
        ({"text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"text": "x", "metadata": "no json"}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_type": "job"}}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_type": "j", "event_payload": {"a": "x" * 20_000}}}, "metadata_too_large"),
    ],
)
def test_a_post_that_slack_refuses_changes_nothing(bot: Ask, jobs: str, args: dict[str, Any], error: str) -> None:
    assert bot("chat.postMessage", **{"channel": jobs, **args}) == {"ok": False, "error": error}
    assert bot("conversations.history", channel=jobs)["messages"] == []


def test_a_bot_posts_only_where_it_is_a_member(stranger: Ask) -> None:
    assert stranger("chat.postMessage", channel="#general", text="x")["error"] == "not_in_channel"


def test_the_scope_chat_write_public_opens_public_channels(operator: Ask, with_token: Callable[[str], Ask]) -> None:
    app = operator("emulator.apps.install", name="crier", scopes="chat:write,chat:write.public")["app"]
    assert with_token(app["bot_token"])("chat.postMessage", channel="#general", text="x")["ok"]


def test_metadata_is_read_only_by_those_who_ask_for_it(bot: Ask, jobs: str) -> None:
    metadata = {"event_type": "job", "event_payload": {"a": [1, {"b": None}]}}
    assert bot("chat.postMessage", channel=jobs, text="x", metadata=json.dumps(metadata))["ok"]
    brief = bot("conversations.history", channel=jobs)["messages"][0]
    whole = bot("conversations.history", channel=jobs, include_all_metadata="1")["messages"][0]
    assert (brief["metadata"], whole["metadata"]) == ({"event_type": "job"}, metadata)


def test_metadata_whose_type_has_a_dot_is_dropped_silently(bot: Ask, jobs: str) -> None:
    metadata = {"event_type": "my.job", "event_payload": {"a": 1}}
    reply = bot("chat.postMessage", channel=jobs, text="x", metadata=metadata)
    assert reply["ok"]
    assert "metadata" not in reply["message"]


def test_an_event_carries_the_whole_metadata(bot: Ask, jobs: str, told: list[Event]) -> None:
    metadata = {"event_type": "job", "event_payload": {"a": 1}}
    bot("chat.postMessage", channel=jobs, text="x", metadata=metadata)
    assert told[-1].inner["metadata"] == metadata


def test_an_edit_marks_the_message_and_tells_what_it_was(
    bot: Ask, jobs: str, post: Callable[..., str], told: list[Event], row: Callable[[str], dict[str, Any]]
) -> None:
    ts = post("before")
    reply = bot("chat.update", channel=jobs, ts=ts, text="after")
    assert (reply["ts"], reply["text"]) == (ts, "after")
    assert row(ts)["edited"]["user"] == row(ts)["user"]
    inner = told[-1].inner
    assert inner["subtype"] == "message_changed"
    assert (inner["previous_message"]["text"], inner["message"]["text"]) == ("before", "after")
    assert inner["message"]["ts"] == ts < inner["ts"] == inner["event_ts"]


def test_an_edit_keeps_absent_metadata_and_an_empty_one_removes_it(
    bot: Ask, jobs: str, post: Callable[..., str], row: Callable[[str], dict[str, Any]]
) -> None:
    metadata = {"event_type": "job", "event_payload": {"a": 1}}
    ts = post(metadata=metadata)
    bot("chat.update", channel=jobs, ts=ts, text="after")
    assert row(ts)["metadata"] == metadata
    bot("chat.update", channel=jobs, ts=ts, text="after", metadata={})
    assert "metadata" not in row(ts)


def test_a_new_text_without_blocks_removes_the_blocks_and_blocks_alone_do_not_show_as_edited(
    bot: Ask, jobs: str, post: Callable[..., str], row: Callable[[str], dict[str, Any]]
) -> None:
    ts = post(blocks=[{"type": "divider"}])
    bot("chat.update", channel=jobs, ts=ts, blocks=[{"type": "divider"}, {"type": "divider"}])
    assert (len(row(ts)["blocks"]), "edited" in row(ts)) == (2, False)
    bot("chat.update", channel=jobs, ts=ts, text="plain")
    assert "blocks" not in row(ts)


def test_only_the_author_edits_and_deletes(you: Ask, stranger: Ask, jobs: str, post: Callable[..., str]) -> None:
    ts = post()
    for other in (you, stranger):
        assert other("chat.update", channel=jobs, ts=ts, text="x")["error"] == "cant_update_message"
        assert other("chat.delete", channel=jobs, ts=ts)["error"] == "cant_delete_message"


def test_an_edit_of_more_than_4000_characters_is_refused(bot: Ask, jobs: str, post: Callable[..., str]) -> None:
    ts = post()
    assert bot("chat.update", channel=jobs, ts=ts, text="x" * 4_001)["error"] == "msg_too_long"
    assert bot("chat.update", channel=jobs, ts=ts, text="x" * 4_000)["ok"]
    assert bot("chat.update", channel=jobs, ts=ts)["error"] == "no_text"


def test_a_message_is_deleted_once(bot: Ask, jobs: str, post: Callable[..., str], told: list[Event]) -> None:
    ts = post()
    assert bot("chat.delete", channel=jobs, ts=ts)["ok"]
    assert (told[-1].inner["subtype"], told[-1].inner["deleted_ts"]) == ("message_deleted", ts)
    assert bot("chat.delete", channel=jobs, ts=ts)["error"] == "message_not_found"
    assert bot("conversations.history", channel=jobs)["messages"] == []


def test_replies_stand_in_the_thread_and_their_parent_counts_them(
    bot: Ask, you: Ask, jobs: str, post: Callable[..., str], row: Callable[[str], dict[str, Any]]
) -> None:
    parent = post()
    first = post("one", thread_ts=parent)
    last = you("chat.postMessage", channel=jobs, text="two", thread_ts=first)["ts"]
    head = row(parent)
    assert (head["thread_ts"], head["reply_count"], head["reply_users_count"]) == (parent, 2, 2)
    assert head["latest_reply"] == last
    assert [message["ts"] for message in bot("conversations.history", channel=jobs)["messages"]] == [parent]
    thread = bot("conversations.replies", channel=jobs, ts=parent)["messages"]
    assert [message["ts"] for message in thread] == [parent, first, last]
    assert bot("conversations.replies", channel=jobs, ts=first)["messages"] == thread
    assert thread[1]["thread_ts"] == parent
    assert thread[1]["parent_user_id"] == head["user"]


def test_a_parent_without_its_last_reply_keeps_nothing_of_it_but_its_thread_ts(
    bot: Ask, jobs: str, post: Callable[..., str], row: Callable[[str], dict[str, Any]]
) -> None:
    parent = post()
    before = row(parent)
    reply = post(thread_ts=parent)
    bot("chat.delete", channel=jobs, ts=reply)
    assert row(parent) == {**before, "thread_ts": parent}


def test_a_parent_names_five_of_those_who_replied(
    operator: Ask,
    with_token: Callable[[str], Ask],
    jobs: str,
    post: Callable[..., str],
    row: Callable[[str], dict[str, Any]],
) -> None:
    parent = post()
    for number in range(6):
        person = with_token(operator("emulator.users.create", name=f"p{number}")["user"]["token"])
        person("conversations.join", channel=jobs)
        assert person("chat.postMessage", channel=jobs, text="x", thread_ts=parent)["ok"]
    assert (row(parent)["reply_users_count"], len(row(parent)["reply_users"])) == (6, 5)


def test_a_deleted_parent_leaves_a_tombstone_until_its_last_reply_goes(
    bot: Ask, jobs: str, post: Callable[..., str], row: Callable[[str], dict[str, Any]]
) -> None:
    parent = post()
    reply = post(thread_ts=parent)
    bot("chat.delete", channel=jobs, ts=parent)
    assert (row(parent)["subtype"], row(parent)["reply_count"]) == ("tombstone", 1)
    bot("chat.delete", channel=jobs, ts=reply)
    assert bot("conversations.history", channel=jobs)["messages"] == []


def test_a_broadcast_reply_is_shown_in_the_channel_too(bot: Ask, jobs: str, post: Callable[..., str]) -> None:
    parent = post()
    reply = post(thread_ts=parent, reply_broadcast="true")
    newest = bot("conversations.history", channel=jobs)["messages"][0]
    assert (newest["ts"], newest["subtype"], newest["root"]["ts"]) == (reply, "thread_broadcast", parent)


def test_a_permalink_leads_to_the_message_or_into_its_thread(bot: Ask, jobs: str, post: Callable[..., str]) -> None:
    parent = post()
    reply = post(thread_ts=parent)
    link = bot("chat.getPermalink", channel=jobs, message_ts=parent)["permalink"]
    assert link == f"https://local.slack.com/archives/{jobs}/p{parent.replace('.', '')}"
    assert bot("chat.getPermalink", channel=jobs, message_ts=reply)["permalink"].endswith(
        f"thread_ts={parent}&cid={jobs}"
    )
