"""Refusing: why a job that was claimed must not be begun, but ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.policy import Accept, Elsewhere, Later, Options, Refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from slackmq.message import Claim
    from slackmq.queue.sightings import Sighting

__all__ = ["why_not"]


def why_not(sighting: Sighting, claim: Claim, *, now: float, link: Callable[[str], str]) -> str | None:
    """Why no handler may get a claimed message, None if one may.

    Args:
        sighting: what is known of it.
        claim: the claim.
        now: seconds since 1970 by Slack's clock.
        link: the address of a message of the channel by its ts, for people.
    """
    verdict = sighting.verdict
    if isinstance(verdict, Refuse | Later | Elsewhere):
        return str(verdict.error)
    options = verdict.options if isinstance(verdict, Accept) else Options()
    return _given_up(sighting) or _uncleared(sighting, link) or _exhausted(claim, options) or _expired(claim, now)


def _given_up(sighting: Sighting) -> str | None:
    """Why a message is dead according to its thread, which its last holder did not live to mark; None if it is not."""
    record = sighting.record
    whys = (note.why for _, _, note in record.entries.values() if note.note == "refusal")
    return next(whys, "") or "It was refused." if record.refused else None


def _uncleared(sighting: Sighting, link: Callable[[str], str]) -> str | None:
    """Why a handler must not get what waits for others, None if all are done."""
    if not sighting.uncleared:
        return None
    if (failed := sighting.failed) is None:
        return "Dropped: it expired before all that it waits for was done."
    return f"It was to be begun after {link(failed.ts)}, which {failed.end.value}. Redrive that first, then this."


def _exhausted(claim: Claim, options: Options) -> str | None:
    """Why a handler must not get a claim whose attempt is one too many, None if it may."""
    spent = claim.attempt - 1
    if spent < options.attempts:
        return None
    return f"Given up after {spent} attempts: the last one began and was never heard of again."


def _expired(claim: Claim, now: float) -> str | None:
    """Why a handler must not get what nobody has begun in time, None if it may; what was, or may have been, goes on."""
    expires = claim.message.expires
    if expires is None or claim.attempt > 1 or now <= expires:
        return None
    return f"Dropped: it expired {now - expires:.0f} s before anybody could begin it."
