"""Each error that Slack documents is reached by a call, or has a reason why no state of this workspace causes it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from slackmq.emulator.methods import METHODS
from slackmq.emulator.model import Caller
from slackmq.emulator.seed import QUEUE_SCOPES, Seed, SeedApp, SeedPerson
from slackmq.emulator.workspace import OPERATOR, Workspace

Line = tuple[str, str, dict[str, Any]]

SCOPES = (
    *QUEUE_SCOPES,
    *("bookmarks:read", "bookmarks:write", "canvases:write", "conversations.connect:manage"),
    *("conversations.connect:write", "im:write", "links:write", "mpim:write", "usergroups:read"),
    *("users.profile:read", "users:read.email"),
)
SEED = Seed(
    people=(SeedPerson(name="you"), SeedPerson(name="guest", guest="restricted")),
    apps=(SeedApp(name="bot", scopes=SCOPES), SeedApp(name="crier")),
    emoji_per_message=2,
    reactions_per_user=1,
    pins_per_channel=1,
    metadata_size=100,
    edit_window=10_000,
    visible_days=90,
)
START = 1_700_000_000


def _reached() -> dict[str, list[Line]]:
    spec = importlib.util.spec_from_file_location("refusals", Path(__file__).with_name("refusals.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    lines: dict[str, list[Line]] = module.REACHED
    return lines


REACHED = _reached()
DOCUMENTED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "slack-methods.json").read_text(encoding="utf-8")
)
FAMILIES = frozenset(
    {
        *("api", "auth", "bookmarks", "bots", "chat", "conversations", "emoji", "pins", "reactions", "stars", "team"),
        *("usergroups", "users"),
    }
)
OURS = {name: facts for name, facts in DOCUMENTED.items() if name.partition(".")[0] in FAMILIES}

BEYOND = {
    "other organizations": {
        *("already_approved", "approval_inactive", "approval_not_found", "cannot_bookmark_from_external_org"),
        *("cannot_bookmark_restricted_sharing_enabled", "cannot_share_cross_workspace_channel"),
        *("cannot_share_mandatory_channel", "channel_conversion_in_progress", "channel_is_limited_access"),
        *("connection_limit_exceeded", "connection_limit_exceeded_pending", "email_does_not_match"),
        *("enterprise_not_found", "external_channel_migrating", "failed_to_start_trial"),
        *("has_already_connected_to_org", "inactive_invite", "invalid_action", "invalid_emoji_not_allowed"),
        *("invalid_host_team", "invalid_privacy", "invalid_recipient_team", "invalid_target_team"),
        *("invite_from_same_org", "invite_lookup_error", "invite_used", "is_pending_connected_to_org"),
        *("legacy_connection_invalid_org", "legacy_connection_limit_exceeded", "member_limit_exceeded"),
        *("missing_target_team", "no_external_invite_permission", "not_allowed_for_grid_workspace", "not_owner"),
        *("org_not_found", "org_user_not_in_team", "team_not_on_enterprise", "user_cannot_create_channel"),
        *("user_required_to_accept_as_private_but_cannot", "message_too_long", "url_in_message"),
    },
    "files, canvases and folders, which messages here do not have": {
        *("blocked_file_type", "canvas_creation_failed", "canvas_disabled_user_team", "canvas_tab_creation_failed"),
        *("channel_canvas_already_exists", "channel_canvas_creation_failed", "file_already_added"),
        *("file_deleted", "file_is_deleted", "file_not_shared", "file_share_limit_reached"),
        *("free_team_canvas_tab_already_exists", "invalid_child_type", "max_file_sharing_exceeded"),
        *("missing_file_data", "parent_bookmark_disabled", "parent_with_link", "too_many_tabs"),
        *("too_many_contact_cards", "unable_to_share_files", "list_record_comment_fetch_failed", "not_reactable"),
        *("invalid_app_action_type", "invalid_shortcut_type"),
    },
    "tokens of a whole organization or of old apps": {
        *("as_user_not_supported", "bad_token", "invalid_token", "missing_argument", "not_bearer_token"),
        *("limit_required", "metadata_must_be_sent_from_app", "missing_user", "bots_not_found"),
        "fail_to_get_teams_for_restricted_user",
    },
    "drafts, assistants, link previews and schemas of other products": {
        *("block_mismatch", "cannot_auth_user", "cannot_find_service", "cannot_prompt", "draft_already_deleted"),
        *("draft_already_sent", "draft_has_conflict", "draft_not_found", "invalid_metadata_schema"),
        *("no_dual_broadcast_content_update", "streaming_state_conflict"),
    },
    "preferences of a workspace's owners that this one does not have": {
        *("cannot_create_channel", "cant_archive_required", "invitee_cant_see_channel", "messages_tab_disabled"),
        *("no_access", "no_channel", "not_permitted", "not_supported", "posting_to_channel_denied"),
        *("user_does_not_own_channel", "restricted_action"),
    },
    "numbers that Slack does not publish": {
        *("attachment_payload_limit_exceeded", "message_limit_exceeded", "too_many_members"),
    },
    "Slack's own trouble, and the rate limits' other name": {
        *("fetch_members_failed", "not_implemented", "rate_limited", "ratelimit", "too_many_requests"),
        *("unable_to_fetch_custom_emojis", "update_failed"),
    },
    "undocumented ways to get there": {
        *("duplicate_channel_not_found", "duplicate_message_not_found", "invalid_name", "invalid_link", "not_pinned"),
        *("method_not_supported_for_channel_type", "invalid_metadata_format", "invalid_bookmark_type"),
    },
}
"""Why -> the errors, unless a call reaches them after all."""
BEYOND_FOR_ONE = {
    # A pin with `file` alone gets no_item_specified (seen by a live test of Slack's Java SDK).
    "pins.add": {"file_not_found"},
    "pins.remove": {"file_not_found", "file_comment_not_found"},
    "chat.update": {"file_not_found", "team_not_found"},
    "chat.postMessage": {"team_not_found"},
    "bookmarks.add": {"file_not_found"},
    "bookmarks.remove": {"user_not_found"},
    "team.info": {"user_not_found"},
    "usergroups.list": {"invalid_cursor", "users_not_found"},
    # There are no invitations, so nothing about one can be wrong.
    "conversations.acceptSharedInvite": {
        *("invalid_name_maxlength", "invalid_name_punctuation", "invalid_name_required", "invalid_name_specials"),
        *("name_taken", "not_paid", "team_not_found", "user_is_restricted", "user_not_found"),
    },
    "conversations.approveSharedInvite": {"channel_not_found", "not_paid"},
    "conversations.declineSharedInvite": {"not_paid"},
    "conversations.inviteShared": {"already_in_channel", "invite_not_found"},
}


class Town:
    """A workspace in which something of every kind stands, by name."""

    def __init__(self) -> None:
        self.workspace = Workspace(SEED)
        self.now = START * 1_000_000
        apps = self.act(OPERATOR, "emulator.apps.list")["apps"]
        people = self.act(OPERATOR, "emulator.users.list")["users"]
        self.callers: dict[str, Caller] = {}
        for row in (*apps, *people):
            caller = self.workspace.authorize(row.get("bot_token") or row["token"])
            assert isinstance(caller, Caller)
            self.callers[row["name"]] = caller
        self.things: dict[str, object] = {name: caller.user for name, caller in self.callers.items()}
        self.settle()

    def act(self, caller: Caller, method: str, /, **args: object) -> dict[str, Any]:
        self.now += 1_000_000
        return dict(self.workspace.apply(self.now, caller, method, args).reply)

    def ask(self, who: str, method: str, args: dict[str, Any]) -> dict[str, Any]:
        named = {key: self.named(value) for key, value in args.items()}
        return self.act(self.callers.get(who, OPERATOR), method, **named)

    def named(self, value: Any) -> Any:
        if not isinstance(value, str) or "$" not in value:
            return value
        if value.removeprefix("$") in self.things:
            return self.things[value.removeprefix("$")]
        return ",".join(str(self.things[part.removeprefix("$")]) for part in value.split(","))

    def do(self, thing: str, who: str, method: str, *path: str, **args: Any) -> None:
        """Do something that must work, and remember what it made by a name."""
        reply: Any = self.ask(who, method, args)
        assert reply["ok"], (method, args, reply)
        for key in path:
            reply = reply[key]
        self.things[thing] = reply

    def settle(self) -> None:
        for row in self.act(OPERATOR, "emulator.channels.list")["channels"]:
            self.things[row["name"]] = row["id"]
        self.do("_", "bot", "conversations.invite", channel="$jobs", users="$guest")
        for name in ("own", "full", "read_only", "thread_only", "flat", "archived"):
            self.do(name, "bot", "conversations.create", "channel", "id", name=name)
        self.do("foreign", "you", "conversations.create", "channel", "id", name="foreign")
        self.do("secret", "you", "conversations.create", "channel", "id", name="secret", is_private=True)
        self.do("single", "", "emulator.users.create", "user", "id", name="single", guest="ultra_restricted")
        self.do("gone", "", "emulator.users.create", "user", "id", name="gone")
        self.do("_", "", "emulator.users.deactivate", user="$gone")
        self.do("_", "bot", "conversations.invite", channel="$own", users="$single")
        self.do("direct", "bot", "conversations.open", "channel", "id", users="$you")
        self.speak()

    def speak(self) -> None:
        self.do("ancient", "bot", "chat.postMessage", "ts", channel="$jobs", text="x")
        self.now += 20_000 * 1_000_000
        self.do("mine", "bot", "chat.postMessage", "ts", channel="$jobs", text="see https://example.com")
        self.do("yours", "you", "chat.postMessage", "ts", channel="$jobs", text="x")
        self.do("pinned", "bot", "chat.postMessage", "ts", channel="$jobs", text="x")
        self.do("locked", "bot", "chat.postMessage", "ts", channel="$jobs", text="x")
        self.do("in_archived", "bot", "chat.postMessage", "ts", channel="$archived", text="x")
        self.do("in_flat", "bot", "chat.postMessage", "ts", channel="$flat", text="x")
        self.do("_", "", "emulator.threads.lock", channel="$jobs", ts="$locked")
        self.do("_", "bot", "conversations.archive", channel="$archived")
        for ts in ("$yours", "$pinned"):
            self.do("_", "bot", "reactions.add", channel="$jobs", timestamp=ts, name="eyes")
        self.do("_", "guest", "reactions.add", channel="$jobs", timestamp="$yours", name="tada")
        self.do("_", "you", "reactions.add", channel="$jobs", timestamp="$mine", name="eyes")
        self.do("_", "bot", "pins.add", channel="$jobs", timestamp="$pinned")
        self.do("notice", "bot", "conversations.history", "messages", channel="$jobs", limit=1)
        self.things["notice"] = self.things["notice"][0]["ts"]  # type: ignore[index]  # the list of one message
        self.do("_", "you", "stars.add", channel="$jobs", timestamp="$yours")
        for rule, channel in (("read_only", "read_only"), ("thread_only", "thread_only"), ("non_threadable", "flat")):
            self.do("_", "", "emulator.channels.restrict", channel=f"${channel}", posting=rule)
        self.things |= {"soon": START + 50_000, "crowded": START + 90_000}
        self.things["large"] = {"event_type": "job", "event_payload": {"a": "x" * 100}}
        for _ in range(30):
            self.do("_", "bot", "chat.scheduleMessage", channel="$full", text="x", post_at="$crowded")
        self.do(
            "later", "bot", "chat.scheduleMessage", "scheduled_message_id", channel="$jobs", text="x", post_at="$soon"
        )
        link = {"title": "docs", "type": "link", "link": "https://example.com"}
        for _ in range(100):
            self.do("link", "bot", "bookmarks.add", "bookmark", "id", channel_id="$full", **link)


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.mark.parametrize("method", REACHED)
def test_a_documented_error_is_what_such_a_call_gets(town: Town, method: str) -> None:
    replies = [(code, town.ask(who, method, args)) for code, who, args in REACHED[method]]
    assert [(code, reply["error"]) for code, reply in replies] == [(code, code) for code, _ in replies]


def test_every_documented_method_of_these_families_is_there() -> None:
    assert OURS.keys() - METHODS.keys() == set()


def test_every_documented_error_is_reached_or_has_a_reason() -> None:
    beyond = {code for codes in BEYOND.values() for code in codes}
    open_ends = {
        (method, code)
        for method, facts in OURS.items()
        for code in facts["errors"]
        if code not in {line[0] for line in REACHED.get(method, ())}
        and code not in beyond | BEYOND_FOR_ONE.get(method, set())
        and not code.startswith("slack_connect_")
    }
    assert open_ends == set()


def test_no_reason_stands_for_an_error_that_nobody_documents() -> None:
    every = {code for facts in OURS.values() for code in facts["errors"]}
    assert {code for codes in BEYOND.values() for code in codes} - every == set()
    assert {
        (method, code)
        for method, codes in BEYOND_FOR_ONE.items()
        for code in codes
        if code not in OURS[method]["errors"]
    } == set()


def test_a_refused_call_changes_nothing(town: Town) -> None:
    state = town.workspace._state
    before = repr(state.channels), repr(state.users), repr(state.scheduled)
    for method, lines in REACHED.items():
        assert [town.ask(who, method, args)["ok"] for _, who, args in lines] == [False] * len(lines), method
    assert (repr(state.channels), repr(state.users), repr(state.scheduled)) == before
