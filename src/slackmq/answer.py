"""Answer: what a handler returned, as people read it in the thread, and as the program reads it that asked."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from slackmq.envelope import BODY_LIMIT
from slackmq.redaction import redacted

__all__ = ["LONGEST", "Answer", "answer_of"]

LONGEST = 12_000
"""Characters of an answer that people are shown. Slack takes 40,000 (docs.slack.dev, chat.postMessage, "Truncating
content") and refuses what is much longer; what is escaped grows up to fivefold."""

_LONGEST_FILE = 16 * 1024 * 1024
"""Characters of an answer that are put into a file: it is held in memory several times on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a handler returned.

    Attributes:
        text: for people, in Slack's mark-up; None for nothing to say.
        result: the same as JSON, for a program that asked; "" for None, and where `why` says that it is not told.
        why: why the result is not told.
        whole: what was cut off `text`, and the rest, for a file; "" if nothing was.
    """

    text: str | None
    result: str = ""
    why: str = ""
    whole: str = ""


def answer_of(result: object) -> Answer:
    """A handler's result as an answer. The work is done by now, so no result may make this fail.

    Returns:
        Text as it is, shown character by character unless it is `Mrkdwn`; nothing for None and for empty text;
        anything else as JSON in a code block. What looks like a secret is made unreadable, and then the result is
        not told: a program must not get another one than the handler returned.
    """
    if result is None:
        return Answer(text=None)
    told, why = _told(result)
    if isinstance(result, str):
        shown = redacted(result)
        text = _cut(shown) if shown.strip() else None
        return Answer(text=text, result=told, why=why, whole=_whole(shown))
    # Three backticks would end the block; in JSON a backtick stands inside a string, where the escape means the same.
    readable = redacted(_readable(result)).replace("`", "\\u0060")
    return Answer(text=f"```{_cut(readable)}```", result=told, why=why, whole=_whole(readable))


def _cut(text: str) -> str:
    """The text as far as people will read it. A `Mrkdwn` keeps its kind."""
    if len(text) <= LONGEST:
        return text
    return type(text)(f"{text[:LONGEST]}… (cut: it has {len(text):,} characters)")


def _whole(text: str) -> str:
    """The text for a file, if people are not shown all of it."""
    return str(text)[:_LONGEST_FILE] if len(text) > LONGEST else ""


def _told(result: object) -> tuple[str, str]:
    try:
        told = msgspec.json.encode(result, enc_hook=str).decode()
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        return "", f"the result, a {type(result).__name__}, cannot be written as JSON: {error}"
    if (size := len(told.encode())) > BODY_LIMIT:
        return "", f"the result has {size:,} bytes of JSON, and a note carries {BODY_LIMIT:,}"
    if redacted(told) != told:
        return "", "something in the result looks like a secret, and everybody in the channel can read it"
    return told, ""


def _readable(result: object) -> str:
    try:
        return msgspec.json.format(msgspec.json.encode(result, enc_hook=str), indent=2).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        return repr(result)
