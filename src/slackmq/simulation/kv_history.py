"""KvHistory: what the users of a simulated store asked and were told, and what its log really says."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from slackmq.kv.entry import Change
from slackmq.kv.log import State
from slackmq.kv.record import GROUPS, RECORD, Record, micros, opened
from slackmq.simulation.record import Called, Disturbed
from slackmq.simulation.visibility import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from slackmq.kv.seal import Seal
    from slackmq.kv.store import AsyncStore
    from slackmq.simulation.record import Line

__all__ = ["Asking", "Held", "KvTruth", "Watched", "truth_of"]


@dataclass(slots=True, kw_only=True)
class Asking:
    """Somebody asked something of the store.

    Attributes:
        process: who.
        verb: "read", "local", "put", "cas" or "add".
        key: of which key.
        old: the value that a compare-and-set wants to replace, None for no value.
        new: the value that is written, or that was read.
        began: when.
        ended: when it was answered; infinite if never, or if it may or may not have been done.
        done: False if it certainly was not done: the key stood otherwise.
        void: True if it certainly was not done, whatever stood there.
        revision: what was answered.
    """

    process: str
    verb: str
    key: str
    old: object = None
    new: object = None
    began: float = 0.0
    ended: float = math.inf
    done: bool = True
    void: bool = False
    revision: int = 0

    def __str__(self) -> str:
        end = "?" if self.ended == math.inf else f"{self.ended:.3f}"
        result = "" if self.done else " refused"
        return f"{self.began:9.3f}-{end} {self.process:>4} {self.verb} {self.key} {self.old}->{self.new}{result}"


@dataclass(slots=True, kw_only=True)
class Held:
    """Somebody believed to hold the lock."""

    process: str
    token: int
    began: float
    ended: float = math.inf


@dataclass(slots=True, kw_only=True)
class Watched:
    """What a watcher was given.

    Attributes:
        process: whose.
        since: the revision that was settled when it began.
        until: a revision that it must have been given by the end; 0 if it did not live to see it.
        changes: what it was given: keys, revisions and kinds.
    """

    process: str
    since: int = 0
    until: int = 0
    changes: list[tuple[str, int, str]] = field(default_factory=list[tuple[str, int, str]])

    async def run(self, store: AsyncStore) -> None:
        """Watch, until cancelled."""
        self.since = store.status().revision
        async for change in store.watch():
            self.changes.append((change.key, change.revision, change.kind.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class KvTruth:
    """What the log says.

    Attributes:
        changes: all of them, in order.
        values: key -> the times and values it took, in seconds of the simulation; None: gone.
        state: the state in the end.
        pauses: when a process was stopped or held up, or its store stood still.
    """

    changes: tuple[Change, ...]
    values: Mapping[str, Sequence[tuple[float, object]]]
    state: State
    pauses: Sequence[Disturbed]


def truth_of(lines: Sequence[Line], seal_of: Callable[[str], Seal], *, channel: str, now: float) -> KvTruth:
    """Replay the posts that took effect, in the order in which they did, in the channel in which the store was then.

    Args:
        lines: the record of a run.
        seal_of: makes the seal of a channel.
        channel: id of the channel in which the store began.
        now: when the run ended, in seconds of the simulation.
    """
    state, changes = State(), list[Change]()
    values: dict[str, list[tuple[float, object]]] = {}
    seal = seal_of(channel)
    for line in lines:
        if not isinstance(line, Called) or line.method != "chat.postMessage" or not line.reply.get("ok"):
            continue
        stamp = micros(str(line.reply["ts"]))
        if not state.counts(stamp):
            changes += state.advance(stamp)
            state, seal = state.onward(seal.channel), seal_of(state.successor)
        metadata: Mapping[str, Any] = line.args.get("metadata") or {}  # type: ignore[assignment]  # JSON
        if metadata.get("event_type") != RECORD or line.args["channel"] != seal.channel:
            continue
        author = str(line.reply["message"]["user"])
        record = opened(metadata["event_payload"], author=author, seal=seal)
        if isinstance(record, Record):
            _, changed = state.apply(stamp, author, record)
            changes += changed
    changes += state.advance(EPOCH * 1_000_000 + round(now * 1_000_000))
    for change in changes:
        at = change.revision // GROUPS / 1_000_000 - EPOCH
        values.setdefault(change.key, []).append((at, change.entry.value if change.entry else None))
    pauses = [line for line in lines if isinstance(line, Disturbed)]
    return KvTruth(changes=tuple(changes), values=values, state=state, pauses=pauses)
