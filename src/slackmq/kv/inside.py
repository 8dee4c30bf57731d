"""Inside: what works inside an open store, for as long as it is in one channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

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
    _scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    _ended: anyio.Event = field(default_factory=anyio.Event)

    async def run(self, clock: Clock) -> None:
        """Let it work, until it is cancelled or stopped."""
        with self._scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.follower.run)
                tasks.start_soon(self.writer.run)
                tasks.start_soon(self.archive.keep, self.follower, clock)
                tasks.start_soon(self.shelf.sweep, self.follower)
                if self.caching is not None:
                    tasks.start_soon(self.caching.keep, self.follower, clock)
        self._ended.set()

    async def snapshot(self) -> int:
        """Post what is settled as a snapshot; returns how many posts its parts took."""
        return (await self.archive.post(self.follower.state)).parts

    async def stop(self) -> None:
        """Let nothing of it work any more."""
        self._scope.cancel()
        await self._ended.wait()

    async def end(self) -> None:
        """Write down what is settled, once nothing works any more."""
        if self.caching is not None:
            with anyio.CancelScope(shield=True):
                await self.caching.save(self.follower)
                await self.caching.close()

    async def leave(self) -> None:
        """Let the store have its cache file elsewhere."""
        if self.caching is not None:
            with anyio.CancelScope(shield=True):
                await self.caching.close()
