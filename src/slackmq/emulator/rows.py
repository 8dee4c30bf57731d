"""Messages as Slack writes them, and the events that tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slackmq.emulator.identifiers import derived_id, derived_uuid
from slackmq.emulator.state import Stored
from slackmq.emulator.text import mentions, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.emulator.call import Call
    from slackmq.emulator.model import Caller, Kind
    from slackmq.emulator.state import Channel, Row

__all__ = [
    "PARENT_KEYS",
    "author_of",
    "authored",
    "channel_type",
    "is_by",
    "parent_keys",
    "permalink",
    "place",
    "post_notice",
    "recount",
    "rich_text",
    "tell_change",
    "tell_message",
]


def author_of(row: Row) -> str:
    """Who wrote it: a user's id; of a message under another name, which shows no user, the bot's id."""
    author: str = row.get("user") or row.get("bot_id", "")
    return author


def is_by(row: Row, caller: Caller) -> bool:
    """True if the caller wrote it."""
    return author_of(row) in {caller.user, caller.bot}


def authored(call: Call, channel: Channel, ts: str, text: str, *, dressed: Row | None = None) -> Row:
    """A new row by the caller: of a bot as today's apps write it (no subtype), or of a person.

    A bot under another name writes the old subtype "bot_message" (docs.slack.dev, chat.postMessage, examples).
    """
    caller, team = call.caller, call.state.seed.team_id
    if caller.app is not None and caller.bot is not None:
        if dressed:
            own = {"bot_id": caller.bot, "app_id": caller.app}
            return {"subtype": "bot_message", "type": "message", "ts": ts, "text": text, **own, **dressed}
        profile = call.state.apps[caller.app].profile
        return {
            "user": caller.user,
            "type": "message",
            "ts": ts,
            "bot_id": caller.bot,
            "app_id": caller.app,
            "text": text,
            "team": team,
            "bot_profile": profile,
        }
    return {
        "user": caller.user,
        "type": "message",
        "ts": ts,
        "client_msg_id": call.args.text("client_msg_id") or derived_uuid(channel.id, ts),
        "text": text,
        "team": team,
        "blocks": rich_text(channel, ts, text),
    }


def rich_text(channel: Channel, ts: str, text: str) -> list[Row]:
    """The block in which Slack's own client sends what a person typed."""
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": plain(text)}]}
    return [{"type": "rich_text", "block_id": derived_id("", channel.id, ts)[:5], "elements": [section]}]


def channel_type(channel: Channel) -> str:
    """What events call the kind of channel."""
    return _TYPES[channel.kind]


_TYPES: dict[Kind, str] = {"public_channel": "channel", "private_channel": "group", "mpim": "mpim", "im": "im"}
_MESSAGES: dict[Kind, str] = {
    "public_channel": "message.channels",
    "private_channel": "message.groups",
    "mpim": "message.mpim",
    "im": "message.im",
}


def permalink(call: Call, channel: Channel, ts: str, thread: str | None) -> str:
    """The address of a message."""
    link = f"{call.state.url}archives/{channel.id}/p{ts.replace('.', '')}"
    return f"{link}?thread_ts={thread}&cid={channel.id}" if thread and thread != ts else link


def place(call: Call, channel: Channel, ts: str, message: Stored) -> None:
    """Put a new message into its channel and thread, and tell of it."""
    channel.add(ts, message)
    if message.thread is not None:
        parent = channel.messages[message.thread]
        parent.replies.append(ts)
        recount(channel, message.thread)
    tell_message(call, channel, message.full)


def recount(channel: Channel, thread: str) -> None:
    """Bring the parent's row in line with its replies.

    One that lost all of them keeps its `thread_ts` (docs.slack.dev, "Retrieving messages").
    """
    parent = channel.messages[thread]
    kept = {key: value for key, value in parent.row.items() if key not in PARENT_KEYS}
    replies = [(ts, author_of(channel.messages[ts].row)) for ts in parent.replies]
    if replies:
        kept |= parent_keys(thread, replies, locked=parent.locked)
    elif "thread_ts" in parent.row:
        kept["thread_ts"] = thread
    parent.row = kept


def parent_keys(thread: str, replies: Sequence[tuple[str, str]], *, locked: bool) -> Row:
    """What only the parent of a thread has; replies are given by ts and author, in order."""
    users = list(dict.fromkeys(author for _, author in replies))
    return {
        "thread_ts": thread,
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "latest_reply": replies[-1][0],
        "reply_users": users[:_MOST_USERS],
        "is_locked": locked,
        "subscribed": False,
    }


PARENT_KEYS = frozenset(
    {"thread_ts", "reply_count", "reply_users_count", "latest_reply", "reply_users", "is_locked", "subscribed"},
)
"""What only the parent of a thread has."""
_MOST_USERS = 5
"""Users whom a parent names (docs.slack.dev, "Retrieving messages")."""


def tell_message(call: Call, channel: Channel, row: Row, *, ts: str | None = None) -> None:
    """Tell of a message, and once more those whom it mentions; `ts` is the event's own, if not the row's."""
    where: dict[str, Any] = {"channel": channel.id, "event_ts": ts or row["ts"]}
    text = str(row.get("text", ""))
    call.tell(_MESSAGES[channel.kind], channel, {**row, **where, "channel_type": _TYPES[channel.kind]})
    if "subtype" not in row and "<@" in text and any(mentions(text, app.bot_user) for app in call.state.apps.values()):
        call.tell("app_mention", channel, {**row, **where, "type": "app_mention"})


def tell_change(call: Call, channel: Channel, inner: dict[str, Any]) -> None:
    """Tell that a message was changed or deleted; `inner` has the moment as its `ts`."""
    whole = {**inner, "channel": channel.id, "event_ts": inner["ts"], "channel_type": _TYPES[channel.kind]}
    call.tell(_MESSAGES[channel.kind], channel, whole)


def post_notice(call: Call, channel: Channel, subtype: str, text: str, **extra: object) -> str:
    """What Slack itself writes into a channel: somebody joined, something was pinned. Returns its ts."""
    ts = channel.stamp(call.now)
    row = {"type": "message", "subtype": subtype, "ts": ts, "user": call.caller.user, "text": text, **extra}
    place(call, channel, ts, Stored(row=row))
    return ts
