"""The log of claims in a message's thread: the lowest timestamp wins, and Slack's clock says when a claim has lapsed.

A pure replay: whoever has read the same notes knows the same holder. It serves where no write-once register is left:
beyond the last emoji, on a message that takes no further emoji, and after the one pin that a message gets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slackmq.notes import Note

__all__ = ["Entry", "Hold", "Log", "Pinning", "micros", "replay"]


_WHOLE = 1.0
"""Slack tells the time of a pin in whole seconds (`pinned_info.pinned_ts`): it was put there up to so much later."""


def micros(ts: str) -> int:
    """A Slack timestamp as whole microseconds since 1970: a token that rises with Slack's time."""
    whole, _, part = ts.partition(".")
    return int(whole) * 1_000_000 + int(part.ljust(6, "0")[:6])


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A note of the log with what Slack adds: its timestamp, and who wrote it."""

    ts: str
    user: str
    note: Note

    @property
    def at(self) -> float:
        """When it was written, seconds since 1970 by Slack's clock."""
        return float(self.ts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A claim that the log made valid.

    Attributes:
        op: the id under which it was written.
        generation: its number among the message's claims.
        ts: when it was written: its order in the log.
        expires: when it lapses, seconds since 1970 by Slack's clock.
        retry_at: it was given back, and may be taken again from then on; None if it was not.
    """

    op: str
    generation: int
    ts: str
    expires: float
    retry_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinning:
    """What the log says of one user's pin: when it was renewed and for how long, and whether it was given back."""

    renewals: tuple[tuple[float, float], ...] = ()
    retry_at: float | None = None

    def expires(self, since: float, lease: float) -> float:
        """When the claim behind a pin lapses: a renewal counts if it was written in time."""
        until = since + _WHOLE + lease
        for at, seconds in self.renewals:
            if since <= at <= until:
                until = at + seconds
        return until


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What the log amounts to.

    Attributes:
        hold: the newest valid claim, None if there is none.
        pins: what was said of the pin of each user.
        finished: the op of the first end that was written by the holder of that moment, None if there is none.
    """

    hold: Hold | None
    pins: dict[str, Pinning]
    finished: str | None = None


def replay(entries: Iterable[Entry]) -> Log:
    """Replay a log in the order of its timestamps, whatever the order in which it was read."""
    ordered = sorted(entries, key=lambda entry: micros(entry.ts))
    withdrawn = {entry.note.about for entry in ordered if entry.note.note == "withdraw"}
    hold: Hold | None = None
    pins: dict[str, Pinning] = {}
    finished: str | None = None
    for entry in ordered:
        match entry.note.note:
            case "claim" if entry.note.op not in withdrawn and _valid(entry, hold, pins):
                hold = _held(entry)
            case "renew" | "release":
                hold = _continued(entry, hold, pins)
            case "done" | "dead" if finished is None and hold is not None and entry.note.about == hold.op:
                finished = entry.note.op
            case _:
                continue
    return Log(hold=hold, pins=pins, finished=finished)


def _held(entry: Entry) -> Hold:
    note = entry.note
    return Hold(op=note.op, generation=note.generation, ts=entry.ts, expires=entry.at + note.lease)


def _valid(entry: Entry, hold: Hold | None, pins: dict[str, Pinning]) -> bool:
    note = entry.note
    if hold is not None:
        return note.generation > hold.generation and (hold.retry_at is not None or entry.at > hold.expires)
    if not note.base:
        return True
    pinning = pins.get(note.base, Pinning())
    return pinning.retry_at is not None or entry.at > pinning.expires(note.since, note.lease)


def _continued(entry: Entry, hold: Hold | None, pins: dict[str, Pinning]) -> Hold | None:
    """A renewal or a release: of the claim it names, or of its author's pin."""
    note = entry.note
    if note.base:
        known = pins.get(note.base, Pinning())
        if note.note == "release":
            pins[note.base] = replace(known, retry_at=known.retry_at or note.retry_at or entry.at)
        else:
            pins[note.base] = replace(known, renewals=(*known.renewals, (entry.at, note.lease)))
            # A claim that came late, of somebody who died, must not open the way past a pin whose holder goes on.
            return None if hold is None else replace(hold, expires=max(hold.expires, entry.at + note.lease))
        return hold
    if hold is None or note.about != hold.op:
        return hold
    if note.note == "release":
        return replace(hold, retry_at=hold.retry_at or note.retry_at or entry.at)
    return replace(hold, expires=entry.at + note.lease) if entry.at <= hold.expires else hold
