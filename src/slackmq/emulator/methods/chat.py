"""chat.*: post, edit, delete, link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slackmq.emulator.content import LONGEST_EDIT, content_of
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.rows import authored, channel_type, permalink, place, recount, rich_text
from slackmq.emulator.state import Stored
from slackmq.emulator.timestamps import is_ts, ts_of

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.content import Content
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel, Row

__all__ = ["FAMILY"]

FAMILY = Family()
_WRITE = ("chat:write",)
_CUT = {"warning": "message_truncated", "response_metadata": {"warnings": ["message_truncated"]}}
_EDITABLE = frozenset({None, "thread_broadcast"})
_EDIT_REPLY_KEYS = frozenset(
    {"user", "type", "bot_id", "app_id", "text", "team", "bot_profile", "blocks", "attachments", "edited", "subtype"},
)


@FAMILY.method("chat.postMessage", tier=Tier.POSTING, scopes=_WRITE, write=True)
def post_message(call: Call) -> Reply:
    """Post a message, or a reply in a thread."""
    channel = _addressee(call)
    if call.caller.user not in channel.members and not (
        "chat:write.public" in call.caller.scopes and not channel.private
    ):
        raise Refusal("not_in_channel")
    if channel.archived:
        raise Refusal("is_archived")
    content = content_of(call.args, call.state.seed.metadata_size)
    if content.empty:
        raise Refusal("no_text")
    thread = _thread(call, channel)
    ts = channel.stamp(call.now)
    row = _with_content(authored(call, channel, ts, content.text or ""), content)
    message = Stored(row=row, metadata=content.metadata or None, thread=thread)
    if thread is not None:
        _into_thread(call, channel, thread, message)
    place(call, channel, ts, message)
    return {"channel": channel.id, "ts": ts, "message": message.full, **(_CUT if content.truncated else {})}


@FAMILY.method("chat.update", tier=Tier.THREE, scopes=_WRITE, write=True)
def update(call: Call) -> Reply:
    """Replace an own message's text, blocks, attachments or metadata."""
    channel = call.channel()
    ts, message = call.message(channel, "ts", missing="message_not_found")
    if channel.archived:
        raise Refusal("is_inactive")
    if message.row["user"] != call.caller.user or message.row.get("subtype") not in _EDITABLE:
        raise Refusal("cant_update_message")
    if len(call.args.text("text")) > LONGEST_EDIT:
        raise Refusal("msg_too_long")
    content = content_of(call.args, call.state.seed.metadata_size)
    if content.empty and content.metadata is None:
        raise Refusal("no_text")
    before = message.full
    stamp = channel.stamp(call.now)
    _edit(call, channel, message, content)
    inner: Row = {
        "type": "message",
        "subtype": "message_changed",
        "message": message.full,
        "previous_message": before,
        "hidden": True,
        "ts": stamp,
    }
    _tell_change(call, channel, inner)
    shown = {key: value for key, value in message.full.items() if key in _EDIT_REPLY_KEYS or key == "metadata"}
    return {"channel": channel.id, "ts": ts, "text": message.row["text"], "message": shown}


@FAMILY.method("chat.delete", tier=Tier.THREE, scopes=_WRITE, write=True)
def delete(call: Call) -> Reply:
    """Delete an own message. A parent with replies leaves a tombstone, as in Slack's client."""
    channel = call.channel()
    ts, message = call.message(channel, "ts", missing="message_not_found")
    if message.row.get("subtype") == "tombstone":
        raise Refusal("message_not_found")
    if message.row["user"] != call.caller.user:
        raise Refusal("cant_delete_message")
    before = message.full
    stamp = channel.stamp(call.now)
    if message.replies:
        tomb = {"type": "message", "subtype": "tombstone", "hidden": True, "user": "USLACKBOT", "ts": ts}
        message.row, message.metadata = {**tomb, "text": "This message was deleted."}, None
        channel.pins.pop(ts, None)
        recount(channel, ts)
    else:
        channel.remove(ts)
        _out_of_thread(channel, ts, message)
    inner: Row = {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": before,
        "hidden": True,
        "deleted_ts": ts,
        "ts": stamp,
    }
    _tell_change(call, channel, inner)
    return {"channel": channel.id, "ts": ts}


@FAMILY.method("chat.getPermalink", tier=Tier.HUNDREDS)
def get_permalink(call: Call) -> Reply:
    """The address of a message."""
    channel = call.channel()
    ts, message = call.message(channel, "message_ts", missing="message_not_found")
    return {"channel": channel.id, "permalink": permalink(call, channel, ts, message.thread)}


def _addressee(call: Call) -> Channel:
    """The channel by id or, as only chat.postMessage takes it, by name."""
    given = call.args.text("channel")
    ident = call.state.names.get(given.removeprefix("#"), given)
    return call.visible(ident)


def _thread(call: Call, channel: Channel) -> str | None:
    """The ts of the parent: also if the caller names one of its replies."""
    given = call.args.text("thread_ts")
    if not given:
        return None
    parent = channel.messages.get(given)
    if parent is None:
        raise Refusal("thread_not_found" if is_ts(given) else "invalid_thread_ts")
    return parent.thread or given


def _with_content(row: Row, content: Content) -> Row:
    """The row with what the caller gave beside the text."""
    if content.blocks:
        row["blocks"] = content.blocks
    if content.attachments:
        row["attachments"] = content.attachments
    if content.metadata:
        row["metadata"] = {"event_type": content.metadata["event_type"]}
    return row


def _into_thread(call: Call, channel: Channel, thread: str, message: Stored) -> None:
    parent = channel.messages[thread].row
    message.row["thread_ts"] = thread
    message.row["parent_user_id"] = parent["user"]
    if call.args.flag("reply_broadcast"):
        message.broadcast = True
        message.row["subtype"] = "thread_broadcast"
        message.row["root"] = parent


def _out_of_thread(channel: Channel, ts: str, message: Stored) -> None:
    if message.thread is None:
        return
    parent = channel.messages[message.thread]
    parent.replies.remove(ts)
    recount(channel, message.thread)
    if not parent.replies and parent.row.get("subtype") == "tombstone":
        channel.remove(message.thread)


def _edit(call: Call, channel: Channel, message: Stored, content: Content) -> None:
    """Text without blocks removes the old blocks; absent metadata stays; only a new text shows as edited."""
    row = dict(message.row)
    if content.text is not None:
        row["text"] = content.text
        row["edited"] = {"user": call.caller.user, "ts": ts_of(call.second * 1_000_000)}
        row.pop("blocks", None)
        if call.caller.type == "user":
            row["blocks"] = rich_text(channel, row["ts"], content.text)
    if content.attachments is not None and not content.attachments:
        row.pop("attachments", None)
    if content.metadata is not None:
        row.pop("metadata", None)
        message.metadata = content.metadata or None
    message.row = _with_content(row, content)


def _tell_change(call: Call, channel: Channel, inner: dict[str, Any]) -> None:
    subscription = "message.groups" if channel.private else "message.channels"
    whole = {**inner, "channel": channel.id, "event_ts": inner["ts"], "channel_type": channel_type(channel)}
    call.tell(subscription, channel, whole)
