"""Opening: from a channel's name to a store that knows what is in it; and how it fails where that cannot be known."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from slackmq.kv.archive import Archive
from slackmq.kv.caching import Caching
from slackmq.kv.errors import LogBroken, SecretMismatch, StoreMoved
from slackmq.kv.follower import DATED, Follower
from slackmq.kv.inside import Inside
from slackmq.kv.log import State
from slackmq.kv.own import Own
from slackmq.kv.past import Past
from slackmq.kv.seal import Seal
from slackmq.kv.secret import KEY, Secret
from slackmq.kv.shelf import Shelf
from slackmq.kv.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from slackmq.clock import Clock
    from slackmq.kv.cache import Since
    from slackmq.kv.ledger import Settled
    from slackmq.policy import Timing
    from slackmq.slack.api import Channel, Events, Identity, Slack

__all__ = ["RETENTION", "Opening"]

_log = logging.getLogger("slackmq.kv")
_MOVES = 100
"""A store that leads on more often than this leads nowhere."""


RETENTION = timedelta(days=90)
"""What Slack's free plan shows (slack.com/help/articles/115002422943); elsewhere the workspace's settings say it."""
_MONTH = timedelta(days=30)
"""After so long at most a snapshot is posted, however little was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """One channel of a store, before it is read."""

    channel: Channel
    seal: Seal
    archive: Archive
    caching: Caching | None
    make: Callable[[], Follower]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a store is opened: what `AsyncStore` was given."""

    slack: Slack
    channel: str
    events: Events
    timing: Timing
    clock: Clock
    secret: Secret | None
    authors: frozenset[str] | None
    repair: bool
    retention: timedelta
    cache: Path | str | None

    async def open(self, told: Callable[[Settled], None]) -> Inside:
        """Read the log from its newest snapshot on, in the channel in which the store is by now.

        Args:
            told: gets what is settled, from now on.

        Raises:
            ChannelNotFound: there is no such channel.
            ConfigurationError: SLACKMQ_KV_KEY cannot be used.
            LogBroken: records were deleted or edited.
            SecretMismatch: the store has another key.
            RecordTooNew: a record was written by a newer version.
        """
        own = Own((await self.slack.identity()).user)
        name, seen = self.channel, set[str]()
        base: State | None = None
        for _ in range(_MOVES):
            channel = await self.slack.channel(name)
            if channel.id in seen and base is None:
                await self._settling()  # what leads on from there is not shown yet
            seen.add(channel.id)
            try:
                inside = await self._opened(channel, base, own, told)
            except StoreMoved as moved:
                name, base = moved.channel, None
                continue
            if not inside.follower.state.closed:
                return inside
            name, base = self._left(inside)
            await inside.leave()
        raise LogBroken(f"The channels of the store {self.channel} lead from one to the other.")

    async def onward(self, inside: Inside, told: Callable[[Settled], None]) -> Inside:
        """Go on in the channel to which a store moved, from what is known; nothing that changed there is passed over.

        Raises:
            ChannelNotFound: there is no such channel.
            LogBroken: its beginning is not shown any more.
        """
        name, base = self._left(inside)
        return await self._opened(await self.slack.channel(name), base, inside.own, told, running=True)

    async def archive_of(self, name: str) -> tuple[Channel, Archive]:
        """Another channel, and the snapshots in it.

        Raises:
            ChannelNotFound: there is no such channel.
        """
        channel = await self.slack.channel(name)
        seal = self._seal(channel.id, (await self.slack.identity()).user)
        return channel, self._archive(seal)

    def _archive(self, seal: Seal, former: Sequence[Archive] = ()) -> Archive:
        period = min(_MONTH, self.retention / 3)
        return Archive(self.slack, seal=seal, authors=self.authors, period=period, former=former)

    def _left(self, inside: Inside) -> tuple[str, State]:
        state = inside.follower.state
        return state.successor, state.onward(inside.channel.id)

    async def _opened(
        self,
        channel: Channel,
        base: State | None,
        own: Own,
        told: Callable[[Settled], None],
        *,
        running: bool = False,
    ) -> Inside:
        identity = await self.slack.identity()
        seal = self._seal(channel.id, identity.user)
        room = _Room(
            channel=channel,
            seal=seal,
            archive=self._archive(seal),
            caching=self._caching(identity, seal, base),
            make=partial(self._follower, seal, told),
        )
        try:
            follower = await self._read(room, base, running=running)
        except BaseException:
            if room.caching is not None:
                with anyio.CancelScope(shield=True):
                    await room.caching.close()
            raise
        if room.caching is not None and not follower.state.closed:
            room.caching.warn()
        return self._inside(room, follower, own)

    def _inside(self, room: _Room, follower: Follower, own: Own) -> Inside:
        seal, state = room.seal, follower.state
        former = tuple(self._seal(channel, seal.author) for channel, _ in state.trail)
        archive = self._archive(seal, [self._archive(each) for each in former])
        if former and follower.archived is None:
            follower.remember(0, None)  # what the store begins with here is still to be posted
        return Inside(
            channel=room.channel,
            seal=seal,
            follower=follower,
            writer=Writer(self.slack, clock=self.clock, chain=follower.chain, seal=seal),
            archive=archive,
            past=Past(slack=self.slack, seals=(*former, seal), archive=archive, authors=self.authors),
            own=own,
            caching=room.caching,
            shelf=Shelf(self.slack.files, author=own.author, seal=seal, clock=self.clock, former=former),
            listed=self.authors is None or own.author in self.authors,
        )

    def _follower(self, seal: Seal, told: Callable[[Settled], None]) -> Follower:
        return Follower(
            self.slack,
            self.events,
            timing=self.timing,
            clock=self.clock,
            seal=seal,
            authors=self.authors,
            told=told,
        )

    def _caching(self, identity: Identity, seal: Seal, base: State | None) -> Caching | None:
        if self.cache is None or self.repair:
            return None
        former = [self._seal(channel, identity.user) for channel, _ in base.trail] if base is not None else []
        return Caching(Path(self.cache), identity.team, seal, former=former)

    def _seal(self, channel: str, author: str) -> Seal:
        secret = Secret.resolve(os.environ) if self.secret is None else self.secret
        return Seal(channel, author=author, secret=secret, new_id=self.clock.new_id)

    async def _read(self, room: _Room, base: State | None, *, running: bool) -> Follower:
        """A follower that knows everything."""
        if self.repair:
            return await self._repaired(room, base)
        follower = room.make()
        cached, since = await self._cached(room, follower)
        if cached is not None and base is not None and cached.now <= base.now:
            cached = None
        known = base if cached is None else cached
        newest = None if running else await self._newest(room, known)
        saved = 0 if cached is None else cached.now  # the state itself goes on
        try:
            await self._replay(follower, room, known if newest is None else newest)
        except LogBroken as error:
            if cached is None:
                raise
            _log.warning("the store is read without its cache, which does not fit what came later: %s", error)
            follower, cached = room.make(), None
            newest = await self._newest(room, base)
            await self._replay(follower, room, base if newest is None else newest)
        if room.caching is None:
            follower.ledger.moved = None
        elif newest is None and cached is not None and since is not None:
            room.caching.begun(saved)
            follower.remember(since.oldest, since.archived)
        return follower

    async def _newest(self, room: _Room, known: State | None) -> State | None:
        skew = self.timing.skew.total_seconds()
        return await room.archive.newest(skew, after=0 if known is None else known.now)

    async def _cached(self, room: _Room, follower: Follower) -> tuple[State | None, Since | None]:
        """What stands in the cache file, if it can be used."""
        loaded = await room.caching.load() if room.caching is not None else None
        if loaded is None:
            return None, None
        state, since = loaded
        elsewhere = state.trail and state.at <= state.trail[-1][1]
        if not elsewhere and not await follower.shows(state.at):
            _log.warning("the store is read without its cache, whose latest record the channel does not show")
            return None, None
        return state, since

    async def _replay(self, follower: Follower, room: _Room, base: State | None) -> None:
        await follower.read(base)
        if follower.state.closed:
            return  # the rest is elsewhere
        foreign = follower.foreign or room.archive.foreign
        begun = base is not None or follower.oldest < 1 << 62
        if foreign is not None and follower.failure is None and (follower.ledger.suspect or not begun):
            # What cannot be read here is not a stranger's word beside the store: it is the store.
            raise SecretMismatch(
                f"The store in {self.channel} cannot be read with what this process has: {foreign.cause}",
                remedy=f"Give it the store's key (Secret, or {KEY}; old ones after the one that signs, and the word "
                "unsigned for records from before there was one). If these are somebody else's records, begin anew "
                "with repair=True.",
            )
        follower.begin()

    async def _repaired(self, room: _Room, base: State | None) -> Follower:
        """Take what is left for the whole, and tell the others."""
        follower = room.make()
        await self._settling()  # what was written a moment ago belongs to what is left
        newest = await self._newest(room, base)
        known = base if newest is None else newest
        await follower.read(State(lenient=True) if known is None else known.copy(lenient=True))
        follower.ledger.moved = None
        if not follower.state.closed:
            follower.begin()
            await room.archive.post(follower.state)
            await self._settling()  # now nobody can miss it
        return follower

    async def _settling(self) -> None:
        await self.clock.sleep(2 * self.timing.skew.total_seconds() + DATED)
