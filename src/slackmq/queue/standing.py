"""How a message stands in the queue, as `slackmq ls` shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from slackmq.claiming.logged import log_of
from slackmq.message import seconds
from slackmq.policy import Elsewhere

if TYPE_CHECKING:
    from slackmq.message import Message
    from slackmq.queue.sightings import Sighting, Sightings

__all__ = ["Standing", "delayed", "standing_of", "standings"]

State = Literal["delayed", "waiting", "held", "done", "dead", "cancelled", "duplicate", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a message stands.

    Attributes:
        message: the message.
        state: delayed until its time has come · waiting for a worker, for the first time or again · held by one · done
            · dead · cancelled · a duplicate of an earlier one by its key · deleted.
        generation: how many claims and extensions it has seen.
        age: since it was posted.
        first: a person put it before all others that wait.
        by: the names of those who answered it, where its thread was read.
        ours: this process could do it: it is neither for others nor for each by itself.
        due: of what waits, in how long its next attempt may begin; zero if at once.
        after: of what waits for others, those that are not known to be done.
    """

    message: Message
    state: State
    generation: int
    age: timedelta
    due: timedelta = timedelta(0)
    first: bool = False
    by: tuple[str, ...] = ()
    ours: bool = True
    after: tuple[str, ...] = ()


def standing_of(sighting: Sighting, *, canonical: bool, now: float) -> Standing:
    """How a message stands.

    Args:
        sighting: what is known of it.
        canonical: whether it is the earliest with its key.
        now: seconds since 1970 by Slack's clock.
    """
    message = sighting.message
    early = message.delay is not None and message.due > now
    state: State = "held" if _held(sighting) else "delayed" if early else "waiting"
    if not canonical:
        state = "duplicate"
    elif sighting.gone:
        state = "gone"
    elif sighting.ended is not None:
        state = sighting.state
    age = timedelta(seconds=max(0.0, now - seconds(message.ts)))
    due = timedelta(seconds=max(0.0, _retry_at(sighting) - now)) if state == "waiting" else timedelta(0)
    return Standing(
        message=message,
        state=state,
        generation=sighting.generation,
        age=age,
        due=due,
        first=sighting.first,
        by=tuple(sorted({note.worker for _, _, note in sighting.record.entries.values() if note.note == "answer"})),
        ours=not (sighting.for_every_bot or isinstance(sighting.verdict, Elsewhere)),
    )


def _retry_at(sighting: Sighting) -> float:
    """From when on it may be claimed again, seconds since 1970; 0 if nobody gave it back for later."""
    log = log_of(sighting.record)
    if log.hold is not None and log.hold.retry_at is not None:
        return log.hold.retry_at
    pins = (pin.retry_at for pin in log.pins.values() if pin.retry_at is not None)
    return max(pins, default=sighting.record.releases.get(sighting.generation, 0.0))


def standings(sightings: Sightings, *, now: float) -> tuple[Standing, ...]:
    """How all messages stand that are remembered, oldest first; `now` as in `standing_of`."""
    found = [
        standing_of(sighting, canonical=sightings.canonical(sighting.message), now=now) for sighting in sightings.all()
    ]
    for message in sightings.held:
        if sightings.canonical(message):
            found.append(delayed(message, now=now, after=sightings.awaited.missing(message.after)))
        else:
            found.append(replace(delayed(message, now=now), state="duplicate", due=timedelta(0)))
    return tuple(sorted(found, key=lambda standing: seconds(standing.message.ts)))


def delayed(message: Message, *, now: float, after: tuple[str, ...] = ()) -> Standing:
    """How a message stands whose time has not come, or that waits for others."""
    age = timedelta(seconds=max(0.0, now - seconds(message.ts)))
    due = timedelta(seconds=max(0.0, message.due - now))
    state: State = "delayed" if due else "waiting"
    return Standing(message=message, state=state, generation=0, age=age, due=due, after=after)


def _held(sighting: Sighting) -> bool:
    """Whether the newest claim was not given back, by its holder or by a person who took its pin off.

    Whether it has lapsed meanwhile only shows when somebody takes over.
    """
    log = log_of(sighting.record)
    if log.hold is not None and log.hold.generation >= sighting.generation:
        return log.hold.retry_at is None
    given_back = sighting.generation in sighting.record.releases or any(
        pin.retry_at is not None for pin in log.pins.values()
    )
    return sighting.generation > 0 and not given_back and (sighting.pin is not None or not sighting.used)
