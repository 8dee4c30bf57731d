"""Every error of the library on one page, but for those of the key-value store, which have a page of their own.

::

    SlackMQError                    carries `remedy`: what to do about it
    ├── ConfigurationError          something is missing or contradicts itself before anything was sent
    ├── SlackError                  Slack refused, or could not be asked; carries `method`
    │   ├── Ambiguous               no answer: the call may have taken effect, now or later
    │   ├── RateLimited             not done; carries `retry_after`
    │   └── Refused                 not done; carries Slack's `code`
    │       ├── TokenRefused        the token is absent, wrong, revoked or of the wrong kind
    │       ├── MissingScope        carries `needed` and `provided`
    │       ├── ChannelNotFound
    │       ├── NotInChannel
    │       ├── ChannelArchived
    │       ├── MessageGone         the message was deleted
    │       ├── MessageLocked       its thread is locked: it takes neither emoji nor replies
    │       ├── AlreadyReacted      this bot user has put this emoji on this message before
    │       └── TooManyReactions    Slack takes no more emoji on this message
    ├── MessageRejected             a message that no handler may see; the sentence goes into its thread
    │   ├── EnvelopeTooLarge        raised by `post`, nothing was sent
    │   ├── BodyLost                the file with its body is gone, or is not what was posted
    │   ├── EnvelopeTooNew          written by a newer version of this library
    │   ├── EnvelopeDamaged         its digest does not fit: it was edited after it was posted
    │   ├── ForeignEnvelope         addressed to this app, posted by another
    │   ├── MessageEdited           a person edited it after it was posted
    │   ├── TextTruncated           Slack cut its end off
    │   ├── UnknownKind             no handler here has this name
    │   ├── MeantForOthers          it is for a process of another name, or with another label
    │   └── ArgumentsRejected       the handler's arguments do not fit
    ├── StoreError                  of a key-value store: its own tree, in `slackmq.kv.errors`
    ├── Unanswered                  a job that somebody waits for; carries its `ts`
    │   ├── JobFailed               it is dead; carries `reason`
    │   ├── JobVanished             somebody deleted it
    │   ├── ResultUntold            it is done, and its result cannot be told
    │   └── AnswerLate              it has not ended in time, and goes on
    ├── AlreadyEnded                a job that somebody wants cancelled; carries its `ts`
    ├── LeaseLost                   the claim ran out before it could be extended
    │   └── InvariantBreach         somebody took what only the holder may take: a bug, or a stranger with this token
    ├── Retry                       raised by a handler: not now, try again `after`
    └── Reject                      raised by a handler: never again, this one is dead
        ├── Denied                  a person who was asked said no; carries `by`
        └── ApprovalLate            nobody who was asked decided in time
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = [
    "AlreadyEnded",
    "AlreadyPinned",
    "AlreadyReacted",
    "Ambiguous",
    "AnswerLate",
    "ApprovalLate",
    "ArgumentsRejected",
    "BodyLost",
    "ChannelArchived",
    "ChannelNotFound",
    "ConfigurationError",
    "Denied",
    "EnvelopeDamaged",
    "EnvelopeTooLarge",
    "EnvelopeTooNew",
    "ForeignEnvelope",
    "InvariantBreach",
    "JobFailed",
    "JobVanished",
    "LeaseLost",
    "MeantForOthers",
    "MessageEdited",
    "MessageGone",
    "MessageLocked",
    "MessageRejected",
    "MissingScope",
    "NotInChannel",
    "RateLimited",
    "Refused",
    "Reject",
    "ResultUntold",
    "Retry",
    "SlackError",
    "SlackMQError",
    "TextTruncated",
    "TokenRefused",
    "TooManyPins",
    "TooManyReactions",
    "Unanswered",
    "UnknownKind",
    "first",
    "told",
    "trace_of",
]


class SlackMQError(Exception):
    """The root of the tree. `str(error)` is the cause; `error.remedy` says what to do, and may be empty."""

    def __init__(self, cause: str, *, remedy: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.cause} {self.remedy}".rstrip()


class ConfigurationError(SlackMQError):
    """Something is missing, or two settings contradict each other; nothing was sent."""


class SlackError(SlackMQError):
    """Slack refused a call, or could not be asked.

    Attributes:
        method: the method of Slack's Web API, as "reactions.add".
    """

    def __init__(self, cause: str, *, method: str, remedy: str = "") -> None:
        super().__init__(cause, remedy=remedy)
        self.method = method


class Ambiguous(SlackError):
    """No answer came: the call may have taken effect, may take effect later, or never."""


class RateLimited(SlackError):
    """Slack did not do it, and asks not to call this method again for a while.

    Attributes:
        retry_after: seconds, from Slack's Retry-After header.
    """

    def __init__(self, cause: str, *, method: str, retry_after: float) -> None:
        super().__init__(cause, method=method)
        self.retry_after = retry_after


class Refused(SlackError):
    """Slack did not do it.

    Attributes:
        code: Slack's own error code, as "channel_not_found".
    """

    def __init__(self, cause: str, *, method: str, code: str, remedy: str = "") -> None:
        super().__init__(cause, method=method, remedy=remedy)
        self.code = code


class TokenRefused(Refused):
    """The token is absent, wrong, revoked, expired or of the wrong kind."""


class MissingScope(Refused):
    """The app lacks a permission.

    Attributes:
        needed: the scope that Slack wants, as Slack writes it.
        provided: the scopes that the token has.
    """

    def __init__(self, cause: str, *, method: str, needed: str, provided: str, remedy: str = "") -> None:
        super().__init__(cause, method=method, code="missing_scope", remedy=remedy)
        self.needed = needed
        self.provided = provided


class ChannelNotFound(Refused):
    """No such channel, or a private one that the bot was not invited to."""


class NotInChannel(Refused):
    """The bot is no member of the channel."""


class ChannelArchived(Refused):
    """The channel is archived: nothing can be posted or marked there."""


class MessageGone(Refused):
    """The message does not exist (any more)."""


class MessageLocked(Refused):
    """The message takes neither emoji nor replies: its thread is locked, or it is of a kind that takes none."""


class AlreadyReacted(Refused):
    """This bot user has put this emoji on this message before: whoever did it first owns the register."""


class AlreadyPinned(Refused):
    """Somebody has pinned the message, and nobody has taken the pin off."""


class TooManyPins(Refused):
    """The channel bears as many pins as Slack allows."""


class TooManyReactions(Refused):
    """The message takes no further emoji, from anybody or from this bot."""


class MessageRejected(SlackMQError):
    """A message that no handler may see. The sentence is answered in the message's thread, once."""


