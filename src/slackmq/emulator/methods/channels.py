"""conversations.create, archive, unarchive, rename, setTopic, setPurpose: channels come, change and close."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from slackmq.emulator.conversation_rows import conversation_row
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.residents import open_channel
from slackmq.emulator.rows import post_notice
from slackmq.emulator.text import length, stored
from slackmq.emulator.timestamps import ts_of

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel, Row

__all__ = ["FAMILY"]

FAMILY = Family()
_PUBLIC, _PRIVATE = ("channels:manage", "channels:write"), ("groups:write",)
_IM, _MPIM = ("im:write",), ("mpim:write",)
_TOPIC_PUBLIC = ("channels:manage", "channels:write", "channels:write.topic")
_TOPIC_PRIVATE = ("groups:write", "groups:write.topic")
_TOPIC_IM, _TOPIC_MPIM = ("im:write", "im:write.topic"), ("mpim:write", "mpim:write.topic")
_LONGEST_NAME = 80
_LONGEST_TOPIC = 250
"""Characters (docs.slack.dev, conversations.setTopic)."""


@FAMILY.method("conversations.create", tier=Tier.TWO, public=_PUBLIC, private=_PRIVATE, im=_IM, mpim=_MPIM, write=True)
def create(call: Call) -> Reply:
    """A new channel; its name must be free in the whole workspace."""
    private = call.args.flag("is_private")
    call.permit(_PRIVATE if private else _PUBLIC)
    if call.me.guest:
        raise Refusal("restricted_action")
    name = call.args.text("name")
    _check_name(call, name)
    channel = open_channel(call.state, name, call.caller.user, call.second, private=private)
    channel.members[call.caller.user] = None
    stamp = channel.stamp(call.now)
    if not private:
        row = conversation_row(call, channel)
        keys = ("id", "is_channel", "name", "name_normalized", "created", "creator", "is_shared", "is_org_shared")
        told = {"type": "channel_created", "channel": {key: row[key] for key in keys}, "event_ts": stamp}
        call.tell("channel_created", None, told)
    return {"channel": {**conversation_row(call, channel), "last_read": ts_of(0)}}


@FAMILY.method("conversations.archive", tier=Tier.TWO, public=_PUBLIC, private=_PRIVATE, im=_IM, mpim=_MPIM, write=True)
def archive(call: Call) -> Reply:
    """Close a channel: nothing can be posted or marked there any more."""
    channel = _own(call)
    if channel.general:
        raise Refusal("cant_archive_general")
    if channel.archived:
        raise Refusal("already_archived")
    if call.me.guest:
        raise Refusal("restricted_action")
    post_notice(call, channel, "channel_archive", f"<@{call.caller.user}> archived the channel")
    _tell(call, channel, "archive")
    channel.archived = True
    return {}


@FAMILY.method(
    "conversations.unarchive", tier=Tier.TWO, public=_PUBLIC, private=_PRIVATE, im=_IM, mpim=_MPIM, write=True
)
def unarchive(call: Call) -> Reply:
    """Open an archived channel again; whoever does it becomes a member."""
    channel = call.channel()
    if channel.direct:
        raise Refusal("method_not_supported_for_channel_type")
    if not channel.archived:
        raise Refusal("not_archived")
    channel.archived = False
    channel.members[call.caller.user] = None
    post_notice(call, channel, "channel_unarchive", f"<@{call.caller.user}> un-archived the channel")
    _tell(call, channel, "unarchive")
    return {}


@FAMILY.method("conversations.rename", tier=Tier.TWO, public=_PUBLIC, private=_PRIVATE, im=_IM, mpim=_MPIM, write=True)
def rename(call: Call) -> Reply:
    """Give a channel another name: its creator may, and whoever owns the workspace."""
    channel = _own(call)
    if channel.archived:
        raise Refusal("is_archived")
    if call.caller.user not in {channel.creator, next(iter(call.state.users))}:
        raise Refusal("not_authorized")
    name, old = call.args.text("name"), channel.name
    if name != old:
        _check_name(call, name)
        del call.state.names[old]
        call.state.names[name] = channel.id
        channel.name = name
        channel.previous_names.append(old)
        text = f"<@{call.caller.user}> has renamed the channel from “{old}” to “{name}”"
        post_notice(call, channel, "channel_name", text, old_name=old, name=name)
        what = "group_rename" if channel.private else "channel_rename"
        told = {"id": channel.id, "name": name, "name_normalized": name, "created": channel.created}
        call.tell(what, channel, {"type": what, "channel": told, "event_ts": channel.stamp(call.now)})
    return {"channel": conversation_row(call, channel)}


@FAMILY.method(
    "conversations.setTopic",
    tier=Tier.TWO,
    public=_TOPIC_PUBLIC,
    private=_TOPIC_PRIVATE,
    im=_TOPIC_IM,
    mpim=_TOPIC_MPIM,
    write=True,
)
def set_topic(call: Call) -> Reply:
    """Say what the channel is about just now."""
    channel = _described(call)
    channel.topic = _description(call, channel, "topic")
    return {"channel": conversation_row(call, channel)}


@FAMILY.method(
    "conversations.setPurpose",
    tier=Tier.TWO,
    public=_TOPIC_PUBLIC,
    private=_TOPIC_PRIVATE,
    im=_TOPIC_IM,
    mpim=_TOPIC_MPIM,
    write=True,
)
def set_purpose(call: Call) -> Reply:
    """Say what the channel is for."""
    channel = _described(call)
    channel.purpose = _description(call, channel, "purpose")
    return {"channel": conversation_row(call, channel)}


def _own(call: Call) -> Channel:
    """The channel, if the caller is a member and it is no direct message."""
    channel = call.joined()
    if channel.direct:
        raise Refusal("method_not_supported_for_channel_type")
    return channel


def _check_name(call: Call, name: str) -> None:
    if not name:
        raise Refusal("invalid_name_required")
    if len(name) > _LONGEST_NAME:
        raise Refusal("invalid_name_maxlength")
    if re.search(r"[^\w-]", name) or name != name.lower():
        raise Refusal("invalid_name_specials")
    if not re.search(r"[^\W_]", name):
        raise Refusal("invalid_name_punctuation")
    if name in call.state.names:
        raise Refusal("name_taken")


def _described(call: Call) -> Channel:
    channel = call.joined()
    if channel.kind == "im":
        raise Refusal("method_not_supported_for_channel_type")
    if channel.archived:
        raise Refusal("is_archived")
    if call.me.guest:
        raise Refusal("user_is_restricted")
    return channel


def _description(call: Call, channel: Channel, what: str) -> Row:
    text = call.args.text(what)
    if length(text) > _LONGEST_TOPIC:
        raise Refusal("too_long")
    text = stored(text)
    said = f"set the channel {what}: {text}" if text else f"cleared the channel {what}"
    post_notice(call, channel, f"channel_{what}", f"<@{call.caller.user}> {said}", **{what: text})
    return {"value": text, "creator": call.caller.user, "last_set": call.second}


def _tell(call: Call, channel: Channel, deed: str) -> None:
    what = f"group_{deed}" if channel.private else f"channel_{deed}"
    stamp = channel.stamp(call.now)
    call.tell(what, channel, {"type": what, "channel": channel.id, "user": call.caller.user, "event_ts": stamp})
