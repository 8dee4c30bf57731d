"""How the command ends: an exit status, and for what went wrong one or two lines with its cause and remedy."""

from __future__ import annotations

from enum import IntEnum

from slackmq.errors import AlreadyEnded, Ambiguous, SlackError, SlackMQError
from slackmq.kv.errors import (
    KeyNotFound,
    LockLapsed,
    LockLost,
    LogBroken,
    RecordTooNew,
    RevisionMismatch,
    StoreMoved,
    WriteLost,
)
from slackmq.redaction import redacted

__all__ = ["MEANINGS", "Exit", "StillHeld", "Unreachable", "exit_of", "explanation"]


class Exit(IntEnum):
    """The exit statuses of the command."""

    OK = 0
    DOES_NOT_HOLD = 1
    USAGE = 2
    REFUSED = 3
    NO_ANSWER = 4
    NOT_PROBED = 5
    NO_KEY = 6
    MISMATCH = 7
    NOT_WRITTEN = 8
    LOCK_LOST = 9
    LOG_BROKEN = 10
    STILL_HELD = 11
    ENDED = 12
    GOES_ON = 13
    BUG = 70
    INTERRUPTED = 130


MEANINGS = {
    Exit.OK: "done; for a worker, stopped gently",
    Exit.DOES_NOT_HOLD: "what was checked does not hold: demo lost or repeated a job, worker --check or doctor "
    "found something",
    Exit.USAGE: "wrong usage or configuration; nothing was sent",
    Exit.REFUSED: "Slack refused: token, scope, channel",
    Exit.NO_ANSWER: "no answer from Slack or from the local workspace",
    Exit.NOT_PROBED: "doctor --probe found nothing broken, and could not try everything: it says what is missing",
    Exit.NO_KEY: "kv: there is no such key",
    Exit.MISMATCH: "kv put or del: the key stands in another revision than --last, or is there and --create was given; "
    "nothing was written; kv roll: somebody else moved the store to another channel",
    Exit.NOT_WRITTEN: "kv: Slack stored the record too late or never, so it does not count",
    Exit.LOCK_LOST: "kv lock: the lock was lost while the command ran, and the command was ended; kv put or del "
    "--held: the lock was not held any more, and nothing was written",
    Exit.LOG_BROKEN: "kv: records were deleted or edited, or were written by a newer version",
    Exit.STILL_HELD: "kv lock: somebody else held the lock for longer than --wait",
    Exit.ENDED: "cancel: too late, the job has ended",
    Exit.GOES_ON: "cancel: the job had not stopped after --wait seconds; it is still told to",
    Exit.BUG: "an error of slackmq itself; --debug shows where",
    Exit.INTERRUPTED: "interrupted; for a worker, by the second signal",
}
"""What each exit status tells."""


class Unreachable(SlackMQError):
    """The local workspace does not answer, or does not start."""


class StillHeld(SlackMQError):
    """Somebody else holds the lock, and was waited for long enough."""


_STATUSES: tuple[tuple[type[SlackMQError], Exit], ...] = (
    (Ambiguous, Exit.NO_ANSWER),
    (Unreachable, Exit.NO_ANSWER),
    (SlackError, Exit.REFUSED),
    (KeyNotFound, Exit.NO_KEY),
    (LockLapsed, Exit.LOCK_LOST),
    (RevisionMismatch, Exit.MISMATCH),
    (StoreMoved, Exit.MISMATCH),
    (WriteLost, Exit.NOT_WRITTEN),
    (LockLost, Exit.LOCK_LOST),
    (LogBroken, Exit.LOG_BROKEN),
    (RecordTooNew, Exit.LOG_BROKEN),
    (StillHeld, Exit.STILL_HELD),
    (AlreadyEnded, Exit.ENDED),
    (SlackMQError, Exit.USAGE),  # ConfigurationError, and what is refused before anything is sent
)
"""Of the kinds that an error is, the first one counts."""


def exit_of(error: BaseException) -> Exit:
    """The exit status for an error."""
    match error:
        case KeyboardInterrupt():
            return Exit.INTERRUPTED
        case SlackMQError():
            return next(status for kind, status in _STATUSES if isinstance(error, kind))
        case BaseExceptionGroup():
            return exit_of(error.exceptions[0])
        case _:
            return Exit.BUG


def explanation(error: BaseException) -> str:
    """The cause on one line and the remedy on the next, without any token; "" if there is nothing to say."""
    match error:
        case KeyboardInterrupt():
            lines: tuple[str, ...] = ()
        case Ambiguous():
            lines = (error.cause, error.remedy or "Check the network and --url (SLACKMQ_URL), then try again.")
        case SlackMQError():
            lines = (error.cause, error.remedy)
        case BaseExceptionGroup():
            return explanation(error.exceptions[0])
        case _:
            lines = (f"{type(error).__name__}: {error}", "That is an error of slackmq itself; --debug shows where.")
    return "\n".join(redacted(" ".join(line.split())) for line in lines if line.strip())
