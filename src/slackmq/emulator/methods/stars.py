"""stars.*: what a person keeps for later; bots keep nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.pages import paged_or_numbered
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.rows import permalink

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.model import TokenType
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel, Row

__all__ = ["FAMILY"]

FAMILY = Family()
_PEOPLE: frozenset[TokenType] = frozenset({"user"})
_HIDDEN = frozenset({"metadata", "pinned_info", "pinned_to", "root", "app_id"})


@FAMILY.method("stars.add", tier=Tier.TWO, scopes=("stars:write",), tokens=_PEOPLE, write=True)
def add(call: Call) -> Reply:
    """Keep a message, or a channel, for later."""
    key = _item(call)
    if key in call.me.stars:
        raise Refusal("already_starred")
    call.me.stars[key] = call.second
    return {}


@FAMILY.method("stars.remove", tier=Tier.TWO, scopes=("stars:write",), tokens=_PEOPLE, write=True)
def remove(call: Call) -> Reply:
    """Keep it no more."""
    key = _item(call)
    if key not in call.me.stars:
        raise Refusal("not_starred")
    del call.me.stars[key]
    return {}


@FAMILY.method("stars.list", tier=Tier.THREE, scopes=("stars:read",), tokens=_PEOPLE, paged=True)
def list_stars(call: Call) -> Reply:
    """What the caller keeps, the latest first."""
    items: list[Row] = []
    for (ident, ts), starred in reversed(call.me.stars.items()):
        channel = call.state.channels[ident]
        if not call.sees(channel):
            continue
        if not ts:
            items.append({"type": _kind(channel), "channel": ident, "date_create": starred})
        elif ts in channel.messages and ts >= call.horizon:
            message = channel.messages[ts]
            row = {key: value for key, value in message.row.items() if key not in _HIDDEN}
            row |= {"is_starred": True, "permalink": permalink(call, channel, ts, message.thread)}
            items.append({"type": "message", "channel": ident, "message": row, "date_create": starred})
    return paged_or_numbered(call.args, items, spill=True)


def _item(call: Call) -> tuple[str, str]:
    for argument in ("file", "file_comment"):
        if call.args.text(argument):
            raise Refusal(f"{argument}_not_found")
    channel = call.channel(missing="no_item_specified")
    if not call.args.text("timestamp"):
        return channel.id, ""
    ts, _ = call.message(channel, "timestamp")
    return channel.id, ts


def _kind(channel: Channel) -> str:
    return "im" if channel.kind == "im" else "group" if channel.private else "channel"
