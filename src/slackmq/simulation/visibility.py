"""Visibility: what a read does not show yet, although it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.simulation.faults import Plan

EPOCH = 1_800_000_000
"""When the simulation begins, by Slack's clock, in seconds since 1970."""
__all__ = ["EPOCH", "READS", "Visibility"]

READS = frozenset({"conversations.history", "conversations.replies"})
"""The methods whose answers may lag."""


class Visibility:
    """Remembers what was written lately, and leaves it out of the answers to reads for as long as the plan says.

    What a thread's parent says of its replies appears with the replies.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rows: dict[str, float] = {}
        self._marks: dict[tuple[str, str, str], float] = {}
        self._threads: dict[str, dict[str, float]] = {}
        self._pins: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._pin_now: dict[str, Mapping[str, Any]] = {}
        self._words: dict[str, Mapping[str, Any]] = {}
        self._edits: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._gone: set[str] = set()

    def hide(self, ts: str) -> None:
        """Leave a message out of every answer, for good."""
        self._gone.add(ts)

    def wrote(
        self, method: str, args: Mapping[str, object], reply: Mapping[str, Any], *, user: str, now: float
    ) -> None:
        """Take note of a call that took effect."""
        if method == "chat.postMessage":
            seen, ts = now if self._plan.faults.marks_lag else self._plan.visible_at(now), str(reply["ts"])
            if seen > now:
                self._rows[ts] = seen
            self._words[ts] = _words(args)
            if thread := args.get("thread_ts"):
                self._threads.setdefault(str(thread), {})[ts] = seen
        elif method == "chat.update":
            self._edited(str(args["ts"]), _words(args), now)
        elif method in {"pins.add", "pins.remove"}:
            self._pinned(str(args["timestamp"]), user if method == "pins.add" else "", now)
        elif method == "reactions.add":
            seen = self._plan.visible_at(now)
            if seen > now:
                self._marks[str(args["timestamp"]), str(args["name"]), user] = seen

    def shown(self, reply: Mapping[str, Any], *, now: float) -> Mapping[str, Any]:
        """An answer as it is given now."""
        self._rows = {ts: seen for ts, seen in self._rows.items() if seen > now}
        self._marks = {mark: seen for mark, seen in self._marks.items() if seen > now}
        self._pins = {ts: told for ts, told in self._pins.items() if told[0] > now}
        self._edits = {ts: told for ts, told in self._edits.items() if told[0] > now}
        if not (self._rows or self._marks or self._pins or self._edits or self._gone):
            return reply
        messages = [self._row(row) for row in reply["messages"] if row["ts"] not in self._rows.keys() | self._gone]
        return {**reply, "messages": messages}

    def _row(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        ts = str(row["ts"])
        if any(mark[0] == ts for mark in self._marks):
            row = {**row, "reactions": self._reactions(ts, row.get("reactions") or [])}
        if ts in self._pins:
            bare = {key: value for key, value in row.items() if key not in {"pinned_to", "pinned_info"}}
            row = {**bare, **self._pins[ts][1]}
        if ts in self._edits:
            before = {key: value for key, value in self._edits[ts][1].items() if key in row}
            row = {**{key: value for key, value in row.items() if key != "edited"}, **before}
        hidden = [reply for reply in self._threads.get(ts, ()) if reply in self._rows]
        return self._parent(row, hidden) if hidden else row

    def _pinned(self, ts: str, user: str, now: float) -> None:
        """A pin was put there, or taken off: until that is seen, the row looks as it did before."""
        seen = self._plan.visible_at(now)
        before = self._pin_now.get(ts, {})
        self._pin_now[ts] = (
            {"pinned_to": ["C"], "pinned_info": {"pinned_by": user, "pinned_ts": int(now) + EPOCH}} if user else {}
        )
        if seen > now:
            self._pins[ts] = (seen, self._pins[ts][1] if ts in self._pins else before)

    def _edited(self, ts: str, words: Mapping[str, Any], now: float) -> None:
        """A message was edited: until that is seen, it says what it said before."""
        seen = self._plan.visible_at(now)
        before = self._words.get(ts)
        self._words[ts] = words
        if seen > now and before is not None:
            self._edits[ts] = (seen, self._edits[ts][1] if ts in self._edits else before)

    def _reactions(self, ts: str, reactions: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        seen: list[Mapping[str, Any]] = []
        for entry in reactions:
            users = [user for user in entry["users"] if (ts, entry["name"], user) not in self._marks]
            if users:
                seen.append({**entry, "users": users, "count": len(users)})
        return seen

    def _parent(self, row: Mapping[str, Any], hidden: list[str]) -> Mapping[str, Any]:
        seen = sorted(reply for reply in self._threads[str(row["ts"])] if reply not in hidden)
        counts = {"reply_count": len(seen), "latest_reply": seen[-1] if seen else None}
        return {**row, **counts}


def _words(args: Mapping[str, object]) -> Mapping[str, Any]:
    """What a post or an edit makes a message say."""
    return {name: args[name] for name in ("text", "metadata") if name in args}
