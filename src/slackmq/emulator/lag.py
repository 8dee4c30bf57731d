"""Reads that are behind: history and threads show what was there a while ago, until a plan lets them see the rest.

Pure: whoever drives it tells what happened and brings the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from slackmq.emulator.arguments import Arguments
from slackmq.emulator.behind import Behind, Late
from slackmq.emulator.pages import cursor_of_ts, is_upward, span_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from slackmq.emulator.behind import Key
    from slackmq.emulator.faults import Plan
    from slackmq.emulator.model import Event

    Row = Mapping[str, Any]

__all__ = ["READS", "Lag"]

_MOST = {"conversations.history": (100, 999), "conversations.replies": (1000, 1000)}
"""Default and greatest limit of the methods whose answers may be behind."""
READS = frozenset(_MOST)
"""The methods whose answers may be behind."""


@dataclass(slots=True, kw_only=True)
class Lag:
    """What of one workspace is not to be seen yet: messages, replies, edits, reactions, pins, and deletions.

    Attributes:
        plan: says when what is seen. Of one thing, changes are seen in the order in which they happened.
        replies: channel and ts of a thread's parent -> ts and author of its replies, in truth.
    """

    plan: Plan
    replies: Callable[[str, str], Sequence[tuple[str, str]]]
    _late: dict[str, dict[Key, list[Late]]] = field(default_factory=dict[str, "dict[Key, list[Late]]"])
    _answered: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Channel and ts of parents of which a reply was seen: they stay marked as parents when it is deleted."""

    def heard(self, event: Event, at: int) -> None:
        """Take note of something that happened at `at`."""
        inner, channel = event.inner, event.channel or ""
        match inner["type"], inner.get("subtype"):
            case ("reaction_added" | "reaction_removed") as kind, _:
                emoji = ("emoji", str(inner["item"].get("ts", "")), str(inner["reaction"]), str(inner["user"]))
                self._put(channel, emoji, event, at, before=kind == "reaction_removed")
            case "pin_added", _:
                self._put(channel, ("pin", inner["item"]["message"]["ts"]), event, at, more=1)
            case "pin_removed", _:
                pinned, ts = inner["pinned_info"], inner["item"]["message"]["ts"]
                self._put(channel, ("pin", ts), event, at, before=pinned, more=-1)
            case "message", "message_changed":
                if previous := inner.get("previous_message"):
                    self._put(channel, ("text", inner["message"]["ts"]), event, at, before=previous)
            case "message", "message_deleted":
                before: Row = inner["previous_message"]
                key, thread, more = ("row", inner["deleted_ts"]), _thread_of(before), -("pinned_to" in before)
                if thread and key not in self._late.get(channel, {}):
                    self._answered.add((channel, thread))
                self._put(channel, key, event, at, before=before, thread=thread, more=more)
            case "message", _:
                self._put(channel, ("row", inner["ts"]), event, at, thread=_thread_of(inner))
            case _:
                pass

    def shown(self, method: str, args: Mapping[str, object], reply: Row, now: int) -> Row:
        """The answer to a read as it is given at `now`."""
        self._forget(now)
        given = Arguments(args)
        channel = given.text("channel")
        late = {key: _whole(changes) for key, changes in self._late.get(channel, {}).items()}
        if not late:
            return reply
        behind = Behind(
            channel=channel,
            late=late,
            replies=lambda thread: self.replies(channel, thread),
            answered={thread for where, thread in self._answered if where == channel},
            whole=given.flag("include_all_metadata"),
        )
        if method == "conversations.replies":
            return _thread(behind, given, reply)
        return _history(behind, given, reply)

    def _put(
        self, channel: str, key: Key, event: Event, at: int, *, before: Any = None, thread: str = "", more: int = 0
    ) -> None:
        changes = self._late.setdefault(channel, {}).setdefault(key, [])
        seen = self.plan.seen_at("/".join((channel, *key, str(event.inner.get("event_ts")))), at)
        if changes:
            seen = max(seen, changes[-1].seen)
        changes.append(Late(seen=seen, before=before, thread=thread, more=more))

    def _forget(self, now: int) -> None:
        for channel, things in [*self._late.items()]:
            over = [one for changes in things.values() for one in changes if one.seen <= now]
            self._answered.update((channel, one.thread) for one in over if one.thread)
            left = {key: kept for key, all_ in things.items() if (kept := [one for one in all_ if one.seen > now])}
            if left:
                self._late[channel] = left
            else:
                del self._late[channel]


def _whole(changes: list[Late]) -> Late:
    """What was there before the first of the changes, and what all of them made of the pins."""
    return replace(changes[0], more=sum(one.more for one in changes)) if len(changes) > 1 else changes[0]


def _thread_of(row: Row) -> str:
    """The ts of the thread in which a reply stands; "" of anything else."""
    thread = str(row.get("thread_ts") or "")
    return "" if thread == row["ts"] else thread


def _history(behind: Behind, args: Arguments, reply: Row) -> Row:
    if not reply["ok"]:
        return reply
    upward = is_upward(args)
    truth = {str(row["ts"]): row for row in reply["messages"]}
    shown = [row for each in truth.values() if (row := behind.row(each)) is not None and _in_channel(row)]
    span = span_of(args, reply, upward=upward)
    shown += [
        row
        for each in behind.gone()
        if each["ts"] in span and each["ts"] not in truth and (row := behind.row(each)) is not None and _in_channel(row)
    ]
    shown.sort(key=lambda row: str(row["ts"]), reverse=not upward)
    page = _cut(shown, reply, _limit(args, reply, "conversations.history"))
    if upward:
        page["messages"].reverse()
    return {**page, "pin_count": behind.pins(reply["pin_count"])}


def _thread(behind: Behind, args: Arguments, reply: Row) -> Row:
    ts = args.text("ts")
    if not reply["ok"]:
        if reply["error"] != "thread_not_found":
            return reply
        alone = next((row for row in behind.gone() if row["ts"] == ts and not _thread_of(row)), None)
        row = None if alone is None else behind.row(alone)
        return reply if row is None else {"ok": True, "messages": [row], "has_more": False}
    truth = {str(row["ts"]): row for row in reply["messages"]}
    thread = next((str(row.get("thread_ts") or row["ts"]) for row in truth.values()), ts)
    shown = [row for each in truth.values() if (row := behind.row(each)) is not None]
    span = span_of(args, reply, upward=True)
    shown += [
        row
        for each in behind.gone()
        if _thread_of(each) == thread and each["ts"] in span and (row := behind.row(each)) is not None
    ]
    shown.sort(key=lambda row: str(row["ts"]))
    return _cut(shown, reply, _limit(args, reply, "conversations.replies"))


def _in_channel(row: Row) -> bool:
    """True if history shows the message."""
    return not _thread_of(row) or row.get("subtype") == "thread_broadcast"


def _limit(args: Arguments, reply: Row, method: str) -> int:
    """How many messages a page holds at most: a page that is not the last is full."""
    if reply["has_more"]:
        return len(reply["messages"])
    default, most = _MOST[method]
    limit = args.count("limit", default=default)
    return min(limit, most) if limit > 0 else default


def _cut(rows: list[Row], reply: Row, limit: int) -> dict[str, Any]:
    """The reply with the first of the rows, and a cursor that leads to the others."""
    if len(rows) <= limit:
        return {**reply, "messages": rows}
    metadata = {"next_cursor": cursor_of_ts(str(rows[limit]["ts"]))}
    return {**reply, "messages": rows[:limit], "has_more": True, "response_metadata": metadata}
