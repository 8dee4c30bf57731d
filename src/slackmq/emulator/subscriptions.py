"""Which scope an app needs to hear of an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SCOPES", "heard"]

SCOPES = {
    "app_home_opened": "",
    "app_mention": "app_mentions:read",
    "channel_archive": "channels:read",
    "channel_created": "channels:read",
    "channel_rename": "channels:read",
    "channel_unarchive": "channels:read",
    "emoji_changed": "emoji:read",
    "file_created": "files:read",
    "file_deleted": "files:read",
    "file_public": "files:read",
    "file_shared": "files:read",
    "group_archive": "groups:read",
    "group_rename": "groups:read",
    "group_unarchive": "groups:read",
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "pin_added": "pins:read",
    "pin_removed": "pins:read",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "team_join": "users:read",
    "user_change": "users:read",
}
"""Subscription -> bot scope, "" if none is needed (docs.slack.dev, "Events": each event's page)."""


def heard(events: Iterable[str], scopes: frozenset[str]) -> frozenset[str]:
    """Of the subscribed events, those that the scopes let through; Slack drops the others silently."""
    return frozenset(event for event in events if SCOPES.get(event) in {"", *scopes})
