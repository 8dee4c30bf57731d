"""Caching: keeps a cache of what is settled, in a thread beside the loop; a cache that fails is gone without."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

from slackmq.errors import SlackMQError
from slackmq.kv.cache import Cache, Since
from slackmq.kv.errors import CacheUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from slackmq.clock import Clock
    from slackmq.kv.follower import Follower
    from slackmq.kv.log import State
    from slackmq.kv.seal import Seal

__all__ = ["Caching", "aside"]

_log = logging.getLogger("slackmq.kv")
_T = TypeVar("_T")
_PERIOD = 30.0
"""Seconds between two times that what changed is written down."""


async def aside(do: Callable[[], _T]) -> _T:
    """Do what blocks, in a thread; once begun it is finished."""
    return await anyio.to_thread.run_sync(do)


class Caching:
    """The cache of one store.

    Args:
        path: of the file.
        team: id of the workspace.
        seal: the channel's: signs rows, and hides them if it hides.
        former: those of the channels in which the store was before: a file from there is begun anew.
    """

    def __init__(self, path: Path, team: str, seal: Seal, *, former: Iterable[Seal] = ()) -> None:
        self._path = path
        self._owner = f"{team} {seal.channel}"
        self._seal = seal
        self._former = [(f"{team} {each.channel}", each) for each in former]
        self._cache: Cache | None = None
        self._trouble: CacheUnusable | None = None
        self._anew = True
        self._saved = 0

    async def load(self) -> tuple[State, Since] | None:
        """What was saved; None if it cannot be used, and then `warn` says why."""
        try:
            self._cache = await aside(lambda: Cache(self._path, self._owner, self._seal, former=self._former))
            return await aside(self._cache.load)
        except CacheUnusable as error:
            self._trouble = error
            return None

    def warn(self) -> None:
        """Say why the file cannot be used, if it cannot: once it is known that the store is in this channel."""
        if self._trouble is not None:
            _log.warning("the store is read without its cache: %s", self._trouble)

    def begun(self, saved: int) -> None:
        """Take note that what was loaded, and is of this moment, was begun with; or else all is saved anew."""
        self._anew, self._saved = False, saved

    async def keep(self, follower: Follower, clock: Clock) -> None:
        """Write down what changed, now and then, for as long as the store works."""
        try:
            while self._cache is not None:
                await follower.news()
                await self.save(follower)
                await clock.sleep(_PERIOD)
        except SlackMQError:
            return  # the follower has failed, and says so itself

    async def save(self, follower: Follower) -> None:
        """Write down what changed since the last time, up to where nothing can be taken in any more."""
        ledger, cache = follower.ledger, self._cache
        if cache is None or ledger.moved is None or ledger.floor <= self._saved:
            return
        base, anew, moved = ledger.base, self._anew, ledger.moved
        changed = list(base.items()) if anew else [(key, base.get(key)) for key in sorted(moved)]
        since = Since(oldest=follower.oldest, archived=follower.archived)
        state, floor = (base.dump(keys=False), changed), ledger.floor
        ledger.moved = set()
        try:
            await aside(lambda: cache.save(state, since, anew=anew))
        except CacheUnusable as error:
            _log.warning("the cache is not written any more: %s", error)
            await self.close()
        except BaseException:
            ledger.moved |= moved  # whether it was written nobody knows, and twice is as good as once
            raise
        else:
            self._anew, self._saved = False, floor

    async def close(self) -> None:
        """Let others have the file."""
        if self._cache is not None:
            await aside(self._cache.close)
            self._cache = None
