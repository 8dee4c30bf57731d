"""The life of one message, step by step, from what Slack holds of it: its post, its marks, its thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from slackmq.batch import written
from slackmq.message import Outcome, seconds
from slackmq.notes import NOTE, Record, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from slackmq.claiming.marks import Marks
    from slackmq.message import Message
    from slackmq.notes import Note
    from slackmq.slack.api import Row

__all__ = ["Life", "State", "Step", "What", "life_of"]

What = Literal[
    "posted",
    "claimed",
    "begun",
    "renewed",
    "withdrawn",
    "failed",
    "handed back",
    "reported",
    "noted",
    "answered",
    "refused",
    "done",
    "dead",
    "cancel asked",
    "cancelled",
    "asked",
    "pressed",
]
"""What happened: begun tells of an attempt that is not the first; an attempt that failed is not yet dead; reported is
the bar that a handler's progress shows, noted is what of a batch is settled."""

State = Literal["waiting", "held", "done", "dead", "cancelled"]

_RANKS: dict[What, int] = {"posted": 0, "claimed": 1, "renewed": 1, "begun": 2, "done": 4, "dead": 4, "cancelled": 4}
_BETWEEN = 3
_ASIDE = {"cancel asked", "asked", "pressed"}
"""What changes nothing about how a message stands."""
_TOLD: dict[str, What] = {
    "attempt": "begun",
    "claim": "claimed",
    "renew": "renewed",
    "withdraw": "withdrawn",
    "progress": "reported",
    "batch": "noted",
    "answer": "answered",
    "refusal": "refused",
    "done": "done",
    "dead": "dead",
    "question": "asked",
    "press": "pressed",
    "cancel": "cancel asked",
}
"""What each kind of note tells, but for a release: that may be a failure."""
_STATES: dict[What, State] = {
    "posted": "waiting",
    "withdrawn": "waiting",
    "failed": "waiting",
    "handed back": "waiting",
    "done": "done",
    "dead": "dead",
    "cancelled": "cancelled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened to a message.

    Attributes:
        what: see `What`.
        at: seconds since 1970 by Slack's clock; None for a mark, of which Slack keeps no time.
        by: name of the worker, or user id; "" if nothing tells.
        token: the claim under which it happened, 0 if there was none.
        detail: what a person reads about it.
    """

    what: What
    at: float | None
    by: str
    token: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """All that Slack holds of one message.

    Attributes:
        message: the message.
        state: how it stands.
        attempts: how many executions have begun, as far as its thread says.
        steps: what happened, in order.
        jobs: how many jobs the message carries.
        done: of a batch, the numbers of the jobs that its thread calls done, as "1-73 75".
        lost: of a batch, the numbers of the jobs that failed and are not tried again.
        after: how the messages stand that must be done before it, by ts, as far as their marks say.
    """

    message: Message
    state: State
    attempts: int
    steps: tuple[Step, ...]
    jobs: int = 1
    done: str = ""
    lost: str = ""
    after: Mapping[str, str] = field(default_factory=dict[str, str])


def life_of(message: Message, row: Row, replies: Sequence[Row], *, marks: Marks, bots: frozenset[str]) -> Life:
    """Read a message's life.

    Args:
        message: the message.
        row: the same as the channel shows it.
        replies: its thread.
        marks: which emoji stand for what.
        bots: user ids of the bots whose marks and notes count.
    """
    record = Record()
    notes = (reply for reply in replies if reply.user in bots and reply.metadata and reply.metadata.type == NOTE)
    read(((reply.ts, reply.user, reply.metadata.payload) for reply in notes if reply.metadata), record)
    texts = {reply.ts: reply.text for reply in replies}
    told = [_written(ts, note, texts) for ts, _, note in record.entries.values()]
    marked = [*_generations(row, record, marks, bots), *_pinned(row, marks, bots), *_ends(row, marks, bots)]
    posted = Step(what="posted", at=seconds(message.ts), by=message.author, detail=message.text)
    steps = (posted, *_ordered(marked, told))
    begun = record.attempts if len(steps) > 1 else 0
    last: What = next(step.what for step in reversed(steps) if step.what not in _ASIDE)
    return Life(
        message=message,
        state=_STATES.get(last, "held"),
        attempts=begun,
        steps=steps,
        jobs=message.size,
        done=written(record.settled.done),
        lost=written(record.settled.dead),
    )


def _written(ts: str, note: Note, texts: dict[str, str]) -> Step:
    """What a note tells."""
    what: What = ("failed" if note.failed else "handed back") if note.note == "release" else _TOLD[note.note]
    return Step(what=what, at=seconds(ts), by=note.worker, token=note.token, detail=texts.get(ts, ""))


def _generations(row: Row, record: Record, marks: Marks, bots: frozenset[str]) -> Iterator[Step]:
    """Claims and extensions that stand on the message as emoji."""
    begun = {note.token: note for _, _, note in record.entries.values() if note.note == "attempt"}
    highest = max((marks.generation(emoji) for emoji, users in row.reactions.items() if users & bots), default=0)
    holder = _first_holder(record)
    given_back = True
    for token in range(1, highest + 1):
        emoji = marks.generations[token - 1]
        if token in begun or given_back:
            holder = begun[token].worker if token in begun else holder
            taken_over = "" if given_back else ", taken over after a lapsed claim"
            yield Step(what="claimed", at=None, by=holder, token=token, detail=f":{emoji}:{taken_over}")
        else:
            yield Step(what="renewed", at=None, by=holder, token=token, detail=f":{emoji}:")
        given_back = token in record.releases


def _first_holder(record: Record) -> str:
    """Who made the first attempt: its mark does not say, but whatever it wrote does."""
    wrote = sorted((ts, note.worker) for ts, _, note in record.entries.values() if note.attempt == 1 and note.worker)
    return wrote[0][1] if wrote else ""


def _pinned(row: Row, marks: Marks, bots: frozenset[str]) -> Iterator[Step]:
    watchers = row.reactions.get(marks.watched, frozenset()) & bots
    if row.pin is not None and row.pin.by in bots:
        yield Step(what="claimed", at=float(row.pin.since), by=row.pin.by, detail="by its pin")
    elif watchers:
        yield Step(what="claimed", at=None, by=min(watchers), detail="by a pin that was taken off since")


def _ends(row: Row, marks: Marks, bots: frozenset[str]) -> Iterator[Step]:
    asked = bool(row.reactions.get(marks.cancel, frozenset()) & bots)
    ends: tuple[tuple[Outcome, What], ...] = (
        (Outcome.DONE, "done"),
        (Outcome.DEAD, "cancelled" if asked else "dead"),
    )
    for outcome, what in ends:
        who = row.reactions.get(marks.of(outcome), frozenset()) & bots
        if who:
            yield Step(what=what, at=None, by=min(who), token=_LAST, detail=f":{marks.of(outcome)}:")
            return
    if row.user in bots and marks.of_row(row, row.user).ended is Outcome.DONE:
        yield Step(what="done", at=None, by=row.user, token=_LAST, detail="said so in its own message")


_LAST = 1 << 62
"""A mark of an end bears no token; it comes after all that do."""


def _ordered(marked: Iterable[Step], written: Iterable[Step]) -> Iterator[Step]:
    """Notes in the order of their times; a mark, which has none, just before what was written under its token."""
    waiting = sorted(marked, key=lambda step: (step.token, _RANKS.get(step.what, _BETWEEN)))
    for note in sorted(written, key=lambda step: step.at or 0.0):
        while waiting and _before(waiting[0], note):
            yield waiting.pop(0)
        yield note
    yield from waiting


def _before(mark: Step, note: Step) -> bool:
    if mark.at is not None:
        return mark.at <= (note.at or 0.0)
    return mark.token <= note.token
