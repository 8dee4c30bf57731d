"""Verdict: what became of messages, from what stands in the workspace, its record, and what the handlers wrote down."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from slackmq.claiming.marks import Marks

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

__all__ = ["Ends", "Verdict", "claim_calls", "effects_in", "ends_of", "judged", "writes_on"]

_MARKS = Marks()
_MICROSECOND = 1e-6
_LOGGED = 1_000_000_000_000_000
"""Tokens from here on are moments of claims in microseconds; the others count generations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Messages that have ended, by ts.

    Attributes:
        done: those that are marked done.
        dead: those that are marked dead.
    """

    done: frozenset[str]
    dead: frozenset[str]

    def __len__(self) -> int:
        return len(self.done | self.dead)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of messages whose handlers failed, hung and were killed.

    Attributes:
        messages: how many there were.
        lost: what is wrong with those that have no effect, no answer and no dead mark, in words.
        repeated: likewise of those that were done again although no lease had lapsed.
        lapsed: how many effects there are too many after a lapsed lease.
        met: how often each misfortune was met.
        claims: calls for claims a message.
    """

    messages: int
    lost: tuple[str, ...]
    repeated: tuple[str, ...]
    lapsed: int
    met: Mapping[str, int]
    claims: float


def ends_of(rows: Sequence[Mapping[str, Any]]) -> Ends:
    """What is marked, among a channel's messages."""
    marked = {row["ts"]: {mark["name"] for mark in row.get("reactions", ())} for row in rows}
    return Ends(
        done=frozenset(ts for ts, names in marked.items() if _MARKS.done in names),
        dead=frozenset(ts for ts, names in marked.items() if _MARKS.dead in names),
    )


def effects_in(file: Path) -> list[dict[str, Any]]:
    """What handlers wrote down, in order; a last line that is not whole yet is left out."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _about(call: Mapping[str, Any]) -> str:
    """Ts of the message that a call is about."""
    args = call["args"]
    return str(args.get("timestamp") or args.get("thread_ts") or args.get("ts") or "")


def writes_on(calls: Sequence[Mapping[str, Any]], posts: Collection[str]) -> Counter[str]:
    """How many calls were made about messages, refused ones too, by method."""
    return Counter(call["method"] for call in calls if _about(call) in posts)


def claim_calls(calls: Sequence[Mapping[str, Any]], posts: Collection[str]) -> int:
    """How many of them were made to be or to stay the one who has a message, got or not."""
    return sum(_claims(call) for call in calls if _about(call) in posts)


def _claims(call: Mapping[str, Any]) -> bool:
    match call["method"]:
        case "pins.add":
            return True
        case "reactions.add":
            return call["args"]["name"] not in {_MARKS.done, _MARKS.dead}
        case _:
            return _note(call) in {"claim", "renew", "withdraw"}


def judged(
    posts: Mapping[str, str],
    effects: Sequence[Mapping[str, Any]],
    *,
    ends: Ends,
    answered: Collection[str],
    calls: Sequence[Mapping[str, Any]],
    lease: float,
) -> Verdict:
    """Judge.

    Args:
        posts: ts of each message, by its text.
        effects: what handlers wrote down.
        ends: how messages ended.
        answered: ts of messages that have an answer.
        calls: the workspace's record.
        lease: seconds for which a claim lasts.
    """
    done: dict[str, list[Mapping[str, Any]]] = {text: [] for text in posts}
    for line in effects:
        if line["what"] == "done":
            done[line["text"]].append(line)
    lost = [
        f"{text}: {len(done[text])} effects, {'an' if ts in answered else 'no'} answer, "
        f"{'done' if ts in ends.done else 'dead' if ts in ends.dead else 'no mark'}"
        for text, ts in posts.items()
        if not (ts in ends.dead or (ts in ends.done and done[text] and ts in answered))
    ]
    # A handler that always raises must end dead, and no other: whoever was only killed or hung is done by another.
    lost += [f"{text}: dead" for text, ts in posts.items() if ts in ends.dead and "broken" not in text]
    repeated: list[str] = []
    lapsed = 0
    for text, times in done.items():
        about = [call for call in calls if _about(call) == posts[text]]
        # In the order of claims: whoever stood still begins, or has its effect, after the one who took over.
        for one, other in pairwise(sorted(line["token"] for line in times)):
            if _lapsed(about, one, other, lease):
                lapsed += 1
            else:
                told = (_told(call, _claimed(about, one)) for call in about)
                repeated.append("\n  ".join([f"{text}: tokens {one} and {other}", *told]))
    return Verdict(
        messages=len(posts),
        lost=tuple(lost),
        repeated=tuple(repeated),
        lapsed=lapsed,
        met=Counter(line["what"] for line in effects if line["what"] in {"raised", "killed", "stopped"}),
        claims=claim_calls(calls, frozenset(posts.values())) / max(1, len(posts)),
    )


def _lapsed(about: Sequence[Mapping[str, Any]], one: int, other: int, lease: float) -> bool:
    """Whether nobody extended one claim for a whole lease before the other was made, and the message had not ended.

    A holder that lives extends its claim in time, and each extension is a call about the message.

    Args:
        about: calls about the message.
        one: token of a claim.
        other: token of the next one.
        lease: in seconds.
    """
    since, until = _claimed(about, one), _claimed(about, other)
    kept = [call for call in about if call["ok"] and since < call["at"] * _MICROSECOND < until]
    if any(call["method"] == "reactions.add" and not _claims(call) for call in kept):
        return False
    # Most who bid for a claim in the thread do not get it: that is no sign of life of who has it.
    signs = [call["at"] * _MICROSECOND for call in kept if _claims(call) and _note(call) not in {"claim", "withdraw"}]
    return any(after - before >= lease for before, after in pairwise([since, *signs, until]))


def _claimed(about: Sequence[Mapping[str, Any]], token: int) -> float:
    """When a claim was made."""
    if token > _LOGGED:
        return token * _MICROSECOND
    name = _MARKS.generations[token - 1]
    made = (int(call["at"]) for call in about if call["ok"] and call["args"].get("name") == name)
    return next(made) * _MICROSECOND


def _note(call: Mapping[str, Any]) -> str:
    """Which note of a queue a call writes, "" if it writes none."""
    metadata: Any = call["args"].get("metadata") or {}
    told = json.loads(metadata) if isinstance(metadata, str) else metadata
    return str(told.get("event_payload", {}).get("note", ""))


def _told(call: Mapping[str, Any], since: float) -> str:
    """A call in words."""
    args = call["args"]
    what = args.get("name") or _note(call)
    refused = "" if call["ok"] else f" refused: {call['error']}"
    return f"{call['at'] * _MICROSECOND - since:+.1f} s {call['user']} {call['method']} {what}{refused}"
