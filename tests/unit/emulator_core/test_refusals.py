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
DOCUMENTED["users.profile.set"] = {
    "errors": [
        *("cannot_update_admin_user", "email_taken", "invalid_emoji_not_allowed", "invalid_ooo_message"),
        *("invalid_profile", "invalid_starts_with_at", "must_clear_both_status_text_and_status_emoji"),
        *("name_not_allowed", "not_admin", "not_app_admin", "partial_profile_set_failed", "permission_denied"),
        *("profile_set_failed", "reserved_name", "sudo_required", "too_long", "username_same"),
    ]
}
"""docs.slack.dev, users.profile.set, in 2026: this method is not among those of the data."""
FAMILIES = frozenset(
    {
        *("api", "auth", "bookmarks", "bots", "chat", "conversations", "emoji", "pins", "reactions", "stars", "team"),
        *("usergroups", "users"),
    }
)
OURS = {name: facts for name, facts in DOCUMENTED.items() if name.partition(".")[0] in FAMILIES}

CONNECT = "no other organization is connected to this workspace: "
INVITES = "an invitation exists only between organizations: "
OLD = "a token of this kind is not handed out here: "
ABSENT = "this workspace has none of "
FAILS = "Slack's own machinery fails, which faults say as 5xx: "
UNKNOWN = "what leads to it is not documented: "

