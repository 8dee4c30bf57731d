"""What jobs wait for: which others each of them names, and how those ended, as far as this process has read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from slackmq.message import Message

__all__ = ["Awaited", "End", "Undone"]


class End(Enum):
    """How what others wait for ended: as a person reads it after "which"."""

    DONE = "is done"
    DEAD = "is dead"
    CANCELLED = "was cancelled"
    GONE = "was deleted"
    UNTAKEN = "is no job, or was taken by nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What a job waited for, and how that ended: not done."""

    ts: str
    end: End


class Awaited:
    """Which messages are waited for, by whom, and how they ended.

    An end is learnt once, and for good. It is kept for as long as somebody waits who named the message, so that it need
    not be read again when the last of many is done.
    """

    def __init__(self) -> None:
        self._named: dict[str, tuple[str, ...]] = {}
        self._waiting: dict[str, set[str]] = {}
        self._ends: dict[str, End] = {}
        self._leaders: dict[str, str] = {}
        self._followers: dict[str, set[str]] = {}
        self._stirred: set[str] = set()

    def __contains__(self, ts: object) -> bool:
        """Whether somebody waits for this message, and its end is not known."""
        return (ts in self._waiting or ts in self._followers) and ts not in self._ends

    def __iter__(self) -> Iterator[str]:
        """The messages whose end somebody waits for."""
        yield from [ts for ts in (*self._waiting, *self._followers) if ts not in self._ends]

    def add(self, message: Message) -> None:
        """A job waits, from now on until it is dropped."""
        if not message.after or message.ts in self._named:
            return
        self._named[message.ts] = message.after
        for ts in message.after:
            self._waiting.setdefault(ts, set()).add(message.ts)
        self._stirred.add(message.ts)

    def drop(self, ts: str) -> None:
        """A job waits no longer."""
        self._stirred.discard(ts)
        for name in self._named.pop(ts, ()):
            waiting = self._waiting.get(name, set())
            waiting.discard(ts)
            if not waiting and name in self._waiting:
                del self._waiting[name]
                self.follow(name, None)
                self._prune(name)

    def follow(self, ts: str, leader: str | None) -> None:
        """Take note that another message is worked on in place of this one, its copy; None: it is so no longer."""
        known = self._leaders.get(ts)
        if known == leader:
            return
        if known is not None:
            del self._leaders[ts]
            self._followers[known].discard(ts)
            if not self._followers[known]:
                del self._followers[known]
                self._prune(known)
        if leader is not None:
            self._leaders[ts] = leader
            self._followers.setdefault(leader, set()).add(ts)
        self._stirred |= self._waiting.get(ts, set())

    def learn(self, ts: str, end: End) -> None:
        """A message has ended, as a read or an event of its deletion shows; what was learnt first counts."""
        if ts not in self:
            return
        self._ends[ts] = end
        for name in (ts, *self._followers.get(ts, ())):
            self._stirred |= self._waiting.get(name, set())

    def outcome(self, after: Iterable[str]) -> tuple[str, ...] | Undone | None:
        """What became of the messages that a job names.

        Returns:
            Which messages were done, one for each name: a copy's elder in its place. Or the first that failed. None as
            long as neither is known.
        """
        ends = [self._end(ts) for ts in after]
        failed = next((Undone(ts=ts, end=end) for ts, end in ends if end is not None and end is not End.DONE), None)
        if failed is not None:
            return failed
        return tuple(ts for ts, _ in ends) if all(end is End.DONE for _, end in ends) else None

    def missing(self, after: Iterable[str]) -> tuple[str, ...]:
        """Of the messages that a job names, those that are not known to be done."""
        return tuple(ts for ts in after if self._end(ts)[1] is not End.DONE)

    def last_for(self, ts: str) -> list[str]:
        """The jobs for which this is the last message that is not known to be done."""
        names = {ts} | self._followers.get(ts, set())
        waiting = (each for name in names for each in self._waiting.get(name, ()))
        return [each for each in waiting if names.issuperset(self.missing(self._named[each]))]

    def stirred(self) -> list[str]:
        """The jobs of whose names something was learnt since the last time this was asked."""
        stirred, self._stirred = sorted(self._stirred), set()
        return stirred

    def _end(self, ts: str) -> tuple[str, End | None]:
        """The message that counts for a name, and how it ended."""
        leader = self._leaders.get(ts)
        if leader is None or self._ends.get(ts) is End.DONE:
            return ts, self._ends.get(ts)
        return leader, self._ends.get(leader)

    def _prune(self, ts: str) -> None:
        if ts not in self._waiting and ts not in self._followers:
            self._ends.pop(ts, None)
