"""AsyncStore: a channel as a replicated key-value store, for code that awaits."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Self
from weakref import WeakValueDictionary

import anyio

from slackmq.clock import SYSTEM
from slackmq.errors import Ambiguous, ConfigurationError
from slackmq.kv.batch import Batch
from slackmq.kv.elect import TERM, Election
from slackmq.kv.entry import Kind, Status, encode, moment
from slackmq.kv.errors import FileLost, KeyExists, KeyNotFound, RevisionMismatch, WriteLost
from slackmq.kv.lock import Lock
from slackmq.kv.log import Head
from slackmq.kv.opening import Opening
from slackmq.kv.record import revision
from slackmq.kv.watching import Watching
from slackmq.policy import Timing
from slackmq.slack.api import Urgency
from slackmq.slack.polling import NoEvents

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from slackmq.clock import Clock
    from slackmq.kv.entry import Change, Entry
    from slackmq.kv.ledger import Settled
    from slackmq.kv.log import Outcome
    from slackmq.kv.opening import Inside
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
    ) -> None:
        self.name = name or clock.new_id()[:8]
        self.clock = clock
        self.timing = timing or Timing()
        self._opening = Opening(
            slack=slack,
            channel=channel,
            events=events or NoEvents(),
            timing=self.timing,
            clock=clock,
            secret=secret,
            authors=authors,
            cache=cache,
            repair=repair,
        )
        self._expected: dict[str, Outcome | None] = {}
        self._watchers: set[Watching] = set()
        self._turns: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()
        self._stack = AsyncExitStack()
        self._opened: Inside | None = None

    async def __aenter__(self) -> Self:
        inside = await self._opening.open(self._settled)
        tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(tasks.cancel_scope.cancel)
        inside.start(tasks, self.clock)
        self._opened = inside
        return self

    async def __aexit__(self, *_: object) -> None:
        inside, self._opened = self._opened, None
        try:
            await self._stack.aclose()
        finally:
            if inside is not None:
                await inside.end()

    @property
    def _inside(self) -> Inside:
        if self._opened is None:
            raise ConfigurationError("The store is not open.", remedy="Use it inside `async with store:`.")
        return self._opened

    @property
    def encrypted(self) -> bool:
        """Whether only who has its key can read it."""
        return self._inside.encrypted

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
        inside = await self._working(fresh=fresh)
        return inside.own.known(key, inside.follower.state)

    async def keys(self, prefix: str = "", *, fresh: bool = False) -> list[str]:
        """The keys that begin with `prefix`, in alphabetical order."""
        inside = await self._working(fresh=fresh)
        return inside.own.keys(prefix, inside.follower.state)

    async def _working(self, *, fresh: bool) -> Inside:
        """What works inside, if it does; `fresh`, once it has settled all that was written before."""
        inside = self._inside
        if fresh:
            await inside.follower.fresh()
        elif inside.follower.failure is not None:
            raise inside.follower.failure
        return inside

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
        follower, watching = self._inside.follower, Watching(prefix)
        self._watchers.add(watching)
        try:
            if from_revision is not None:
                for change in await follower.replay(from_revision, follower.state.now):
                    if change.key.startswith(prefix):
                        yield change
            while True:
                for change in watching.taken():
                    yield change
                if not watching:
                    await follower.news()
        finally:
            self._watchers.discard(watching)

    async def history(self, key: str) -> list[Change]:
        """All that happened to a key since it was purged last, as far back as Slack shows the channel."""
        follower = self._inside.follower
        changes = [change for change in await follower.replay(0, follower.state.now) if change.key == key]
        purges = [number for number, change in enumerate(changes) if change.kind is Kind.PURGE]
        return changes[purges[-1] + 1 :] if purges else changes

    # writing

    async def put(self, key: str, value: object, *, ttl: timedelta | None = None) -> int:
        """Write a value, whatever stands there.

        Args:
            key: which.
            value: JSON, bytes, or what msgspec makes JSON of, as dataclasses.
            ttl: after this time it is gone, by Slack's clock; None: never.

        Returns:
            The new revision. It takes one post.

        Raises:
            KeyRejected: the key cannot be one; nothing was sent.
            ValueRejected: the value is too large, or cannot be stored; nothing was sent.
            WriteLost: Slack stored it too late, so it does not count.
        """
        return await self.commit(Batch().put(key, value, ttl=ttl))

    async def create(self, key: str, value: object, *, ttl: timedelta | None = None) -> int:
        """Write a value where there is none; returns its revision.

        Raises:
            KeyExists: there is one.
        """
        try:
            return await self.commit(Batch().create(key, value, ttl=ttl))
        except RevisionMismatch as error:
            raise KeyExists(key, expected=0, revision=error.revision) from None

    async def update(self, key: str, value: object, *, last: int, ttl: timedelta | None = None) -> int:
        """Write a value in the place of the one in revision `last`; returns its revision.

        Raises:
            RevisionMismatch: another one stands there.
        """
        return await self.commit(Batch().update(key, value, last=last, ttl=ttl))

    async def delete(self, key: str, *, last: int | None = None) -> int:
        """Let a key be gone; with `last` only if it stands in that revision. Returns the revision of the deletion.

        Raises:
            RevisionMismatch: it stands in another one.
        """
        return await self.commit(Batch().delete(key, last=last))

    async def purge(self, key: str, *, last: int | None = None) -> int:
        """Let a key be gone, and its history begin anew."""
        return await self.commit(Batch().purge(key, last=last))

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
        """
        self._inside.writer.check()
        batch = Batch.of(await self._inside.shelf.stowed(batch.operations))
        ack, outcome = await self.write(batch, urgency=urgency, settle=not batch.blind)
        if outcome is None:
            made = revision(ack.at, ack.index)
            self._inside.own.remember(batch.operations, made, self._inside.follower.state)
            return made
        if outcome.applied:
            return outcome.revision
        failed = next(each for each in batch.operations if each.key == outcome.key)
        raise RevisionMismatch(failed.key, expected=failed.prev, revision=outcome.found)

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
        inside, ops, ack = await self._working(fresh=False), list[str](), None

        def expect(op: str) -> None:
            ops.append(op)
            self._expected[op] = None

        try:
            ack = await inside.writer.write(batch.operations, expect, urgency=urgency)
            if ack.sure and not settle:
                return ack, None
            await inside.follower.settle(ack.at)
            outcome = self._expected[ack.op]
        except ConfigurationError as error:
            if ack is None:
                raise
            cause = "The store was closed before it was known what became of it."
            raise Ambiguous(cause, method="conversations.history") from error
        finally:
            for op in ops:
                self._expected.pop(op, None)
        if outcome is None and ack.sure:
            raise Ambiguous("Slack took the record, and does not show it.", method="chat.postMessage")
        if outcome is None or outcome.void:
            cause = "Slack stored the record too late or never, so it does not count."
            raise WriteLost(cause, remedy="Write it again.")
        return ack, outcome

    def _settled(self, settled: Settled) -> None:
        """Take note of what the follower settled."""
        for op, outcome in settled.outcomes:
            if op in self._expected:
                self._expected[op] = outcome
        for watching in self._watchers:
            watching.offer(settled.changes)

    async def snapshot(self) -> int:
        """Post what is settled as a snapshot, for others to begin from; returns how many posts its parts took.

        It is done by itself after each thousand records, and when the newest one is a month old.
        """
        inside = self._inside
        inside.writer.check()
        return (await inside.archive.post(inside.follower.state)).parts

    async def news(self, within: float) -> None:
        """Wait until something is settled, `within` seconds at most."""
        await self._inside.follower.news(within)

    def lock(self, name: str, *, ttl: timedelta = timedelta(seconds=60)) -> Lock:
        """A lock: `async with store.lock("x") as held:`; `held.token` is its fencing token."""
        return Lock(self, name, ttl=ttl)

    def elect(self, name: str, *, ttl: timedelta = TERM) -> Election:
        """A leadership: `async with store.elect("x") as term:`; `term.token` is its fencing token."""
        return Election(self, name, ttl=ttl)
