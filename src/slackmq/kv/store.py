"""AsyncStore: a channel as a replicated key-value store, for code that awaits."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Self
from weakref import WeakValueDictionary

import anyio

from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError
from slackmq.kv.batch import Batch
from slackmq.kv.elect import TERM, Election
from slackmq.kv.entry import Kind, Status, encode, moment
from slackmq.kv.errors import FileLost, KeyExists, KeyNotFound, LockLapsed, RevisionMismatch
from slackmq.kv.home import Home
from slackmq.kv.lock import Lock
from slackmq.kv.log import Head
from slackmq.kv.opening import RETENTION, Opening
from slackmq.kv.record import Verb, revision
from slackmq.kv.roll import Roll
from slackmq.kv.watching import Watching
from slackmq.kv.writing import Writing
from slackmq.policy import Timing
from slackmq.slack.api import Urgency
from slackmq.slack.polling import NoEvents

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from slackmq.clock import Clock
    from slackmq.kv.batch import Guard
    from slackmq.kv.entry import Change, Entry
    from slackmq.kv.inside import Inside
    from slackmq.kv.ledger import Settled
    from slackmq.kv.log import Outcome
    from slackmq.kv.roll import Rolled
    from slackmq.kv.secret import Secret
    from slackmq.kv.writer import Ack
    from slackmq.message import Json
    from slackmq.slack.api import Events, Slack

__all__ = ["AsyncStore"]

_ATTEMPTS = 100
"""So often a transaction is tried again whose key somebody else changed meanwhile."""


class AsyncStore:
    """A channel as a key-value store; everything works inside `async with store:`.

    `get` answers at once from what this process knows, which is at most `timing.skew` and the time between two reads
    old, and shows this process's own writes; `get(key, fresh=True)` shows everything that was written by anybody
    before it was called, and takes a few seconds.

    Args:
        slack: the workspace.
        channel: "#name" or id; the same channel is the same store.
        events: hints of what happens there; without, it is read a little more often.
        timing: `scan`, `quiet` and `skew` count here; the same in all processes that use the store.
        clock: where time comes from.
        name: what this process calls itself in locks; drawn at random if None.
        secret: the store's keys; None: those in SLACKMQ_KV_KEY, if that is set at the moment of entering.
        authors: user ids of the bots that may write; None: everybody in the channel.
        cache: a file of this process alone, from which a restart goes on; made if there is none, and deleting it loses
            nothing. None: everything is read from the channel.
        repair: whether to take what is left of a log for the whole, where records were deleted or edited. Stop all
            other processes, and open the store once like this.
        retention: for how long Slack keeps messages in the channel: a snapshot is posted after a third of it.
    """

    def __init__(
        self,
        slack: Slack,
        channel: str,
        *,
        events: Events | None = None,
        timing: Timing | None = None,
        clock: Clock = SYSTEM,
        name: str | None = None,
        secret: Secret | None = None,
        authors: frozenset[str] | None = None,
        cache: Path | str | None = None,
        repair: bool = False,
        retention: timedelta = RETENTION,
    ) -> None:
        self.name = name or clock.new_id()[:8]
        self.clock = clock
        self.timing = timing or Timing()
        opening = Opening(
            slack=slack,
            channel=channel,
            events=events or NoEvents(),
            timing=self.timing,
            clock=clock,
            secret=secret,
            authors=authors,
            cache=cache,
            repair=repair,
            retention=retention,
        )
        self._home = Home(opening, clock=clock, told=self._settled)
        self._writing = Writing(self._home)
        self._watchers: set[Watching] = set()
        self._turns: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._home.enter()
        tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(tasks.cancel_scope.cancel)
        self._home.start(tasks)
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._stack.aclose()
        finally:
            await self._home.leave()

    @property
    def _inside(self) -> Inside:
        return self._home.inside

    @property
    def encrypted(self) -> bool:
        """Whether only who has its key can read it."""
        return self._inside.seal.hides

    # reading

    async def get(self, key: str, *, fresh: bool = False) -> Entry:
        """The key as it stands.

        Args:
            key: which.
            fresh: whether to ask Slack first, so that nothing is missed that was written before.

        Raises:
            KeyNotFound: it is not there.
            FileLost: its value is in a file, which is gone.
        """
        head = await self.head(key, fresh=fresh)
        if head is None:
            raise KeyNotFound(key)
        try:
            return await self._inside.shelf.entry(key, head)
        except FileLost:
            latest = await self.head(key, fresh=True)
            if latest is None or latest.revision == head.revision:
                raise
        return await self.get(key)  # it was put anew, and the old file swept

    async def head(self, key: str, *, fresh: bool = False) -> Head | None:
        """The key as it is kept, None if it is not there."""
        inside = await self._home.working(fresh=fresh)
        return inside.own.known(key, inside.follower.state)

    async def keys(self, prefix: str = "", *, fresh: bool = False) -> list[str]:
        """The keys that begin with `prefix`, in alphabetical order."""
        inside = await self._home.working(fresh=fresh)
        return inside.own.keys(prefix, inside.follower.state)

    def status(self) -> Status:
        """How the store is, as this process knows it."""
        inside = self._inside
        follower, state = inside.follower, inside.follower.state
        return Status(
            channel=inside.channel.id,
            keys=len(state),
            records=state.count,
            revision=state.revision,
            settled=moment(state.now),
            skew=timedelta(seconds=follower.skew.seconds),
            rejected=follower.rejected,
            late=follower.ledger.late,
            signed=inside.seal.signs,
            encrypted=inside.seal.hides,
        )

    async def watch(self, prefix: str = "", *, from_revision: int | None = None) -> AsyncGenerator[Change]:
        """The changes of all keys that begin with `prefix`, each once, in order, for as long as one iterates.

        Args:
            prefix: of the keys.
            from_revision: begin with what came after this revision; None: with what comes from now on. Changes that
                were committed together have one revision, and are given one after the other.

        Raises:
            SlackMQError: the store has failed.
        """
        inside, watching = self._inside, Watching(prefix)
        self._watchers.add(watching)
        try:
            if from_revision is not None:
                for change in await inside.past.changes(inside.follower.state.now, after=from_revision):
                    if change.key.startswith(prefix):
                        yield change
            while True:
                for change in watching.taken():
                    yield change
                if not watching:
                    await self._home.news()
        finally:
            self._watchers.discard(watching)

    async def history(self, key: str) -> list[Change]:
        """All that happened to a key since it was purged last, as far back as Slack shows it."""
        inside = self._inside
        changes = [each for each in await inside.past.changes(inside.follower.state.now) if each.key == key]
        purges = [number for number, change in enumerate(changes) if change.kind is Kind.PURGE]
        return changes[purges[-1] + 1 :] if purges else changes

    # writing

    async def put(self, key: str, value: object, *, ttl: timedelta | None = None, guard: Guard | None = None) -> int:
        """Write a value, whatever stands there.

        Args:
            key: which.
            value: JSON, bytes, or what msgspec makes JSON of, as dataclasses.
            ttl: after this time it is gone, by Slack's clock; None: never.
            guard: a lock or a term of this store: only if it is held when the record stands in the channel.

        Returns:
            The new revision. It takes one post; under a guard `timing.skew` as well.

        Raises:
            KeyRejected: the key cannot be one; nothing was sent.
            ValueRejected: the value is too large, or cannot be stored; nothing was sent.
            WriteLost: Slack stored it too late, so it does not count.
            LockLapsed: the guard was not held any more.
        """
        return await self.commit(Batch().put(key, value, ttl=ttl).under(guard))

    async def create(self, key: str, value: object, *, ttl: timedelta | None = None, guard: Guard | None = None) -> int:
        """Write a value where there is none; returns its revision.

        Raises:
            KeyExists: there is one.
        """
        try:
            return await self.commit(Batch().create(key, value, ttl=ttl).under(guard))
        except LockLapsed:
            raise
        except RevisionMismatch as error:
            raise KeyExists(key, expected=0, revision=error.revision) from None

    async def update(
        self, key: str, value: object, *, last: int, ttl: timedelta | None = None, guard: Guard | None = None
    ) -> int:
        """Write a value in the place of the one in revision `last`; returns its revision.

        Raises:
            RevisionMismatch: another one stands there.
        """
        return await self.commit(Batch().update(key, value, last=last, ttl=ttl).under(guard))

    async def delete(self, key: str, *, last: int | None = None, guard: Guard | None = None) -> int:
        """Let a key be gone; with `last` only if it stands in that revision. Returns the revision of the deletion.

        Raises:
            RevisionMismatch: it stands in another one.
        """
        return await self.commit(Batch().delete(key, last=last).under(guard))

    async def purge(self, key: str, *, last: int | None = None, guard: Guard | None = None) -> int:
        """Let a key be gone, and its history begin anew."""
        return await self.commit(Batch().purge(key, last=last).under(guard))

    async def transact(
        self, key: str, change: Callable[[Json | bytes], object], *, default: Json | bytes = None
    ) -> Entry:
        """Read, change and write a key, again for as long as somebody else is faster.

        Args:
            key: which.
            change: makes the new value of the old one; it may be called several times, and must not block.
            default: the old value where there is none.

        Raises:
            RevisionMismatch: somebody else was faster a hundred times.
        """
        # Tasks of one process share a post, and the same one would always be the first in it; so they take turns.
        turns = self._turns.setdefault(key, anyio.Lock())
        async with turns:
            return await self._transact(key, change, default)

    async def _transact(self, key: str, change: Callable[[Json | bytes], object], default: Json | bytes) -> Entry:
        head = await self.head(key)
        for attempt in range(_ATTEMPTS):
            new = change(await self._inside.shelf.value(head) if head else default)
            try:
                made = await self.update(key, new, last=head.revision if head else 0)
            except LockLapsed:
                raise
            except RevisionMismatch:
                if attempt == _ATTEMPTS - 1:
                    raise
                head = await self.head(key)
            else:
                return Head(encode(new), made, head.first if head else made, self._inside.own.author).entry(key)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def commit(self, batch: Batch, *, urgency: Urgency = Urgency.CLAIM) -> int:
        """Do all that a batch holds, or nothing; returns the one revision that its changes have.

        A batch that asks for no revision counts as soon as it stands in the channel. For others it takes
        `timing.skew` to know what became of them.

        Raises:
            RevisionMismatch: a key does not stand in the revision that was asked for.
            LockLapsed: a lock is not held any more; it is a RevisionMismatch, too.
        """
        self._inside.check()
        batch = Batch.of(await self._inside.shelf.stowed(batch.operations))
        ack, outcome = await self.write(batch, urgency=urgency, settle=not batch.blind)
        if outcome is None:
            made = revision(ack.at, ack.index)
            self._inside.own.remember(batch.operations, made, self._inside.follower.state)
            return made
        if outcome.applied:
            return outcome.revision
        failed = next(each for each in batch.operations if each.key == outcome.key)
        kind = LockLapsed if failed.verb == Verb.HELD else RevisionMismatch
        raise kind(failed.key, expected=failed.prev, revision=outcome.found)

    async def write(
        self, batch: Batch, *, settle: bool, urgency: Urgency = Urgency.CLAIM
    ) -> tuple[Ack, Outcome | None]:
        """Write a batch into the log.

        Args:
            batch: what to do.
            settle: whether to wait for what becomes of it.
            urgency: who goes first when the budget is short.

        Returns:
            Where it stands, and what became of it; None if that was not waited for, and it stands there for sure.

        Raises:
            WriteLost: it does not count, and never will.
        """
        if not batch.operations:
            raise ConfigurationError("An empty batch changes nothing.", remedy="Put something into it.")
        return await self._writing.write(batch.operations, settle=settle, urgency=urgency)

    def _settled(self, settled: Settled) -> None:
        """Take note of what the follower settled."""
        self._writing.settled(settled)
        for watching in self._watchers:
            watching.offer(settled.changes)

    async def snapshot(self) -> int:
        """Post what is settled as a snapshot, for others to begin from; returns how many posts its parts took.

        It is done by itself after each thousand records, and when the newest one is a month old.
        """
        return await self._home.there(lambda inside: inside.snapshot())

    async def age(self) -> timedelta:
        """How old the oldest message of the store in its channel is, as far as Slack shows it."""
        return await self._home.there(lambda inside: inside.age())

    async def roll(self, channel: str) -> Rolled:
        """Move the store to another channel, for all who use it, without a stop; takes two minutes and a little.

        What it holds is posted there and read back before anything is changed. Everybody who has the store open
        follows, and who opens it by its old name comes to the new channel. If it is interrupted, do it again.

        Args:
            channel: "#name" or id of a new channel, to which every bot was invited that uses the store.

        Raises:
            ChannelNotFound: there is no such channel.
            ConfigurationError: the channel cannot be the store's next one; nothing was changed.
            SnapshotDamaged: what was posted there cannot be read back; the store stays where it is.
            StoreMoved: somebody else moved it to another channel.
        """
        self._inside.check()
        roll = Roll(self._home, self._writing, clock=self.clock, skew=self.timing.skew.total_seconds())
        return await roll.to(*await self._home.opening.archive_of(channel))

    async def news(self, within: float) -> None:
        """Wait until something is settled, `within` seconds at most."""
        await self._home.news(within)

    def lock(self, name: str, *, ttl: timedelta = timedelta(seconds=60)) -> Lock:
        """A lock: `async with store.lock("x") as held:`; `held.token` is its fencing token."""
        return Lock(self, name, ttl=ttl)

    def elect(self, name: str, *, ttl: timedelta = TERM) -> Election:
        """A leadership: `async with store.elect("x") as term:`; `term.token` is its fencing token."""
        return Election(self, name, ttl=ttl)
