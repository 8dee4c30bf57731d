"""Collector: deletes the files of this bot that no job and no reader needs any more."""

from __future__ import annotations

import hashlib
import logging
import math
from typing import TYPE_CHECKING, Literal

from slackmq.errors import Ambiguous, ConfigurationError, MissingScope, Refused, SlackError
from slackmq.message import Outcome
from slackmq.nameplate import ALL
from slackmq.queue.parcels import kept_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from slackmq.clock import Clock
    from slackmq.message import Message
    from slackmq.queue.parcels import Parcels
    from slackmq.queue.sightings import Sightings
    from slackmq.slack.api import Slack
    from slackmq.slack.filing import FileRow

__all__ = ["Collector", "needs", "spent"]

_log = logging.getLogger("slackmq.parcels")
_LOOK = 300.0
"""Seconds between two looks whether it is time, and so between two lists of the files, at least."""
_SWEEP = 3_600.0
"""Seconds between two lists, at most: who ended a job may have died before its file was deleted."""
_FIRST = 900.0
"""Seconds until the first list of a process."""
_STAGGER = 60

Need = Literal["done", "needed"]


class Collector:
    """Deletes files, for as long as this process claims.

    Args:
        slack: the workspace.
        channel: id of the channel.
        me: user id of this bot: nobody else can delete its files.
        sightings: what is known of the channel.
        parcels: what this process put there.
        clock: the time of this process.
        worker: its name, for a moment of its own.
    """

    def __init__(
        self,
        slack: Slack,
        channel: str,
        *,
        me: str,
        sightings: Sightings,
        parcels: Parcels,
        clock: Clock,
        worker: str,
    ) -> None:
        self._slack = slack
        self._channel = channel
        self._me = me
        self._sightings = sightings
        self._parcels = parcels
        self._clock = clock
        self._stagger = hashlib.blake2b(worker.encode(), digest_size=2).digest()[0] % _STAGGER

    async def run(self) -> None:
        """Look now and then, until cancelled."""
        due = self._slack.now() + _FIRST
        try:
            while True:
                await self._clock.sleep(_LOOK + self._stagger)
                if self._slack.now() < min(due, self._parcels.soonest or due):
                    continue
                try:
                    due = await self.collect()
                except Ambiguous as error:
                    _log.warning("files that nobody needs are looked for again later: %s", error)
        except MissingScope:
            return  # a bot that may not read files has put none there
        except (SlackError, ConfigurationError) as error:
            _log.warning("files that nobody needs are not deleted from here any more: %s", error)

    async def collect(self) -> float:
        """Delete what nobody needs; returns when to look again, in seconds since 1970."""
        rows = await self._slack.files.listed(self._channel, user=self._me)
        now, states = self._slack.now(), self._needs()
        self._parcels.soonest = None
        until = math.inf
        for row in rows:
            if spent(row, states.get(row.id), now=now):
                await self._discard(row)
            elif states.get(row.id) is None:
                until = min(until, kept_until(row.name) or until)
        return min(now + _SWEEP, until)

    async def _discard(self, row: FileRow) -> None:
        """Delete a file; one that Slack does not let go keeps no other."""
        try:
            await self._slack.files.discard(row.id)
        except MissingScope:
            raise
        except Refused as error:
            _log.warning("the file %s stays: %s", row.name, error)

    def _needs(self) -> Mapping[str, Need]:
        # The mark of what is for every bot is the end of one part of many, also where the poster did not know that.
        there = [sighting for sighting in self._sightings.all() if not sighting.gone]
        ended = ((each.message, None if each.for_every_bot else each.ended) for each in there)
        return needs([*ended, *((message, None) for message in self._sightings.held)])


def needs(jobs: Iterable[tuple[Message, Outcome | None]]) -> dict[str, Need]:
    """What is known of the files with bodies, by their ids.

    Of several messages with one file one is worked on: its copies, and the dead job that it repeats, have no other end.

    Args:
        jobs: each job that is remembered, and how it ended; None if it did not.
    """
    found: dict[str, Need] = {}
    for message, ended in jobs:
        ident = message.file.partition("/")[0]
        if ident and found.get(ident) != "done":
            over = ended is Outcome.DONE and ALL not in message.on.split()  # that is the end of one part of many
            found[ident] = "done" if over else "needed"
    return found


def spent(row: FileRow, need: Need | None, *, now: float) -> bool:
    """Whether a file may go: its job is done, or its time is over and no job that is remembered needs it.

    Args:
        row: the file.
        need: what is known of its job; None if none is remembered, or if it holds a result.
        now: seconds since 1970 by Slack's clock.
    """
    until = kept_until(row.name)
    if until is None or need == "needed":
        return False
    return need == "done" or until <= now
