"""Decisions as plain functions of what is known: how long, how often, whether."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slackmq.errors import MessageRejected

__all__ = ["Accept", "Backoff", "Ignore", "Later", "Options", "Refuse", "Timing", "Verdict"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The time constants of claims; every process that works a channel must use the same.

    Attributes:
        lease: how long a claim lasts unless it is extended (SQS calls it visibility timeout).
        margin: how long others wait beyond a lapsed lease: covers clocks that run at different rates.
        scan: how often the channel is read; events are only hints.
        skew: no read made this long after a write may miss it.
        window: how far back the channel is read on start and once an hour; keys are remembered as long.
        rescan: how far back every scan reads.
    """

    lease: timedelta = timedelta(seconds=60)
    margin: timedelta = timedelta(seconds=5)
    scan: timedelta = timedelta(seconds=6)
    skew: timedelta = timedelta(seconds=4)
    window: timedelta = timedelta(hours=24)
    rescan: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before the next attempt: doubling from `first` to `longest`, with full jitter on top half.

    Attributes:
        first: the wait after the first failed attempt.
        longest: no wait is longer.
    """

    first: timedelta = timedelta(seconds=5)
    longest: timedelta = timedelta(minutes=10)

    def delay(self, attempt: int, dice: float) -> timedelta:
        """The wait after failed attempt number `attempt` (1 is the first); `dice` is a random number in [0, 1)."""
        whole = min(self.longest, self.first * float(2 ** min(attempt - 1, 30)))
        return whole * (0.5 + dice / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a handler wants for its messages.

    Attributes:
        timeout: an attempt that takes longer has failed; None: no limit.
        attempts: after so many failed executions the message is dead.
        lease: how long a claim lasts unless it is extended; None: the queue's own.
        backoff: how long to wait between attempts.
        within: a message that a person typed longer ago than this is left alone: nobody expects an answer now.
    """

    timeout: timedelta | None = None
    attempts: int = 5
    lease: timedelta | None = None
    backoff: Backoff = field(default_factory=Backoff)
    within: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """A handler here takes this message."""

    options: Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """Nothing for us: people talking to each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Addressed to us, and no worker could ever do it: it is answered with the error and marked dead."""

    error: MessageRejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Addressed to us, but only a worker of another version can do it: refused if none came within a while."""

    error: MessageRejected


Verdict = Accept | Ignore | Refuse | Later
