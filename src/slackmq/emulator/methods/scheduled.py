"""chat.scheduleMessage and its like: messages that are written now and posted later.

Nothing arrives by itself: whoever drives the workspace asks `Workspace.next_due`, and then calls `emulator.due` as
the operator, through the journal like any other write.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from slackmq.emulator.content import content_of
from slackmq.emulator.identifiers import derived_id
from slackmq.emulator.pages import page
from slackmq.emulator.posting import TRUNCATED, addressed, parent_of, post, postable
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.rows import authored
from slackmq.emulator.state import Scheduled
from slackmq.emulator.timestamps import seconds_of, window_edge

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel, Row

__all__ = ["FAMILY", "next_due"]

FAMILY = Family()
_WRITE = ("chat:write",)
_FARTHEST = 120 * 86_400
"""Seconds ahead (docs.slack.dev, chat.scheduleMessage, time_too_far)."""
_WINDOW, _MOST_IN_WINDOW = 300, 30
"""So many messages to a channel within so many seconds (docs.slack.dev, chat.scheduleMessage, restricted_too_many)."""
_MOST = 1000


@FAMILY.method("chat.scheduleMessage", tier=Tier.THREE, scopes=_WRITE, write=True)
def schedule(call: Call) -> Reply:
    """Have a message posted at a time within the next 120 days."""
    channel = addressed(call)
    postable(call, channel)
    content = content_of(call.args, call.state.seed.metadata_size)
    if content.empty:
        raise Refusal("no_text")
    post_at = _time(call, channel)
    thread = parent_of(call, channel)
    call.state.keep(channel)
    ident = derived_id("Q", channel.id, channel.stamp(call.now))
    call.state.scheduled[ident] = Scheduled(
        id=ident,
        caller=call.caller,
        channel=channel.id,
        post_at=post_at,
        created=call.second,
        content=content,
        thread=thread,
        broadcast=call.args.flag("reply_broadcast"),
    )
    row = authored(call, channel, "", content.text or "")
    shown: Row = {key: value for key, value in row.items() if key not in {"ts", "client_msg_id"}}
    if content.metadata:
        shown["metadata"] = content.metadata
    reply = {"channel": channel.id, "scheduled_message_id": ident, "post_at": post_at}
    return {**reply, "message": {**shown, "type": "delayed_message"}, **(TRUNCATED if content.truncated else {})}


@FAMILY.method("chat.scheduledMessages.list", tier=Tier.THREE, paged=True)
def list_scheduled(call: Call) -> Reply:
    """What the caller's app has scheduled, the earliest first."""
    given = call.args.text("channel")
    if given and (given not in call.state.channels or not call.sees(call.state.channels[given])):
        raise Refusal("invalid_channel")
    first, last = (_bound(call, name) for name in ("oldest", "latest"))
    waiting = [
        each
        for each in call.state.scheduled.values()
        if _is_own(call, each)
        and given in {"", each.channel}
        and (first is None or each.post_at >= first)
        and (last is None or each.post_at <= last)
    ]
    part, cursor = page(
        call.args, sorted(waiting, key=lambda each: each.post_at), default=100, most=_MOST, strict=False
    )
    rows = [
        {
            "id": each.id,
            "channel_id": each.channel,
            "post_at": each.post_at,
            "date_created": each.created,
            "text": each.content.text or "",
        }
        for each in part
    ]
    return {"scheduled_messages": rows, "response_metadata": {"next_cursor": cursor}}


@FAMILY.method("chat.deleteScheduledMessage", tier=Tier.THREE, scopes=_WRITE, write=True)
def delete_scheduled(call: Call) -> Reply:
    """Take a message back that has not been posted yet."""
    channel = call.channel()
    found = call.state.scheduled.get(call.args.text("scheduled_message_id"))
    if found is None or found.channel != channel.id or not _is_own(call, found):
        raise Refusal("invalid_scheduled_message_id")
    del call.state.scheduled[found.id]
    return {}


@FAMILY.method("emulator.due", tier=Tier.FREE, tokens=frozenset({"operator"}), write=True)
def due(call: Call) -> Reply:
    """Post all scheduled messages whose time has come; what cannot be posted any more is dropped, as by Slack."""
    waiting = call.state.scheduled
    ready = sorted((each for each in waiting.values() if each.post_at <= call.second), key=lambda each: each.post_at)
    posted: list[str] = []
    for each in ready:
        del waiting[each.id]
        channel = call.state.channels[each.channel]
        if _still_welcome(call, each, channel):
            ts, _ = post(
                replace(call, caller=each.caller),
                channel,
                each.content,
                thread=each.thread,
                broadcast=each.broadcast,
            )
            posted.append(ts)
    return {"posted": posted}


def next_due(scheduled: dict[str, Scheduled]) -> int | None:
    """When the next message is to be posted, in microseconds since 1970; None if none waits."""
    return min((each.post_at * 1_000_000 for each in scheduled.values()), default=None)


def _time(call: Call, channel: Channel) -> int:
    given = call.args.text("post_at")
    if not given.isdecimal():
        raise Refusal("invalid_time")
    post_at = int(given[:12])
    if post_at <= call.second:
        raise Refusal("time_in_past")
    if post_at > call.second + _FARTHEST:
        raise Refusal("time_too_far")
    window = post_at // _WINDOW
    crowd = sum(
        each.channel == channel.id and each.post_at // _WINDOW == window for each in call.state.scheduled.values()
    )
    if crowd >= _MOST_IN_WINDOW:
        raise Refusal("restricted_too_many")
    return post_at


def _bound(call: Call, name: str) -> int | None:
    edge = window_edge(call.args.text(name))
    return None if edge is None else seconds_of(edge)


def _is_own(call: Call, each: Scheduled) -> bool:
    """Slack keeps them per token: of a bot, or of one person."""
    return each.caller.user == call.caller.user


def _still_welcome(call: Call, each: Scheduled, channel: Channel) -> bool:
    if each.content.metadata and call.state.seed.scheduled_metadata_bug:
        return False
    if call.state.users[each.caller.user].deleted or channel.archived:
        return False
    if each.thread is not None and each.thread not in channel.messages:
        return False
    return each.caller.user in channel.members or ("chat:write.public" in each.caller.scopes and not channel.private)
