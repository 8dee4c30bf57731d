"""What happened, as values in the past participle, and the Hook that is told."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from slackmq.message import Claim, Message, Outcome, Post

__all__ = [
    "Carrier",
    "Claimed",
    "Extended",
    "Failed",
    "Finished",
    "Happening",
    "Hook",
    "Lagged",
    "Lost",
    "Posted",
    "Rejected",
    "carried",
]

_log = logging.getLogger("slackmq.queue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A job stands in the channel."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """This process holds a message."""

    claim: Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended:
    """A claim of this process goes on, under a new token."""

    claim: Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """An attempt ended in an exception, or ran out of its time."""

    claim: Claim
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A claim ended. `effective` is False if another holder had marked the message first, or may have."""

    claim: Claim
    outcome: Outcome
    effective: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A claim lapsed before it could be extended: the message may be worked on elsewhere."""

    claim: Claim
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lagged:
    """Slack showed or told things later than was known, or no longer as late.

    Attributes:
        reads: by how much a read of the last hour was late at worst, at least.
        events: how old the event of a new message was at worst within the last hour, at least.
        skew: what this process waits now before it trusts a read: the configured skew or more.
        needed: what it should wait; longer than `skew` where leases are too short for it.
    """

    reads: timedelta
    events: timedelta
    skew: timedelta
    needed: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A message was refused before any handler saw it."""

    message: Message
    reason: str


Happening = Posted | Claimed | Extended | Failed | Finished | Lagged | Lost | Rejected


class Hook(Protocol):
    """Told of everything that happens, in order, in the loop: it must return at once and not raise."""

    def __call__(self, happening: Happening, /) -> None:
        """Take note."""
        ...


@runtime_checkable
class Carrier(Protocol):
    """A hook that also says to which trace a new job belongs."""

    def carry(self, post: Post) -> str:
        """A `traceparent` of the W3C, "" if there is none; called before the job is sent."""
        ...


def carried(hooks: Sequence[Hook], post: Post) -> str:
    """The trace that a new job shall carry, if a hook knows one."""
    for hook in hooks:
        if isinstance(hook, Carrier):
            try:
                return hook.carry(post)
            except Exception:  # noqa: BLE001  # a hook is a stranger's code, and no reason to post nothing
                _log.exception("a hook raised on a post")
    return ""
