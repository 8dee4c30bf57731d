"""Turnstile: lets one of all processes post what each of them would."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from slackmq.errors import AlreadyReacted, Ambiguous, Refused

if TYPE_CHECKING:
    from slackmq.clock import Clock
    from slackmq.message import Message
    from slackmq.queue.sightings import Sightings
    from slackmq.queue.watch import Watch
    from slackmq.slack.api import Slack

__all__ = ["Turnstile"]

_log = logging.getLogger("slackmq.schedule")
_PASSED = "arrow_forward"
"""The emoji on a post whose successor somebody posts: a register that one process can write, and once."""
_GRACE = 12.0
"""Seconds in which whoever passed has posted, or died: an unanswered post is repeated after ten."""
_TURN = 2.0
"""Seconds between the turns of two processes: long enough for a post of the first to be visible."""
_LAST = 5


class Turnstile:
    """Lets one of all processes post what each of them would.

    What is posted bears a key in any case, so two that pass do no harm: one of their posts is worked on.

    Args:
        slack: the workspace.
        watch: what reads the channel.
        sightings: what is known of it.
        clock: the time of this process.
    """

    def __init__(self, slack: Slack, watch: Watch, sightings: Sightings, *, clock: Clock) -> None:
        self._slack = slack
        self._watch = watch
        self._sightings = sightings
        self._clock = clock

    def now(self) -> float:
        """A moment by Slack's clock that certainly is over, in seconds since 1970."""
        return self._slack.now()

    async def until(self, moment: float) -> None:
        """Wait until Slack's clock shows a moment, in seconds since 1970."""
        while (left := moment - self._slack.now()) > 0:
            await self._watch.news(left)

    async def between(self, prefix: str, oldest: float, latest: float) -> dict[str, str]:
        """The keys with a prefix that were posted in some part of the past, and the ts of each first post."""
        page = await self._slack.history(self._watch.channel, oldest=oldest, latest=latest)
        found: dict[str, str] = {}
        for row in page.rows:
            letter = self._watch.letter(row)
            if letter is not None and letter.error is None and letter.message.key.startswith(prefix):
                found.setdefault(letter.message.key, row.ts)
        return found

    def standing(self, key: str) -> Message | None:
        """The post with a key, as far as this process has seen it."""
        return self._sightings.with_key(key)

    async def admits(self, key: str, *, after: str | None) -> bool:
        """Whether this process is the one to post what has this key.

        Args:
            key: the key.
            after: the ts of the post before it, on which one process alone can leave its mark; None if none is known.
                Then each waits for its turn, and looks.
        """
        await self._clock.sleep(self._turn())
        if await self._stands(key):
            return False
        if after is None:
            return True
        try:
            await self._slack.react(self._watch.channel, after, _PASSED)
        except AlreadyReacted:
            await self._clock.sleep(_GRACE + self._turn())
            late = not await self._stands(key)
            if late:
                _log.warning("%s was not posted by whoever passed for it", key)
            return late
        except (Ambiguous, Refused) as error:
            _log.warning("cannot see whether another process posts %s: %s", key, error)
        return True

    def _turn(self) -> float:
        """Seconds that this process lets others go first: those that were there before it, as far as it knows."""
        elders = (self._watch.connections or 1) - 1
        return _TURN * min(elders, _LAST) + _TURN / 2 * self._clock.random()

    async def _stands(self, key: str) -> bool:
        if self.standing(key) is None:
            await self._watch.scan()
        return self.standing(key) is not None
