"""Standstill: whether a channel is paused, as one process knows it: notices are hints, the bookmarks are the truth."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from slackmq.errors import Ambiguous, Refused
from slackmq.message import seconds
from slackmq.queue.pausing import pause_of, says_paused

if TYPE_CHECKING:
    from slackmq.slack.api import Row, Slack

__all__ = ["Standstill"]

_log = logging.getLogger("slackmq.watch")
_AGAIN = 600.0
"""Seconds after which the bookmarks are read although no notice asks for it: it may have been lost, or have come while
this process was cut off for longer than a scan reads back."""


class Standstill:
    """Follows whether a channel is paused.

    Args:
        slack: the workspace.
        channel: id of the channel.
        shared: whether the bots of other apps may pause it too.

    Attributes:
        paused: somebody wants nothing to be begun there.
    """

    def __init__(self, slack: Slack, channel: str, *, shared: bool) -> None:
        self.paused = False
        self._slack = slack
        self._channel = channel
        self._shared = shared
        self._looked_at: float | None = None
        self._known_at = 0.0
        self._said = False

    async def look(self, *, skew: float) -> None:
        """Read the bookmarks: on start, now and then, and as long as it is paused.

        Args:
            skew: seconds after which no read may miss a write.
        """
        read_at = self._slack.now()
        if not self.paused and self._looked_at is not None and read_at - self._looked_at < _AGAIN:
            return
        try:
            pause = await pause_of(self._slack, self._channel, shared=self._shared)
        except Ambiguous as error:
            _log.debug("cannot see whether %s is paused: %s", self._channel, error)
            return
        except Refused as error:
            _log.debug("only notices tell whether %s is paused: %s", self._channel, error)
            self.paused, self._looked_at = self._said, read_at
            return
        if pause is None and self._said and read_at < self._known_at + skew:
            return  # said so a moment ago: the bookmark is not shown yet
        if (pause is not None) is not self.paused:
            _log.warning("%s", f"paused by {pause.by}: nothing is begun" if pause else "nothing is paused any more")
        self.paused, self._looked_at = pause is not None, read_at
        self._known_at = max(self._known_at, read_at - skew)

    def notice(self, row: Row) -> bool:
        """Take in what a message by a bot of the queue says of it; of what stood there before the bookmarks tell.

        Returns:
            Whether the bookmarks must be looked at now.
        """
        paused = says_paused(row)
        if paused is None or seconds(row.ts) <= self._known_at:
            return False
        self._known_at, self._said = seconds(row.ts), paused
        self.paused = True  # whether it is over the bookmarks tell, and they are read as long as it is not
        return True
