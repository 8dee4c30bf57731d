"""Approval: what a person decided, and the question as it stands in a thread for whoever comes upon it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

import msgspec

from slackmq.message import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slackmq.message import Message
    from slackmq.notes import Record

__all__ = ["Approval", "Choice", "Press", "Question", "asked", "first_press", "question_of"]

Choice = Literal["approve", "deny"]


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A person said yes.

    Attributes:
        by: user id of the person.
        at: when, in seconds since 1970 by Slack's clock.
    """

    by: str
    at: float


class Press(msgspec.Struct, frozen=True, kw_only=True):
    """A press of a button as the thread tells it: what was chosen, by whom, in the reply with this ts."""

    choice: Choice
    by: str
    ts: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question to people about a job.

    Attributes:
        bot: user id of the bot that asks: only its own words count.
        job: channel and timestamp of the job's message.
        key: the job's idempotency key.
        text: the question.
        by: who may decide, by ids of users and user groups.
        asker: user id of who posted the job, who may not.
        until: when it is too late, in seconds since 1970 by Slack's clock.
    """

    bot: str
    job: str
    key: str
    text: str
    by: tuple[str, ...]
    asker: str
    until: float

    @property
    def ident(self) -> str:
        """A digest of what is asked, of whom, about which job: attempts of one job that ask the same share it."""
        sealed = msgspec.json.encode([self.bot, self.job, self.key, self.text, self.by])
        return hashlib.blake2b(sealed, digest_size=16).hexdigest()

    def written(self) -> str:
        """The question as JSON; `asked` reads it back."""
        return msgspec.json.encode(self).decode()


def question_of(message: Message, text: str, *, bot: str, by: Iterable[str], until: float) -> Question:
    """A question about a job."""
    return Question(
        bot=bot,
        job=f"{message.channel}/{message.ts}",
        key=message.key,
        text=text,
        by=tuple(sorted(set(by))),
        asker=message.author,
        until=until,
    )


def asked(record: Record, ident: str, *, bot: str, job: str) -> tuple[str, Question] | None:
    """The question with this digest in a job's thread, and its timestamp; None if our bot asked none such.

    Args:
        record: what the thread says.
        ident: the digest.
        bot: user id of our bot.
        job: channel and timestamp of the message above the thread.
    """
    found = record.entries.get(ident)
    if found is None or found[1] != bot or found[2].note != "question":
        return None
    try:
        question = msgspec.json.decode(found[2].result, type=Question)
    except msgspec.DecodeError:
        return None
    return (found[0], question) if (question.ident, question.bot, question.job) == (ident, bot, job) else None


def first_press(record: Record, question: Question) -> Press | None:
    """The press that counts: the earliest that came in time, by the order of the thread; None if there is none yet.

    It is settled once the thread was read so long after it that no read can miss an earlier one.
    """
    found = [
        Press(choice="approve" if note.result == "approve" else "deny", by=note.why, ts=ts)
        for ts, user, note in record.entries.values()
        if note.note == "press" and user == question.bot and note.about == question.ident
        if seconds(ts) <= question.until
    ]
    return min(found, key=lambda press: seconds(press.ts), default=None)
