"""Opening: from a channel's name to a store that knows what is in it; and how it fails where that cannot be known."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from slackmq.errors import ConfigurationError
from slackmq.kv.archive import Archive
from slackmq.kv.caching import Caching
from slackmq.kv.errors import LogBroken, SecretMismatch
from slackmq.kv.follower import Follower
from slackmq.kv.log import State
from slackmq.kv.own import Own
from slackmq.kv.seal import Seal
from slackmq.kv.secret import KEY, Secret
from slackmq.kv.shelf import Shelf
from slackmq.kv.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import TaskGroup

    from slackmq.clock import Clock
    from slackmq.kv.ledger import Settled
    from slackmq.policy import Timing
    from slackmq.slack.api import Channel, Events, Slack

__all__ = ["Inside", "Opening"]

_log = logging.getLogger("slackmq.kv")


@dataclass(slots=True, kw_only=True)
class Inside:
    """What works inside an open store."""

    channel: Channel
    seal: Seal
    follower: Follower
    writer: Writer
    archive: Archive
    own: Own
    caching: Caching | None
    shelf: Shelf
    encrypted: bool
    listed: bool

    def start(self, tasks: TaskGroup, clock: Clock) -> None:
        """Let it work, until the tasks are cancelled."""
        tasks.start_soon(self.follower.run)
        tasks.start_soon(self.writer.run)
        if self.listed:
            tasks.start_soon(self.archive.keep, self.follower, clock)
        tasks.start_soon(self.shelf.sweep, self.follower)
        if self.caching is not None:
            tasks.start_soon(self.caching.keep, self.follower, clock)

    async def end(self) -> None:
        """Tell all who wait still, and write down what is settled, once nothing works any more."""
        closed = ConfigurationError("The store was closed meanwhile.", remedy="Use it inside `async with store:`.")
        self.writer.end(closed)
        self.follower.end(closed)
        if self.caching is not None:
            with anyio.CancelScope(shield=True):
                await self.caching.save(self.follower)
                await self.caching.close()


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
    cache: Path | str | None

    async def open(self, told: Callable[[Settled], None]) -> Inside:
        """Read the log from its newest snapshot on.

        Args:
            told: gets what is settled, from now on.

        Raises:
            ChannelNotFound: there is no such channel.
            ConfigurationError: SLACKMQ_KV_KEY cannot be used.
            LogBroken: records were deleted or edited.
            SecretMismatch: the store has another key.
            RecordTooNew: a record was written by a newer version.
        """
        identity = await self.slack.identity()
        channel = await self.slack.channel(self.channel)
        secret = Secret.resolve(os.environ) if self.secret is None else self.secret
        seal = Seal(channel.id, author=identity.user, secret=secret, new_id=self.clock.new_id)
        archive = Archive(self.slack, channel=channel.id, seal=seal, authors=self.authors)
        caching = None
        if self.cache is not None and not self.repair:
            caching = Caching(Path(self.cache), f"{identity.team} {channel.id}", seal)

        def follower() -> Follower:
            return Follower(
                self.slack,
                self.events,
                channel=channel.id,
                timing=self.timing,
                clock=self.clock,
                seal=seal,
                authors=self.authors,
                told=told,
            )

        try:
            following = await self._read(follower, archive, caching)
        except BaseException:
            if caching is not None:
                with anyio.CancelScope(shield=True):
                    await caching.close()
            raise
        writer = Writer(self.slack, channel=channel.id, clock=self.clock, chain=following.chain, seal=seal)
        listed = self.authors is None or identity.user in self.authors
        if not listed:
            writer.end(_unlisted(identity.user))
        return Inside(
            channel=channel,
            seal=seal,
            follower=following,
            writer=writer,
            archive=archive,
            own=Own(identity.user),
            shelf=Shelf(self.slack.files, channel=channel.id, author=identity.user, seal=seal, clock=self.clock),
            caching=caching,
            encrypted=seal.hides,
            listed=listed,
        )

    async def _read(self, make: Callable[[], Follower], archive: Archive, caching: Caching | None) -> Follower:
        """A follower that knows everything."""
        follower = make()
        if self.repair:
            await self._repair(follower, archive)
            follower.ledger.moved = None
            return follower
        loaded = await caching.load() if caching is not None else None
        cached = loaded[0] if loaded else None
        if cached is not None and not await follower.shows(cached.at):
            _log.warning("the store is read without its cache, whose latest record the channel does not show")
            cached = None
        saved = cached.now if cached else 0  # the state itself goes on
        skew = self.timing.skew.total_seconds()
        newest = await archive.newest(skew, after=saved)
        try:
            await self._replay(follower, archive, newest or cached)
        except LogBroken as error:
            if cached is None:
                raise
            _log.warning("the store is read without its cache, which does not fit what came later: %s", error)
            follower, cached = make(), None
            newest = await archive.newest(skew)
            await self._replay(follower, archive, newest)
        if caching is None:
            follower.ledger.moved = None
        elif newest is None and cached is not None and loaded is not None:
            caching.begun(saved)
            follower.remember(loaded[1].oldest, loaded[1].archived)
        return follower

    async def _replay(self, follower: Follower, archive: Archive, base: State | None) -> None:
        await follower.read(base)
        foreign = follower.foreign or archive.foreign
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

    async def _repair(self, follower: Follower, archive: Archive) -> None:
        """Take what is left for the whole, and tell the others."""
        await self._settling()  # what was written a moment ago belongs to what is left
        await follower.read(State(lenient=True))
        follower.begin()
        await archive.post(follower.state)
        await self._settling()  # now nobody can miss it

    async def _settling(self) -> None:
        await self.clock.sleep(2 * self.timing.skew.total_seconds())


def _unlisted(author: str) -> ConfigurationError:
    return ConfigurationError(
        f"{author}, as whom this process writes, is none of the store's authors: nobody would take it in.",
        remedy="Name it in `authors`, in every process; reading needs no name.",
    )
