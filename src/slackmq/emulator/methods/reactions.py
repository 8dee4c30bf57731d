"""reactions.*: an emoji of a user on a message, which is there once or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.emoji import is_emoji
from slackmq.emulator.pages import paged_or_numbered
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.rows import author_of, permalink

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel, Row, Stored

__all__ = ["FAMILY"]

FAMILY = Family()
_READ = ("reactions:read",)
_WRITE = ("reactions:write",)


@FAMILY.method("reactions.add", tier=Tier.THREE, scopes=_WRITE, write=True)
def add(call: Call) -> Reply:
    """Put an emoji on a message."""
    name = _emoji(call)
    channel, message = _item(call)
    if channel.archived:
        raise Refusal("is_archived")
    user = call.caller.user
    entries: list[Row] = message.row.get("reactions", _NONE)
    mine, at = 0, None
    for index, entry in enumerate(entries):
        if entry["name"] == name:
            at = index
        if user in entry["users"]:
            mine += 1
    if at is not None and user in entries[at]["users"]:
        raise Refusal("already_reacted")
    if at is None and len(entries) >= call.state.seed.emoji_per_message:
        raise Refusal("too_many_emoji")
    if mine >= call.state.seed.reactions_per_user:
        raise Refusal("too_many_reactions")
    users: list[str] = [] if at is None else entries[at]["users"]
    entry = {"name": name, "users": [*users, user], "count": len(users) + 1}
    changed = [*entries, entry] if at is None else [*entries[:at], entry, *entries[at + 1 :]]
    message.row = {**message.row, "reactions": changed}
    if not mine:
        call.state.reacted.setdefault(user, {})[channel.id, message.row["ts"]] = None
    _tell(call, "reaction_added", channel, name, message)
    return {}


@FAMILY.method("reactions.remove", tier=Tier.TWO, scopes=_WRITE, write=True)
def remove(call: Call) -> Reply:
    """Take an own emoji off a message."""
    name = _emoji(call)
    channel, message = _item(call)
    if channel.archived:
        raise Refusal("is_archived")
    entries: list[Row] = message.row.get("reactions", _NONE)
    old = next((entry for entry in entries if entry["name"] == name), None)
    if old is None or call.caller.user not in old["users"]:
        raise Refusal("no_reaction")
    users = [user for user in old["users"] if user != call.caller.user]
    new: Row = {"name": name, "users": users, "count": len(users)}
    changed: list[Row] = [new if entry is old else entry for entry in entries if users or entry is not old]
    row: Row = {**message.row, "reactions": changed}
    if not changed:
        del row["reactions"]
    message.row = row
    if not any(call.caller.user in entry["users"] for entry in changed):
        del call.state.reacted[call.caller.user][channel.id, row["ts"]]
    _tell(call, "reaction_removed", channel, name, message)
    return {}


@FAMILY.method("reactions.get", tier=Tier.THREE, scopes=_READ)
def get(call: Call) -> Reply:
    """The message with everything on it."""
    if not call.args.text("channel") or not call.args.text("timestamp"):
        _check_files(call)
        raise Refusal("no_item_specified")
    channel = call.readable()
    ts, message = call.message(channel, "timestamp")
    row = {key: value for key, value in message.row.items() if key in _SHOWN}
    row["permalink"] = permalink(call, channel, ts, message.thread)
    return {"type": "message", "channel": channel.id, "message": row}


@FAMILY.method("reactions.list", tier=Tier.TWO, scopes=_READ, paged=True)
def list_reactions(call: Call) -> Reply:
    """The messages that a user has reacted to, the latest first, as far as the caller may see them."""
    user = call.args.text("user") or call.caller.user
    if user not in call.state.users:
        raise Refusal("user_not_found")
    items: list[Row] = []
    for ident, ts in reversed(call.state.reacted.get(user, {})):
        channel = call.state.channels[ident]
        message = channel.messages.get(ts)
        if message is None or not call.reads(channel) or ts < call.horizon:
            continue
        row = {key: value for key, value in message.row.items() if key not in _HIDDEN}
        row["permalink"] = permalink(call, channel, ts, message.thread)
        items.append({"type": "message", "channel": ident, "message": row})
    return paged_or_numbered(call.args, items)


_HIDDEN = frozenset({"metadata", "pinned_info", "pinned_to", "root"})
_NONE: list[Row] = []
_SHOWN = frozenset(
    {"type", "user", "text", "ts", "team", "bot_id", "app_id", "bot_profile", "blocks", "attachments", "reactions"},
)
"""What recorded answers of reactions.get show of a message."""


def _emoji(call: Call) -> str:
    name = call.args.text("name")
    if not is_emoji(name) and name not in call.state.emoji:
        raise Refusal("invalid_name")
    return name


def _item(call: Call) -> tuple[Channel, Stored]:
    if not call.args.text("timestamp"):
        _check_files(call)
        raise Refusal("no_item_specified")
    channel = call.joined(missing="no_item_specified")
    _, message = call.message(channel, "timestamp")
    if message.row.get("subtype") == "tombstone":
        raise Refusal("message_not_found")
    if message.locked or (message.thread is not None and channel.messages[message.thread].locked):
        raise Refusal("thread_locked")
    return channel, message


def _check_files(call: Call) -> None:
    """Slack knows reactions to files too; this workspace's files have none."""
    for argument in ("file", "file_comment"):
        if call.args.text(argument):
            raise Refusal(f"{argument}_not_found")


def _tell(call: Call, what: str, channel: Channel, name: str, message: Stored) -> None:
    inner = {
        "type": what,
        "user": call.caller.user,
        "reaction": name,
        "item": {"type": "message", "channel": channel.id, "ts": message.row["ts"]},
        "item_user": author_of(message.row),
        "event_ts": channel.stamp(call.now),
    }
    call.tell(what, channel, inner)
