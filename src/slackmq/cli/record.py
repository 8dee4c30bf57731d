"""What really happened in a channel, read from the record that the workspace itself keeps of every write call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from slackmq.envelope import JOB, is_finished
from slackmq.notes import NOTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from slackmq.claiming.marks import Marks

__all__ = ["Ledger", "Sent", "read_record"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A job as it was posted.

    Attributes:
        ts: its timestamp.
        key: its idempotency key.
        text: what a person reads.
        typed: a person typed it.
        at: when it was posted, in microseconds since 1970.
    """

    ts: str
    key: str
    text: str
    typed: bool
    at: int


@dataclass(slots=True, kw_only=True)
class Ledger:
    """A channel's jobs and what was done to them. All moments are in microseconds since 1970.

    Attributes:
        jobs: by timestamp; of several with one key only the first.
        copies: how many further messages with the key of an earlier one there are.
        taken: (ts, generation) -> when it was taken.
        done: ts -> when it was marked done.
        dead: ts -> when it was marked dead.
        released: (ts, generation) -> when its holder gave it back.
        answered: ts -> how many answers stand in its thread.
        seq: number of the last call that was read.
    """

    jobs: dict[str, Sent] = field(default_factory=dict[str, Sent])
    copies: int = 0
    taken: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    done: dict[str, int] = field(default_factory=dict[str, int])
    dead: dict[str, int] = field(default_factory=dict[str, int])
    released: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    answered: dict[str, int] = field(default_factory=dict[str, int])
    seq: int = 0

    def by_key(self) -> dict[str, Sent]:
        """The jobs by their keys."""
        return {job.key: job for job in self.jobs.values()}

    def generation(self, ts: str) -> int:
        """The highest generation of a message that was taken, 0 if none was."""
        return max((generation for taken, generation in self.taken if taken == ts), default=0)


def read_record(calls: Iterable[Mapping[str, Any]], *, channel: str, bot: str, marks: Marks) -> Ledger:
    """Read a whole record, from its first call on.

    Args:
        calls: what `GET /emulator/record` lists.
        channel: id of the channel; calls in others are passed over.
        bot: user id of the app whose workers work the channel; other people's emoji mean nothing.
        marks: which emoji stand for what.
    """
    ledger = Ledger()
    keys: set[str] = set()
    for call in calls:
        ledger.seq = max(ledger.seq, int(call["seq"]))
        if not call["ok"] or call["args"].get("channel") != channel:
            continue
        match call["method"]:
            case "chat.postMessage":
                _take_post(ledger, call, keys, bot=bot)
            case "chat.update" if call["user"] == bot:
                if is_finished(_metadata(call["args"].get("metadata")).get("event_payload") or {}):
                    ledger.done.setdefault(str(call["args"]["ts"]), int(call["at"]))
            case "reactions.add" if call["user"] == bot:
                _take_mark(ledger, call, marks)
            case _:
                continue
    return ledger


def _take_post(ledger: Ledger, call: Mapping[str, Any], keys: set[str], *, bot: str) -> None:
    args: Mapping[str, Any] = call["args"]
    metadata = _metadata(args.get("metadata"))
    if args.get("thread_ts"):
        if call["user"] == bot and metadata.get("event_type") == NOTE:
            _take_note(ledger, str(args["thread_ts"]), metadata["event_payload"], int(call["at"]))
        return
    ts, typed = str(call["ts"]), call["user"] != bot
    if not typed and metadata.get("event_type") != JOB:
        return
    key = f"{args['channel']}/{ts}" if typed else str(metadata["event_payload"]["key"])
    if key in keys:
        ledger.copies += 1
        return
    keys.add(key)
    ledger.jobs[ts] = Sent(ts=ts, key=key, text=str(args.get("text") or ""), typed=typed, at=int(call["at"]))


def _take_note(ledger: Ledger, ts: str, note: Mapping[str, Any], at: int) -> None:
    if note.get("note") == "release":
        ledger.released.setdefault((ts, int(note["token"])), at)
    elif note.get("note") == "answer":
        ledger.answered[ts] = ledger.answered.get(ts, 0) + 1


def _take_mark(ledger: Ledger, call: Mapping[str, Any], marks: Marks) -> None:
    ts, emoji, at = str(call["args"]["timestamp"]), str(call["args"]["name"]), int(call["at"])
    if emoji == marks.done:
        ledger.done.setdefault(ts, at)
    elif emoji == marks.dead:
        ledger.dead.setdefault(ts, at)
    elif generation := marks.generation(emoji):
        ledger.taken.setdefault((ts, generation), at)


def _metadata(value: object) -> Mapping[str, Any]:
    """Metadata as an object: a form carries it as JSON in a string."""
    if isinstance(value, str):
        value = msgspec.json.decode(value)
    return msgspec.convert(value or {}, dict[str, Any])
