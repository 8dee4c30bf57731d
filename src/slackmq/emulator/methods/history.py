"""conversations.history and conversations.replies: what was said, in windows and pages."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from slackmq.emulator.pages import cursor_of_ts, is_upward, ts_at
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.timestamps import is_ts, ts_of, window_edge

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel, Row

__all__ = ["FAMILY"]

FAMILY = Family()
_PUBLIC, _PRIVATE = ("channels:history",), ("groups:history",)
_IM, _MPIM = ("im:history",), ("mpim:history",)
_DEFAULT, _MOST = 100, 999
"""Of conversations.history (docs.slack.dev); a larger limit is brought down to the most."""
_REPLIES = 1000
"""Default and most of conversations.replies (docs.slack.dev)."""
_UNLISTED = 15
"""Default and most of both for apps that are sold outside the Marketplace (docs.slack.dev, May 2025)."""


@FAMILY.method(
    "conversations.history", tier=Tier.THREE, public=_PUBLIC, private=_PRIVATE, im=_IM, mpim=_MPIM, paged=True
)
def history(call: Call) -> Reply:
    """The channel's messages, newest first, replies in threads left out."""
    channel = call.readable()
    oldest, latest = _edge(call, "oldest"), _edge(call, "latest")
    low, high = channel.window(oldest, latest, inclusive=call.args.flag("inclusive"))
    hidden = bisect_left(channel.shown, call.horizon)
    limited = low < hidden
    low = max(low, hidden)
    upward = is_upward(call.args)
    start, end = _stretch(call, channel, low, high, upward=upward)
    reply: Reply = {
        "messages": _rows(call, channel, channel.shown[start:end][::-1]),
        "has_more": False,
        "pin_count": len(channel.pins),
        "channel_actions_ts": None,
        "channel_actions_count": 0,
    }
    if limited:
        reply["is_limited"] = True
    return reply | _onward(channel, start, end, low=low, high=high, upward=upward)


@FAMILY.method(
    "conversations.replies", tier=Tier.THREE, public=_PUBLIC, private=_PRIVATE, im=_IM, mpim=_MPIM, paged=True
)
def replies(call: Call) -> Reply:
    """A thread: its parent, then the replies, oldest first. `ts` may be that of any message in it."""
    channel = call.readable()
    given = call.args.text("ts")
    message = channel.messages.get(given)
    if message is None or (message.thread or given) < call.horizon:
        raise Refusal("thread_not_found" if is_ts(given) else "invalid_arguments")
    parent = message.thread or given
    stamps = [parent, *_within(call, channel.messages[parent].replies)]
    default, most = _bounds(call, _REPLIES, _REPLIES)
    place = ts_at(call.args)
    start = 0 if place is None else bisect_left(stamps, ts_of(place))
    end = start + _limit(call, default, most)
    reply: Reply = {"messages": _rows(call, channel, stamps[start:end]), "has_more": end < len(stamps)}
    if end < len(stamps):
        reply["response_metadata"] = {"next_cursor": cursor_of_ts(stamps[end])}
    return reply


def _stretch(call: Call, channel: Channel, low: int, high: int, *, upward: bool) -> tuple[int, int]:
    """The part of the window [low, high) of `shown` that this page holds.

    A page is the newest part of the window and the next one is older, or the other way round (`is_upward`).
    """
    limit = _limit(call, *_bounds(call, _DEFAULT, _MOST))
    place = ts_at(call.args)
    if place is not None:
        after = bisect_left(channel.shown, ts_of(place + (0 if upward else 1)))
        low, high = (max(low, after), high) if upward else (low, min(high, after))
    if low >= high:
        return low, low
    return (low, min(high, low + limit)) if upward else (max(low, high - limit), high)


def _limit(call: Call, default: int, most: int) -> int:
    limit = call.args.count("limit", default=default)
    return min(limit, most) if limit > 0 else default


def _onward(channel: Channel, start: int, end: int, *, low: int, high: int, upward: bool) -> Reply:
    following = end if upward else start - 1
    if start == end or (following >= high if upward else following < low):
        return {}
    return {"has_more": True, "response_metadata": {"next_cursor": cursor_of_ts(channel.shown[following])}}


def _bounds(call: Call, default: int, most: int) -> tuple[int, int]:
    """Default and greatest limit for the calling app."""
    app = call.state.apps.get(call.caller.app or "")
    return (_UNLISTED, _UNLISTED) if app is not None and app.unlisted else (default, most)


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
    call.args.array("metadata_keys_to_include", refusal="invalid_metadata_filter_keys")
    if call.args.flag("include_all_metadata"):
        return [dict(messages[ts].full) for ts in stamps]
    return [messages[ts].row.copy() for ts in stamps]
