"""Inside: what works inside an open store, for as long as it is in one channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio

from slackmq.errors import Ambiguous, ConfigurationError
from slackmq.kv.entry import moment

if TYPE_CHECKING:
    from slackmq.clock import Clock
    from slackmq.kv.archive import Archive
    from slackmq.kv.caching import Caching
    from slackmq.kv.follower import Follower
    from slackmq.kv.own import Own
    from slackmq.kv.past import Past
    from slackmq.kv.seal import Seal
    from slackmq.kv.shelf import Shelf
    from slackmq.kv.writer import Writer
    from slackmq.slack.api import Channel

__all__ = ["Inside"]

_POST = "chat.postMessage"


@dataclass(slots=True, kw_only=True, eq=False)
class Inside:
    """Everything that knows the channel."""

    channel: Channel
    seal: Seal
    follower: Follower
    writer: Writer
    archive: Archive
    past: Past
    own: Own
    caching: Caching | None
    shelf: Shelf
    listed: bool
    _scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    _ended: anyio.Event = field(default_factory=anyio.Event)

    async def run(self, clock: Clock) -> None:
        """Let it work, until it is cancelled or stopped."""
        with self._scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.follower.run)
                tasks.start_soon(self.writer.run)
                if self.listed:
                    tasks.start_soon(self.archive.keep, self.follower, clock)
                tasks.start_soon(self.shelf.sweep, self.follower)
                if self.caching is not None:
                    tasks.start_soon(self.caching.keep, self.follower, clock)
        self._ended.set()

    def check(self) -> None:
        """See to it that what is written from here counts.

        Raises:
            ConfigurationError: it would not.
        """
        if not self.listed:
            raise ConfigurationError(
                f"{self.own.author}, who would write this, is none of the store's authors: nobody would take it in.",
                remedy="Name it in `authors`, in every process; reading needs no name.",
            )

    async def snapshot(self) -> int:
        """Post what is settled as a snapshot; returns how many posts its parts took."""
        self.check()
        return (await self.archive.post(self.follower.state)).parts

    async def age(self) -> timedelta:
        """How old the oldest message of the store is that Slack shows in this channel."""
        at = await self.archive.began()
        return timedelta(0) if at is None else moment(self.follower.state.now) - moment(at)

    async def stop(self) -> None:
        """Let nothing of it work any more."""
        self._scope.cancel()
        await self._ended.wait()

    async def end(self) -> None:
        """Tell all who wait still, and write down what is settled, once nothing works any more."""
        closed = ConfigurationError("The store was closed meanwhile.", remedy="Use it inside `async with store:`.")
        self.writer.close(closed, posted=Ambiguous("The store was closed before Slack answered.", method=_POST))
        self.follower.end(closed)
        if self.caching is not None:
            with anyio.CancelScope(shield=True):
                await self.caching.save(self.follower)
                await self.caching.close()

    async def leave(self) -> None:
        """Let the store have its cache file elsewhere."""
        if self.caching is not None:
            with anyio.CancelScope(shield=True):
                await self.caching.close()
