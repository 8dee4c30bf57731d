"""`slackmq manifest`: what to paste at api.slack.com/apps, with the scopes and events in use and no others."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

from cyclopts import Parameter

from slackmq.errors import ConfigurationError

__all__ = ["EVENTS", "PIN_EVENTS", "PIN_SCOPES", "SCOPES", "app_manifest", "manifest"]

SCOPES = {
    "bookmarks:read": "bookmarks.list",
    "bookmarks:write": "bookmarks.add, bookmarks.remove",
    "channels:history": "conversations.history, conversations.replies, and the events message.channels",
    "channels:read": "conversations.list, conversations.info",
    "chat:write": "chat.postMessage, chat.update",
    "reactions:read": "the events reaction_added",
    "reactions:write": "reactions.add",
}
"""Scope -> what needs it (Slack's docs, the page of each method and event)."""

EVENTS = {
    "message.channels": "a message was posted, edited or deleted",
    "reaction_added": "a message was claimed or is done",
}
"""Event that the app subscribes to -> what it tells."""

PIN_SCOPES = {
    "pins:read": "the events pin_added, pin_removed",
    "pins:write": "pins.add, pins.remove",
}
"""What claims by pins need besides."""

PIN_EVENTS = {
    "pin_added": "a message was claimed",
    "pin_removed": "it ended, or a person gave it back",
}

FILE_SCOPES = {
    "files:read": "files.info, files.list, and the bytes of a file",
    "files:write": "files.getUploadURLExternal, files.completeUploadExternal, files.delete",
}
"""What large values of a store need besides."""

_GROUP_SCOPES = ("usergroups:read",)
_HOME_EVENTS = ("app_home_opened",)
_PRIVATE_SCOPES = ("groups:history", "groups:read")
_PRIVATE_EVENTS = ("message.groups",)
_LONGEST_NAME = 35
"""Characters of display_information.name: Slack's docs, "App manifest reference"."""


def app_manifest(
    name: str,
    *,
    private: bool = False,
    pins: bool = False,
    files: bool = False,
    approvals: bool = False,
    home: bool = False,
    groups: bool = False,
) -> dict[str, Any]:
    """An app manifest for Socket Mode.

    Args:
        name: of the app and its bot, at most 35 characters.
        private: whether it shall work in private channels too.
        pins: whether it shall claim by pins, or show them.
        files: whether it shall keep large values in a store.
        approvals: whether its handlers ask people: buttons need Interactivity.
        home: whether it shall have a Home tab.
        groups: whether roles are given to user groups.

    Raises:
        ConfigurationError: the name is empty or too long.
    """
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise ConfigurationError(
            f"An app's name has 1 to {_LONGEST_NAME} characters, and {name!r} has {len(name.strip())}.",
            remedy="Choose another: --name.",
        )
    more = [*(PIN_SCOPES if pins else ()), *(FILE_SCOPES if files else ()), *(_GROUP_SCOPES if groups else ())]
    scopes = sorted([*SCOPES, *more, *(_PRIVATE_SCOPES if private else ())])
    told = [*(PIN_EVENTS if pins else ()), *(_PRIVATE_EVENTS if private else ()), *(_HOME_EVENTS if home else ())]
    features: dict[str, Any] = {"bot_user": {"display_name": name, "always_online": True}}
    if home:
        features["app_home"] = {"home_tab_enabled": True, "messages_tab_enabled": False}
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {"name": name, "description": "Works the jobs of a channel, with slackmq"},
        "features": features,
        "oauth_config": {"scopes": {"bot": scopes}},
        "settings": {
            "event_subscriptions": {"bot_events": sorted([*EVENTS, *told])},
            "interactivity": {"is_enabled": approvals or home},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }


def manifest(
    *,
    name: Annotated[str, Parameter(help="Name of the app and its bot.")] = "slackmq",
    private: Annotated[bool, Parameter(negative=(), help="For private channels too.")] = False,
    pins: Annotated[bool, Parameter(negative=(), help='For claim="pin" or show="pin".')] = False,
    files: Annotated[bool, Parameter(negative=(), help="For large values in a store.")] = False,
    approvals: Annotated[bool, Parameter(negative=(), help="For job.approve(…).")] = False,
    home: Annotated[bool, Parameter(negative=(), help="For App(home=…).")] = False,
    groups: Annotated[bool, Parameter(negative=(), help='For roles of user groups, "S…".')] = False,
) -> None:
    """Print the app manifest for the real Slack: exactly the scopes and events in use.

    Paste it at https://api.slack.com/apps under Create New App, From a manifest. The app-level token is made there
    afterwards, under Basic Information, with the scope connections:write: a manifest cannot ask for it.
    """
    made = app_manifest(name, private=private, pins=pins, files=files, approvals=approvals, home=home, groups=groups)
    sys.stdout.write(json.dumps(made, indent=2) + "\n")
