"""Turnstile: lets one of all processes post what each of them would."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import anyio

from slackmq.errors import AlreadyReacted, Ambiguous, Refused
from slackmq.queue.setting import HOME

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

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

    @asynccontextmanager
    async def turn(self, key: str, *, after: str | None) -> AsyncGenerator[bool]:
        """Whether this process is the one to post what has this key; it is posted inside.

        Args:
            key: the key.
            after: the ts of the post before it, on which one process alone can leave its mark; None if none is known.
                Then, and where it was deleted, bookmarks decide, of which the oldest counts.
        """
        await self._clock.sleep(self._turn())
        if await self._stands(key):
            yield False
            return
        marked = None if after is None else await self._marked(after)
        if marked is None:
            async with self._bookmarked(key) as first:
                yield first or await self._is_left(key)
        else:
            yield marked or await self._is_left(key)

    async def _marked(self, after: str) -> bool | None:
        """Whether this process left its mark on the post before; None if that tells nothing, as it was deleted."""
        try:
            await self._slack.react(self._watch.channel, after, _PASSED)
        except AlreadyReacted:
            return False
        except (Ambiguous, Refused) as error:
            _log.info("the post before it does not tell who is next: %s", error)
            return None
        return True

    @asynccontextmanager
    async def _bookmarked(self, key: str) -> AsyncGenerator[bool]:
        """Whether this process was the first to set a bookmark, which is gone afterwards."""
        channel, link = self._watch.channel, f"{HOME}#{urlencode({'next': key})}"
        try:
            mine = await self._slack.bookmark(channel, f"{key} is being posted", link)
        except (Ambiguous, Refused) as error:
            _log.warning("cannot see whether another process posts %s: %s", key, error)
            yield True
            return
        try:
            marks = [mark for mark in await self._slack.bookmarks(channel) if mark.link == link]
            first = min(marks, key=lambda mark: (mark.created, mark.rank, mark.id), default=mine)
            yield first.id == mine.id and not await self._stands(key)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_TURN), suppress(Ambiguous, Refused):
                await self._slack.unbookmark(channel, mine.id)

    async def _is_left(self, key: str) -> bool:
        """Whether whoever was to post has not done so: then it has died."""
        await self._clock.sleep(_GRACE + self._turn())
        left = not await self._stands(key)
        if left:
            _log.warning("%s was not posted by whoever was to", key)
        return left

    def _turn(self) -> float:
        """Seconds that this process lets others go first: those that were there before it, as far as it knows."""
        elders = (self._watch.connections or 1) - 1
        return _TURN * min(elders, _LAST) + _TURN / 2 * self._clock.random()

    async def _stands(self, key: str) -> bool:
        if self.standing(key) is None:
            await self._watch.scan()
        return self.standing(key) is not None
