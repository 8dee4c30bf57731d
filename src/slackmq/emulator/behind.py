"""How messages of one channel look to a read that does not know of the latest changes; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from slackmq.emulator.rows import PARENT_KEYS, author_of, parent_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    Row = Mapping[str, Any]

    Replies = Callable[[str], Sequence[tuple[str, str]]]

__all__ = ["Behind", "Key", "Late"]

Key = tuple[str, ...]
"""What changed: ("row", ts), ("text", ts), ("pin", ts), ("emoji", ts, name, user)."""

_PIN_KEYS = frozenset({"pinned_to", "pinned_info"})
_LIVE = PARENT_KEYS | _PIN_KEYS | {"reactions"}
"""What changes without an edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A change that reads do not show yet.

    Attributes:
        seen: when they do, in microseconds since 1970.
        before: what they show until then: the message, the pin, whether the emoji is there; None for nothing.
        thread: of a message: ts of the thread's parent, "" for none.
        more: how many pins more the channel has since then.
    """

    seen: int
    before: Any = None
    thread: str = ""
    more: int = 0


@dataclass(slots=True, kw_only=True)
class Behind:
    """One read of one channel.

    Attributes:
        channel: its id.
        late: the earliest change of everything that is not shown as it is.
        replies: ts and author of what stands in a thread in truth.
        answered: the parents that had a reply once, and stay marked as parents.
        whole: True if metadata are asked for.
    """

    channel: str
    late: Mapping[Key, Late]
    replies: Replies
    answered: AbstractSet[str]
    whole: bool
    _emoji: dict[str, list[tuple[str, str, bool]]] = field(
        default_factory=lambda: defaultdict(list[tuple[str, str, bool]])
    )
    _threads: dict[str, dict[str, Row | None]] = field(default_factory=lambda: defaultdict(dict[str, "Row | None"]))

    def __post_init__(self) -> None:
        for key, late in self.late.items():
            if key[0] == "emoji":
                self._emoji[key[1]].append((key[2], key[3], bool(late.before)))
            elif key[0] == "row" and late.thread:
                self._threads[late.thread][key[1]] = late.before

    def row(self, truth: Row) -> Row | None:
        """A message as the read shows it; None if it is not there yet."""
        row, ts = truth, str(truth["ts"])
        there, edit = self.late.get(("row", ts)), self.late.get(("text", ts))
        if there is not None:
            if there.before is None:
                return None
            row = _joined(there.before, row, of=PARENT_KEYS)  # of a deleted parent a tombstone may stand there
        if edit is not None:
            row = _joined(edit.before, row, of=_LIVE)
        row = self._with_thread(self._with_pin(self._with_reactions(row, ts), ts), ts)
        if not self.whole and "event_payload" in row.get("metadata", ()):
            row = {**row, "metadata": {"event_type": row["metadata"]["event_type"]}}
        return row

    def gone(self) -> list[Row]:
        """The messages that were deleted, and are shown still."""
        return [late.before for key, late in self.late.items() if key[0] == "row" and late.before is not None]

    def pins(self, truth: int) -> int:
        """How many pins the read counts."""
        return truth - sum(late.more for late in self.late.values())

    def _with_reactions(self, row: Row, ts: str) -> Row:
        if ts not in self._emoji:
            return row
        users = {str(entry["name"]): [*entry["users"]] for entry in row.get("reactions", ())}
        for name, user, shown in self._emoji[ts]:
            seen = users.setdefault(name, [])
            if not shown and user in seen:
                seen.remove(user)
            elif shown and user not in seen:
                seen.append(user)
        rows = [{"name": name, "users": who, "count": len(who)} for name, who in users.items() if who]
        bare = {name: value for name, value in row.items() if name != "reactions"}
        return {**bare, "reactions": rows} if rows else bare

    def _with_pin(self, row: Row, ts: str) -> Row:
        late = self.late.get(("pin", ts))
        if late is None:
            return row
        bare = {name: value for name, value in row.items() if name not in _PIN_KEYS}
        return bare if late.before is None else {**bare, "pinned_to": [self.channel], "pinned_info": late.before}

    def _with_thread(self, row: Row, ts: str) -> Row:
        """A parent as it looked with the replies that are shown; without any it was no parent yet."""
        late = self._threads.get(ts)
        if late is None:
            return row
        shown = [(reply, author) for reply, author in self.replies(ts) if reply not in late]
        shown += [(reply, author_of(dict(before))) for reply, before in late.items() if before is not None]
        bare = {name: value for name, value in row.items() if name not in PARENT_KEYS}
        if not shown:
            return {**bare, "thread_ts": ts} if ts in self.answered else bare
        return {**bare, **parent_keys(ts, sorted(shown), locked=bool(row.get("is_locked")))}


def _joined(before: Row, now: Row, *, of: frozenset[str]) -> Row:
    """The earlier row, but with these keys as they are now."""
    kept = {name: value for name, value in before.items() if name not in of}
    return kept | {name: now[name] for name in of if name in now}
