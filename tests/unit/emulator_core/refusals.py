"""Every documented error that the workspace can cause: the call that gets it, in the town of `test_refusals`.

An argument that begins with "$" names something in the town. Lines are (error, who calls, arguments).
"""

from __future__ import annotations

from typing import Any

__all__ = ["REACHED"]

Line = tuple[str, str, dict[str, Any]]

BAD_BLOCKS: list[Line] = [
    ("invalid_blocks_format", "bot", {"channel": "$jobs", "ts": "$mine", "blocks": "{"}),
    ("invalid_blocks", "bot", {"channel": "$jobs", "ts": "$mine", "blocks": [{}]}),
    ("too_many_attachments", "bot", {"channel": "$jobs", "ts": "$mine", "attachments": [{}] * 101}),
    ("markdown_text_conflict", "bot", {"channel": "$jobs", "ts": "$mine", "text": "x", "markdown_text": "y"}),
    ("no_text", "bot", {"channel": "$jobs", "ts": "$mine"}),
]
BAD_METADATA: list[Line] = [
    ("invalid_metadata_format", "bot", {"channel": "$jobs", "ts": "$mine", "text": "x", "metadata": "no"}),
    ("metadata_too_large", "bot", {"channel": "$jobs", "ts": "$mine", "text": "x", "metadata": "$large"}),
]
NOT_THERE: list[Line] = [
    ("channel_not_found", "bot", {"channel": "$secret", "text": "x"}),
    ("not_in_channel", "bot", {"channel": "$foreign", "text": "x"}),
    ("is_archived", "bot", {"channel": "$archived", "text": "x"}),
    ("msg_too_long", "bot", {"channel": "$jobs", "text": "x" * 40_001}),
]
LISTS: list[Line] = [
    ("invalid_cursor", "bot", {"channel": "$jobs", "cursor": "?"}),
    ("invalid_limit", "bot", {"channel": "$jobs", "limit": 1001}),
]
WINDOW: list[Line] = [
    ("channel_not_found", "bot", {"channel": "$secret", "ts": "$mine"}),
    ("invalid_cursor", "bot", {"channel": "$jobs", "ts": "$mine", "cursor": "?"}),
    ("invalid_ts_latest", "bot", {"channel": "$jobs", "ts": "$mine", "latest": "?"}),
    ("invalid_ts_oldest", "bot", {"channel": "$jobs", "ts": "$mine", "oldest": "?"}),
    ("invalid_metadata_filter_keys", "bot", {"channel": "$jobs", "ts": "$mine", "metadata_keys_to_include": "{}"}),
]
NAMES: list[Line] = [
    ("invalid_name_maxlength", "bot", {"channel": "$own", "name": "x" * 81}),
    ("invalid_name_punctuation", "bot", {"channel": "$own", "name": "--"}),
    ("invalid_name_required", "bot", {"channel": "$own", "name": ""}),
    ("invalid_name_specials", "bot", {"channel": "$own", "name": "a b"}),
    ("name_taken", "bot", {"channel": "$own", "name": "jobs"}),
]
ITEMS: list[Line] = [
    ("bad_timestamp", "you", {"channel": "$jobs", "timestamp": "yesterday", "name": "x"}),
    ("channel_not_found", "you", {"channel": "C0NONE", "timestamp": "$mine", "name": "x"}),
    ("message_not_found", "you", {"channel": "$jobs", "timestamp": "1600000000.000001", "name": "x"}),
]
FILES: list[Line] = [
    ("file_not_found", "you", {"file": "F0NONE", "name": "x"}),
    ("file_comment_not_found", "you", {"file_comment": "Fc0NONE", "name": "x"}),
    ("no_item_specified", "you", {"name": "x"}),
]
TOPIC: list[Line] = [
    ("channel_not_found", "bot", {"channel": "$secret"}),
    ("is_archived", "bot", {"channel": "$archived"}),
    ("method_not_supported_for_channel_type", "bot", {"channel": "$direct"}),
    ("not_in_channel", "bot", {"channel": "$foreign"}),
    ("too_long", "bot", {"channel": "$jobs", "topic": "x" * 251, "purpose": "x" * 251}),
    ("user_is_restricted", "guest", {"channel": "$jobs"}),
]
LINK = {"title": "docs", "type": "link", "link": "https://example.com"}