class EnvelopeTooLarge(MessageRejected):
    """The body is too long, for a message or for a file; nothing was sent."""


class BodyLost(MessageRejected):
    """The file with the body of a job, or with a result, is gone, or is not what was posted."""


class EnvelopeTooNew(MessageRejected):
    """The envelope was written by a newer version of this library."""


class EnvelopeDamaged(MessageRejected):
    """The envelope's digest does not fit its content: it was changed after it was posted."""


class ForeignEnvelope(MessageRejected):
    """The envelope is addressed to this app but was posted by somebody else."""


class MessageEdited(MessageRejected):
    """A person edited the message after posting it and before it was done."""


class TextTruncated(MessageRejected):
    """The text is as long as Slack stores, so its end is probably missing."""


class UnknownKind(MessageRejected):
    """No handler here has this name."""


class MeantForOthers(MessageRejected):
    """It is for a process of another name, or with another label, than this one."""


class ArgumentsRejected(MessageRejected):
    """The arguments in the message do not fit the handler's parameters."""


class Unanswered(SlackMQError):
    """A job that somebody waits for has no result to give.

    Attributes:
        ts: the job's timestamp.
    """

    def __init__(self, ts: str, cause: str, *, remedy: str = "") -> None:
        super().__init__(f"The job {ts} {cause}", remedy=remedy)
        self.ts = ts


