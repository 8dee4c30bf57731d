"""Roll: moves a store to another channel, before Slack's retention takes what it stands on, or when it is full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.errors import ConfigurationError
from slackmq.kv.entry import moment
from slackmq.kv.errors import StoreMoved
from slackmq.kv.record import NOTICE, Operation, Verb
from slackmq.kv.signpost import ORIGIN, Signpost
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from datetime import datetime

    from slackmq.clock import Clock
    from slackmq.kv.archive import Archive
    from slackmq.kv.home import Home
    from slackmq.kv.inside import Inside
    from slackmq.kv.writing import Writing
    from slackmq.slack.api import Channel

__all__ = ["Roll", "Rolled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolled:
    """Where a store went.

    Attributes:
        origin: id of the channel that it left.
        channel: id of the one in which it is.
        since: from when on, by Slack's clock.
        keys: how many keys went along.
    """

    origin: str
    channel: str
    since: datetime
    keys: int


class Roll:
    """One move of one store. If it is interrupted at any place, the same again brings it to its end.

    Args:
        home: where the store is.
        writing: its writes.
        clock: the time of this process.
        skew: seconds after which no read misses what was written.
    """

    def __init__(self, home: Home, writing: Writing, *, clock: Clock, skew: float) -> None:
        self._home = home
        self._writing = writing
        self._clock = clock
        self._skew = skew

    async def to(self, channel: Channel, archive: Archive) -> Rolled:
        """Move there.

        Args:
            channel: the new channel.
            archive: its snapshots.

        Raises:
            ConfigurationError: the channel cannot be the store's next one; nothing was changed.
            SnapshotDamaged: what was posted there cannot be read back; the store stays where it is.
            StoreMoved: somebody else moved it to another channel.
        """
        left = self._home.inside
        if left.channel.id != channel.id:
            await left.follower.fresh()
            if not left.follower.state.closes:
                await self._prepare(left, channel, archive)
                await self._leave(left, channel)
            if left.follower.state.successor != channel.id:
                raise StoreMoved(left.follower.state.successor)
            await self._home.arrived(left)
        return await self._home.there(self._arrive)

    async def _prepare(self, left: Inside, channel: Channel, archive: Archive) -> None:
        """See to it that the channel can hold the store, and is no other's."""
        if channel.archived or not channel.member:
            raise ConfigurationError(
                f"This bot cannot post in the channel #{channel.name}.",
                remedy="Invite it there, and every other bot that uses the store.",
            )
        if await archive.began() is not None:
            raise ConfigurationError(
                f"There is a store in the channel #{channel.name} already, or was one.", remedy="Make a new channel."
            )
        await archive.signpost(ORIGIN, Signpost(channel=left.channel.id))
        manifest = await archive.parts(left.follower.state)
        await archive.verify(manifest, self._clock, self._skew)

    async def _leave(self, left: Inside, channel: Channel) -> None:
        """Say where the store goes on; the first who says it is right."""
        move = Operation(verb=Verb.MOVE, key=channel.id, prev=0, ttl=NOTICE)
        await self._writing.write((move,), settle=True, urgency=Urgency.CLAIM, inside=left)

    async def _arrive(self, inside: Inside) -> Rolled:
        """Post what the store begins with in its new channel, and lead there from the old ones."""
        state = inside.follower.state
        if not state.trail:
            raise ConfigurationError(
                f"The store is in the channel #{inside.channel.name} already.", remedy="Name another channel."
            )
        if inside.follower.archived is None:
            await inside.archive.verify(await inside.archive.post(state), self._clock, self._skew)
        await inside.archive.guide(state)
        origin, since = state.trail[-1]
        return Rolled(origin=origin, channel=inside.channel.id, since=moment(since), keys=len(state))
