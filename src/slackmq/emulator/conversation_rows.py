"""Conversations as Slack writes them: channels, group messages and direct messages look different."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.state import Channel, Row

__all__ = ["conversation_row", "other_member"]


def conversation_row(call: Call, channel: Channel) -> Row:
    """A conversation, as the caller sees it."""
    if channel.kind == "im":
        return _im(call, channel)
    several = channel.kind == "mpim"
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not several,
        "is_group": several,
        "is_im": False,
        "is_mpim": several,
        "is_private": channel.private,
        "created": channel.created,
        "is_archived": channel.archived,
        "is_general": channel.general,
        "unlinked": 0,
        "name_normalized": channel.name,
        "is_shared": False,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "context_team_id": call.state.seed.team_id,
        "updated": channel.created * 1000,
        "creator": channel.creator,
        "is_ext_shared": False,
        "shared_team_ids": [call.state.seed.team_id],
        "pending_connected_team_ids": [],
        "is_member": call.caller.user in channel.members,
        "topic": channel.topic,
        "purpose": channel.purpose,
        "previous_names": list(channel.previous_names),
    }


def other_member(channel: Channel, user: str) -> str:
    """With whom a direct message is; of a note to self, the user."""
    return next((member for member in channel.members if member != user), user)


def _im(call: Call, channel: Channel) -> Row:
    return {
        "id": channel.id,
        "created": channel.created,
        "is_archived": False,
        "is_im": True,
        "is_org_shared": False,
        "context_team_id": call.state.seed.team_id,
        "updated": channel.created * 1000,
        "user": other_member(channel, call.caller.user),
    }
