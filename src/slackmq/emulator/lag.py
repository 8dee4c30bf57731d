"""Reads that are behind: what was written lately is left out of history and threads until a plan shows it.

Pure: whoever drives it tells what happened and brings the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.faults import Plan
    from slackmq.emulator.model import Event

__all__ = ["READS", "Lag"]

READS = frozenset({"conversations.history", "conversations.replies"})
"""The methods whose answers may be behind."""

_Mark = tuple[str, str, str]
_PARENTS = frozenset(
    {"reply_count", "reply_users", "reply_users_count", "latest_reply", "is_locked", "subscribed", "thread_ts"}
)
"""What only the parent of a thread has."""
_LIVE = _PARENTS | {"reactions"}
"""What changes without an edit."""


@dataclass(slots=True, kw_only=True)
class Lag:
    """What of one workspace is not to be seen yet: new messages and replies, reactions, edits, and deletions.

    Keys are the ts of messages: two channels with a message of the same microsecond are behind together.
    """

    plan: Plan
    _hidden: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    _marks: dict[_Mark, tuple[int, bool]] = field(default_factory=dict[_Mark, tuple[int, bool]])
    _before: dict[str, tuple[int, Mapping[str, Any]]] = field(
        default_factory=dict[str, "tuple[int, Mapping[str, Any]]"]
    )

    def heard(self, event: Event, at: int) -> None:
        """Take note of something that happened at `at`."""
        inner = event.inner
        match inner["type"], inner.get("subtype"):
            case ("reaction_added" | "reaction_removed") as kind, _:
                ts = str(inner["item"].get("ts", ""))
                mark = (ts, str(inner["reaction"]), str(inner["user"]))
                self._marks[mark] = (self.plan.seen_at(f"{kind}/{mark}", at), kind == "reaction_added")
            case "message", "message_changed":
                previous: Mapping[str, Any] = inner.get("previous_message") or {}
                seen, ts = self.plan.seen_at(f"edit/{inner['ts']}", at), str(inner["message"]["ts"])
                if previous and self._before.get(ts, (0, previous))[0] <= at:
                    self._before[ts] = (seen, previous)
            case "message", "message_deleted":
                pass  # what is gone is gone: a row that no read finds cannot be put back in its place
            case "message", _:
                ts = str(inner["ts"])
                self._hidden[ts] = (self.plan.seen_at(ts, at), str(inner.get("thread_ts", "")))
            case _:
                pass

    def shown(self, reply: Mapping[str, Any], now: int) -> Mapping[str, Any]:
        """The answer to a read as it is given at `now`."""
        self._forget(now)
        if not (self._hidden or self._marks or self._before) or not reply.get("ok"):
            return reply
        rows = [self._row(row) for row in reply["messages"] if row["ts"] not in self._hidden]
        return {**reply, "messages": rows}

    def _forget(self, now: int) -> None:
        self._hidden = {ts: told for ts, told in self._hidden.items() if told[0] > now}
        self._marks = {mark: told for mark, told in self._marks.items() if told[0] > now}
        self._before = {ts: told for ts, told in self._before.items() if told[0] > now}

    def _row(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        ts = str(row["ts"])
        if ts in self._before:
            told = self._before[ts][1].items()
            row = {name: value for name, value in told if name not in _LIVE} | {
                name: row[name] for name in _LIVE if name in row
            }
        if any(mark[0] == ts for mark in self._marks):
            row = self._with_reactions(row, ts)
        hidden = [reply for reply, (_, thread) in self._hidden.items() if thread == ts]
        return _with_fewer(row, len(hidden)) if hidden and row.get("reply_count") else row

    def _with_reactions(self, row: Mapping[str, Any], ts: str) -> Mapping[str, Any]:
        users = {str(entry["name"]): [*entry["users"]] for entry in row.get("reactions", ())}
        for (item, name, user), (_, added) in self._marks.items():
            if item != ts:
                continue
            seen = users.setdefault(name, [])
            if added and user in seen:
                seen.remove(user)
            elif not added and user not in seen:
                seen.append(user)
        rows = [{"name": name, "users": who, "count": len(who)} for name, who in users.items() if who]
        bare = {name: value for name, value in row.items() if name != "reactions"}
        return {**bare, "reactions": rows} if rows else bare


def _with_fewer(row: Mapping[str, Any], hidden: int) -> Mapping[str, Any]:
    """A parent as it looked before its newest replies; without any it is no parent yet."""
    count = max(0, int(row["reply_count"]) - hidden)
    if count:
        return {**row, "reply_count": count}
    return {name: value for name, value in row.items() if name not in _PARENTS}
