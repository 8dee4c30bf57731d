"""What a queue writes into a message's thread: for people as a sentence, for programs as metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec.structs import replace

from slackmq.batch import Settled
from slackmq.message import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["NOTE", "Note", "Record", "read"]

NOTE = "slackmq_note"
"""The type of the metadata that makes a reply a note."""

Kind = Literal[
    "attempt",
    "release",
    "answer",
    "refusal",
    "done",
    "dead",
    "progress",
    "claim",
    "renew",
    "withdraw",
    "cancel",
    "batch",
    "question",
    "press",
]


class Note(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One note.

    Attributes:
        note: an execution begins (written for every one but the first) · the claim was given back before its end ·
            the handler's answer · why the message was refused or died · the end, where Slack took no mark for it ·
            how far the work is · a claim in the log, its prolongation, its withdrawal · somebody wants it cancelled ·
            people are asked · one of them pressed a button · what of a batch is settled, edited while the work goes on.
        op: id of the writing: two notes with one `op` are one note, posted twice because the first try went unanswered.
        token: the generation under which it was written.
        attempt: which execution this was or is.
        retry_at: for a release, when the next attempt may begin: seconds since 1970 by Slack's clock.
        failed: for a release, whether the attempt failed; a worker that stops hands back what did not.
        worker: who wrote it.
        generation: of a claim, its number among the message's claims.
        lease: of a claim or its prolongation, seconds that it lasts.
        base: the user whose pin it follows, prolongs or gives back.
        since: when that pin was put there, seconds since 1970.
        result: of an answer, what the handler returned, as JSON; "" for None, and where `why` says why it is not told;
            of a question, what is asked; of a press, "approve" or "deny".
        why: why the message was refused or died, why the result is not told, who wants it cancelled, or who pressed.
        about: the op of the claim that it prolongs, ends, gives back or withdraws, or of the question.
        done: of a batch, the numbers of the jobs that are done, as "1-73 75"; any kind of note may say it.
        lost: of a batch, the numbers of the jobs that failed and are not tried again.
        results: of a batch, what the jobs returned that are done, as a JSON object by number; None is left out.
        untold: of a batch, why some results are not kept.
        file: of an answer, the file that has all of it, "<file id>/<sha256>"; "" if none has.
        form: how that file holds the result, "text" or "json"; "" if it does not. To whoever does not know this field
            `why` says that the result is not told.
        expires: of an answer, from when on its result is not told any more, seconds since 1970 by Slack's clock.
    """

    note: Kind
    op: str
    token: int
    attempt: int = 1
    retry_at: float | None = None
    failed: bool = True
    worker: str = ""
    generation: int = 0
    lease: float = 0.0
    base: str = ""
    since: float = 0.0
    result: str = ""
    why: str = ""
    about: str = ""
    done: str = ""
    lost: str = ""
    results: str = ""
    untold: str = ""
    file: str = ""
    form: Literal["", "text", "json"] = ""
    expires: float | None = None

    def payload(self) -> dict[str, Any]:
        """The note as metadata."""
        payload: dict[str, Any] = msgspec.to_builtins(self)
        for name in payload.keys() & {"retry_at", "expires"}:
            payload[name] = f"{payload[name]:.3f}"  # Slack's metadata keeps strings as they are
        return payload


_HANDED_BACK = 5
"""So many times a job may be handed back without an attempt being counted. Beyond that it may be the job that ends its
workers, by a task that it left behind or by a signal that it brings upon them, and it must come to its end."""


class Record:
    """All that a message's thread says to programs."""

    __slots__ = ("begun", "ended", "entries", "handed_back", "ops", "refused", "releases", "settled")

    def __init__(self) -> None:
        self.ops: set[str] = set()
        self.begun = 1
        self.handed_back = 0
        self.ended: Literal["done", "dead"] | None = None
        self.releases: dict[int, float] = {}
        self.refused = False
        self.settled = Settled()
        self.entries: dict[str, tuple[str, str, Note]] = {}
        """op -> timestamp, author and note, of all that were seen in the thread: the log of claims is made of them."""

    @property
    def attempts(self) -> int:
        """How many executions have begun, as far as the thread says; the first begins without a note.

        One that was handed back unfinished is none, for the first five times.
        """
        return self.begun - min(self.handed_back, _HANDED_BACK)

    def failed_elsewhere(self, token: int, worker: str) -> bool:
        """Whether another worker than this one wrote that its claim under a token failed."""
        notes = (note for _, _, note in self.entries.values())
        return any(
            note.note == "release" and note.token == token and note.failed and note.worker != worker for note in notes
        )

    def all_given_back(self, token: int) -> bool:
        """Whether the claim under a token was given back, and so was every attempt before it: none is still out."""
        releases = [note for _, _, note in self.entries.values() if note.note == "release"]
        last = max((note.attempt for note in releases if note.token == token), default=None)
        failed = {note.token for note in releases if note.failed and note.token < token}
        return last is not None and len(failed) >= last - 1

    def add(self, note: Note, *, ts: str = "", user: str = "") -> None:
        """Take a note in; of one that was written twice the earlier copy counts."""
        known = self.entries.get(note.op)
        if ts and (known is None or seconds(ts) < seconds(known[0])):
            self.entries[note.op] = (ts, user, replace(note, results="") if note.results else note)
        if ts and (note.done or note.lost):  # also where the note is known: it may have been edited since
            self.settled.heed(done=note.done, lost=note.lost, results=note.results, untold=note.untold)
        if note.op in self.ops:
            return
        self.ops.add(note.op)
        match note.note:
            case "attempt":
                self.begun += 1
            case "release" if note.retry_at is not None:
                self.releases.setdefault(note.token, note.retry_at)
                self.handed_back += not note.failed
            case "refusal":
                self.refused = True
            case "done" | "dead" if not note.about:
                self.ended = self.ended or note.note
            case _:
                return


def read(payloads: Iterable[tuple[str, str, Mapping[str, Any]]], into: Record) -> None:
    """Add the notes of a thread to what is known of it; strangers' metadata is passed over.

    Args:
        payloads: timestamp, author and metadata of each reply.
        into: what is known.
    """
    for ts, user, payload in payloads:
        try:
            note = msgspec.convert(payload, Note, strict=False)
        except msgspec.ValidationError:
            continue
        into.add(note, ts=ts, user=user)
