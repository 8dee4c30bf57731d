"""bookmarks.*: the links above a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.emoji import is_emoji
from slackmq.emulator.identifiers import derived_id
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel, Row

__all__ = ["FAMILY"]

FAMILY = Family()
_READ, _WRITE = ("bookmarks:read",), ("bookmarks:write",)
_MOST = 100
"""Bookmarks in a channel (slack.com/help, "Add bookmarks"); too_many_bookmarks."""


@FAMILY.method("bookmarks.add", tier=Tier.TWO, scopes=_WRITE, write=True)
def add(call: Call) -> Reply:
    """A new link."""
    channel = _channel(call)
    if call.args.text("type") != "link":
        raise Refusal("invalid_bookmark_type")
    if not call.args.text("title"):
        raise Refusal("invalid_arguments")
    if call.args.text("entity_id"):
        raise Refusal("invalid_entity_id")
    if call.args.text("parent_id"):
        raise Refusal("invalid_parent_type")
    _check(call, link=True)
    if len(channel.bookmarks) >= _MOST:
        raise Refusal("too_many_bookmarks")
    ident = derived_id("Bk", channel.id, channel.stamp(call.now))
    link = call.args.text("link")
    row: Row = {
        "id": ident,
        "channel_id": channel.id,
        "title": call.args.text("title"),
        "link": link,
        "emoji": call.args.text("emoji"),
        "icon_url": "",
        "type": "link",
        "entity_id": None,
        "date_created": call.second,
        "date_updated": 0,
        "rank": f"{len(channel.bookmarks) + 1:04d}",
        "last_updated_by_user_id": call.caller.user,
        "last_updated_by_team_id": call.state.seed.team_id,
        "shortcut_id": None,
        "app_id": None,
        "app_action_id": None,
    }
    channel.bookmarks[ident] = row
    return {"bookmark": dict(row)}


@FAMILY.method("bookmarks.edit", tier=Tier.TWO, scopes=_WRITE, write=True)
def edit(call: Call) -> Reply:
    """Change a link's title, address or emoji."""
    channel = _channel(call)
    row = _bookmark(call, channel)
    _check(call, link="link" in call.args)
    changes = {name: call.args.text(name) for name in ("title", "link", "emoji") if name in call.args}
    changed = {**row, **changes, "date_updated": call.second, "last_updated_by_user_id": call.caller.user}
    channel.bookmarks[row["id"]] = changed
    return {"bookmark": dict(changed)}


@FAMILY.method("bookmarks.remove", tier=Tier.TWO, scopes=_WRITE, write=True)
def remove(call: Call) -> Reply:
    """Take a link away."""
    channel = _channel(call)
    del channel.bookmarks[_bookmark(call, channel)["id"]]
    return {}


@FAMILY.method("bookmarks.list", tier=Tier.THREE, scopes=_READ)
def list_bookmarks(call: Call) -> Reply:
    """All links of a channel."""
    channel = call.visible(call.args.text("channel_id"))
    return {"bookmarks": [dict(row) for row in channel.bookmarks.values()]}


def _channel(call: Call) -> Channel:
    """The channel, if the caller may change its links: members may, guests may not."""
    channel = call.visible(call.args.text("channel_id"))
    if call.caller.user not in channel.members or channel.archived or call.me.guest:
        raise Refusal("permission_denied")
    return channel


def _bookmark(call: Call, channel: Channel) -> Row:
    row = channel.bookmarks.get(call.args.text("bookmark_id"))
    if row is None:
        raise Refusal("not_found")
    return row


def _check(call: Call, *, link: bool) -> None:
    if link and not call.args.text("link").startswith(("http://", "https://")):
        raise Refusal("invalid_link")
    emoji = call.args.text("emoji")
    if emoji and not is_emoji(emoji.strip(":")) and emoji.strip(":") not in call.state.emoji:
        raise Refusal("invalid_emoji")
