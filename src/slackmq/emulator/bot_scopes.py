"""The scopes that a bot token may hold, by docs.slack.dev, "Scopes"."""

from __future__ import annotations

__all__ = ["BOT_SCOPES"]

_BY_FAMILY = {
    "app_mentions": "read",
    "assistant": "write",
    "bookmarks": "read write",
    "calls": "read write",
    "canvases": "read write",
    "channels": "history join manage read write.invites write.topic",
    "chat": "write write.customize write.public",
    "conversations.connect": "manage read write",
    "datastore": "read write",
    "dnd": "read",
    "emoji": "read",
    "files": "read write",
    "groups": "history read write write.invites write.topic",
    "im": "history read write write.topic",
    "links": "read write",
    "links.embed": "write",
    "lists": "read write",
    "metadata.message": "read",
    "mpim": "history read write write.topic",
    "pins": "read write",
    "reactions": "read write",
    "reminders": "read write",
    "remote_files": "read share write",
    "search": "read.files read.im read.mpim read.private read.public read.users",
    "team": "read",
    "team.billing": "read",
    "team.preferences": "read",
    "tokens": "basic",
    "triggers": "read write",
    "usergroups": "read write",
    "users": "read read.email write",
    "users.profile": "read",
    "workflows.templates": "read write",
}

BOT_SCOPES = frozenset(
    {
        *("commands", "incoming-webhook", "workflow.steps:execute", "entities:read", "entities:write"),
        *(f"{family}:{deed}" for family, deeds in _BY_FAMILY.items() for deed in deeds.split()),
    },
)
"""All of them; a manifest that asks for another fails."""