class JobFailed(Unanswered):
    """The job is dead: it was refused, or its last attempt failed.

    Attributes:
        reason: why, as its thread says.
    """

    def __init__(self, ts: str, reason: str) -> None:
        super().__init__(ts, f"failed: {reason}", remedy="Its thread says what happened, attempt by attempt.")
        self.reason = reason


class JobVanished(Unanswered):
    """Somebody deleted the job."""

    def __init__(self, ts: str) -> None:
        super().__init__(ts, "was deleted.", remedy="Whoever deletes a job cancels it; post it again if it is wanted.")


class ResultUntold(Unanswered):
    """The job is done, and its result is too long, no JSON, expired, or not of the type that the task says."""

    def __init__(self, ts: str, why: str) -> None:
        remedy = "Its thread has what people may read of it; the task can return less, or the address where it lies."
        super().__init__(ts, f"is done, but its result cannot be told: {why}.", remedy=remedy)


class AnswerLate(Unanswered, TimeoutError):
    """The job has not ended in time. It goes on."""

    def __init__(self, ts: str, within: timedelta) -> None:
        cause = f"has not ended within {within.total_seconds():g} s, and goes on."
        super().__init__(ts, cause, remedy="Wait longer: task.within(…).ask(…).")


class AlreadyEnded(SlackMQError):
    """The job cannot be cancelled: it is done, dead, cancelled, or a duplicate.

    Attributes:
        ts: the job's timestamp.
    """

    def __init__(self, ts: str, cause: str, *, remedy: str = "") -> None:
        super().__init__(f"The job {ts} {cause}", remedy=remedy)
        self.ts = ts


class LeaseLost(SlackMQError):
    """The claim ran out before it could be extended, or its end cannot be marked; somebody else may hold it now."""

    def __init__(
        self,
        cause: str,
        *,
        remedy: str = "Stop, and change nothing more: somebody else may be at work. If it happens often, give the "
        "handler a longer lease, or the worker fewer jobs at once.",
    ) -> None:
        super().__init__(cause, remedy=remedy)


class InvariantBreach(LeaseLost):
    """A generation that only the holder may take was taken by somebody else before the holder's deadline."""


class Retry(SlackMQError):
    """Raised by a handler: not now.

    Attributes:
        after: how long to wait; None lets the handler's retry policy decide.
    """

    def __init__(self, cause: str, *, after: timedelta | None = None) -> None:
        super().__init__(cause)
        self.after = after


class Reject(SlackMQError):
    """Raised by a handler: this message can never succeed. It is marked dead, without further attempts."""


class Denied(Reject):
    """A person who was asked said no. Where the handler lets it pass, the job is dead.

    Attributes:
        by: user id of the person.
    """

    def __init__(self, by: str) -> None:
        super().__init__(f"denied by <@{by}>")
        self.by = by


class ApprovalLate(Reject, TimeoutError):
    """Nobody who was asked decided in time. Where the handler lets it pass, the job is dead: the question is over."""

    def __init__(self, question: str, within: timedelta) -> None:
        super().__init__(f"nobody decided within {within}: {question}")


def told(error: BaseException) -> str:
    """An exception of strangers' code in one line; it may be unable to say what it is.

    What a handler raises on purpose, `Retry` or `Reject`, is said without its class.
    """
    name = type(error).__name__
    try:
        words = str(error)
    except Exception:  # noqa: BLE001  # its `__str__` is strangers' code too
        return name
    if words and isinstance(error, Retry | Reject):
        return words
    return f"{name}: {words}" if words else name


def trace_of(error: BaseException) -> str:
    """The traceback of an exception of strangers' code, as Python prints it."""
    try:
        return "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001  # its `__str__`, and the source of its code, are strangers' too
        return ""


_E = TypeVar("_E", bound=Exception)


def first(group: BaseExceptionGroup[_E]) -> _E:
    """The first of several simultaneous refusals: they have one cause, and one sentence is enough."""
    error = group.exceptions[0]
    return first(error) if isinstance(error, BaseExceptionGroup) else error
