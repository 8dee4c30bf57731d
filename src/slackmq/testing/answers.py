"""What bots answered to what was posted, counted from what stands in the workspace."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slackmq.notes import NOTE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

__all__ = ["Posted", "Said", "Tally", "answer_of", "tally"]

_SAID = frozenset({None, "bot_message", "file_share", "me_message", "thread_broadcast"})
"""Subtypes under which somebody says something (docs.slack.dev/reference/events/message); the others report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What a person asked.

    Attributes:
        ts: its timestamp.
        text: as it was typed.
        says: what the answer says; None if it may say anything.
    """

    ts: str
    text: str
    says: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a bot said.

    Attributes:
        thread: ts of the message in whose thread it stands; "" in the channel itself.
    """

    thread: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of all posts.

    Attributes:
        posts: how many there are.
        lost: how many have no answer.
        repeated: how many answers there are too many.
        lines: what is wrong, in words.
    """

    posts: int
    lost: int
    repeated: int
    lines: tuple[str, ...] = ()


def answer_of(event: Mapping[str, Any], *, channel: str, bots: Collection[str]) -> Said | None:
    """The answer that a `message` event tells of; None if a person spoke, or a queue made a note for itself.

    Args:
        event: the inner event, as Slack sends it.
        channel: id of the channel that counts.
        bots: user ids of the bots that count.
    """
    said = event.get("type") == "message" and event.get("subtype") in _SAID and not event.get("hidden")
    if not said or event.get("channel") != channel or event.get("user") not in bots:
        return None
    metadata: Mapping[str, Any] = event.get("metadata") or {}
    if metadata.get("event_type") == NOTE and metadata["event_payload"].get("note") != "answer":
        return None
    thread, ts = str(event.get("thread_ts") or ""), str(event.get("ts"))
    return Said(thread="" if thread == ts else thread, text=str(event.get("text") or ""))


def tally(posts: Iterable[Posted], answers: Sequence[Said]) -> Tally:
    """Count. An answer in the channel itself counts for a post that has none in its thread."""
    groups: dict[str | None, list[Posted]] = {}
    for post in posts:
        groups.setdefault(post.says, []).append(post)
    parts = [_tally(group, [each for each in answers if says in {None, each.text}]) for says, group in groups.items()]
    return Tally(
        posts=sum(part.posts for part in parts),
        lost=sum(part.lost for part in parts),
        repeated=sum(part.repeated for part in parts),
        lines=tuple(line for part in parts for line in part.lines),
    )


def _tally(posts: Sequence[Posted], answers: Sequence[Said]) -> Tally:
    """Of posts whose answers look alike."""
    threads = Counter(answer.thread for answer in answers)
    unanswered = [post for post in posts if not threads[post.ts]]
    loose = threads[""]
    lines = [f"{threads[post.ts]} answers: {post.text}" for post in posts if threads[post.ts] > 1]
    if loose > len(unanswered):
        lines.append(f"{loose - len(unanswered)} answers too many in the channel")
    lost = max(0, len(unanswered) - loose)
    few = f"{lost} of these: " if loose and lost else ""
    if lost:
        lines += [f"no answer: {few}{post.text}" for post in unanswered]
    repeated = sum(max(0, threads[post.ts] - 1) for post in posts) + max(0, loose - len(unanswered))
    return Tally(posts=len(posts), lost=lost, repeated=repeated, lines=tuple(lines))
