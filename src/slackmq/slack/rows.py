"""Slack's JSON as values: a message of a channel as a Row, the payload of an event as an Event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slackmq.slack.api import (
    Added,
    Arrived,
    Changed,
    Deleted,
    HomeOpened,
    Metadata,
    Pin,
    Pinned,
    Pressed,
    Row,
    Unpinned,
)
from slackmq.slack.markup import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.slack.api import Event

__all__ = ["event", "in_channel", "pressed", "row"]

_POSTED = frozenset({None, "bot_message", "thread_broadcast", "file_share", "me_message"})
"""Subtypes under which somebody says something; the others report what happened to a channel or a message.

docs.slack.dev/reference/events/message
"""


def row(message: Mapping[str, Any]) -> Row:
    """A message as `conversations.history`, `conversations.replies` or an event shows it.

    Raises:
        KeyError: it has no timestamp, so it is no message.
    """
    return Row(
        ts=str(message["ts"]),
        user=str(message.get("user") or ""),
        text=plain(str(message.get("text") or "")),
        bot=_optional(message, "bot_id"),
        subtype=_optional(message, "subtype"),
        thread=_optional(message, "thread_ts"),
        edited=bool(message.get("edited")),
        reactions={str(entry["name"]): frozenset(entry.get("users") or ()) for entry in message.get("reactions") or ()},
        replies=int(message.get("reply_count") or 0),
        latest_reply=_optional(message, "latest_reply"),
        metadata=_metadata(message.get("metadata")),
        pin=_pin(message.get("pinned_info")),
    )


def in_channel(seen: Row) -> bool:
    """Whether a message stands in the channel itself, not only in a thread."""
    return seen.thread in {None, seen.ts} or seen.subtype == "thread_broadcast"


def event(payload: Mapping[str, Any], *, redelivered: bool = False) -> Event | None:
    """The payload of an `events_api` envelope; None if it is nothing to us, or of no shape we know.

    Args:
        payload: the outer object, `{"type": "event_callback", "event": {…}}`.
        redelivered: whether Slack marked the envelope as a repetition.
    """
    inner: Mapping[str, Any] = payload.get("event") or {}
    try:
        match inner.get("type"):
            case "message":
                return _message(inner, redelivered=redelivered)
            case "reaction_added" if inner["item"].get("type") == "message":
                item = inner["item"]
                return Added(channel=item["channel"], ts=item["ts"], emoji=inner["reaction"], user=inner["user"])
            case "pin_added" | "pin_removed":
                return _pinning(inner)
            case "app_home_opened" if inner.get("tab", "home") == "home":
                return HomeOpened(user=inner["user"])
            case _:
                return None
    except (AttributeError, KeyError, TypeError, ValueError):  # events are hints: one that cannot be read is left out
        return None


def pressed(payload: Mapping[str, Any]) -> Pressed | None:
    """The payload of an `interactive` envelope; None if it tells of no button, or is of no shape we know.

    docs.slack.dev/reference/interaction-payloads/block_actions-payload
    """
    if payload.get("type") != "block_actions":
        return None
    try:
        action: Mapping[str, Any] = payload["actions"][0]
        message: Mapping[str, Any] = payload.get("message") or {}
        channel: Mapping[str, Any] = payload.get("channel") or {}
        if action.get("type") != "button":
            return None
        return Pressed(
            user=str(payload["user"]["id"]),
            action=str(action["action_id"]),
            value=str(action.get("value") or ""),
            channel=str(channel.get("id") or ""),
            ts=str(message.get("ts") or ""),
            thread=_optional(message, "thread_ts"),
        )
    except (AttributeError, IndexError, KeyError, TypeError):  # as above
        return None


def _pinning(inner: Mapping[str, Any]) -> Event | None:
    channel, ts = inner["channel_id"], inner["item"]["message"]["ts"]
    if inner["type"] == "pin_removed":
        return Unpinned(channel=channel, ts=ts, user=inner["user"])
    pin = _pin(inner["pinned_info"])
    return Pinned(channel=channel, ts=ts, pin=pin) if pin else None


def _message(inner: Mapping[str, Any], *, redelivered: bool) -> Event | None:
    channel = str(inner["channel"])
    match inner.get("subtype"):
        case "message_changed":
            seen = row(inner["message"])
            if not in_channel(seen):
                return None
            # Slack keeps a deleted parent's place as a tombstone while its thread has replies.
            return (
                Deleted(channel=channel, ts=seen.ts)
                if seen.subtype == "tombstone"
                else Changed(channel=channel, row=seen)
            )
        case "message_deleted":
            former = inner.get("previous_message")
            if former and not in_channel(row(former)):
                return None
            return Deleted(channel=channel, ts=str(inner["deleted_ts"]))
        case subtype if subtype in _POSTED:
            seen = row(inner)
            return Arrived(channel=channel, row=seen, redelivered=redelivered) if in_channel(seen) else None
        case _:
            return None


def _metadata(value: Mapping[str, Any] | None) -> Metadata | None:
    if not value or not value.get("event_type"):
        return None
    return Metadata(type=str(value["event_type"]), payload=value.get("event_payload") or {})


def _pin(value: Mapping[str, Any] | None) -> Pin | None:
    if not value or not value.get("pinned_by"):
        return None
    return Pin(by=str(value["pinned_by"]), since=int(value["pinned_ts"]))


def _optional(message: Mapping[str, Any], key: str) -> str | None:
    value = message.get(key)
    return str(value) if value else None