REACHED: dict[str, list[Line]] = {
    "auth.teams.list": LISTS,
    "bookmarks.add": [
        ("channel_not_found", "bot", {"channel_id": "$secret", **LINK}),
        ("invalid_bookmark_type", "bot", {"channel_id": "$jobs", **LINK, "type": "dream"}),
        ("invalid_emoji", "bot", {"channel_id": "$jobs", **LINK, "emoji": ":no_such:"}),
        ("invalid_entity_id", "bot", {"channel_id": "$jobs", **LINK, "entity_id": "F1"}),
        ("invalid_link", "bot", {"channel_id": "$jobs", **LINK, "link": "ftp:x"}),
        ("invalid_parent_type", "bot", {"channel_id": "$jobs", **LINK, "parent_id": "Bk1"}),
        ("permission_denied", "guest", {"channel_id": "$jobs", **LINK}),
        ("too_many_bookmarks", "bot", {"channel_id": "$full", **LINK}),
    ],
    "bookmarks.edit": [
        ("channel_not_found", "bot", {"channel_id": "$secret", "bookmark_id": "$link"}),
        ("invalid_emoji", "bot", {"channel_id": "$full", "bookmark_id": "$link", "emoji": "no_such"}),
        ("invalid_link", "bot", {"channel_id": "$full", "bookmark_id": "$link", "link": "x"}),
        ("not_found", "bot", {"channel_id": "$full", "bookmark_id": "Bk0NONE"}),
        ("permission_denied", "you", {"channel_id": "$full", "bookmark_id": "$link"}),
    ],
    "bookmarks.list": [("channel_not_found", "bot", {"channel_id": "$secret"})],
    "bookmarks.remove": [
        ("channel_not_found", "bot", {"channel_id": "$secret", "bookmark_id": "$link"}),
        ("not_found", "bot", {"channel_id": "$full", "bookmark_id": "Bk0NONE"}),
        ("permission_denied", "you", {"channel_id": "$full", "bookmark_id": "$link"}),
    ],
    "bots.info": [("bot_not_found", "bot", {"bot": "B0NONE"}), ("team_not_found", "bot", {"team_id": "T0NONE"})],
    "chat.delete": [
        ("cant_delete_message", "you", {"channel": "$jobs", "ts": "$mine"}),
        ("channel_not_found", "bot", {"channel": "$secret", "ts": "$mine"}),
        ("message_not_found", "bot", {"channel": "$jobs", "ts": "1600000000.000001"}),
    ],
    "chat.deleteScheduledMessage": [
        ("channel_not_found", "bot", {"channel": "$secret", "scheduled_message_id": "$later"}),
        ("invalid_scheduled_message_id", "you", {"channel": "$jobs", "scheduled_message_id": "$later"}),
    ],
    "chat.getPermalink": [
        ("channel_not_found", "bot", {"channel": "$secret", "message_ts": "$mine"}),
        ("message_not_found", "bot", {"channel": "$jobs", "message_ts": "1600000000.000001"}),
    ],
    "chat.meMessage": [*NOT_THERE, ("no_text", "bot", {"channel": "$jobs", "text": ""})],
    "chat.postEphemeral": [
        *NOT_THERE[:3],
        ("msg_too_long", "bot", {"channel": "$jobs", "text": "x" * 40_001, "user": "$you"}),
        *((code, who, {"user": "$you", **args}) for code, who, args in BAD_BLOCKS),
        ("invalid_attachments", "bot", {"channel": "$jobs", "user": "$you", "attachments": "{}"}),
        ("user_not_in_channel", "bot", {"channel": "$jobs", "user": "U0NONE", "text": "x"}),
        ("cannot_reply_to_message", "bot", {"channel": "$jobs", "user": "$you", "text": "x", "thread_ts": "$notice"}),
        ("restricted_action", "bot", {"channel": "$read_only", "user": "$bot", "text": "x"}),
        ("messages_tab_disabled", "you", {"channel": "$mute_direct", "user": "$you", "text": "x"}),
    ],
    "chat.postMessage": [
        *NOT_THERE[:3],
        *BAD_BLOCKS,
        *BAD_METADATA,
        ("cannot_reply_to_message", "bot", {"channel": "$jobs", "text": "x", "thread_ts": "$notice"}),
        ("msg_blocks_too_long", "bot", {"channel": "$jobs", "blocks": [{"type": "section", "text": "x" * 13_201}]}),
        ("restricted_action_read_only_channel", "bot", {"channel": "$read_only", "text": "x"}),
        ("restricted_action_thread_only_channel", "bot", {"channel": "$thread_only", "text": "x"}),
        ("restricted_action_non_threadable_channel", "bot", {"channel": "$flat", "text": "x", "thread_ts": "$in_flat"}),
        ("restricted_action_thread_locked", "bot", {"channel": "$jobs", "text": "x", "thread_ts": "$locked"}),
        ("messages_tab_disabled", "you", {"channel": "$mute_direct", "text": "x"}),
    ],
    "chat.scheduleMessage": [
        *(
            (code, who, {"post_at": "$soon", **args})
            for code, who, args in [*NOT_THERE[:3], *BAD_BLOCKS, *BAD_METADATA]
        ),
        ("msg_too_long", "bot", {"channel": "$jobs", "markdown_text": "x" * 12_001, "post_at": "$soon"}),
        ("invalid_time", "bot", {"channel": "$jobs", "text": "x", "post_at": "noon"}),
        ("time_in_past", "bot", {"channel": "$jobs", "text": "x", "post_at": 1_600_000_000}),
        ("time_too_far", "bot", {"channel": "$jobs", "text": "x", "post_at": 1_800_000_000}),
        ("restricted_too_many", "bot", {"channel": "$full", "text": "x", "post_at": "$crowded"}),
        ("restricted_action_read_only_channel", "bot", {"channel": "$read_only", "text": "x", "post_at": "$soon"}),
        ("restricted_action_thread_only_channel", "bot", {"channel": "$thread_only", "text": "x", "post_at": "$soon"}),
        (
            "restricted_action_non_threadable_channel",
            "bot",
            {"channel": "$flat", "text": "x", "thread_ts": "$in_flat", "post_at": "$soon"},
        ),
    ],
    "chat.scheduledMessages.list": [("invalid_channel", "bot", {"channel": "$secret"}), LISTS[0]],
    "chat.unfurl": [
        ("missing_channel", "bot", {}),
        ("missing_ts", "bot", {"channel": "$jobs"}),
        ("missing_unfurls", "bot", {"channel": "$jobs", "ts": "$mine"}),
        ("cannot_find_channel", "bot", {"channel": "$secret", "ts": "$mine"}),
        ("cannot_find_message", "bot", {"channel": "$jobs", "ts": "1600000000.000001"}),
        ("cannot_unfurl_message", "bot", {"channel": "$jobs", "ts": "$notice"}),
        ("invalid_unfurls_format", "bot", {"channel": "$jobs", "ts": "$mine", "unfurls": "["}),
        ("cannot_parse_attachment", "bot", {"channel": "$jobs", "ts": "$mine", "unfurls": {"x": 1}}),
        ("cannot_unfurl_url", "bot", {"channel": "$jobs", "ts": "$mine", "unfurls": {"https://other.com": {}}}),
        ("missing_source", "bot", {"unfurl_id": "x"}),
        ("missing_unfurl_id", "bot", {"source": "composer"}),
        ("invalid_source", "bot", {"unfurl_id": "x", "source": "dream"}),
        ("invalid_unfurl_id", "bot", {"unfurl_id": "x", "source": "composer"}),
    ],
    "chat.update": [
        *BAD_BLOCKS,
        *BAD_METADATA,
        ("invalid_attachments", "bot", {"channel": "$jobs", "ts": "$mine", "attachments": "{}"}),
        ("cant_broadcast_message", "bot", {"channel": "$jobs", "ts": "$mine", "text": "x", "reply_broadcast": True}),
        ("cant_update_message", "you", {"channel": "$jobs", "ts": "$mine", "text": "x"}),
        ("channel_not_found", "bot", {"channel": "$secret", "ts": "$mine", "text": "x"}),
        ("edit_window_closed", "bot", {"channel": "$jobs", "ts": "$ancient", "text": "x"}),
        ("is_inactive", "bot", {"channel": "$archived", "ts": "$in_archived", "text": "x"}),
        ("message_not_found", "bot", {"channel": "$jobs", "ts": "1600000000.000001", "text": "x"}),
        ("msg_too_long", "bot", {"channel": "$jobs", "ts": "$mine", "text": "x" * 4_001}),
    ],
    "conversations.acceptSharedInvite": [("invite_not_found", "bot", {"channel_name": "x"})],
    "conversations.approveSharedInvite": [("invite_not_found", "bot", {"invite_id": "x"})],
    "conversations.archive": [
        ("already_archived", "bot", {"channel": "$archived"}),
        ("cant_archive_general", "bot", {"channel": "$general"}),
        ("channel_not_found", "bot", {"channel": "$secret"}),
        ("method_not_supported_for_channel_type", "bot", {"channel": "$direct"}),
        ("not_in_channel", "bot", {"channel": "$foreign"}),
        ("restricted_action", "guest", {"channel": "$jobs"}),
    ],
    "conversations.canvases.create": [
        ("team_tier_cannot_create_channel_canvases", "bot", {"channel_id": "$jobs"}),
        ("restricted_action", "guest", {"channel_id": "$jobs"}),
    ],
    "conversations.close": [
        ("channel_not_found", "bot", {"channel": "$secret"}),
        ("method_not_supported_for_channel_type", "bot", {"channel": "$jobs"}),
    ],
    "conversations.create": [*NAMES, ("restricted_action", "guest", {"name": "x"})],
    "conversations.declineSharedInvite": [("invite_not_found", "bot", {"invite_id": "x"})],
    "conversations.history": [*WINDOW, ("not_in_channel", "bot", {"channel": "$foreign"})],
    "conversations.info": [("channel_not_found", "bot", {"channel": "$secret"})],
    "conversations.invite": [
        ("already_in_channel", "bot", {"channel": "$jobs", "users": "$you"}),
        ("cant_invite", "bot", {"channel": "$jobs", "users": [f"U{number}" for number in range(101)]}),
        ("cant_invite_self", "bot", {"channel": "$jobs", "users": "$bot"}),
        ("channel_not_found", "bot", {"channel": "$secret", "users": "$you"}),
        ("is_archived", "bot", {"channel": "$archived", "users": "$you"}),
        ("method_not_supported_for_channel_type", "bot", {"channel": "$direct", "users": "$you"}),
        ("no_user", "bot", {"channel": "$jobs"}),
        ("not_in_channel", "bot", {"channel": "$foreign", "users": "$you"}),
        ("ura_max_channels", "bot", {"channel": "$full", "users": "$single"}),
        ("user_is_restricted", "guest", {"channel": "$jobs", "users": "$you"}),
        ("user_not_found", "bot", {"channel": "$jobs", "users": "$gone"}),
    ],
    "conversations.inviteShared": [
        ("channel_archived", "bot", {"channel": "$archived"}),
        ("channel_not_found", "bot", {"channel": "$secret"}),
        ("invalid_channel_type", "bot", {"channel": "$direct"}),
        ("invalid_email", "bot", {"channel": "$jobs", "emails": "x"}),
        ("not_in_channel", "bot", {"channel": "$foreign"}),
        ("not_paid", "bot", {"channel": "$jobs", "emails": "a@example.com"}),
        ("recipients_not_specified", "bot", {"channel": "$jobs"}),
        ("too_many_emails", "bot", {"channel": "$jobs", "emails": "a@example.com,b@example.com"}),
        ("user_not_found", "bot", {"channel": "$jobs", "user_ids": "U0NONE"}),
    ],
    "conversations.join": [
        ("channel_not_found", "bot", {"channel": "$secret"}),
        ("is_archived", "bot", {"channel": "$archived"}),
        ("method_not_supported_for_channel_type", "bot", {"channel": "$direct"}),
    ],
    "conversations.kick": [
        ("cant_kick_from_general", "bot", {"channel": "$general", "user": "$you"}),
        ("cant_kick_self", "bot", {"channel": "$jobs", "user": "$bot"}),
        ("channel_not_found", "bot", {"channel": "$secret", "user": "$you"}),
        ("method_not_supported_for_channel_type", "bot", {"channel": "$direct", "user": "$you"}),
        ("not_in_channel", "bot", {"channel": "$own", "user": "$you"}),
        ("restricted_action", "guest", {"channel": "$jobs", "user": "$you"}),
        ("user_not_found", "bot", {"channel": "$jobs", "user": "U0NONE"}),
    ],
    "conversations.leave": [
        ("cant_leave_general", "bot", {"channel": "$general"}),
        ("channel_not_found", "bot", {"channel": "$secret"}),
        ("is_archived", "bot", {"channel": "$archived"}),
        ("last_member", "you", {"channel": "$secret"}),
        ("method_not_supported_for_channel_type", "bot", {"channel": "$direct"}),
        ("user_is_restricted", "guest", {"channel": "$jobs"}),
    ],
    "conversations.list": [*LISTS, ("invalid_types", "bot", {"types": "x"})],
    "conversations.listConnectInvites": [("restricted_action", "guest", {})],
    "conversations.mark": [
        ("channel_not_found", "bot", {"channel": "$secret", "ts": "$mine"}),
        ("invalid_timestamp", "bot", {"channel": "$jobs", "ts": "x"}),
        ("not_in_channel", "bot", {"channel": "$foreign", "ts": "$mine"}),
    ],
    "conversations.members": [*LISTS, ("channel_not_found", "bot", {"channel": "$secret"})],
    "conversations.open": [
        ("channel_not_found", "bot", {"channel": "$secret"}),
        ("invalid_user_combination", "bot", {"users": "$crier"}),
        ("method_not_supported_for_channel_type", "bot", {"channel": "$jobs"}),
        ("not_enough_users", "bot", {"users": "$bot"}),
        ("too_many_users", "bot", {"users": [f"U{number}" for number in range(9)]}),
        ("user_disabled", "bot", {"users": "$gone"}),
        ("user_not_found", "bot", {"users": "U0NONE"}),
        ("user_not_visible", "guest", {"users": "$single"}),
        ("users_list_not_supplied", "bot", {}),
    ],
    "conversations.rename": [
        *NAMES,
        ("channel_not_found", "bot", {"channel": "$secret", "name": "x"}),
        ("is_archived", "bot", {"channel": "$archived", "name": "x"}),
        ("method_not_supported_for_channel_type", "bot", {"channel": "$direct", "name": "x"}),
        ("not_authorized", "bot", {"channel": "$jobs", "name": "x"}),
        ("not_in_channel", "bot", {"channel": "$foreign", "name": "x"}),
    ],
    "conversations.replies": [*WINDOW, ("thread_not_found", "bot", {"channel": "$jobs", "ts": "1600000000.000001"})],
    "conversations.setPurpose": TOPIC,
    "conversations.setTopic": TOPIC,
    "conversations.unarchive": [
        ("channel_not_found", "bot", {"channel": "$secret"}),
        ("method_not_supported_for_channel_type", "bot", {"channel": "$direct"}),
        ("not_archived", "bot", {"channel": "$jobs"}),
    ],
    "pins.add": [
        *ITEMS,
        ("already_pinned", "bot", {"channel": "$jobs", "timestamp": "$pinned"}),
        ("no_item_specified", "bot", {"channel": "$jobs"}),
        ("not_in_channel", "bot", {"channel": "$foreign", "timestamp": "$mine"}),
        ("not_pinnable", "bot", {"channel": "$jobs", "timestamp": "$notice"}),
        ("restricted_action", "bot", {"channel": "$read_only", "timestamp": "$mine"}),
        ("too_many_pins", "bot", {"channel": "$jobs", "timestamp": "$mine"}),
    ],
    "pins.list": [("channel_not_found", "bot", {"channel": "$secret"})],
    "pins.remove": [
        *ITEMS,
        ("no_item_specified", "bot", {"channel": "$jobs"}),
        ("no_pin", "bot", {"channel": "$jobs", "timestamp": "$mine"}),
        ("restricted_action", "bot", {"channel": "$read_only", "timestamp": "$mine"}),
    ],
    "reactions.add": [
        *ITEMS,
        ("already_reacted", "bot", {"channel": "$jobs", "timestamp": "$yours", "name": "eyes"}),
        ("invalid_name", "bot", {"channel": "$jobs", "timestamp": "$mine", "name": "no_such"}),
        ("is_archived", "bot", {"channel": "$archived", "timestamp": "$in_archived", "name": "x"}),
        ("no_item_specified", "bot", {"channel": "$jobs", "name": "x"}),
        ("thread_locked", "bot", {"channel": "$jobs", "timestamp": "$locked", "name": "x"}),
        ("too_many_emoji", "you", {"channel": "$jobs", "timestamp": "$yours", "name": "x"}),
        ("too_many_reactions", "bot", {"channel": "$jobs", "timestamp": "$pinned", "name": "x"}),
    ],
    "reactions.get": [*ITEMS, *FILES],
    "reactions.list": [("user_not_found", "bot", {"user": "U0NONE"})],
    "reactions.remove": [
        *ITEMS,
        *FILES,
        ("invalid_name", "bot", {"channel": "$jobs", "timestamp": "$mine", "name": "no_such"}),
        ("no_reaction", "bot", {"channel": "$jobs", "timestamp": "$mine", "name": "x"}),
        ("thread_locked", "bot", {"channel": "$jobs", "timestamp": "$locked", "name": "x"}),
    ],
    "stars.add": [*ITEMS, *FILES, ("already_starred", "you", {"channel": "$jobs", "timestamp": "$yours"})],
    "stars.remove": [*ITEMS, *FILES, ("not_starred", "you", {"channel": "$jobs", "timestamp": "$mine"})],
    "team.info": [("team_not_found", "bot", {"team": "T0NONE"})],
    "usergroups.list": [
        ("invalid_team", "bot", {"team_id": "T0NONE"}),
        ("plan_upgrade_required", "bot", {}),
    ],
    "users.conversations": [*LISTS, ("invalid_types", "bot", {"types": "x"})],
    "users.info": [
        ("too_many_users", "bot", {"user": "$you,$bot"}),
        ("user_not_found", "bot", {"user": "U0NONE"}),
        ("user_not_visible", "guest", {"user": "$single"}),
    ],
    "users.list": [LISTS[0]],
    "users.lookupByEmail": [("users_not_found", "bot", {"email": "nobody@example.com"})],
    "users.profile.set": [
        ("cannot_update_admin_user", "guest", {"user": "$you", "name": "title", "value": "x"}),
        ("email_taken", "you", {"user": "$guest", "name": "email", "value": "you@local.example"}),
        ("invalid_profile", "you", {"profile": "{"}),
        ("invalid_starts_with_at", "you", {"name": "display_name", "value": "@you"}),
        ("must_clear_both_status_text_and_status_emoji", "you", {"name": "status_text", "value": ""}),
        ("name_not_allowed", "you", {"name": "real_name", "value": "see https://example.com"}),
        ("not_admin", "guest", {"user": "$single", "name": "title", "value": "x"}),
        ("not_app_admin", "guest", {"user": "$bot", "name": "title", "value": "x"}),
        ("reserved_name", "you", {"name": "first_name", "value": "Everyone"}),
        ("too_long", "you", {"name": "status_text", "value": "x" * 101}),
    ],
    "users.profile.get": [("user_not_found", "bot", {"user": "U0NONE"})],
    "users.setPresence": [("invalid_presence", "you", {"presence": "asleep"})],
}
