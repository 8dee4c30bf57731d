"""Answer: what a handler returned, as people read it in the thread, and as the program reads it that asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import msgspec

from slackmq.envelope import BODY_LIMIT
from slackmq.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Collection

    from slackmq.batch import Settled

__all__ = ["LONGEST", "LONGEST_FILE", "Answer", "Form", "answer_of", "answer_of_batch", "result_in"]

LONGEST = 12_000
"""Characters of an answer that people are shown. Slack takes 40,000 (docs.slack.dev, chat.postMessage, "Truncating
content") and refuses what is much longer; what is escaped grows up to fivefold."""

LONGEST_FILE = 16 * 1024 * 1024
"""Characters of an answer that are put into a file: it is held in memory several times on its way."""

Form = Literal["text", "json"]
"""How a file holds a result: as the text that was returned, or as JSON."""


_UNSPEAKABLE = "something in the result looks like a secret, and everybody in the channel can read it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a handler returned.

    Attributes:
        text: for people, in Slack's mark-up; None for nothing to say.
        result: the same as JSON, for a program that asked; "" for None, and where `why` says that it is not told.
        why: why the result is not told.
        whole: all of `text`, for a file: what people read there, and programs where `result` is too long for a note.
        form: how `whole` holds the result.
    """

    text: str | None
    result: str = ""
    why: str = ""
    whole: str = ""
    form: Form = "text"

    @property
    def is_large(self) -> bool:
        """Whether the result is too long for a note."""
        return len(self.result) > BODY_LIMIT or len(self.result.encode()) > BODY_LIMIT

    @property
    def is_cut(self) -> bool:
        """Whether people are not shown all of it."""
        return len(self.whole) > LONGEST


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
        if told and shown != result:
            told, why = "", _UNSPEAKABLE
        text = _cut(shown) if shown.strip() else None
        return Answer(text=text, result=told, why=why, whole=str(shown)[:LONGEST_FILE])
    readable = _readable(result)
    if told and len(readable) > LONGEST_FILE:
        readable = told
    shown = redacted(readable)
    if told and shown != readable:
        told, why = "", _UNSPEAKABLE
    # Three backticks would end the block; in JSON a backtick stands inside a string, where the escape means the same.
    block = _cut(shown.replace("`", "\\u0060"))
    return Answer(text=f"```{block}```", result=told, why=why, whole=shown[:LONGEST_FILE], form="json")


def answer_of_batch(numbers: Collection[int], settled: Settled) -> Answer:
    """What the jobs of a batch returned, in their order; nothing if none returned anything."""
    if not settled.results:
        return Answer(text=settled.untold or None, why=settled.untold)
    results = [msgspec.json.decode(settled.results.get(number, "null")) for number in numbers]
    answer = answer_of(results)
    return replace(answer, result="", why=settled.untold) if settled.untold else answer


def result_in(content: bytes, form: Form) -> str:
    """The result in a file, as JSON.

    Raises:
        UnicodeDecodeError: it is no text.
    """
    text = content.decode()
    return msgspec.json.encode(text).decode() if form == "text" else text


def _cut(text: str) -> str:
    """The text as far as people will read it. A `Mrkdwn` keeps its kind."""
    if len(text) <= LONGEST:
        return text
    return type(text)(f"{text[:LONGEST]}… (cut: it has {len(text):,} characters)")


def _told(result: object) -> tuple[str, str]:
    try:
        told = msgspec.json.encode(result, enc_hook=str).decode()
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        return "", f"the result, a {type(result).__name__}, cannot be written as JSON: {error}"
    if (size := len(told.encode())) > LONGEST_FILE:
        return "", f"the result has {size:,} bytes of JSON, and a file at most {LONGEST_FILE:,}"
    return ("", _UNSPEAKABLE) if redacted(told) != told else (told, "")


def _readable(result: object) -> str:
    try:
        return msgspec.json.format(msgspec.json.encode(result, enc_hook=str), indent=2).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        return repr(result)
