"""What is known of the claims on one message: marks, pin, and its thread's notes. It only grows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from slackmq.notes import Record

if TYPE_CHECKING:
    from slackmq.claiming.marks import Reading
    from slackmq.message import Outcome
    from slackmq.slack.api import Pin

__all__ = ["Traces"]


@dataclass(slots=True, kw_only=True, eq=False)
class Traces:
    """What one process knows of the claims on one message.

    Attributes:
        generation: the highest generation known to be taken.
        first_seen: generation -> when this process first knew it to be taken, on its monotonic clock, in seconds.
        ended: how it ended, if it did.
        ended_at: when this process first knew that, on its monotonic clock.
        gone: it was deleted.
        cancelled: somebody wants it cancelled.
        cancelled_by: who, as far as this process knows.
        first: somebody wants it to be the next one.
        fresh_event: its event came to this process, for the first time, and it was not begun since.
        full: Slack takes no further emoji on it.
        pin: who pinned it, as the newest read or event showed.
        taken_off: the last pin that is known to have been taken off.
        used: it was pinned once, or bears the mark of a pin, or somebody tried to pin it.
        bare_at: when this process first saw it used and without a pin, on its monotonic clock.
        watchers: users whose pin-mark it bears.
        capped: its channel took no further pin.
        held_at: this process holds it by its own pin since then, on its monotonic clock.
        pin_shown: since then a read has shown that pin.
        put_back: somebody took the pin off while this process worked on it.
        record: its thread's notes.
        latest_reply: ts of the newest reply in its thread.
        noted_until: `latest_reply` at the time when the thread was last read.
    """

    generation: int = 0
    first_seen: dict[int, float] = field(default_factory=dict[int, float])
    ended: Outcome | None = None
    ended_at: float | None = None
    gone: bool = False
    cancelled: bool = False
    cancelled_by: str = ""
    first: bool = False
    full: bool = False
    fresh_event: bool = False
    pin: Pin | None = None
    taken_off: Pin | None = None
    used: bool = False
    bare_at: float | None = None
    watchers: frozenset[str] = frozenset()
    capped: bool = False
    held_at: float | None = None
    pin_shown: bool = False
    put_back: bool = False
    record: Record = field(default_factory=Record)
    latest_reply: str | None = None
    noted_until: str | None = None

    @property
    def unread(self) -> bool:
        """Its thread has replies that this process has not read."""
        return self.latest_reply is not None and self.latest_reply != self.noted_until

    @property
    def wanted_by(self) -> str:
        """Who wants it cancelled, as its thread or this process knows; "" if nobody says."""
        notes = (note for _, _, note in self.record.entries.values())
        return self.cancelled_by or next((note.why for note in notes if note.note == "cancel"), "")

    def again_at(self, retry_at: float) -> float:
        """When what was given back for later may be taken again: at once if that is only to end it."""
        return 0.0 if self.cancelled else retry_at

    def take_in(self, reading: Reading, now: float) -> None:
        """Note what the marks say.

        Args:
            reading: the marks.
            now: the monotonic time *after* the read: a clock started too early would rob the holder.
        """
        self.generation = max(self.generation, reading.generation)
        self.cancelled = self.cancelled or reading.cancelled
        self.first = self.first or reading.first
        if self.generation:
            self.first_seen.setdefault(self.generation, now)
        if reading.ended is not None and self.ended is None:
            self.ended, self.ended_at = reading.ended, now

    def seen_pin(self, pin: Pin | None, now: float) -> None:
        """Note who has pinned it, or that nobody has."""
        if pin is not None and pin == self.taken_off:
            return  # a read that began before it was taken off
        if pin is not None:
            self.pin, self.used, self.bare_at = pin, True, None
        elif self.used:
            self.pin = None
            self.bare_at = now if self.bare_at is None else self.bare_at
