"""A message's thread: where a queue writes its notes, once each, and reads them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from slackmq.errors import (
    Ambiguous,
    ChannelArchived,
    ChannelNotFound,
    MessageGone,
    MessageLocked,
    MissingScope,
    NotInChannel,
    Refused,
    TokenRefused,
)
from slackmq.notes import NOTE, read
from slackmq.points import pause
from slackmq.slack.api import Metadata, Urgency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.clock import Clock
    from slackmq.message import Message
    from slackmq.notes import Note, Record
    from slackmq.slack.api import Row, Slack
    from slackmq.slack.surfacing import Block

__all__ = ["Thread"]


_log = logging.getLogger("slackmq.thread")


class Thread:
    """Writes and reads notes.

    Args:
        slack: the workspace.
        clock: the time of this process.
        skew: seconds after which no read may miss a write.
        shared: whether bots of other apps write here too.
        peers: which ones, by user id; None: every bot.
    """

    def __init__(
        self, slack: Slack, *, clock: Clock, skew: float, shared: bool = False, peers: frozenset[str] | None = None
    ) -> None:
        self._slack = slack
        self._clock = clock
        self._skew = skew
        self._shared = shared
        self._peers = peers

    async def read(self, message: Message, into: Record, *, urgency: Urgency = Urgency.SCAN) -> None:
        """Add what the thread says to `into`. Only notes by bots of the queue count: everybody can write there.

        Raises:
            Ambiguous: Slack did not answer.
            MessageGone: the message was deleted.
        """
        me = (await self._slack.identity()).user
        rows = await self._slack.replies(message.channel, message.ts, urgency=urgency)
        trusted = (row for row in rows if row.user == me or (self._shared and self._is_peer(row)))
        notes = (row for row in trusted if row.metadata and row.metadata.type == NOTE)
        read(((row.ts, row.user, row.metadata.payload) for row in notes if row.metadata), into)

    def trusts(self, user: str) -> bool:
        """Whether what this user puts on a message may be a bot's of this queue; anybody's may where none is named."""
        return self._peers is None or user in self._peers

    def knows(self, user: str) -> bool:
        """Whether this user was named as a bot of this queue."""
        return self._peers is not None and user in self._peers

    def _is_peer(self, row: Row) -> bool:
        return row.bot is not None and self.trusts(row.user)

    async def write(
        self,
        message: Message,
        note: Note,
        text: str,
        record: Record,
        *,
        urgency: Urgency,
        blocks: Sequence[Block] = (),
    ) -> None:
        """Write a note, for as long as it takes, and once: a try that went unanswered is looked up first."""
        metadata = Metadata(type=NOTE, payload=note.payload())
        while note.op not in record.ops:
            await pause("before_note")
            try:
                ts = await self._slack.post(
                    message.channel, text, metadata=metadata, thread=message.ts, blocks=blocks, urgency=urgency
                )
                record.add(note, ts=ts, user=(await self._slack.identity()).user)
                await pause("after_note")
            except Ambiguous:
                await self._clock.sleep(self._skew)
                await self._try_read(message, record)
            except (TokenRefused, MissingScope, ChannelNotFound, NotInChannel, ChannelArchived):
                raise
            except Refused as error:
                if note.note == "claim" and isinstance(error, MessageGone | MessageLocked):
                    raise  # nobody can claim what was deleted or locked, and nobody shall try again at once
                # The message was deleted, or Slack will not have this very text: that is no reason to stop working.
                _log.warning("Slack refused a note in the thread of %s: %s", message.ts, error)
                record.add(note)

    async def rewrite(self, message: Message, note: Note, text: str, record: Record) -> None:
        """Put a note in the place of an earlier one of this process with the same op.

        Raises:
            Ambiguous: no answer; it may take effect at any later time, so that note must not be written again.
            Refused: the earlier one was deleted.
        """
        ts, user, _ = record.entries[note.op]
        metadata = Metadata(type=NOTE, payload=note.payload())
        await self._slack.edit(message.channel, ts, text, metadata=metadata, urgency=Urgency.SCAN)
        record.add(note, ts=ts, user=user)

    async def _try_read(self, message: Message, record: Record) -> None:
        try:
            await self.read(message, record)
        except (Ambiguous, MessageGone):
            # Then the next try may write the note twice; readers take two notes with one `op` for one.
            return
