"""What a queue writes into a message's thread: for people as a sentence, for programs as metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["NOTE", "Note", "Record", "read"]

NOTE = "slackmq_note"
"""The type of the metadata that makes a reply a note."""

Kind = Literal["attempt", "release", "answer", "refusal", "done", "dead"]


class Note(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One note.

    Attributes:
        note: an execution begins (written for every one but the first) · the claim was given back before its end ·
            the handler's answer · why the message was refused or died · the end, where Slack took no mark for it.
        op: id of the writing: two notes with one `op` are one note, posted twice because the first try went unanswered.
        token: the generation under which it was written.
        attempt: which execution this was or is.
        retry_at: for a release, when the next attempt may begin: seconds since 1970 by Slack's clock.
        failed: for a release, whether the attempt failed; a worker that stops hands back what did not.
        worker: who wrote it.
    """

    note: Kind
    op: str
    token: int
    attempt: int = 1
    retry_at: float | None = None
    failed: bool = True
    worker: str = ""

    def payload(self) -> dict[str, Any]:
        """The note as metadata."""
        payload: dict[str, Any] = msgspec.to_builtins(self)
        if self.retry_at is not None:
            payload["retry_at"] = f"{self.retry_at:.3f}"  # Slack's metadata keeps strings as they are
        return payload


class Record:
    """All that a message's thread says to programs."""

    __slots__ = ("begun", "ended", "handed_back", "ops", "refused", "releases")

    def __init__(self) -> None:
        self.ops: set[str] = set()
        self.begun = 1
        self.handed_back = 0
        self.ended: Literal["done", "dead"] | None = None
        self.releases: dict[int, float] = {}
        self.refused = False

    @property
    def attempts(self) -> int:
        """How many executions have begun, as far as the thread says; one that was handed back unfinished is none.

        The first begins without a note.
        """
        return self.begun - self.handed_back

    def add(self, note: Note) -> None:
        """Take a note in; the same one again changes nothing."""
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
            case "done" | "dead":
                self.ended = self.ended or note.note
            case _:
                return


def read(payloads: Iterable[Mapping[str, Any]], into: Record) -> None:
    """Add the notes of a thread, from their metadata, to what is known of it; strangers' metadata is passed over."""
    for payload in payloads:
        try:
            into.add(msgspec.convert(payload, Note, strict=False))
        except msgspec.ValidationError:
            continue
