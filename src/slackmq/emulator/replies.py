"""How an app's answer comes into a channel without a token: over a response_url, in an acknowledgement, by webhook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slackmq.emulator.arguments import Arguments
from slackmq.emulator.block_shape import block_problems
from slackmq.emulator.call import Call
from slackmq.emulator.content import content_of
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.rows import authored, channel_type, place
from slackmq.emulator.state import Stored
from slackmq.emulator.timestamps import is_ts
from slackmq.emulator.view_rows import numbered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.content import Content
    from slackmq.emulator.state import App, Channel, Row
    from slackmq.emulator.surfaces import ReplyUrl, Webhook

__all__ = ["MOST_WHISPERS", "answer", "post_by_hook", "whisper"]

MOST_WHISPERS = 100
"""Messages that only one person sees, kept for each; Slack's own client forgets them when it is loaded anew."""


def answer(call: Call, leave: ReplyUrl, given: Mapping[str, object]) -> None:
    """Do what an app says in an answer: show it to one or to all, or replace or delete the original.

    Raises:
        Refusal: no_text; invalid_blocks and the other refusals of content; is_archived; message_not_found.
    """
    args, app = Arguments(given), call.state.apps[leave.app]
    channel = call.state.channels[leave.channel]
    if args.flag("delete_original"):
        _delete(call, channel, leave)
        return
    content = content_of(args, call.state.seed.metadata_size)
    _check(content)
    if args.flag("replace_original") and leave.ts:
        _replace(call, channel, leave, content)
    elif args.text("response_type") == "in_channel":
        _post(call, app, channel, content, thread=_thread(args, channel))
    else:
        _whisper(call, app, channel, leave, content)


def post_by_hook(call: Call, hook: Webhook, given: Mapping[str, object]) -> None:
    """Post what came in over an incoming webhook, as the old kind of bot message.

    Raises:
        Refusal: no_text; channel_is_archived; no_service; the refusals of content.
    """
    app, channel, args = call.state.apps[hook.app], call.state.channels[hook.channel], Arguments(given)
    if app.revoked:
        raise Refusal("no_service")
    if channel.archived:
        raise Refusal("channel_is_archived")
    content = content_of(args, call.state.seed.metadata_size)
    _check(content)
    _post(call, app, channel, content, thread=_thread(args, channel), subtype="bot_message")


def _check(content: Content) -> None:
    if content.empty:
        raise Refusal("no_text")
    if any(True for block in content.blocks or () for _ in block_problems(block, "")):
        raise Refusal("invalid_blocks")


def _thread(args: Arguments, channel: Channel) -> str | None:
    given = args.text("thread_ts")
    parent = channel.messages.get(given) if is_ts(given) else None
    return None if parent is None else parent.thread or given


def _bot(call: Call, app: App) -> Call:
    """The same call by the app's bot; what it tells is told by the whole."""
    caller = call.state.tokens.get(app.bot_token)
    if caller is None:
        raise Refusal("token_revoked")
    return Call(call.state, call.now, caller, call.method, call.args, call.events, call.payloads)


def _post(call: Call, app: App, channel: Channel, content: Content, *, thread: str | None, subtype: str = "") -> None:
    if channel.archived:
        raise Refusal("is_archived")
    bot = _bot(call, app)
    ts = channel.stamp(call.now)
    row = {**authored(bot, channel, ts, content.text or ""), **_dress(content, ts)}
    if subtype:
        row["subtype"] = subtype
    message = Stored(row=row, thread=thread)
    if thread is not None:
        row |= {"thread_ts": thread, "parent_user_id": channel.messages[thread].row.get("user", "")}
    place(bot, channel, ts, message)


def _whisper(call: Call, app: App, channel: Channel, leave: ReplyUrl, content: Content) -> None:
    ts = channel.stamp(call.now)
    row: Row = {**authored(_bot(call, app), channel, ts, content.text or ""), **_dress(content, ts)}
    if leave.thread:
        row["thread_ts"] = leave.thread
    whisper(call, channel, leave.user, row)


def whisper(call: Call, channel: Channel, user: str, row: Row) -> None:
    """Show a message to one person; it is in no channel's history, and no app is told of it."""
    shown = {**row, "is_ephemeral": True, "channel": channel.id}
    kept = call.state.surfaces.whispers.setdefault(user, [])
    kept.append(shown)
    del kept[:-MOST_WHISPERS]
    call.tell("", channel, {**shown, "event_ts": row["ts"], "channel_type": channel_type(channel)}, to=user)


def _replace(call: Call, channel: Channel, leave: ReplyUrl, content: Content) -> None:
    whispers = call.state.surfaces.whispers.get(leave.user, [])
    for index, row in enumerate(whispers):
        if row["ts"] == leave.ts and row["channel"] == channel.id:
            whispers[index] = _redone(row, content)
            return
    message = channel.messages.get(leave.ts)
    if message is None:
        raise Refusal("message_not_found")
    before = message.full
    message.row = _redone(message.row, content)
    inner = {"subtype": "message_changed", "message": message.full, "previous_message": before}
    _tell(call, channel, inner)


def _redone(row: Row, content: Content) -> Row:
    kept = {key: value for key, value in row.items() if key not in {"text", "blocks", "attachments"}}
    return {**kept, "text": content.text or "", **_dress(content, str(row["ts"]))}


def _delete(call: Call, channel: Channel, leave: ReplyUrl) -> None:
    whispers = call.state.surfaces.whispers.get(leave.user, [])
    for index, row in enumerate(whispers):
        if row["ts"] == leave.ts and row["channel"] == channel.id:
            del whispers[index]
            return
    message = channel.messages.get(leave.ts)
    if message is None or message.replies:
        raise Refusal("message_not_found")
    channel.remove(leave.ts)
    inner = {"subtype": "message_deleted", "previous_message": message.full, "deleted_ts": leave.ts}
    _tell(call, channel, inner)


def _tell(call: Call, channel: Channel, inner: Mapping[str, Any]) -> None:
    stamp, kind = channel.stamp(call.now), channel_type(channel)
    whole = {"type": "message", "hidden": True, **inner, "channel": channel.id, "ts": stamp, "event_ts": stamp}
    call.tell(_SUBSCRIPTIONS[kind], channel, {**whole, "channel_type": kind})


_SUBSCRIPTIONS = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}


def _dress(content: Content, seed: str) -> Row:
    row: Row = {}
    if content.blocks:
        row["blocks"] = numbered(content.blocks, seed)
    if content.attachments:
        row["attachments"] = content.attachments
    return row
