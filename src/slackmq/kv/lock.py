"""Lock: a key that one process at a time has, for as long as it renews it; its token fences late comers off."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, Self

import anyio

from slackmq.errors import Ambiguous, ConfigurationError, SlackMQError
from slackmq.kv.batch import Batch
from slackmq.kv.errors import LockLost, WriteLost
from slackmq.kv.record import GROUPS, revision
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from types import TracebackType

    from anyio.abc import TaskGroup

    from slackmq.clock import Clock
    from slackmq.kv.log import Head, Outcome
    from slackmq.kv.writer import Ack
    from slackmq.policy import Timing

__all__ = ["PREFIX", "Lock", "Place"]

PREFIX = "lock/"
"""What the key that stands for a lock begins with."""
_LEAST = 5
"""A lock lasts at least so many times the skew: taking it takes one, and a renewal may take two."""
_GIVING_BACK = 10.0
"""Seconds that whoever leaves a lock waits for Slack to hear of it; it runs out by itself otherwise."""
_PATIENCE = 10.0
"""Seconds after which whoever waits for a lock looks again, whatever it heard."""


class Place(Protocol):
    """The store, as a lock sees it."""

    name: str
    clock: Clock
    timing: Timing

    async def head(self, key: str, *, fresh: bool = False) -> Head | None:
        """A key as it is kept."""
        ...

    async def news(self, within: float) -> None:
        """Wait until something is settled."""
        ...

    async def write(
        self, batch: Batch, *, settle: bool, urgency: Urgency = Urgency.CLAIM
    ) -> tuple[Ack, Outcome | None]:
        """Write a batch into the log."""
        ...


class Lock:
    """A lock that several processes, of several apps, compete for: `async with store.lock("door") as held:`.

    It is renewed in the background after each third of its `ttl`. If it cannot be renewed in time, what runs inside
    is cancelled before the lock runs out, and leaving raises `LockLost`. A process that stands still cannot be
    cancelled: hand `token` to whatever the lock protects, and let it refuse a token lower than one it has seen, at a
    read as at a write; or write with `Batch.held(lock.key, token=lock.token)`.

    Args:
        store: where.
        name: of the lock.
        ttl: how long it lasts unless it is renewed; at least five times the store's skew.

    Attributes:
        key: the key that stands for it.
        token: the fencing token: higher than those of all holders before; 0 while it is not held.
    """

    def __init__(self, store: Place, name: str, *, ttl: timedelta) -> None:
        if ttl < _LEAST * store.timing.skew:
            raise ConfigurationError(
                f"A lock of {ttl.total_seconds():g} s would run out before one can know that one has it.",
                remedy=f"Give it {_LEAST * store.timing.skew.total_seconds():g} s or more.",
            )
        self.key = PREFIX + name
        self.token = 0
        self._store = store
        self._ttl = ttl
        self._revision = 0
        self._expires = 0
        self._deadline = 0.0
        self._lost: LockLost | None = None
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        if not self.token:
            await self.acquire()
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._keep, self._tasks)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        tasks, self._tasks = self._tasks, None
        if tasks is None:
            raise RuntimeError("a lock was left that was never entered")
        tasks.cancel_scope.cancel()
        # Only a cancellation is shown to the group: it tells its own from the outside's, and would wrap the rest.
        cancelled = error is not None and not isinstance(error, Exception)
        swallowed = await (tasks.__aexit__(kind, error, trace) if cancelled else tasks.__aexit__(None, None, None))
        with anyio.CancelScope(shield=True), anyio.move_on_after(_GIVING_BACK):
            await self.release()
        if self._lost is not None and (cancelled or error is None):
            raise self._lost from error
        return bool(cancelled and swallowed)

    def remaining(self) -> timedelta:
        """How long it is held still, if it is not renewed; zero or less: not any more."""
        return timedelta(seconds=self._deadline - self._store.clock.monotonic())

    async def acquire(self) -> None:
        """Wait until it is held; nothing renews it. If the waiting is cancelled, what was taken is given back.

        Raises:
            SlackMQError: the store has failed.
        """
        self._lost = None
        while not await self._try():
            await self._wait()

    async def renew(self) -> None:
        """Hold it for another `ttl` from now on.

        Raises:
            LockLost: it had run out.
        """
        sent = self._store.clock.monotonic()
        batch = Batch().update(self.key, self._store.name, last=self._revision, ttl=self._ttl)
        ack, outcome = await self._store.write(batch, settle=False, urgency=Urgency.BEAT)
        if outcome is None and ack.at > self._expires:
            # It stands there after the end: whether somebody came in between only the replay would tell.
            raise self._gone()
        if outcome is not None and not outcome.applied:
            raise self._gone()
        self._held(outcome.revision if outcome else revision(ack.at, ack.index), sent)

    async def release(self) -> None:
        """Give it back, if it is held still: others can have it at once."""
        if not self.token:
            return
        last, self.token = self._revision, 0
        if self.remaining() <= timedelta(0):
            return
        try:
            await self._store.write(Batch().delete(self.key, last=last), settle=False, urgency=Urgency.BEAT)
        except (Ambiguous, WriteLost):
            return  # it runs out by itself

    async def _try(self) -> bool:
        sent = self._store.clock.monotonic()
        try:
            outcome = await self._taken()
        except (Ambiguous, WriteLost):
            return False
        if outcome is None:
            return False
        self._held(outcome.revision, sent)
        self.token = outcome.revision
        return self.remaining() > timedelta(0)

    async def _taken(self) -> Outcome | None:
        """Create the key; None if somebody else has it. Whoever is cancelled meanwhile gives back what it took."""
        took: list[Outcome] = []
        failed: list[SlackMQError] = []
        asking, done = anyio.CancelScope(shield=True), anyio.Event()

        async def take() -> None:
            with asking:
                try:
                    batch = Batch().create(self.key, self._store.name, ttl=self._ttl)
                    _, outcome = await self._store.write(batch, settle=True)
                except SlackMQError as error:
                    failed.append(error)
                else:
                    took.extend([outcome] if outcome is not None and outcome.applied else [])
            done.set()

        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(take)
                try:
                    await done.wait()
                finally:
                    # What was sent may count still, and nobody would know: what becomes of it is waited for.
                    asking.deadline = anyio.current_time() + _GIVING_BACK + self._store.timing.skew.total_seconds()
        except BaseException:
            await self._give_back(took)
            raise
        if failed:
            raise failed[0]
        return took[0] if took else None

    async def _give_back(self, took: list[Outcome]) -> None:
        with anyio.CancelScope(shield=True), anyio.move_on_after(_GIVING_BACK), suppress(SlackMQError):
            for outcome in took:
                batch = Batch().delete(self.key, last=outcome.revision)
                await self._store.write(batch, settle=False, urgency=Urgency.BEAT)

    def _held(self, made: int, sent: float) -> None:
        self._revision = made
        self._expires = made // GROUPS + self._ttl // timedelta(microseconds=1)
        # Counted from before it was sent, it ends here before it ends by Slack's clock, which counts for others.
        self._deadline = sent + self._ttl.total_seconds()

    async def _wait(self) -> None:
        """Wait until it may be had: its holder let it go, or it ran out."""
        seen = await self._store.head(self.key)
        until = self._store.clock.monotonic() + _PATIENCE * (0.5 + self._store.clock.random())
        while seen is not None and (left := until - self._store.clock.monotonic()) > 0:
            await self._store.news(left)
            head = await self._store.head(self.key)
            if head is None or head.first != seen.first:
                return

    async def _keep(self, tasks: TaskGroup) -> None:
        """Renew it for as long as it lasts; if that fails, stop what runs inside."""
        third = self._ttl.total_seconds() / 3
        try:
            while True:
                await self._store.clock.sleep(self.remaining().total_seconds() - 2 * third)
                with anyio.move_on_after(max(0.0, self.remaining().total_seconds())):
                    head = await self._store.head(self.key)
                    if head is None or head.first != self.token:
                        raise self._gone()  # somebody deleted it, which no renewal would tell
                    await self.renew()
                    continue
                raise self._gone()
        except SlackMQError as error:
            self._lost = error if isinstance(error, LockLost) else self._gone(error)
            tasks.cancel_scope.cancel()

    def _gone(self, why: SlackMQError | None = None) -> LockLost:
        error = LockLost(f"The lock {self.key!r} ran out before it could be renewed.")
        error.__cause__ = why
        return error
