from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from slackmq.emulator.model import Caller
from slackmq.emulator.seed import Seed
from slackmq.emulator.workspace import OPERATOR, Workspace

Ask = Callable[..., dict[str, Any]]
START = 1_700_000_000


class Slack:
    """A workspace whose clock stands where the test puts it."""

    def __init__(self, seed: Seed | None = None) -> None:
        self.workspace = Workspace(seed)
        self.calls: list[tuple[int, Caller, str, dict[str, Any]]] = []
        self.replies: list[Any] = []
        self.second = START
        app = self.act(OPERATOR, "emulator.apps.list")["apps"][0]
        caller = self.workspace.authorize(app["bot_token"])
        assert isinstance(caller, Caller)
        self.bot = caller
        self.jobs = self.act(OPERATOR, "emulator.channels.list")["channels"][2]["id"]

    def act(self, caller: Caller, method: str, /, **args: Any) -> dict[str, Any]:
        self.calls.append((self.second * 1_000_000, caller, method, args))
        self.replies.append(self.workspace.apply(*self.calls[-1]))
        return dict(self.replies[-1].reply)

    def later(self, seconds: int, text: str = "later", **args: Any) -> dict[str, Any]:
        args = {"channel": self.jobs, "text": text, "post_at": self.second + seconds, **args}
        return self.act(self.bot, "chat.scheduleMessage", **args)

    def pass_to(self, second: int) -> list[str]:
        """Let what is due until then happen at its moment; the texts in the channel, newest first."""
        while (due := self.workspace.next_due()) is not None and due <= second * 1_000_000:
            self.second = due // 1_000_000
            assert self.act(OPERATOR, "emulator.due")["ok"]
        self.second = second
        history = self.act(self.bot, "conversations.history", channel=self.jobs)["messages"]
        return [row["text"] for row in history]


@pytest.fixture
def slack() -> Slack:
    return Slack()


def test_a_scheduled_message_arrives_at_its_time_and_not_before(slack: Slack) -> None:
    assert slack.workspace.next_due() is None
    reply = slack.later(60)
    assert reply["scheduled_message_id"].startswith("Q")
    assert (reply["message"]["type"], reply["message"]["text"]) == ("delayed_message", "later")
    assert slack.workspace.next_due() == (START + 60) * 1_000_000
    assert slack.pass_to(START + 59) == []
    assert slack.pass_to(START + 60) == ["later"]
    assert slack.workspace.next_due() is None
    row = slack.act(slack.bot, "conversations.history", channel=slack.jobs)["messages"][0]
    assert (row["ts"][:10], row["user"]) == (str(START + 60), slack.bot.user)


def test_those_that_are_due_arrive_in_the_order_of_their_times_and_tell_of_themselves(slack: Slack) -> None:
    for seconds in (30, 10, 20):
        slack.later(seconds, str(seconds))
    slack.second += 60
    slack.act(OPERATOR, "emulator.due")
    assert slack.pass_to(slack.second) == ["30", "20", "10"]
    told = [event.inner["text"] for outcome in slack.replies for event in outcome.events]
    assert told == ["10", "20", "30"]


def test_what_waits_is_listed_for_its_author_alone_and_can_be_taken_back_once(slack: Slack) -> None:
    person = slack.workspace.authorize(slack.act(OPERATOR, "emulator.users.list")["users"][0]["token"])
    assert isinstance(person, Caller)
    ident = slack.later(60)["scheduled_message_id"]
    listed = slack.act(slack.bot, "chat.scheduledMessages.list", channel=slack.jobs)["scheduled_messages"]
    assert [(row["id"], row["post_at"]) for row in listed] == [(ident, START + 60)]
    assert slack.act(person, "chat.scheduledMessages.list")["scheduled_messages"] == []
    assert slack.act(slack.bot, "chat.scheduledMessages.list", oldest=START + 61)["scheduled_messages"] == []
    args = {"channel": slack.jobs, "scheduled_message_id": ident}
    assert slack.act(person, "chat.deleteScheduledMessage", **args)["error"] == "invalid_scheduled_message_id"
    assert slack.act(slack.bot, "chat.deleteScheduledMessage", **args) == {"ok": True}
    assert slack.act(slack.bot, "chat.deleteScheduledMessage", **args)["error"] == "invalid_scheduled_message_id"
    assert slack.pass_to(START + 60) == []


def test_a_message_that_was_posted_can_not_be_taken_back(slack: Slack) -> None:
    ident = slack.later(60)["scheduled_message_id"]
    slack.pass_to(START + 61)
    args = {"channel": slack.jobs, "scheduled_message_id": ident}
    assert slack.act(slack.bot, "chat.deleteScheduledMessage", **args)["error"] == "invalid_scheduled_message_id"


def test_a_scheduled_message_with_metadata_never_arrives_unless_the_bug_is_switched_off() -> None:
    metadata = {"event_type": "job", "event_payload": {"a": 1}}
    for bug, texts in ((True, []), (False, ["later"])):
        slack = Slack(Seed(scheduled_metadata_bug=bug))
        assert slack.later(60, metadata=metadata)["message"]["metadata"] == metadata
        assert slack.pass_to(START + 60) == texts
        assert slack.workspace.next_due() is None


def test_a_scheduled_reply_stands_in_its_thread(slack: Slack) -> None:
    parent = slack.act(slack.bot, "chat.postMessage", channel=slack.jobs, text="parent")["ts"]
    slack.later(60, thread_ts=parent)
    assert slack.pass_to(START + 60) == ["parent"]
    thread = slack.act(slack.bot, "conversations.replies", channel=slack.jobs, ts=parent)["messages"]
    assert [row["text"] for row in thread] == ["parent", "later"]


@pytest.mark.parametrize("deed", ["conversations.archive", "conversations.leave"])
def test_where_its_author_can_not_post_any_more_nothing_arrives(slack: Slack, deed: str) -> None:
    slack.later(60)
    assert slack.act(slack.bot, deed, channel=slack.jobs)["ok"]
    slack.second += 60
    assert slack.act(OPERATOR, "emulator.due") == {"ok": True, "posted": []}


def test_replaying_the_calls_lets_the_same_messages_arrive(slack: Slack) -> None:
    for seconds in (10, 20, 3_000):
        slack.later(seconds)
    slack.pass_to(START + 100)
    fresh = Workspace()
    assert [fresh.apply(*call) for call in slack.calls] == slack.replies
    assert fresh.next_due() == slack.workspace.next_due() == (START + 3_000) * 1_000_000
