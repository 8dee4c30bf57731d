"""Opening: from a channel's name to a store that knows what is in it; and how it fails where that cannot be known."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.kv.archive import Archive
from slackmq.kv.errors import SecretMismatch
from slackmq.kv.follower import Follower
from slackmq.kv.log import State
from slackmq.kv.own import Own
from slackmq.kv.seal import Seal
from slackmq.kv.secret import KEY, Secret
from slackmq.kv.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import TaskGroup

    from slackmq.clock import Clock
    from slackmq.kv.ledger import Settled
    from slackmq.policy import Timing
    from slackmq.slack.api import Channel, Events, Slack

__all__ = ["Inside", "Opening"]


@dataclass(slots=True, kw_only=True)
class Inside:
    """What works inside an open store."""

    channel: Channel
    follower: Follower
    writer: Writer
    archive: Archive
    own: Own

    def start(self, tasks: TaskGroup, clock: Clock) -> None:
        """Let it work, until the tasks are cancelled."""
        tasks.start_soon(self.follower.run)
        tasks.start_soon(self.writer.run)
        tasks.start_soon(self.archive.keep, self.follower, clock)


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
        author = (await self.slack.identity()).user
        channel = await self.slack.channel(self.channel)
        secret = Secret.resolve(os.environ) if self.secret is None else self.secret
        seal = Seal(channel.id, author=author, secret=secret, new_id=self.clock.new_id)
        follower = Follower(
            self.slack,
            self.events,
            channel=channel.id,
            timing=self.timing,
            clock=self.clock,
            seal=seal,
            authors=self.authors,
            told=told,
        )
        archive = Archive(self.slack, channel=channel.id, seal=seal, authors=self.authors)
        await (self._repair(follower, archive) if self.repair else self._read(follower, archive))
        writer = Writer(self.slack, channel=channel.id, clock=self.clock, chain=follower.chain, seal=seal)
        return Inside(channel=channel, follower=follower, writer=writer, archive=archive, own=Own(author))

    async def _read(self, follower: Follower, archive: Archive) -> None:
        base = await archive.newest(self.timing.skew.total_seconds())
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
