"""Points: named places between two steps whose order a promise rests on; only a test makes anything happen there."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Place", "Saboteur", "armed", "pause", "reach"]

Place = Literal[
    "before_claim",
    "after_claim_ok",
    "after_pin",
    "after_takeover",
    "before_look",
    "after_start",
    "before_renew",
    "after_renew_ok",
    "before_note",
    "after_note",
    "after_dead_note",
    "before_letter",
    "after_letter",
    "before_redrive",
    "after_done_record",
    "before_done",
    "after_done_ok",
    "before_release",
    "after_scan",
    "before_post",
    "producer_before_ack",
]
"""The places: in the contest, in the worker, in a lease, in a thread, at the end, in a scan, and at a producer's."""


class Saboteur(Protocol):
    """What a test does at the points: end the process, or hold it up."""

    def reach(self, place: Place) -> None:
        """Code that does not await has come to a place."""
        ...

    async def pause(self, place: Place) -> None:
        """Code that awaits has come to a place; it goes on when this returns."""
        ...


_SABOTEUR: ContextVar[Saboteur | None] = ContextVar("slackmq_saboteur", default=None)
# A variable of the context, not of the module: several simulated processes share one interpreter.


@contextmanager
def armed(saboteur: Saboteur) -> Generator[None]:
    """Inside, and in all tasks that are started inside, `saboteur` is asked at every point.

    Only a program can do this, to itself. Nothing in the environment does, so nobody can do it by accident.
    """
    token = _SABOTEUR.set(saboteur)
    try:
        yield
    finally:
        _SABOTEUR.reset(token)


def reach(place: Place) -> None:
    """Say that this place was reached, where nothing can be held up."""
    saboteur = _SABOTEUR.get()
    if saboteur is not None:
        saboteur.reach(place)


async def pause(place: Place) -> None:
    """Say that this place was reached, and wait for as long as whoever armed the points likes: not at all otherwise."""
    saboteur = _SABOTEUR.get()
    if saboteur is not None:
        await saboteur.pause(place)
