"""chat.update, chat.delete, chat.unfurl: what becomes of a message after it was posted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slackmq.emulator.content import LONGEST_EDIT, content_of
from slackmq.emulator.posting import with_content
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.rows import is_by, recount, rich_text, tell_change
from slackmq.emulator.text import length, plain
from slackmq.emulator.timestamps import seconds_of, ts_of

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.content import Content
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel, Row, Stored

__all__ = ["FAMILY"]

FAMILY = Family()
_WRITE = ("chat:write",)
_EDITABLE = frozenset({None, "bot_message", "file_share", "thread_broadcast"})
_EDIT_REPLY_KEYS = frozenset(
    {"user", "type", "bot_id", "app_id", "text", "team", "bot_profile", "blocks", "attachments", "edited", "subtype"},
)


@FAMILY.method("chat.update", tier=Tier.THREE, scopes=_WRITE, write=True)
def update(call: Call) -> Reply:
    """Replace an own message's text, blocks, attachments or metadata."""
    channel = call.channel()
    ts, message = call.message(channel, "ts", missing="message_not_found")
    if channel.archived:
        raise Refusal("is_inactive")
    if not is_by(message.row, call.caller) or message.row.get("subtype") not in _EDITABLE:
        raise Refusal("cant_update_message")
    window = call.state.seed.edit_window
    if window is not None and call.second - seconds_of(ts) > window:
        raise Refusal("edit_window_closed")
    if length(call.args.text("text")) > LONGEST_EDIT:
        raise Refusal("msg_too_long")
    content = content_of(call.args, call.state.seed.metadata_size)
    if content.empty and content.metadata is None:
        raise Refusal("no_text")
    if call.args.flag("reply_broadcast") and message.thread is None:
        raise Refusal("cant_broadcast_message")
    before = message.full
    stamp = channel.stamp(call.now)
    if call.args.flag("reply_broadcast"):
        _broadcast(channel, ts, message)
    _edit(call, channel, message, content)
    _tell_edit(call, channel, message, before, stamp)
    shown = {key: value for key, value in message.full.items() if key in _EDIT_REPLY_KEYS or key == "metadata"}
    return {"channel": channel.id, "ts": ts, "text": message.row["text"], "message": shown}


@FAMILY.method("chat.delete", tier=Tier.THREE, scopes=_WRITE, write=True)
def delete(call: Call) -> Reply:
    """Delete an own message. A parent with replies leaves a tombstone, as in Slack's client."""
    channel = call.channel()
    ts, message = call.message(channel, "ts", missing="message_not_found")
    if message.row.get("subtype") == "tombstone":
        raise Refusal("message_not_found")
    if not is_by(message.row, call.caller):
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
    tell_change(call, channel, inner)
    return {"channel": channel.id, "ts": ts}


@FAMILY.method("chat.unfurl", tier=Tier.THREE, scopes=("links:write",), write=True)
def unfurl(call: Call) -> Reply:
    """Give previews of links in somebody's message."""
    channel, ts, message = _unfurled(call)
    previews = call.args.mapping("unfurls", refusal="invalid_unfurls_format")
    if previews is None:
        raise Refusal("missing_unfurls")
    text = plain(str(message.row.get("text", "")))
    known = [entry for entry in message.row.get("attachments", []) if entry.get("from_url") not in previews]
    for number, (url, preview) in enumerate(previews.items(), start=len(known) + 1):
        if not isinstance(preview, dict):
            raise Refusal("cannot_parse_attachment")
        if url not in text:
            raise Refusal("cannot_unfurl_url")
        origin = {"id": number, "from_url": url, "app_unfurl_url": url, "is_app_unfurl": True}
        known.append({**preview, **origin, "app_id": call.caller.app or "", "bot_id": call.caller.bot or ""})
    before, stamp = message.full, channel.stamp(call.now)
    message.row = {**message.row, "attachments": known}
    _tell_edit(call, channel, message, before, stamp)
    return {"channel": channel.id, "ts": ts}


def _unfurled(call: Call) -> tuple[Channel, str, Stored]:
    if call.args.text("unfurl_id") or call.args.text("source"):
        raise Refusal(_by_id(call.args.text("unfurl_id"), call.args.text("source")))
    for name in ("channel", "ts"):
        if not call.args.text(name):
            raise Refusal(f"missing_{name}")
    channel = call.state.channels.get(call.args.text("channel"))
    if channel is None or not call.sees(channel):
        raise Refusal("cannot_find_channel")
    ts = call.args.text("ts")
    message = channel.messages.get(ts)
    if message is None:
        raise Refusal("cannot_find_message")
    if message.row.get("subtype") not in _EDITABLE:
        raise Refusal("cannot_unfurl_message")
    return channel, ts, message


def _by_id(unfurl: str, source: str) -> str:
    """Why a link that is named by its id can not be found: nobody is told of links here, so no id is known."""
    if not unfurl:
        return "missing_unfurl_id"
    if not source:
        return "missing_source"
    return "invalid_unfurl_id" if source in {"composer", "conversations_history"} else "invalid_source"


def _broadcast(channel: Channel, ts: str, message: Stored) -> None:
    """Show a reply in the channel from now on."""
    if message.thread is not None and not message.broadcast:
        message.broadcast = True
        channel.show(ts)
        root = channel.messages[message.thread].row
        message.row = {**message.row, "subtype": "thread_broadcast", "root": root}


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
    message.row = with_content(row, content)


def _tell_edit(call: Call, channel: Channel, message: Stored, before: Row, stamp: str) -> None:
    inner: dict[str, Any] = {
        "type": "message",
        "subtype": "message_changed",
        "message": message.full,
        "previous_message": before,
        "hidden": True,
        "ts": stamp,
    }
    tell_change(call, channel, inner)
