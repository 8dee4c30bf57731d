"""Deliberately broken variants of the store: if no judge sees one, the judges are broken."""

# A saboteur works inside.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from slackmq.errors import Ambiguous
from slackmq.kv import follower as follower_module
from slackmq.kv import writing as writing_module
from slackmq.kv.batch import Batch
from slackmq.kv.follower import Follower
from slackmq.kv.home import Home
from slackmq.kv.ledger import Ledger
from slackmq.kv.lock import Lock
from slackmq.kv.log import State
from slackmq.kv.record import Group, Record
from slackmq.kv.writer import Writer
from slackmq.kv.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from slackmq.kv.ledger import Settled
    from slackmq.kv.log import Outcome
    from slackmq.kv.writer import _Letter

__all__ = ["KV_CANARIES", "KvCanary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KvCanary:
    """A mistake, where it shows, and the promise that it breaks.

    Attributes:
        name: the mistake.
        cell: the faults under which it shows.
        rules: the promises of which at least one must be found broken.
        spoil: makes the mistake.
        begin: the first seed that is tried.
    """

    name: str
    cell: str
    rules: frozenset[str]
    spoil: Callable[[pytest.MonkeyPatch], None]
    begin: int = 0


def _unsettled_read(patch: pytest.MonkeyPatch) -> None:
    async def fresh(self: Follower) -> None:
        await self._read()

    patch.setattr(Follower, "fresh", fresh)


def _unsettled_outcome(patch: pytest.MonkeyPatch) -> None:
    async def settle(self: Follower, at: int) -> None:
        while self.state.now < at:
            await self._read()
            self._told(self.ledger.settle(at))

    patch.setattr(Follower, "settle", settle)


def _fresh_identity(patch: pytest.MonkeyPatch) -> None:
    original = Writer._send

    async def send(self: Writer, record: Record, letters: list[_Letter]) -> int:
        try:
            return await original(self, record, letters)
        except Ambiguous:
            again = tuple(Group(number=next(self._numbers), operations=each.operations) for each in record.groups)
            renamed = Record(writer=record.writer, born=record.born, groups=again, chain=record.chain)
            return await original(self, renamed, letters)

    patch.setattr(Writer, "_send", send)


def _cursor(patch: pytest.MonkeyPatch) -> None:
    async def read(self: Follower) -> None:
        self._begun += 1
        number = self._begun
        latest = max(self.ledger._log, default=0)
        self._take_in(await self._slack.history(self._channel, oldest=latest / 1_000_000))
        self._ended = number

    patch.setattr(Follower, "_read", read)


def _undated(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(follower_module, "DATED", -3.0)


def _unfenced(patch: pytest.MonkeyPatch) -> None:
    def held(self: Batch, key: str, *, token: int) -> Self:  # type: ignore[misc]  # it stands outside the class
        del key, token
        return self

    patch.setattr(Batch, "held", held)
    patch.setattr(Lock, "_keep", _stubborn)


async def _stubborn(self: Lock, *_: object) -> None:
    """Renews nothing, and stops nobody."""


def _overtaken(patch: pytest.MonkeyPatch) -> None:
    original = Writer._done

    def done(self: Writer, record: Record, letters: list[_Letter], at: int, *, sure: bool, sent: float) -> None:
        del sure
        original(self, record, letters, at, sure=True, sent=sent)

    patch.setattr(Writer, "_done", done)


def _last_wins(patch: pytest.MonkeyPatch) -> None:
    original = State._decide

    def decide(self: State, new: int, group: Group) -> Outcome:
        return _counted(original(self, new, group), new)

    patch.setattr(State, "_decide", decide)


def _counted(outcome: Outcome, new: int) -> Outcome:
    """It counts, whatever stood there."""
    return type(outcome)(revision=new)


def _forgetful(patch: pytest.MonkeyPatch) -> None:
    original = Ledger.settle

    def settle(self: Ledger, now: int) -> Settled:
        settled = original(self, now)
        return replace(settled, changes=settled.changes[:1])

    patch.setattr(Ledger, "settle", settle)


def _believed(patch: pytest.MonkeyPatch) -> None:
    async def counts(*_: object) -> bool:
        return True

    patch.setattr(writing_module, "_counts", counts)


def _sent_again(patch: pytest.MonkeyPatch) -> None:
    def done(*_: object) -> None:
        return None

    patch.setattr(Writing, "_done", done)


def _untold(patch: pytest.MonkeyPatch) -> None:
    def tell(self: Home, settled: Settled) -> None:
        if self._held is None:
            self._told(settled)

    patch.setattr(Home, "_tell", tell)


def _mute(patch: pytest.MonkeyPatch) -> None:
    original = Ledger.settle

    def settle(self: Ledger, now: int) -> Settled:
        return replace(original(self, now), changes=())

    patch.setattr(Ledger, "settle", settle)


def _canary(
    name: str, cell: str, rules: str, spoil: Callable[[pytest.MonkeyPatch], None], *, begin: int = 0
) -> KvCanary:
    return KvCanary(name=name, cell=cell, rules=frozenset(rules.split()), spoil=spoil, begin=begin)


KV_CANARIES: tuple[KvCanary, ...] = (
    _canary("a fresh read is not settled", "V2", "K1", _unsettled_read),
    _canary("the outcome of a compare-and-set is not settled", "V2", "K1", _unsettled_outcome),
    _canary("a repetition has an identity of its own", "H2", "K1", _fresh_identity),
    _canary("reading goes on after the latest record", "V2", "K1 K2 K7 K8", _cursor),
    _canary("a fresh read shows what was known before it was asked for", "none", "K1 K2", _undated),
    _canary("a lock is not renewed and its token not checked", "C2", "K6", _unfenced),
    _canary("a repeated record is believed to be the first", "H2", "K1 K2 K7", _overtaken),
    _canary("a compare-and-set counts whatever stands there", "none", "K1 K2 K7", _last_wins),
    _canary("a post into a channel that the store had left is taken for a write", "roll/none", "K2 K8", _believed),
    # A move gives notice for so long that hardly a write is still unanswered: of 60 seeds one has such a write.
    _canary(
        "what counted before the store moved is written again behind it",
        "roll/everything",
        "K1 K2 K7 K8",
        _sent_again,
        begin=40,
    ),
    _canary("what is settled while the next channel is opened is told to nobody", "roll/none", "K4 K8", _untold),
    _canary("a watcher is given one change of each step", "none", "K4", _forgetful),
    _canary("a watcher is given nothing", "none", "K4", _mute),
)
