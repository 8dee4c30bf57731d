"""Ledger: what one process has seen of a log; the part that is settled, and what is not settled yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.kv.entry import Change, Kind
from slackmq.kv.errors import LogBroken
from slackmq.kv.log import State

if TYPE_CHECKING:
    from slackmq.kv.log import Outcome
    from slackmq.kv.record import Record

__all__ = ["BEHIND", "Ledger", "Settled"]

BEHIND = 180 * 1_000_000
"""Microseconds by which a second state is kept behind, so that a record can be taken in that shows up too late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a step made known: what became of which groups, and what changed, both in the order of the log."""

    outcomes: tuple[tuple[str, Outcome], ...] = ()
    changes: tuple[Change, ...] = ()


class Ledger:
    """Takes in records in whatever order they are seen, and settles them in the order of their ts.

    Args:
        base: the state to begin from, as a snapshot has it.

    Attributes:
        state: the state that is settled.
        late: how many records were seen only after a later moment had been settled.
        suspect: why the next record is not taken in: its writer knew records that are not here.
        moved: keys that changed in `base` from the beginning on, until somebody takes them; None: nobody does.
    """

    def __init__(self, base: State | None = None) -> None:
        self._base = State() if base is None else base
        self.state = self._base.copy()
        self.late = 0
        self.suspect: LogBroken | None = None
        self.moved: set[str] | None = set()
        self._log: dict[int, tuple[str, Record]] = {}
        self._pending: list[int] = []
        self._overtaken = False

    @property
    def base(self) -> State:
        """The state that is kept behind."""
        return self._base

    @property
    def floor(self) -> int:
        """Up to this moment nothing can be taken in any more."""
        return self._base.now

    def __contains__(self, at: object) -> bool:
        """Whether the record of this ts was seen lately."""
        return at in self._log

    def see(self, at: int, author: str, record: Record) -> bool:
        """Take note of a record; whether it is new. What it says counts as it was seen first."""
        if at <= self._base.now or at in self._log:
            return False
        self._log[at] = (author, record)
        self._pending.append(at)
        if at <= self.state.now:
            self.late += 1
            self._overtaken = True
        return True

    def settle(self, now: int) -> Settled:
        """Take note that everything up to a moment, in microseconds by Slack's clock, was seen."""
        if self._overtaken:
            return self._again(max(now, self.state.now))
        self._pending.sort()
        outcomes: list[tuple[str, Outcome]] = []
        changes: list[Change] = []
        taken = self._replay([at for at in self._pending if at <= now], outcomes, changes)
        del self._pending[:taken]
        if self.suspect is None:
            changes += self.state.advance(now)
        self._follow()
        return Settled(outcomes=tuple(outcomes), changes=tuple(changes))

    def _again(self, now: int) -> Settled:
        """Replay from the state that was kept behind: a record showed up that should have been there before."""
        former, self.state = self.state, self._base.copy()
        self._overtaken, self._pending = False, sorted(self._log)
        settled = self.settle(now)
        return Settled(outcomes=settled.outcomes, changes=_difference(former, self.state))

    def _replay(self, stamps: list[int], outcomes: list[tuple[str, Outcome]], changes: list[Change]) -> int:
        self.suspect = None
        for taken, at in enumerate(stamps):
            if not self.state.counts(at):
                return taken  # the store is elsewhere by then
            author, record = self._log[at]
            try:
                became, changed = self.state.apply(at, author, record)
            except LogBroken as error:
                self.suspect = error
                changes += self.state.advance(at - 1)
                return taken
            outcomes += zip(map(record.op, record.groups), became, strict=True)
            changes += changed
        return len(stamps)

    def _follow(self) -> None:
        """Let the state that is kept behind come nearer."""
        behind = self.state.now - BEHIND
        if behind <= self._base.now:
            return
        for at in sorted(each for each in self._log if each <= behind):
            author, record = self._log.pop(at)
            self._note(self._base.apply(at, author, record)[1])
        self._note(self._base.advance(behind))

    def _note(self, changes: tuple[Change, ...]) -> None:
        if self.moved is not None:
            self.moved.update(change.key for change in changes)


def _difference(former: State, state: State) -> tuple[Change, ...]:
    """What changes for whoever saw one state and sees another one now."""
    changes = [
        Change(key=key, kind=Kind.PUT, revision=head.revision, entry=head.entry(key))
        for key, head in state.items()
        if former.get(key) != head
    ]
    gone = [Change(key=key, kind=Kind.DELETE, revision=state.revision) for key, _ in former.items() if key not in state]
    return tuple(sorted(changes + gone, key=lambda change: change.revision))
