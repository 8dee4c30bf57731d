"""What flows: Post, Message, Claim, Receipt; each step takes the value that the step before returned."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

__all__ = ["Claim", "Json", "Message", "Mrkdwn", "Outcome", "Post", "Receipt", "seconds"]

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class Mrkdwn(str):
    """An answer in Slack's mark-up, passed on as it is: `Mrkdwn("see <https://example.com|the log>")`.

    A plain `str` is escaped, so that no text can mention anybody or pretend to be a link.
    """

    __slots__ = ()


def seconds(ts: str) -> float:
    """A Slack timestamp as seconds since 1970, for arithmetic; compare and store the string itself."""
    return float(ts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A job that a program wants done.

    Attributes:
        kind: the name of the handler that shall do it.
        body: the handler's arguments by name, as JSON.
        key: the idempotency key: of all messages with one key in a channel, one is worked on.
        keyed: True if the caller chose the key, so that other programs may post it too.
        lease: how long a claim on it lasts unless it is extended; None leaves it to the worker.
        priority: of what waits, that with the higher number is begun first.
        expires: what nobody has begun by then is dropped, in seconds since 1970 by Slack's clock; None: never.
        origin: the key of the dead job that it repeats; "" if it repeats none.
        trace: the trace that it belongs to, as a `traceparent` of the W3C; "" if it belongs to none.
        link: where that came from, for people; "" if it repeats none.
        delay: nobody begins it sooner after it was posted; None: at once.
        after: timestamps of the jobs of this channel that must be done before it is begun.
        on: the worker that shall do it, by name ("pi-1") or by label ("room=attic"); "": any.
        file: the file in the channel that holds its body, "<file id>/<sha256>"; "": the message does.
        batch: how many jobs it carries; 0: it is one itself.
    """

    kind: str
    body: Mapping[str, Json]
    key: str
    keyed: bool = False
    lease: timedelta | None = None
    priority: int = 0
    expires: float | None = None
    origin: str = ""
    trace: str = ""
    link: str = ""
    delay: timedelta | None = None
    after: tuple[str, ...] = ()
    on: str = ""
    file: str = ""
    batch: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A job as it stands in the channel, posted by a program or typed by a person.

    Attributes:
        channel: id of the channel, "C…".
        ts: Slack's timestamp: with the channel, the identity of the message.
        author: user id of who posted it.
        kind: name of the handler a program asked for; None if a person typed it.
        text: what a person reads in the channel.
        body: the handler's arguments by name; empty if a person typed it, and where a file holds them: then
            `AsyncQueue.body` reads them, and a handler gets them as ever.
        key: the idempotency key; "<channel>/<ts>" if a person typed it.
        keyed: True if the poster chose the key.
        repost: 0 for the first try to post it, n for the n-th repetition of an unanswered try.
        sent_at: when the program sent it, by its estimate of Slack's clock, in seconds since 1970.
        lease: how long a claim on it lasts unless it is extended; None leaves it to the worker.
        priority: of what waits, that with the higher number is begun first.
        expires: what nobody has begun by then is dropped, in seconds since 1970 by Slack's clock; None: never.
        origin: the key of the dead job that it repeats; "" if it repeats none.
        trace: the trace that it belongs to, as a `traceparent` of the W3C; "" if it belongs to none.
        link: where that came from, for people; "" if it repeats none.
        delay: nobody begins it sooner after it was posted; None: at once.
        after: timestamps of the jobs of this channel that must be done before it is begun.
        on: the worker that shall do it, by name ("pi-1") or by label ("room=attic"); "": any.
        file: the file in the channel that holds its body, "<file id>/<sha256>"; "": the message does.
        batch: how many jobs it carries; 0: it is one itself.
    """

    channel: str
    ts: str
    author: str
    kind: str | None = None
    text: str = ""
    body: Mapping[str, Json] = field(default_factory=dict[str, Json])
    key: str
    keyed: bool = False
    repost: int = 0
    sent_at: float | None = None
    lease: timedelta | None = None
    priority: int = 0
    expires: float | None = None
    origin: str = ""
    trace: str = ""
    link: str = ""
    delay: timedelta | None = None
    after: tuple[str, ...] = ()
    on: str = ""
    file: str = ""
    batch: int = 0

    @property
    def deferred(self) -> bool:
        """Whether it may be begun long after it was posted: it has a delay, or waits for others."""
        return self.delay is not None or bool(self.after)

    @property
    def due(self) -> float:
        """When its delay is over, in seconds since 1970 by Slack's clock; what has no delay: when it was posted."""
        return seconds(self.ts) + (self.delay.total_seconds() if self.delay else 0.0)

    @property
    def size(self) -> int:
        """How many jobs it carries."""
        return max(1, self.batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to work on a message until the deadline.

    Attributes:
        message: what was claimed.
        token: the fencing token, 1 for the first claim and rising with every later one and every extension;
            a resource that refuses a token lower than one it has seen cannot be touched by a stale holder.
        attempt: which execution this is, 1 for the first; an extension is not one, nor is one that was handed back.
        deadline: when it lapses, on the monotonic clock of the process that holds it, in seconds.
    """

    message: Message
    token: int
    attempt: int
    deadline: float


class Outcome(Enum):
    """How a claim ended."""

    DONE = "done"
    DEAD = "dead"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The end of a claim.

    Attributes:
        message: what was worked on.
        token: the token under which it ended.
        outcome: done, dead, or released for a later attempt.
        effective: False if somebody else had marked the message before: the work was done twice.
    """

    message: Message
    token: int
    outcome: Outcome
    effective: bool
