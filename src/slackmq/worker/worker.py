"""AsyncWorker: claims messages, hands them to handlers, keeps the claims alive, and stops gently."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
from anyio import CancelScope

from slackmq.clock import SYSTEM
from slackmq.errors import Ambiguous, ConfigurationError, LeaseLost, SlackError, first
from slackmq.options import Rate
from slackmq.ticking import Ticking
from slackmq.worker.batch import Batch
from slackmq.worker.execution import Executor

if TYPE_CHECKING:
    from slackmq.clock import Clock
    from slackmq.handlers import Handlers
    from slackmq.queue import AsyncQueue, Lease
    from slackmq.queue.controls import Controls

__all__ = ["GIVING_UP", "AsyncWorker"]

_log = logging.getLogger("slackmq.worker")
GIVING_UP = 30.0
"""Seconds after the drain in which marks and notes must have reached Slack, or the process ends without them."""
_TALK = timedelta(hours=1)
"""What people typed longer ago, and nobody began, is not begun any more."""


class AsyncWorker:
    """Works a queue until told to stop.

    Args:
        queue: an open queue, made with `select=handlers.select`.
        handlers: the functions that do the work.
        concurrency: how many messages are worked on at once.
        drain: how long running handlers may go on after `drain()`; what is left then is handed back.
        rate: how many messages are begun in a time at most, as "10/m"; what must wait is not claimed yet.
        controls: which emoji steer jobs, and who may; None: nobody's do.
        clock: the time of this process.
    """

    def __init__(
        self,
        queue: AsyncQueue,
        handlers: Handlers,
        *,
        concurrency: int = 4,
        drain: timedelta = timedelta(seconds=30),
        rate: Rate | str | None = None,
        controls: Controls | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self._queue = queue
        self._controls = controls
        self._handlers = handlers
        self._concurrency = concurrency
        self._drain = drain
        self._rate = Rate.read(rate)
        self._clock = clock
        self._draining = anyio.Event()
        self._executor = Executor(queue, handlers, clock=clock, concurrency=concurrency)
        self._held = 0

    def drain(self) -> None:
        """Claim nothing more; `run` returns when what is running has ended or was handed back."""
        self._queue.stop()
        self._executor.drain()
        self._draining.set()

    async def run(self, *, burst: bool = False) -> None:
        """Work until `drain` is called.

        Args:
            burst: end by itself once nothing waits, for the first time or again. What is delayed, comes after others or
                is held by others is not waited for, nor anything while the channel is paused.

        Raises:
            SlackError: Slack refuses for good: the token was revoked, a scope is missing, the bot was removed.
            ConfigurationError: the channel is worked with another setting by now.
        """
        refusal: SlackError | ConfigurationError | None = None
        self._queue.limit(self._rate)
        if self._queue.opened is not None and self._handlers.has_own(self._queue.here):
            self._queue.opened.watch.eager = True
        try:
            async with anyio.create_task_group() as tasks:
                with self._handlers.posting_to(self._queue), CancelScope() as scope:
                    tasks.start_soon(self._hand_back_in_time, scope)
                    tasks.start_soon(self._stop_what_is_cancelled)
                    if self._controls is not None and self._queue.opened is not None:
                        tasks.start_soon(self._queue.opened.steward(self._queue, self._controls).run)
                    if burst:
                        tasks.start_soon(self._drain_when_empty)
                    if len(self._handlers.schedules):
                        tasks.start_soon(self._tick)
                    await self._work_all()
                tasks.cancel_scope.cancel()
        except* (SlackError, ConfigurationError) as group:
            refusal = first(group)
        if refusal is not None:
            raise refusal

    async def _tick(self) -> None:
        """Post what is to be posted by itself, until told to stop."""
        turnstile, reach = self._queue.turnstile, self._queue.timing.reach
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(Ticking(turnstile, self._handlers.schedules, reach=reach, clock=self._clock).run)
            await self._draining.wait()
            tasks.cancel_scope.cancel()

    async def _work_all(self) -> None:
        async with anyio.create_task_group() as slots:
            for _ in range(self._concurrency):
                slots.start_soon(self._slot)

    async def _hand_back_in_time(self, slots: CancelScope) -> None:
        await self._draining.wait()
        await self._clock.sleep(self._drain.total_seconds())
        self._executor.hand_back()
        await self._clock.sleep(GIVING_UP)
        _log.warning("Slack does not answer: what is still held will be taken over when its claim has lapsed")
        slots.cancel()

    async def _stop_what_is_cancelled(self) -> None:
        while self._queue.opened is not None:
            self._executor.stop_cancelled(self._queue.opened.keeping)
            await self._queue.opened.watch.cancelled.wait()

    async def _drain_when_empty(self) -> None:
        while self._queue.opened is not None:
            try:
                rows = await self._queue.inspect(past=True)
            except Ambiguous as error:
                _log.warning("cannot see whether anything waits: %s", error)
            else:
                todo = [row for row in rows if row.ours and row.state == "waiting" and not row.after]
                waits = self._queue.opened.chorus.waits or any(row.message.kind or row.age < _TALK for row in todo)
                if not self._held and (not waits or self._queue.opened.watch.paused):
                    self.drain()
                    return
            await self._clock.sleep(self._queue.timing.scan.total_seconds())

    async def _work(self, lease: Lease) -> None:
        if lease.claim.message.batch:
            await Batch(self._executor, lease).work()
        else:
            await self._executor.work(lease)

    async def _slot(self) -> None:
        async for lease in self._queue.claims():
            self._held += 1
            try:
                async with lease:
                    await self._work(lease)
            except LeaseLost as error:
                _log.warning("lost %s: %s", lease.claim.message.ts, error)
            finally:
                self._held -= 1
