"""conversations.*: channels and who is in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from slackmq.emulator.pages import page
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.residents import open_channel
from slackmq.emulator.rows import post_notice
from slackmq.emulator.timestamps import ts_of

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel, Row

__all__ = ["FAMILY"]

FAMILY = Family()
_READ_PUBLIC, _READ_PRIVATE = ("channels:read",), ("groups:read",)
_MANAGE_PUBLIC, _MANAGE_PRIVATE = ("channels:manage", "channels:write"), ("groups:write",)
_INVITE_PUBLIC = ("channels:manage", "channels:write", "channels:write.invites")
_INVITE_PRIVATE = ("groups:write", "groups:write.invites")
_TYPES = frozenset({"public_channel", "private_channel", "mpim", "im"})
_LONGEST_NAME = 80
_MOST = 1000


@FAMILY.method("conversations.list", tier=Tier.TWO, public=_READ_PUBLIC, private=_READ_PRIVATE)
def list_conversations(call: Call) -> Reply:
    """The channels that the caller may know of."""
    types = call.args.names("types") or ["public_channel"]
    if not _TYPES.issuperset(types):
        raise Refusal("invalid_types")
    for kind, scopes in (("public_channel", _READ_PUBLIC), ("private_channel", _READ_PRIVATE)):
        if kind in types:
            call.permit(scopes)
    live = call.args.flag("exclude_archived")
    known = [
        channel
        for channel in call.state.channels.values()
        if ("private_channel" if channel.private else "public_channel") in types
        and (not channel.private or call.caller.user in channel.members)
        and not (live and channel.archived)
    ]
    part, cursor = page(call.args, known, default=100, most=_MOST)
    rows = [{**_shown(call, channel), "num_members": len(channel.members)} for channel in part]
    return {"channels": rows, "response_metadata": {"next_cursor": cursor}}


@FAMILY.method("conversations.info", tier=Tier.THREE, public=_READ_PUBLIC, private=_READ_PRIVATE)
def info(call: Call) -> Reply:
    """One channel."""
    channel = call.channel()
    row = _shown(call, channel)
    if call.caller.user in channel.members:
        row["last_read"] = ts_of(0)
    if call.args.flag("include_num_members"):
        row["num_members"] = len(channel.members)
    return {"channel": row}


@FAMILY.method("conversations.members", tier=Tier.FOUR, public=_READ_PUBLIC, private=_READ_PRIVATE)
def members(call: Call) -> Reply:
    """The ids of a channel's members."""
    channel = call.channel()
    part, cursor = page(call.args, list(channel.members), default=100, most=_MOST)
    return {"members": list(part), "response_metadata": {"next_cursor": cursor}}


@FAMILY.method(
    "conversations.create",
    tier=Tier.TWO,
    public=_MANAGE_PUBLIC,
    private=_MANAGE_PRIVATE,
    write=True,
)
def create(call: Call) -> Reply:
    """A new channel; its name must be free in the whole workspace."""
    private = call.args.flag("is_private")
    call.permit(_MANAGE_PRIVATE if private else _MANAGE_PUBLIC)
    name = call.args.text("name")
    _check_name(name)
    if name in call.state.names:
        raise Refusal("name_taken")
    channel = open_channel(call.state, name, call.caller.user, call.second, private=private)
    channel.members[call.caller.user] = None
    stamp = channel.stamp(call.now)
    if not private:
        row = _shown(call, channel)
        keys = ("id", "is_channel", "name", "name_normalized", "created", "creator", "is_shared", "is_org_shared")
        told = {"type": "channel_created", "channel": {key: row[key] for key in keys}, "event_ts": stamp}
        call.tell("channel_created", None, told)
    return {"channel": {**_shown(call, channel), "last_read": ts_of(0)}}


