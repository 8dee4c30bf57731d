"""How a bot is guarded: what the forms of `exactly_one` take."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypedDict

from slackmq.claiming.marks import Marks
from slackmq.claiming.way import WAYS
from slackmq.errors import ConfigurationError
from slackmq.policy import Timing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.hooks import Hook
    from slackmq.queue.setting import Choice

__all__ = ["How", "Plan"]


class How(TypedDict, total=False):
    """What may be said about how a bot is guarded; all of it may be left out.

    Attributes:
        claim: how claims are made, as in `slackmq.App`: "auto" or "reaction" for replicas of one app, "pin" where
            apps with different tokens share the work.
        replicas: about how many processes run this bot, 4 unless told: they share the 50 reads of history a minute.
        retries: how often work is done again after a listener raised, 0 unless told; what was cut off by a crash
            always is.
        within: a post that nobody has begun by then is left alone: nobody expects an answer any more; an hour unless
            told.
        timing: the time constants; the same in all replicas.
        marks: which emoji stand for what; the same in all replicas.
        hooks: told of everything that happens, on a thread of its own.
    """

    claim: Choice
    replicas: int
    retries: int
    within: timedelta
    timing: Timing
    marks: Marks
    hooks: Sequence[Hook]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a bot is guarded.

    Attributes:
        channels: those whose posts are claimed.
        work: the channel for records of what is no post; the others as in `How`.
    """

    channels: tuple[str, ...]
    work: str | None = None
    claim: Choice = "auto"
    replicas: int = 4
    retries: int = 0
    within: timedelta = timedelta(hours=1)
    # All replicas together read a quiet channel four times a minute: what a dead one left is found that soon.
    timing: Timing = field(default_factory=lambda: Timing(quiet=timedelta(seconds=15)))
    marks: Marks = field(default_factory=Marks)
    hooks: Sequence[Hook] = ()

    def __post_init__(self) -> None:
        if not self.channels and self.work is None:
            raise ConfigurationError("No channel is named.", remedy='Name those to guard: exactly_one(…, "#ops").')
        for name in self.channels if self.work is None else (*self.channels, self.work):
            _check_channel(name)
        if self.claim not in {"auto", *WAYS}:
            raise ConfigurationError(f"There is no way to claim called {self.claim!r}.", remedy='Use claim="auto".')
        _check_least("retries", self.retries, 0)
        _check_least("replicas", self.replicas, 1)
        _check_time("within", self.within)


def _check_channel(name: object) -> None:
    if not isinstance(name, str) or not name.strip("# "):
        remedy = 'Name each by itself: exactly_one(…, "#ops", "#alerts").'
        raise ConfigurationError(f"{name!r} is no name of a channel.", remedy=remedy)


def _check_least(name: str, given: object, least: int) -> None:
    if not isinstance(given, int) or given < least:
        raise ConfigurationError(f"{name}={given!r} says nothing.", remedy=f"Give it a whole number, {least} or more.")


def _check_time(name: str, given: object) -> None:
    if not isinstance(given, timedelta) or given <= timedelta(0):
        remedy = f"Write {name}=timedelta(hours=1), for example."
        raise ConfigurationError(f"{name}={given!r} is no time in which anything can be begun.", remedy=remedy)