BEYOND = {
    # conversations of several organizations
    "cannot_bookmark_from_external_org": CONNECT + "who bookmarks is of this one",
    "cannot_bookmark_restricted_sharing_enabled": CONNECT + "restricted sharing is about their files",
    "cannot_share_cross_workspace_channel": CONNECT + "no channel is shared between workspaces",
    "cannot_share_mandatory_channel": CONNECT + "mandatory channels belong to Enterprise organizations",
    "channel_conversion_in_progress": CONNECT + "a channel is converted when it is shared",
    "channel_is_limited_access": ABSENT + "Salesforce's record channels",
    "connection_limit_exceeded": CONNECT + "their number is never reached",
    "connection_limit_exceeded_pending": CONNECT + "none is pending",
    "external_channel_migrating": CONNECT + "no channel moves with one",
    "failed_to_start_trial": CONNECT + "the trial is of a plan with connections",
    "invalid_host_team": CONNECT + "nobody hosts a shared channel",
    "invalid_privacy": CONNECT + "whether a shared channel becomes private is not asked",
    "invalid_recipient_team": CONNECT + "no team receives an invitation",
    "invalid_target_team": CONNECT + "no team is a target",
    "legacy_connection_invalid_org": CONNECT + "nor by the old kind of sharing",
    "legacy_connection_limit_exceeded": CONNECT + "nor by the old kind of sharing",
    "member_limit_exceeded": CONNECT + "members of shared channels are counted",
    "missing_target_team": CONNECT + "several target teams exist in an Enterprise organization",
    "no_external_invite_permission": CONNECT + "nobody from outside can be invited",
    "not_allowed_for_grid_workspace": "this workspace is no part of an Enterprise organization",
    "not_owner": CONNECT + "no channel has an owner elsewhere",
    "org_user_not_in_team": "users of an organization who are in no workspace exist in Enterprise alone",
    "user_required_to_accept_as_private_but_cannot": CONNECT + "nothing is accepted as private",
    # invitations between them
    "already_approved": INVITES + "none waits for approval",
    "approval_inactive": INVITES + "none waits for approval",
    "approval_not_found": INVITES + "none waits for approval; an unknown one gets invite_not_found",
    "email_does_not_match": INVITES + "none is addressed",
    "has_already_connected_to_org": INVITES + "none can be accepted twice",
    "inactive_invite": INVITES + "none can expire",
    "invalid_action": INVITES + "there is nothing to approve or deny",
    "invite_from_same_org": INVITES + "none comes from this one",
    "invite_lookup_error": INVITES + "none is looked up",
    "invite_used": INVITES + "none can be used",
    "is_pending_connected_to_org": INVITES + "none is pending",
    "message_too_long": INVITES + "the words that go with one are not looked at",
    "url_in_message": INVITES + "the words that go with one are not looked at",
    "user_cannot_create_channel": INVITES + "accepting one is what creates the channel",
    # Enterprise
    "enterprise_not_found": "an enterprise is named by the argument of an organization's token only",
    "org_not_found": "an organization is named by the argument of an organization's token only",
    "team_not_on_enterprise": "this workspace is no part of an Enterprise organization",
    "fail_to_get_teams_for_restricted_user": OLD + "one of an organization, of a restricted user",
    "missing_user": OLD + "one of an organization, which must name a user",
    "missing_argument": OLD + "one of an organization, which must name the team_id",
    "limit_required": "the team is too large to list whole; how large is not published",
    # files, canvases, lists
    "blocked_file_type": ABSENT + "the rules by which owners block types of files",
    "canvas_creation_failed": ABSENT + "canvases: the plan does not include them",
    "canvas_disabled_user_team": ABSENT + "canvases: the plan says so by team_tier_cannot_create_channel_canvases",
    "canvas_tab_creation_failed": ABSENT + "canvases: there is no tab for one",
    "channel_canvas_already_exists": ABSENT + "canvases: none is ever made",
    "channel_canvas_creation_failed": ABSENT + "canvases: the plan does not include them",
    "free_team_canvas_tab_already_exists": ABSENT + "canvases: none is ever made",
    "file_already_added": ABSENT + "bookmarks of files: a link is the only type here",
    "file_deleted": "chat.update takes no file_ids here",
    "file_is_deleted": "chat.update takes no file_ids here",
    "file_share_limit_reached": "chat.update takes no file_ids here",
    "max_file_sharing_exceeded": "chat.update takes no file_ids here",
    "unable_to_share_files": "chat.update takes no file_ids here",
    "file_not_shared": "a pin with `file` alone gets no_item_specified, as Slack's own live test saw",
    "missing_file_data": "a block that names a file is kept as it is, and not looked up",
    "invalid_child_type": ABSENT + "folders of bookmarks",
    "parent_bookmark_disabled": ABSENT + "folders of bookmarks",
    "parent_with_link": ABSENT + "folders of bookmarks",
    "too_many_tabs": ABSENT + "tabs made of bookmarks",
    "invalid_app_action_type": ABSENT + "bookmarks of an app's actions",
    "invalid_shortcut_type": ABSENT + "bookmarks of workflows",
    "too_many_contact_cards": ABSENT + "contact cards",
    "list_record_comment_fetch_failed": ABSENT + "lists, whose records have comments",
    "not_reactable": "every message that can be named here can bear an emoji; of other items none exists",
    # tokens of other times
    "as_user_not_supported": OLD + "one of a classic app that may write as its user",
    "bad_token": OLD + "every token that is let in has an app or a person",
    "invalid_token": OLD + "every token that is let in has an app or a person",
    "bots_not_found": "bots.info without `bot` answers nothing in particular here; several are named by no argument",
    "metadata_must_be_sent_from_app": "Slack's live tests write metadata with every token that these are like",
    "not_bearer_token": OLD + "one that is no bearer token",
    # products that are not here
    "block_mismatch": ABSENT + "the blocks of assistants that may not change their type",
    "streaming_state_conflict": ABSENT + "messages that are being streamed",
    "cannot_auth_user": "chat.unfurl takes no user_auth_* arguments here",
    "cannot_find_service": "chat.unfurl takes no user_auth_* arguments here",
    "cannot_prompt": "chat.unfurl takes no user_auth_* arguments here",
    "draft_already_deleted": ABSENT + "drafts",
    "draft_already_sent": ABSENT + "drafts",
    "draft_has_conflict": ABSENT + "drafts",
    "draft_not_found": ABSENT + "drafts",
    "invalid_metadata_schema": "manifests declare no schemas of metadata here; Slack was seen to drop it silently",
    "no_dual_broadcast_content_update": UNKNOWN + "which edits of a broadcast it refuses",
    "invalid_ooo_message": ABSENT + "out-of-office messages",
    # preferences
    "cannot_create_channel": ABSENT + "the preference that leaves creation to some; guests get restricted_action",
    "cant_archive_required": ABSENT + "the preference that makes a channel required",
    "invitee_cant_see_channel": ABSENT + "channels that are visible to a group alone",
    "no_access": UNKNOWN + "where a member who sees a message may not react to it",
    "no_channel": UNKNOWN + "conversations.create names none",
    "not_permitted": ABSENT + "the preference that keeps conversations open",
    "not_supported": UNKNOWN + "which conversations it means beside those of the wrong type",
    "posting_to_channel_denied": "the rules of posting here have the codes restricted_action_*",
    "user_does_not_own_channel": "who closes a direct message is in it, or does not find it",
    "restricted_action": "the rules of posting have the codes restricted_action_* here; nothing else is restricted",
    # numbers
    "attachment_payload_limit_exceeded": "the size is not published; many attachments get too_many_attachments",
    "message_limit_exceeded": "Slack names no number of messages that a free workspace may post",
    "too_many_members": "Slack names no number of members of a channel",
    # Slack's own trouble
    "fetch_members_failed": FAILS + "of members",
    "not_implemented": FAILS + "every method that is here is implemented",
    "partial_profile_set_failed": FAILS + "of profiles",
    "profile_set_failed": FAILS + "of profiles",
    "unable_to_fetch_custom_emojis": FAILS + "of emoji",
    "update_failed": FAILS + "of edits",
    "too_many_requests": "calls take effect one after the other here, never at the same moment",
    "rate_limited": "the limit on posts is said by HTTP 429 and ratelimited; how this other name is sent is not known",
    "ratelimit": "the limit is said by HTTP 429 and ratelimited",
    # no known way
    "duplicate_channel_not_found": UNKNOWN + "client_msg_id is no documented argument",
    "duplicate_message_not_found": UNKNOWN + "client_msg_id is no documented argument",
    "invalid_bookmark_type": "a link, the only type here, can be edited and removed",
    "invalid_emoji_not_allowed": "an emoji that does not exist gets the code that people saw, not_valid_emoji",
    "invalid_link": INVITES + "none has a link",
    "invalid_metadata_format": "chat.unfurl takes no metadata here",
    "invalid_name": "a wrong name gets the narrower code invalid_name_*",
    "method_not_supported_for_channel_type": UNKNOWN + "every type of conversation can be listed and read here",
    "not_pinned": "a message without a pin gets no_pin: which of the two Slack says is not known",
    "permission_denied": "whoever may change a profile here may change all of its fields",
    "sudo_required": ABSENT + "sessions that must be confirmed once more",
    "username_same": UNKNOWN + "the profile holds no user name",
}
"""Error -> why no call causes it, where none does."""
NOT_LOOKED_UP = "its list has the error, but the method takes nothing here that could name one"
NO_INVITATION = "there are no invitations, so nothing about one can be wrong"
BEYOND_FOR_ONE = {
    "pins.add": {"file_not_found": BEYOND["file_not_shared"]},
    "pins.remove": dict.fromkeys(("file_not_found", "file_comment_not_found"), BEYOND["file_not_shared"]),
    "chat.update": {"file_not_found": BEYOND["file_deleted"], "team_not_found": BEYOND["missing_argument"]},
    "chat.postMessage": {"team_not_found": "a channel by name with an organization's token, which is not handed out"},
    "bookmarks.add": {"file_not_found": BEYOND["file_already_added"]},
    "bookmarks.remove": {"user_not_found": NOT_LOOKED_UP},
    "team.info": {"user_not_found": NOT_LOOKED_UP},
    "usergroups.list": dict.fromkeys(("invalid_cursor", "users_not_found"), "the plan is refused before anything else"),
    "conversations.acceptSharedInvite": dict.fromkeys(
        (
            *("invalid_name_maxlength", "invalid_name_punctuation", "invalid_name_required", "invalid_name_specials"),
            *("name_taken", "not_paid", "team_not_found", "user_is_restricted", "user_not_found"),
        ),
        NO_INVITATION,
    ),
    "conversations.approveSharedInvite": dict.fromkeys(("channel_not_found", "not_paid"), NO_INVITATION),
    "conversations.declineSharedInvite": {"not_paid": NO_INVITATION},
    "conversations.inviteShared": dict.fromkeys(("already_in_channel", "invite_not_found"), NO_INVITATION),
}