@FAMILY.method("conversations.join", tier=Tier.THREE, scopes=("channels:join", "channels:write"), write=True)
def join(call: Call) -> Reply:
    """Become a member of a public channel."""
    channel = call.channel()
    if channel.private:
        raise Refusal("method_not_supported_for_channel_type")
    if channel.archived:
        raise Refusal("is_archived")
    if call.caller.user in channel.members:
        warning = "already_in_channel"
        return {
            "channel": _shown(call, channel),
            "warning": warning,
            "response_metadata": {"warnings": [warning]},
        }
    _admit(call, channel, call.caller.user)
    return {"channel": _shown(call, channel)}


@FAMILY.method("conversations.invite", tier=Tier.THREE, public=_INVITE_PUBLIC, private=_INVITE_PRIVATE, write=True)
def invite(call: Call) -> Reply:
    """Make others members."""
    channel = call.joined()
    if channel.archived:
        raise Refusal("is_archived")
    users = call.args.names("users")
    if not users:
        raise Refusal("no_user")
    for user in users:
        _check_invited(call, channel, user)
    for user in users:
        _admit(call, channel, user, inviter=call.caller.user)
    return {"channel": _shown(call, channel)}


@FAMILY.method("conversations.leave", tier=Tier.THREE, public=_MANAGE_PUBLIC, private=_MANAGE_PRIVATE, write=True)
def leave(call: Call) -> Reply:
    """Be a member no more."""
    channel = call.channel()
    if channel.archived:
        raise Refusal("is_archived")
    if channel.general:
        raise Refusal("cant_leave_general")
    user = call.caller.user
    if user not in channel.members:
        return {"not_in_channel": True}
    if channel.private and len(channel.members) == 1:
        raise Refusal("last_member")
    post_notice(call, channel, "channel_leave", f"<@{user}> has left the channel")
    _tell_member(call, channel, "member_left_channel", user)
    del channel.members[user]
    return {}


@FAMILY.method("conversations.archive", tier=Tier.TWO, public=_MANAGE_PUBLIC, private=_MANAGE_PRIVATE, write=True)
def archive(call: Call) -> Reply:
    """Close a channel: nothing can be posted or marked there any more."""
    channel = call.joined()
    if channel.general:
        raise Refusal("cant_archive_general")
    if channel.archived:
        raise Refusal("already_archived")
    post_notice(call, channel, "channel_archive", f"<@{call.caller.user}> archived the channel")
    what = "group_archive" if channel.private else "channel_archive"
    stamp = channel.stamp(call.now)
    call.tell(what, channel, {"type": what, "channel": channel.id, "user": call.caller.user, "event_ts": stamp})
    channel.archived = True
    return {}


def _check_name(name: str) -> None:
    if not name:
        raise Refusal("invalid_name_required")
    if len(name) > _LONGEST_NAME:
        raise Refusal("invalid_name_maxlength")
    if re.search(r"[^\w-]", name) or name != name.lower():
        raise Refusal("invalid_name_specials")
    if not re.search(r"[^\W_]", name):
        raise Refusal("invalid_name_punctuation")


def _check_invited(call: Call, channel: Channel, user: str) -> None:
    if user == call.caller.user:
        raise Refusal("cant_invite_self")
    if user not in call.state.users or call.state.users[user].deleted:
        raise Refusal("user_not_found")
    if user in channel.members:
        raise Refusal("already_in_channel")


def _admit(call: Call, channel: Channel, user: str, *, inviter: str = "") -> None:
    channel.members[user] = None
    told = {"inviter": inviter} if inviter else {}
    text = f"<@{user}> has joined the channel"
    post_notice(call, channel, "channel_join", text, user=user, **told)
    _tell_member(call, channel, "member_joined_channel", user, **told)


def _tell_member(call: Call, channel: Channel, what: str, user: str, **more: str) -> None:
    inner = {
        "type": what,
        "user": user,
        "channel": channel.id,
        "channel_type": "G" if channel.private else "C",
        "team": call.state.seed.team_id,
        "event_ts": channel.stamp(call.now),
        **more,
    }
    call.tell(what, channel, inner)


def _shown(call: Call, channel: Channel) -> Row:
    nothing = {"value": "", "creator": "", "last_set": 0}
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": True,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
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
        "topic": nothing,
        "purpose": nothing,
        "previous_names": [],
    }
