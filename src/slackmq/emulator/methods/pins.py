"""pins.*: a message is pinned to its channel by one user, or by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.rows import author_of, permalink, post_notice
from slackmq.emulator.state import Pin

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel, Row, Stored

__all__ = ["FAMILY"]

FAMILY = Family()
_READ = ("pins:read",)
_WRITE = ("pins:write",)
_UNPINNABLE = frozenset(
    {
        *("channel_archive", "channel_join", "channel_leave", "channel_name", "channel_purpose", "channel_topic"),
        *("channel_unarchive", "pinned_item", "tombstone"),
    },
)


@FAMILY.method("pins.add", tier=Tier.TWO, scopes=_WRITE, write=True)
def add(call: Call) -> Reply:
    """Pin a message. Slack tells everybody with a visible notice."""
    channel, ts, message = _item(call)
    if channel.archived:
        raise Refusal("is_archived")
    if message.row.get("subtype") in _UNPINNABLE:
        raise Refusal("not_pinnable")
    if ts in channel.pins:
        raise Refusal("already_pinned")
    if len(channel.pins) >= call.state.seed.pins_per_channel:
        raise Refusal("too_many_pins")
    pin = Pin(ts=ts, by=call.caller.user, at=call.second)
    channel.pins[ts] = pin
    info = {"channel": channel.id, "pinned_by": pin.by, "pinned_ts": pin.at}
    message.row = {**message.row, "pinned_to": [channel.id], "pinned_info": info}
    item = _shown(call, channel, pin)
    stamp = channel.stamp(call.now)
    _tell(call, "pin_added", channel, pin, {"event_ts": stamp})
    if call.state.seed.pin_notice:
        text = f"<@{pin.by}> pinned a message to this channel."
        post_notice(
            call, channel, "pinned_item", text, item_type="C" if channel.kind == "public_channel" else "G", item=item
        )
    return {}


@FAMILY.method("pins.remove", tier=Tier.TWO, scopes=_WRITE, write=True)
def remove(call: Call) -> Reply:
    """Unpin a message, whoever pinned it."""
    channel, ts, message = _item(call)
    if channel.archived:
        raise Refusal("is_archived")
    pin = channel.pins.pop(ts, None)
    if pin is None:
        raise Refusal("no_pin")
    message.row = {key: value for key, value in message.row.items() if key not in {"pinned_to", "pinned_info"}}
    stamp = channel.stamp(call.now)
    _tell(call, "pin_removed", channel, pin, {"has_pins": bool(channel.pins), "event_ts": stamp})
    return {}


@FAMILY.method("pins.list", tier=Tier.TWO, scopes=_READ)
def list_pins(call: Call) -> Reply:
    """What is pinned, the newest pin first."""
    channel = call.readable()
    pins = [pin for pin in reversed(channel.pins.values()) if pin.ts >= call.horizon]
    return {"items": [_shown(call, channel, pin) for pin in pins]}


def _item(call: Call) -> tuple[Channel, str, Stored]:
    if not call.args.text("timestamp"):
        raise Refusal("no_item_specified")
    channel = call.joined()
    if channel.posting == "read_only" and not call.owns:
        raise Refusal("restricted_action")
    ts, message = call.message(channel, "timestamp")
    return channel, ts, message


def _shown(call: Call, channel: Channel, pin: Pin) -> Row:
    message = channel.messages[pin.ts]
    row = {key: value for key, value in message.row.items() if key != "pinned_info"}
    row["pinned_to"] = [channel.id]
    row["permalink"] = permalink(call, channel, pin.ts, message.thread)
    return {"type": "message", "created": pin.at, "created_by": pin.by, "channel": channel.id, "message": row}


def _tell(call: Call, what: str, channel: Channel, pin: Pin, last: Row) -> None:
    inner = {
        "type": what,
        "user": call.caller.user,
        "channel_id": channel.id,
        "item": _shown(call, channel, pin),
        "item_user": author_of(channel.messages[pin.ts].row),
        "pin_count": len(channel.pins),
        "pinned_info": {"channel": channel.id, "pinned_by": pin.by, "pinned_ts": pin.at},
        **last,
    }
    call.tell(what, channel, inner)
