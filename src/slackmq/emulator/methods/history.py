"""conversations.history and conversations.replies: what was said, in windows and pages."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from slackmq.emulator.pages import cursor_at, cursor_of, page
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.timestamps import is_ts, ts_of, window_edge

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel, Row

__all__ = ["FAMILY"]

FAMILY = Family()
_PUBLIC = ("channels:history",)
_PRIVATE = ("groups:history",)
_DEFAULT, _MOST = 100, 999
"""Of conversations.history (docs.slack.dev); a larger limit is brought down to the most."""
_REPLIES = 1000
"""Default and most of conversations.replies (docs.slack.dev)."""


@FAMILY.method("conversations.history", tier=Tier.THREE, public=_PUBLIC, private=_PRIVATE)
def history(call: Call) -> Reply:
    """The channel's messages, newest first, replies in threads left out."""
    channel = call.readable()
    oldest, latest = _edge(call, "oldest"), _edge(call, "latest")
    inclusive = call.args.flag("inclusive")
    low, high = channel.window(oldest, latest, inclusive=inclusive)
    place = cursor_at(call.args, "next_ts")
    if place is not None:
        if not place.isdecimal():
            raise Refusal("invalid_cursor")
        high = min(high, bisect_left(channel.shown, ts_of(int(place) + 1)))
    limit = call.args.count("limit", default=_DEFAULT)
    limit = min(limit, _MOST) if limit > 0 else _DEFAULT
    start = max(low, high - limit)
    stamps = channel.shown[start:high] if start < high else []
    stamps.reverse()
    more = start > low
    reply: Reply = {
        "messages": _rows(call, channel, stamps),
        "has_more": more,
        "pin_count": len(channel.pins),
        "channel_actions_ts": None,
        "channel_actions_count": 0,
    }
    if more:
        reply["response_metadata"] = {"next_cursor": cursor_of("next_ts", channel.shown[start - 1].replace(".", ""))}
    return reply


@FAMILY.method("conversations.replies", tier=Tier.THREE, public=_PUBLIC, private=_PRIVATE)
def replies(call: Call) -> Reply:
    """A thread: its parent, then the replies, oldest first. `ts` may be that of any message in it."""
    channel = call.readable()
    given = call.args.text("ts")
    message = channel.messages.get(given)
    if message is None:
        raise Refusal("thread_not_found" if is_ts(given) else "invalid_arguments")
    parent = message.thread or given
    stamps = _within(call, channel.messages[parent].replies)
    part, cursor = page(call.args, [parent, *stamps], default=_REPLIES, most=_REPLIES, strict=False)
    reply: Reply = {"messages": _rows(call, channel, list(part)), "has_more": bool(cursor)}
    if cursor:
        reply["response_metadata"] = {"next_cursor": cursor}
    return reply


def _edge(call: Call, name: str) -> str:
    given = call.args.text(name)
    if not given or (name == "latest" and given == "now"):
        return ""
    edge = window_edge(given)
    if edge is None:
        raise Refusal(f"invalid_ts_{name}")
    return edge


def _within(call: Call, stamps: list[str]) -> list[str]:
    oldest, latest = _edge(call, "oldest"), _edge(call, "latest")
    if not oldest and not latest:
        return stamps
    edges = {oldest, latest} if call.args.flag("inclusive") else set[str]()
    last = latest or "~"
    return [ts for ts in stamps if oldest < ts < last or ts in edges]


def _rows(call: Call, channel: Channel, stamps: list[str]) -> list[Row]:
    messages = channel.messages
    if call.args.flag("include_all_metadata"):
        return [dict(messages[ts].full) for ts in stamps]
    return [messages[ts].row.copy() for ts in stamps]
