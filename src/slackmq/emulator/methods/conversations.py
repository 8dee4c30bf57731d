"""conversations.list, info, members, mark, users.conversations: which conversations there are, and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from slackmq.emulator.conversation_rows import conversation_row, other_member
from slackmq.emulator.pages import page
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.timestamps import is_ts, ts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.call import Call
    from slackmq.emulator.model import Kind
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel, Row

__all__ = ["FAMILY"]

FAMILY = Family()
_READ: Mapping[Kind, tuple[str, ...]] = {
    "public_channel": ("channels:read",),
    "private_channel": ("groups:read",),
    "mpim": ("mpim:read",),
    "im": ("im:read",),
}
_READ_PUBLIC, _READ_PRIVATE = _READ["public_channel"], _READ["private_channel"]
_READ_IM, _READ_MPIM = _READ["im"], _READ["mpim"]
_MOST = 1000


@FAMILY.method(
    "conversations.list",
    tier=Tier.TWO,
    public=_READ_PUBLIC,
    private=_READ_PRIVATE,
    im=_READ_IM,
    mpim=_READ_MPIM,
    paged=True,
)
def list_conversations(call: Call) -> Reply:
    """The conversations that the caller may know of."""
    kinds = _kinds(call)
    live = call.args.flag("exclude_archived")
    known = [
        channel
        for channel in call.state.channels.values()
        if channel.kind in kinds and call.sees(channel) and not (live and channel.archived)
    ]
    part, cursor = page(call.args, known, default=100, most=_MOST)
    return {"channels": [_listed(call, channel) for channel in part], "response_metadata": {"next_cursor": cursor}}


@FAMILY.method(
    "users.conversations",
    tier=Tier.THREE,
    public=_READ_PUBLIC,
    private=_READ_PRIVATE,
    im=_READ_IM,
    mpim=_READ_MPIM,
    paged=True,
)
def users_conversations(call: Call) -> Reply:
    """The conversations that a user is a member of; of another user, those that the caller may know of."""
    kinds = _kinds(call)
    user = call.args.text("user") or call.caller.user
    if user not in call.state.users:
        raise Refusal("user_not_found")
    live = call.args.flag("exclude_archived")
    joined = [
        channel
        for channel in call.state.channels.values()
        if channel.kind in kinds
        and user in channel.members
        and call.sees(channel)
        and not (live and channel.archived)
        and not (user == call.caller.user and user in channel.closed)
    ]
    part, cursor = page(call.args, joined, default=100, most=_MOST)
    hidden = {"is_member", "num_members"}
    rows = [{key: value for key, value in _listed(call, channel).items() if key not in hidden} for channel in part]
    return {"channels": rows, "response_metadata": {"next_cursor": cursor}}


@FAMILY.method(
    "conversations.info", tier=Tier.THREE, public=_READ_PUBLIC, private=_READ_PRIVATE, im=_READ_IM, mpim=_READ_MPIM
)
def info(call: Call) -> Reply:
    """One conversation."""
    channel = call.channel()
    row = conversation_row(call, channel)
    if call.caller.user in channel.members:
        row["last_read"] = channel.read.get(call.caller.user, ts_of(0))
    if call.args.flag("include_num_members"):
        row["num_members"] = len(channel.members)
    if channel.posting:
        row[f"is_{channel.posting}"] = True
    if call.args.flag("include_locale"):
        row["locale"] = "en-US"
    return {"channel": row}


@FAMILY.method(
    "conversations.members",
    tier=Tier.FOUR,
    public=_READ_PUBLIC,
    private=_READ_PRIVATE,
    im=_READ_IM,
    mpim=_READ_MPIM,
    paged=True,
)
def members(call: Call) -> Reply:
    """The ids of a conversation's members."""
    channel = call.channel()
    part, cursor = page(call.args, list(channel.members), default=100, most=_MOST)
    return {"members": list(part), "response_metadata": {"next_cursor": cursor}}


@FAMILY.method(
    "conversations.mark",
    tier=Tier.THREE,
    public=("channels:manage", "channels:write"),
    private=("groups:write",),
    im=("im:write",),
    mpim=("mpim:write",),
    write=True,
)
def mark(call: Call) -> Reply:
    """Say how far the caller has read."""
    channel = call.joined()
    ts = call.args.text("ts")
    if not is_ts(ts):
        raise Refusal("invalid_timestamp")
    channel.read[call.caller.user] = ts
    return {}


def _kinds(call: Call) -> list[Kind]:
    """The kinds that the caller asks for, if the token has the scope for each."""
    given = call.args.names("types") or ["public_channel"]
    if not _READ.keys() >= set(given):
        raise Refusal("invalid_types")
    kinds = cast("list[Kind]", given)
    for kind in kinds:
        call.permit(_READ[kind])
    return kinds


def _listed(call: Call, channel: Channel) -> Row:
    row = conversation_row(call, channel)
    if channel.kind == "im":
        other = call.state.users[other_member(channel, call.caller.user)]
        return {**row, "is_user_deleted": other.deleted, "priority": 0}
    return {**row, "num_members": len(channel.members)}
