"""Letters: which rows of a channel are messages for a queue, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.envelope import JOB, typed, unseal

if TYPE_CHECKING:
    from slackmq.envelope import Letter
    from slackmq.slack.api import Row

__all__ = ["Letters"]

_SAID = frozenset({None, "bot_message", "file_share", "me_message"})
"""Subtypes under which somebody says something in the channel itself (docs.slack.dev/reference/events/message)."""


class Letters:
    """Reads rows as messages for one bot.

    Args:
        channel: id of the channel.
        me: user id of this bot.
        shared: whether several apps share the work.
        peers: bots of other apps that may post jobs for us then; None: every bot.
        bots: whether what bots say, and what comes with a file, is as good as what a person typed.
    """

    def __init__(self, *, channel: str, me: str, shared: bool, peers: frozenset[str] | None, bots: bool) -> None:
        self._channel = channel
        self._me = me
        self._shared = shared
        self._peers = peers
        self._bots = bots

    def letter(self, row: Row) -> Letter | None:
        """The message of a row; None if it is none for us: a reply, another bot's words, a notice of Slack."""
        if row.thread is not None and row.thread != row.ts:
            return None
        if row.metadata is not None and row.metadata.type == JOB:
            payload = row.metadata.payload
            return unseal(
                payload,
                channel=self._channel,
                ts=row.ts,
                author=row.user,
                me=self._me,
                text=row.text,
                shared=self._is_peer(row),
            )
        said = row.subtype in _SAID if self._bots else row.bot is None and row.subtype is None
        if not row.user or not said or (row.user == self._me and row.subtype == "file_share"):
            return None  # the arguments of a job are no talk
        return typed(channel=self._channel, ts=row.ts, author=row.user, text=row.text, edited=row.edited)

    def trusts(self, row: Row) -> bool:
        """Whether a row is of a bot that works here."""
        return row.user == self._me or self._is_peer(row)

    def _is_peer(self, row: Row) -> bool:
        if not self._shared or row.bot is None:
            return False
        return row.user == self._me or self._peers is None or row.user in self._peers
