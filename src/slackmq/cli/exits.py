"""How the command ends: an exit status, and for what went wrong one or two lines with its cause and remedy."""

from __future__ import annotations

import re
from enum import IntEnum

from slackmq.errors import Ambiguous, SlackError, SlackMQError

__all__ = ["MEANINGS", "Exit", "Unreachable", "exit_of", "explanation"]

_TOKEN = re.compile(r"\bx(?:ox[a-z]|app|wfp)-\w[\w.-]*")
"""Whatever begins like one of Slack's tokens (Slack's docs, "Tokens")."""


class Exit(IntEnum):
    """The exit statuses of the command."""

    OK = 0
    DOES_NOT_HOLD = 1
    USAGE = 2
    REFUSED = 3
    NO_ANSWER = 4
    NOT_PROBED = 5
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
    Exit.BUG: "an error of slackmq itself; --debug shows where",
    Exit.INTERRUPTED: "interrupted; for a worker, by the second signal",
}
"""What each exit status tells."""


class Unreachable(SlackMQError):
    """The local workspace does not answer, or does not start."""


def exit_of(error: BaseException) -> Exit:
    """The exit status for an error."""
    match error:
        case KeyboardInterrupt():
            return Exit.INTERRUPTED
        case Ambiguous() | Unreachable():
            return Exit.NO_ANSWER
        case SlackError():
            return Exit.REFUSED
        case SlackMQError():  # ConfigurationError, and what `post` refuses before anything is sent
            return Exit.USAGE
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
    return "\n".join(without_tokens(" ".join(line.split())) for line in lines if line.strip())


def without_tokens(text: str) -> str:
    """The text with everything that looks like a token of Slack's made unreadable."""
    return _TOKEN.sub(lambda found: f"{found[0].split('-', 1)[0]}-…", text)