MUTE = {
    "display_information": {"name": "Mute"},
    "features": {"bot_user": {"display_name": "mute"}, "app_home": {"messages_tab_enabled": False}},
    "oauth_config": {"scopes": {"bot": ["chat:write"]}},
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
        self.do("_", "you", "users.profile.set", profile={"status_text": "here", "status_emoji": ":eyes:"})
        self.do("mute", "", "emulator.apps.create", "app", "bot_user", manifest=MUTE)
        self.do("mute_direct", "you", "conversations.open", "channel", "id", users="$mute")
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
    open_ends = {
        (method, code)
        for method, facts in OURS.items()
        for code in facts["errors"]
        if code not in {line[0] for line in REACHED.get(method, ())}
        and code not in BEYOND.keys() | BEYOND_FOR_ONE.get(method, {}).keys()
        and not code.startswith("slack_connect_")
    }
    assert open_ends == set()


def test_no_reason_stands_for_an_error_that_nobody_documents() -> None:
    every = {code for facts in OURS.values() for code in facts["errors"]}
    assert BEYOND.keys() - every == set()
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


def test_every_reason_is_needed() -> None:
    reached = {(method, code) for method, lines in REACHED.items() for code, *_ in lines}
    missed = {(method, code) for method, facts in OURS.items() for code in facts["errors"]} - reached
    assert BEYOND.keys() - {code for _, code in missed} == set()
    assert {(method, code) for method, codes in BEYOND_FOR_ONE.items() for code in codes} <= missed
