"""Replay: State takes the records of a channel in the order of their ts, and comes to the same for everybody."""

from __future__ import annotations

import hashlib
from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import msgspec

from slackmq.kv.entry import Change, Entry, Form, Kind, Value, moment  # noqa: TC001  # msgspec reads annotations
from slackmq.kv.errors import LogBroken, SnapshotDamaged
from slackmq.kv.record import ANY, GROUPS, Chain, Verb, revision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from slackmq.kv.record import Group, Operation, Record

__all__ = ["WINDOW", "Head", "Outcome", "State"]

WINDOW = 600 * 1_000_000
"""Microseconds: a copy of a record that stands in the channel later than this after it was sent first is void, so no
identity of a group need be remembered longer, and a writer knows from then on that nothing of it can follow."""


class Head(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A key as it stands: what `Entry` shows, as it is kept. Times are microseconds by Slack's clock; 0: never."""

    value: Value
    revision: int
    first: int
    author: str
    expires: int = 0

    def entry(self, key: str) -> Entry:
        """As people see it."""
        return Entry(
            key=key,
            value=self.value.decode(),
            revision=self.revision,
            first=self.first,
            created=moment(self.first // GROUPS),
            modified=moment(self.revision // GROUPS),
            author=self.author,
            expires=moment(self.expires) if self.expires else None,
            file=self.value.ref() if self.value.form is Form.FILE else None,
        )


class Outcome(msgspec.Struct, frozen=True, array_like=True):
    """What became of a group. A copy of a group that was there before has the outcome of the first.

    Attributes:
        revision: the revision it made; 0 if it did not count.
        key: the first key that did not stand as the group wanted it; "" if there was none.
        found: the revision in which that key stood, 0 for none.
        void: it stood in the channel too late after it was sent.
    """

    revision: int = 0
    key: str = ""
    found: int = 0
    void: bool = False

    @property
    def applied(self) -> bool:
        """Whether it counted."""
        return self.revision > 0


_VOID = Outcome(void=True)
_QUIET = frozenset({Verb.CHECK, Verb.HELD, Verb.MOVE})


class _Canon(msgspec.Struct, frozen=True, array_like=True):
    """A state as it is written down."""

    at: int
    count: int
    digest: str
    heads: list[tuple[str, Head]]
    ops: list[tuple[str, int, Outcome]]
    successor: str = ""
    closes: int = 0
    trail: tuple[tuple[str, int], ...] = ()


class State:
    """What the records up to a moment come to.

    Deterministic: it knows no time but that of the records, and whoever gives it the same ones has the same state.

    Attributes:
        at: the ts of the latest record, in microseconds.
        count: how many records there were.
        digest: of all of them, each with its place.
        now: everything up to this moment of Slack's clock, in microseconds, was taken in.
        revision: of the latest change.
        successor: id of the channel in which the store goes on, "" if there is none.
        closes: from this moment on, in microseconds by Slack's clock, it goes on there, and no record counts here; 0:
            never.
        trail: the channels in which it was before, the oldest first, and until when.

    Args:
        lenient: whether to go on where records are missing that others knew.
    """

    def __init__(self, *, lenient: bool = False) -> None:
        self._lenient = lenient
        self.at = 0
        self.count = 0
        self.digest = ""
        self.now = 0
        self.revision = 0
        self.successor = ""
        self.closes = 0
        self.trail: tuple[tuple[str, int], ...] = ()
        self._heads: dict[str, Head] = {}
        self._expiring: list[tuple[int, str, int]] = []
        self._ops: dict[str, tuple[int, Outcome]] = {}
        self._aging: list[tuple[int, str]] = []
        self._places: dict[int, tuple[int, str]] = {}
        self._order: deque[int] = deque()
        self._floor = 0

    # reading

    def __len__(self) -> int:
        return len(self._heads)

    def __contains__(self, key: object) -> bool:
        return key in self._heads

    def get(self, key: str) -> Head | None:
        """The key as it stands, None if it is not there."""
        return self._heads.get(key)

    def keys(self, prefix: str = "") -> list[str]:
        """The keys that begin like this, in alphabetical order."""
        return sorted(key for key in self._heads if key.startswith(prefix))

    def items(self) -> Iterable[tuple[str, Head]]:
        """All keys, as they stand."""
        return self._heads.items()

    def outcome(self, op: str) -> Outcome | None:
        """What became of a group that was sent within `WINDOW`, None if it was not seen."""
        known = self._ops.get(op)
        return known[1] if known else None

    @property
    def closed(self) -> bool:
        """Whether all is taken in that counts here, and the store goes on in another channel."""
        return 0 < self.closes <= self.now

    def counts(self, at: int) -> bool:
        """Whether a record of this ts counts in this channel, as far as is known."""
        return not self.closes or at < self.closes

    def chain(self) -> Chain:
        """What is known of the log, for a writer to say."""
        return Chain(self.at, self.count, self.digest)

    # taking in

    def check(self, chain: Chain) -> None:
        """Hold what another writer knew of the log against what is known here.

        A writer that missed a record is no reason to stop: it was late, and all see that record now.

        Raises:
            LogBroken: it knew records that are not there any more, or not as they were.
        """
        if self._lenient or chain.at < self._floor or not chain.count:
            return
        place = self._places.get(chain.at)
        if place is None:
            raise _broken(chain.at, "is gone")
        count, digest = place
        if chain.count > count:
            raise _broken(chain.at, "stands where fewer records precede it than did once")
        if chain.count == count and chain.digest != digest:
            raise _broken(chain.at, "stands where others precede it than did once")

    def apply(self, at: int, author: str, record: Record) -> tuple[tuple[Outcome, ...], tuple[Change, ...]]:
        """Take in the next record.

        Args:
            at: its ts in microseconds; later than all before.
            author: user id of who posted it.
            record: what it says.

        Returns:
            The outcome of each of its groups, and what changed, in order.

        Raises:
            LogBroken: its writer knew records that are not there; then nothing was taken in.
        """
        if at <= self.at or at <= self.now or not self.counts(at):
            raise ValueError(f"{at} is not after {max(self.at, self.now)}, or not before {self.closes}")
        self.check(record.chain)
        self.now = at
        changes = self._run_out()
        self._chained(at, record)
        outcomes: list[Outcome] = []
        for index, group in enumerate(record.groups):
            outcome, fresh = self._once(revision(at, index), record, group)
            outcomes.append(outcome)
            if fresh and outcome.applied:
                changes += self._carry_out(author, group, at=at, new=outcome.revision)
        return tuple(outcomes), tuple(changes)

    def advance(self, now: int) -> tuple[Change, ...]:
        """Take note that there is no further record up to a moment of Slack's clock; returns what ran out by then."""
        now = min(now, self.closes) if self.closes else now
        if now <= self.now:
            return ()
        self.now = now
        return tuple(self._run_out())

    def _run_out(self) -> list[Change]:
        """Forget what lasted until a moment before now, and say which keys that were."""
        changes: list[Change] = []
        while self._expiring and self._expiring[0][0] < self.now:
            _, key, held = heappop(self._expiring)
            head = self._heads.get(key)
            if head is not None and head.revision == held:
                del self._heads[key]
                changes.append(Change(key=key, kind=Kind.EXPIRE, revision=held))
        while self._aging and self._aging[0][0] < self.now:
            self._ops.pop(heappop(self._aging)[1], None)
        return changes

    def _chained(self, at: int, record: Record) -> None:
        self.at, self.count = at, self.count + 1
        self.digest = hashlib.sha256(f"{self.digest} {at} {record.digest}".encode()).hexdigest()[:32]
        self._places[at] = (self.count, self.digest)
        self._order.append(at)
        # A writer names the latest record it knew, so a place is needed until all have seen the next one.
        while len(self._order) > 1 and self._order[1] < at - 2 * WINDOW:
            self._floor = self._order[1]
            del self._places[self._order.popleft()]

    def _once(self, new: int, record: Record, group: Group) -> tuple[Outcome, bool]:
        """What becomes of a group, and whether that was decided only now."""
        op = record.op(group)
        if known := self._ops.get(op):
            return known[1], False
        if abs(new // GROUPS - record.born) > WINDOW:
            return _VOID, True
        outcome = self._decide(new, group)
        self._ops[op] = (record.born, outcome)
        heappush(self._aging, (record.born + WINDOW, op))
        return outcome, True

    def _decide(self, new: int, group: Group) -> Outcome:
        """The first that names the revision in which a key stands wins: its change makes another one of it."""
        for operation in group.operations:
            found = self._stands(operation)
            if operation.prev not in (ANY, found):
                return Outcome(key=operation.key, found=found)
        return Outcome(revision=new)

    def _stands(self, operation: Operation) -> int:
        """What an operation compares with what it expects."""
        if operation.verb == Verb.MOVE:
            return self.closes
        head = self._heads.get(operation.key)
        if head is None:
            return 0
        return head.first if operation.verb == Verb.HELD else head.revision

    def _carry_out(self, author: str, group: Group, *, at: int, new: int) -> list[Change]:
        self.revision = new
        for each in group.operations:
            if each.verb == Verb.MOVE:
                self.successor, self.closes = each.key, at + each.ttl
        return [self._change(at, new, author, each) for each in group.operations if each.verb not in _QUIET]

    def _change(self, at: int, new: int, author: str, operation: Operation) -> Change:
        key = operation.key
        if operation.value is None:
            self._heads.pop(key, None)
            return Change(key=key, kind=Kind.PURGE if operation.verb == Verb.PURGE else Kind.DELETE, revision=new)
        old = self._heads.get(key)
        expires = at + operation.ttl if operation.ttl else 0
        head = Head(operation.value, new, old.first if old else new, author, expires)
        self._heads[key] = head
        if expires:
            heappush(self._expiring, (expires, key, new))
        return Change(key=key, kind=Kind.PUT, revision=new, entry=head.entry(key))

    # copies

    def copy(self, *, lenient: bool | None = None) -> State:
        """An independent state that is the same, lenient or not, if that is said."""
        twin = State(lenient=self._lenient if lenient is None else lenient)
        twin.at, twin.count, twin.digest, twin.now, twin.revision = (
            self.at,
            self.count,
            self.digest,
            self.now,
            self.revision,
        )
        twin.successor, twin.closes, twin.trail = self.successor, self.closes, self.trail
        twin._heads, twin._ops, twin._places = dict(self._heads), dict(self._ops), dict(self._places)
        twin._expiring, twin._aging, twin._order = list(self._expiring), list(self._aging), deque(self._order)
        twin._floor = self._floor
        return twin

    def onward(self, channel: str) -> State:
        """The state with which the store goes on in its successor, once it is closed in `channel`."""
        if not self.closed:
            raise ValueError(f"the store is still in {channel}")
        twin = self.copy()
        twin.successor, twin.closes, twin.trail = "", 0, (*self.trail, (channel, self.closes))
        return twin

    def dump(self, *, keys: bool = True) -> bytes:
        """The state as bytes, without its keys if asked to.

        They are the same bytes for everybody who has taken in the same records up to `now`.
        """
        heads = sorted(self._heads.items()) if keys else []
        ops = sorted((op, born, outcome) for op, (born, outcome) in self._ops.items())
        where = self.successor, self.closes, self.trail
        canon = _Canon(self.at, self.count, self.digest, heads, ops, *where)
        return msgspec.json.encode([self.now, self.revision, canon])

    @classmethod
    def load(cls, data: bytes, *, heads: Mapping[str, Head] | None = None) -> State:
        """The state that was dumped, with these keys if it was dumped without.

        Raises:
            SnapshotDamaged: the bytes are no state.
        """
        try:
            now, latest, canon = msgspec.json.decode(data, type=tuple[int, int, _Canon])
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise SnapshotDamaged(f"A snapshot cannot be read: {error}") from error
        state = cls()
        state.at, state.count, state.digest = canon.at, canon.count, canon.digest
        state.now, state.revision = now, latest
        state.successor, state.closes, state.trail = canon.successor, canon.closes, canon.trail
        state._heads = dict(canon.heads if heads is None else heads)
        state._ops = {op: (born, outcome) for op, born, outcome in canon.ops}
        state._expiring = sorted((head.expires, key, head.revision) for key, head in state.items() if head.expires)
        state._aging = sorted((born + WINDOW, op) for op, born, _ in canon.ops)
        if canon.count:
            state._places, state._order, state._floor = (
                {canon.at: (canon.count, canon.digest)},
                deque([canon.at]),
                canon.at,
            )
        return state


def _broken(at: int, how: str) -> LogBroken:
    return LogBroken(
        f"The log was changed by hand: the record of {moment(at).isoformat()} {how}.",
        remedy="Repair the store from a process that still knows everything (store.snapshot()), or from what is left "
        "(slackmq kv repair).",
    )
