"""Any method with any arguments: never an exception, always Slack's shape of an answer, and the same on replay."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slackmq.emulator.methods import METHODS
from slackmq.emulator.model import Caller
from slackmq.emulator.seed import Seed, SeedApp, SeedPerson
from slackmq.emulator.workspace import NOBODY, OPERATOR, Workspace

START = 1_700_000_000_000_000
SEED = Seed(
    people=(SeedPerson(name="you"), SeedPerson(name="guest", guest="restricted")),
    apps=(
        SeedApp(name="bot", scopes=tuple(sorted({scope for method in METHODS.values() for scope in method.accepted}))),
        SeedApp(name="sold", scopes=("channels:history", "chat:write"), unlisted=True),
    ),
    visible_days=90,
)
SPACE = Workspace(SEED)


def _callers() -> list[Caller]:
    apps = SPACE.apply(START, OPERATOR, "emulator.apps.list", {}).reply["apps"]
    people = SPACE.apply(START, OPERATOR, "emulator.users.list", {}).reply["users"]
    tokens = [*(app["bot_token"] for app in apps), *(person["token"] for person in people), apps[0]["app_token"]]
    found = [caller for caller in map(SPACE.authorize, tokens) if isinstance(caller, Caller)]
    return [*found, NOBODY, OPERATOR]


CALLERS = _callers()
CHANNELS = [row["id"] for row in SPACE.apply(START, OPERATOR, "emulator.channels.list", {}).reply["channels"]]
STAMPS = [f"{1_700_000_000 + 5 * turn}.{again:06d}" for turn in range(10) for again in range(3)]
NAMES = [
    *("app", "as_user", "attachments", "blocks", "bookmark_id", "bot", "channel", "channel_id", "channels"),
    *("client_msg_id", "count", "cursor", "domain", "email", "emails", "emoji", "entity_id", "error"),
    *("events", "exclude_archived", "file", "force", "guest", "icon_emoji", "icon_url"),
    *("include_all_metadata", "include_categories", "include_num_members", "inclusive", "is_private"),
    *("latest", "limit", "link", "markdown_text", "message_ts", "metadata", "metadata_keys_to_include"),
    *("name", "oldest", "page", "parse", "post_at", "posting", "presence", "prevent_creation", "profile"),
    *("purpose", "reply_broadcast", "return_im", "scheduled_message_id", "scopes", "source", "team_id"),
    *("test", "text", "thread_ts", "timestamp", "title", "topic", "ts", "type", "types", "unfurl_id"),
    *("unfurls", "url", "user", "user_ids", "username", "users", "value"),
    *("action_id", "alt_txt", "block_id", "callback_id", "delete_original", "external_id", "failure", "filename"),
    *("files", "hash", "initial_comment", "interaction", "interactivity_pointer", "key", "length", "manifest"),
    *("parent_id", "path", "payload", "replace_original", "response_type", "snippet_type", "trigger_id", "ts_from"),
    *("ts_to", "user_id", "values", "view", "view_id"),
]
PLAUSIBLE: list[dict[str, Any]] = [
    {},
    {"channel": CHANNELS[0], "text": "x"},
    {"channel": CHANNELS[0], "ts": STAMPS[0], "timestamp": STAMPS[0], "name": "eyes", "text": "y"},
    {"channel": CHANNELS[0], "text": "later", "post_at": 1_700_000_040},
    {"users": CALLERS[2].user, "return_im": True},
    {"filename": "a.txt", "length": 5, "file": "F0", "files": [{"id": "F0", "title": "a"}], "channel_id": CHANNELS[0]},
    {"user_id": CALLERS[2].user, "view": {"type": "home", "blocks": [{"type": "divider"}]}},
    {"view_id": "V0", "view": {"type": "modal", "title": {"type": "plain_text", "text": "t"}, "blocks": []}},
    {"user": CALLERS[2].user, "app": CALLERS[0].app, "text": "/deploy now", "channel": CHANNELS[0], "action_id": "go"},
]
"""What many calls must have to get anywhere."""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
telling = st.sampled_from(
    [
        *CHANNELS,
        *STAMPS,
        *(caller.user for caller in CALLERS),
        *("#jobs", "eyes", "link", "https://example.com", "public_channel,im", "auto", "x", "1", "0", "now"),
        *("1700000100", '{"event_type": "a", "event_payload": {}}', '[{"type": "divider"}]', "b2Zmc2V0OjE=", "\ud800"),
    ]
)
values = telling | json_values | json_values.map(json.dumps)
methods = st.sampled_from(sorted({*METHODS, "no.such", ""}))
arguments = st.builds(
    lambda known, more: known | more,
    st.sampled_from(PLAUSIBLE),
    st.dictionaries(st.sampled_from(NAMES), values, max_size=5),
)
calls = st.tuples(st.sampled_from(CALLERS), methods, arguments)


def is_slacks(reply: Any) -> bool:
    """An object with `ok`; `error` if and only if it is false; and nothing in it that JSON does not know."""
    json.dumps(reply)
    return isinstance(reply["ok"], bool) and ("error" in reply) is not reply["ok"]


@settings(max_examples=100, deadline=None)
@given(st.lists(calls, min_size=1, max_size=25))
def test_no_sequence_of_calls_breaks_the_workspace(sequence: list[tuple[Caller, str, dict[str, Any]]]) -> None:
    space, again = Workspace(SEED), Workspace(SEED)
    for number, (caller, method, args) in enumerate(sequence):
        now = START + number * 5_000_000
        outcome = space.apply(now, caller, method, args)
        assert is_slacks(outcome.reply)
        assert outcome.reply["ok"] or outcome.events == ()
        space.toll(caller, method, args)
        for event in outcome.events:
            for app in space.audience(event):
                json.dumps(space.wrap(event, app, now))
        journaled = json.loads(json.dumps(args))  # what the data file gives back
        assert repr(again.apply(now, caller, method, journaled)) == repr(outcome)


@pytest.mark.parametrize("method", sorted(METHODS))
@settings(max_examples=20, deadline=None)
@given(caller=st.sampled_from(CALLERS), args=arguments)
def test_every_method_takes_any_arguments(method: str, caller: Caller, args: dict[str, Any]) -> None:
    assert is_slacks(Workspace(SEED).apply(START, caller, method, args).reply)


def test_arguments_of_any_depth_are_refused_and_not_followed() -> None:
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    bot = CALLERS[0]
    for name in ("blocks", "attachments", "metadata", "users", "profile", "unfurls"):
        for method in ("chat.postMessage", "chat.update", "chat.unfurl", "users.profile.set", "conversations.invite"):
            reply = SPACE.apply(START, bot, method, {"channel": CHANNELS[0], "ts": STAMPS[0], name: deep}).reply
            assert reply["ok"] is False
