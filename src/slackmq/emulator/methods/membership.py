"""conversations.join, invite, kick, leave: who comes and who goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.conversation_rows import conversation_row
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.rows import post_notice

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel, Row

__all__ = ["FAMILY"]

FAMILY = Family()
_MANAGE_PUBLIC, _MANAGE_PRIVATE = ("channels:manage", "channels:write"), ("groups:write",)
_IM, _MPIM = ("im:write",), ("mpim:write",)
_MOST_INVITED = 100
"""Users in one call (docs.slack.dev, conversations.invite)."""


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
            "channel": conversation_row(call, channel),
            "warning": warning,
            "response_metadata": {"warnings": [warning]},
        }
    _admit(call, channel, call.caller.user)
    return {"channel": conversation_row(call, channel)}


@FAMILY.method(
    "conversations.invite",
    tier=Tier.THREE,
    public=("channels:manage", "channels:write", "channels:write.invites"),
    private=("groups:write", "groups:write.invites"),
    im=_IM,
    mpim=_MPIM,
    write=True,
)
def invite(call: Call) -> Reply:
    """Make others members; with `force`, those who can be, whoever else cannot."""
    channel = call.joined()
    _check_channel(channel)
    if channel.archived:
        raise Refusal("is_archived")
    if call.me.guest:
        raise Refusal("user_is_restricted")
    users = list(dict.fromkeys(call.args.names("users")))
    if not users:
        raise Refusal("no_user")
    if len(users) > _MOST_INVITED:
        raise Refusal("cant_invite")
    wrong = {user: code for user in users if (code := _objection(call, channel, user))}
    errors: list[Row] = [{"user": user, "ok": False, "error": code} for user, code in wrong.items()]
    welcome = [user for user in users if user not in wrong]
    if wrong and not (welcome and call.args.flag("force")):
        first = next(iter(wrong.values()))
        raise Refusal(first, **({"errors": errors} if len(users) > 1 else {}))
    for user in welcome:
        _admit(call, channel, user, inviter=call.caller.user)
    return {"channel": conversation_row(call, channel), **({"errors": errors} if errors else {})}


@FAMILY.method(
    "conversations.kick",
    tier=Tier.THREE,
    public=_MANAGE_PUBLIC,
    private=_MANAGE_PRIVATE,
    im=_IM,
    mpim=_MPIM,
    write=True,
)
def kick(call: Call) -> Reply:
    """End somebody else's membership."""
    channel = call.joined()
    _check_channel(channel)
    user = call.args.text("user")
    if user not in call.state.users:
        raise Refusal("user_not_found")
    if user == call.caller.user:
        raise Refusal("cant_kick_self")
    if channel.general:
        raise Refusal("cant_kick_from_general")
    if user not in channel.members:
        raise Refusal("not_in_channel")
    if call.me.guest:
        raise Refusal("restricted_action")
    post_notice(call, channel, "channel_leave", f"<@{user}> was removed from the channel", user=user)
    _tell_member(call, channel, "member_left_channel", user)
    del channel.members[user]
    return {"errors": {}}


@FAMILY.method(
    "conversations.leave",
    tier=Tier.THREE,
    public=_MANAGE_PUBLIC,
    private=_MANAGE_PRIVATE,
    im=_IM,
    mpim=_MPIM,
    write=True,
)
def leave(call: Call) -> Reply:
    """Be a member no more."""
    channel = call.channel()
    _check_channel(channel)
    if channel.archived:
        raise Refusal("is_archived")
    if channel.general:
        raise Refusal("cant_leave_general")
    user = call.caller.user
    if user not in channel.members:
        return {"not_in_channel": True}
    if channel.private and len(channel.members) == 1:
        raise Refusal("last_member")
    if call.me.guest:
        raise Refusal("user_is_restricted")
    post_notice(call, channel, "channel_leave", f"<@{user}> has left the channel")
    _tell_member(call, channel, "member_left_channel", user)
    del channel.members[user]
    return {}


def _check_channel(channel: Channel) -> None:
    if channel.direct:
        raise Refusal("method_not_supported_for_channel_type")


def _objection(call: Call, channel: Channel, user: str) -> str:
    """Why a user can not be invited, as an error code; "" if nothing speaks against it."""
    invited = call.state.users.get(user)
    if user == call.caller.user:
        return "cant_invite_self"
    if invited is None or invited.deleted:
        return "user_not_found"
    if user in channel.members:
        return "already_in_channel"
    if invited.guest == "ultra_restricted" and any(
        user in other.members and not other.direct for other in call.state.channels.values()
    ):
        return "ura_max_channels"
    return ""


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
