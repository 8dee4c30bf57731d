"""conversations.open and conversations.close: direct messages, of two or of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.conversation_rows import conversation_row
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.residents import direct_of
from slackmq.emulator.timestamps import ts_of

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel

__all__ = ["FAMILY"]

FAMILY = Family()
_PUBLIC, _PRIVATE = ("channels:manage", "channels:write"), ("groups:write",)
_IM, _MPIM = ("im:write",), ("mpim:write",)
_MOST_OTHERS = 8
"""Users beside the caller (docs.slack.dev, conversations.open)."""


@FAMILY.method("conversations.open", tier=Tier.THREE, public=_PUBLIC, private=_PRIVATE, im=_IM, mpim=_MPIM, write=True)
def open_direct(call: Call) -> Reply:
    """The direct message with one or several users, made if it is new."""
    channel = _named(call) if call.args.text("channel") else _with_users(call)
    user = call.caller.user
    reply: Reply = {}
    if channel.id in call.state.channels and user not in channel.closed:
        reply = {"no_op": True, "already_open": True}
    elif channel.id not in call.state.channels and call.args.flag("prevent_creation"):
        raise Refusal("channel_not_found")
    call.state.keep(channel)
    channel.closed.discard(user)
    if not call.args.flag("return_im"):
        return {**reply, "channel": {"id": channel.id}}
    last_read = channel.read.get(user, ts_of(0))
    return {**reply, "channel": {**conversation_row(call, channel), "is_open": True, "last_read": last_read}}


@FAMILY.method("conversations.close", tier=Tier.TWO, public=_PUBLIC, private=_PRIVATE, im=_IM, mpim=_MPIM, write=True)
def close(call: Call) -> Reply:
    """Put a direct message out of the caller's sight until somebody writes there."""
    channel = call.channel()
    if not channel.direct:
        raise Refusal("method_not_supported_for_channel_type")
    if call.caller.user in channel.closed:
        return {"no_op": True, "already_closed": True}
    channel.closed.add(call.caller.user)
    return {}


def _named(call: Call) -> Channel:
    channel = call.channel()
    if not channel.direct:
        raise Refusal("method_not_supported_for_channel_type")
    return channel


def _with_users(call: Call) -> Channel:
    given = list(dict.fromkeys(call.args.names("users")))
    if not given:
        raise Refusal("users_list_not_supplied")
    others = [user for user in given if user != call.caller.user]
    if not others and call.caller.type == "bot":
        raise Refusal("not_enough_users")
    if len(others) > _MOST_OTHERS:
        raise Refusal("too_many_users")
    for user in others:
        found = call.state.users.get(user)
        if found is None:
            raise Refusal("user_not_found")
        if found.deleted:
            raise Refusal("user_disabled")
        if not call.meets(user):
            raise Refusal("user_not_visible")
        if found.app is not None and call.caller.type == "bot" and len(others) == 1:
            raise Refusal("invalid_user_combination")
    call.permit(_MPIM if len(others) > 1 else _IM)
    return direct_of(call.state, [call.caller.user, *others], call.second)
