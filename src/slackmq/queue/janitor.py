"""Janitor: takes the pins off messages that have ended, so that the channel's hundred pins suffice."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from slackmq.errors import Ambiguous, Refused

if TYPE_CHECKING:
    from slackmq.clock import Clock
    from slackmq.policy import Timing
    from slackmq.queue.sightings import Sighting, Sightings
    from slackmq.slack.api import Slack

__all__ = ["Janitor"]

_log = logging.getLogger("slackmq.janitor")
_OWN = 10.0
"""Seconds after which a process tidies up after another process of its app."""
_OTHERS = 90.0
"""Seconds after which a bot tidies up after another app's: under load that one's own calls wait for their budget."""
_STAGGER = 10.0
"""Seconds between one bot and the next."""
_RANKS = 4


class Janitor:
    """Unpins what has ended. A pin is never taken off to hand a message on.

    Args:
        slack: the workspace.
        sightings: what is known of the channel.
        timing: the time constants.
        clock: the time of this process.
        worker: its name.
        me: user id of this bot.
    """

    def __init__(
        self, slack: Slack, sightings: Sightings, timing: Timing, *, clock: Clock, worker: str, me: str
    ) -> None:
        self._slack = slack
        self._sightings = sightings
        self._timing = timing
        self._clock = clock
        self._worker = worker
        self._me = me

    async def run(self) -> None:
        """Tidy up after every scan, until cancelled."""
        while True:
            await self._clock.sleep(self._timing.scan.total_seconds())
            for sighting in self._sightings.all():
                if sighting.ended is not None and sighting.pin is not None and self._due(sighting):
                    await self._unpin(sighting)

    def _due(self, sighting: Sighting) -> bool:
        ended_at, pin = sighting.ended_at, sighting.pin
        if ended_at is None or pin is None:
            return False
        wait = self._timing.skew.total_seconds()
        rank = hashlib.blake2b(f"{self._worker}/{sighting.message.ts}".encode(), digest_size=2).digest()[0] % _RANKS
        if pin.by != self._me:
            wait = _OTHERS + _STAGGER * rank
        elif sighting.held_at is None:
            wait = _OWN + _STAGGER * rank
        return self._clock.monotonic() - ended_at >= wait

    async def _unpin(self, sighting: Sighting) -> None:
        try:
            await self._slack.unpin(sighting.message.channel, sighting.message.ts)
        except Ambiguous:
            return
        except Refused as error:
            _log.warning("could not unpin %s: %s", sighting.message.ts, error)
        sighting.taken_off, sighting.pin = sighting.pin, None
