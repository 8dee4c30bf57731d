"""Telling: how an answer is told: by a note, by a file beside it, or for a while only."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from slackmq.errors import ConfigurationError, SlackError
from slackmq.queue.parcels import parcel_name

if TYPE_CHECKING:
    from datetime import timedelta

    from slackmq.answer import Answer
    from slackmq.message import Message
    from slackmq.queue.parcels import Parcels
    from slackmq.slack.api import Slack

__all__ = ["Telling", "Told"]

_log = logging.getLogger("slackmq.queue")
_IN_FILE = "it lies in a file, and this version of slackmq does not look there"
_NOWHERE = "it could not be put into a file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the note with an answer says; the fields are those of `slackmq.notes.Note`, but for the text for people."""

    text: str
    result: str = ""
    why: str = ""
    file: str = ""
    form: Literal["", "text", "json"] = ""
    expires: float | None = None


class Telling:
    """Puts answers into files where a note is not enough.

    Args:
        slack: the workspace, for its clock.
        parcels: where the files are put.
    """

    def __init__(self, slack: Slack, parcels: Parcels) -> None:
        self._slack = slack
        self._parcels = parcels

    async def told(self, message: Message, answer: Answer, *, life: timedelta | None) -> Told:
        """What to write about an answer, once what does not fit there stands in the thread as a file.

        Args:
            message: the job.
            answer: what its handler returned.
            life: how long it can be read; None: as long as the thread. A note stays, so what expires lies in a file.
        """
        if life is None and not (answer.is_cut or answer.is_large):
            return Told(text=answer.text or "", result=answer.result, why=answer.why)
        expires = None if life is None else self._slack.now() + life.total_seconds()
        file = await self._file(message, answer, expires)
        if expires is None and not answer.is_large:
            return Told(text=answer.text or "", result=answer.result, why=answer.why, file=file)
        text = answer.text or ""
        if expires is not None:
            text = f"The answer is in the file, until {_moment(expires)}." if file else f"The answer: {_NOWHERE}."
        if not answer.result:
            return Told(text=text, why=answer.why, file=file, expires=expires)
        why = _IN_FILE if file else _NOWHERE
        return Told(text=text, why=why, file=file, form=answer.form if file else "", expires=expires)

    async def _file(self, message: Message, answer: Answer, expires: float | None) -> str:
        """Put an answer into the thread as a file; "" if that cannot be."""
        content = (answer.whole or answer.text or "").encode(errors="replace")
        name, comment = "answer.txt", "The whole answer:"
        if expires is not None:
            name, comment = parcel_name("answer", expires), f"The answer, until {_moment(expires)}:"
        try:
            return await self._parcels.put(message.channel, name, content, comment=comment, thread=message.ts)
        except (SlackError, ConfigurationError) as error:
            _log.warning("the answer to %s cannot be put into a file: %s", message.ts, error)
            return ""


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
