"""AsyncWorker: claims messages, hands them to handlers, keeps the claims alive, and stops gently."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
from anyio import CancelScope, get_cancelled_exc_class

from slackmq.clock import SYSTEM
from slackmq.errors import (
    Ambiguous,
    ArgumentsRejected,
    BodyLost,
    ConfigurationError,
    LeaseLost,
    Reject,
    Retry,
    SlackError,
    UnknownKind,
    first,
    told,
    trace_of,
)
from slackmq.job import Job
from slackmq.options import Rate
from slackmq.points import pause
from slackmq.ticking import Ticking

if TYPE_CHECKING:
    from collections.abc import Collection

    from anyio.abc import TaskGroup

    from slackmq.answer import Answer
    from slackmq.approval import Approval
    from slackmq.clock import Clock
    from slackmq.handler import Bound
    from slackmq.handlers import Handlers
    from slackmq.job import Ask
    from slackmq.options import Options
    from slackmq.queue import AsyncQueue, Lease
    from slackmq.queue.controls import Controls
    from slackmq.queue.progress import Progress

__all__ = ["GIVING_UP", "AsyncWorker"]

_log = logging.getLogger("slackmq.worker")
GIVING_UP = 30.0
"""Seconds after the drain in which marks and notes must have reached Slack, or the process ends without them."""
_TALK = timedelta(hours=1)
"""What people typed longer ago, and nobody began, is not begun any more."""
_UNREAD = timedelta(seconds=30)
"""So long a job is left alone whose arguments Slack does not give; it may be handed back without an attempt, but not
for ever: see `slackmq.notes`."""
_OBEYS = 30.0
"""Seconds, or its timeout if that is longer, in which a handler whose time is over must stop, or its job is failed
without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failed:
    reason: str
    retry_in: timedelta | None
    trace: str = ""


class _Stopped:
    """The handler was cancelled because the worker stops."""


class _Unread:
    """Slack does not give the job's arguments now."""


_End = _Done | _Failed | _Stopped | _Unread


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
        self._handing_back = False
        self._running: dict[Job, CancelScope] = {}
        self._held = 0

    def drain(self) -> None:
        """Claim nothing more; `run` returns when what is running has ended or was handed back."""
        self._queue.stop()
        self._draining.set()

    async def run(self, *, burst: bool = False) -> None:
        """Work until `drain` is called.

        Args:
            burst: end by itself once nothing waits, for the first time or again. What is delayed or held by others is
                not waited for, nor anything while the channel is paused.

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
        self._handing_back = True
        for job, scope in self._running.items():
            job.cancel("the worker stops")
            scope.cancel()
        await self._clock.sleep(GIVING_UP)
        _log.warning("Slack does not answer: what is still held will be taken over when its claim has lapsed")
        slots.cancel()

    async def _stop_what_is_cancelled(self) -> None:
        while self._queue.opened is not None:
            for job, scope in self._running.items():
                if self._queue.opened.keeping.is_cancelled(job.claim):
                    job.cancel("somebody cancelled it")
                    scope.cancel()
            await self._queue.opened.watch.cancelled.wait()

    async def _drain_when_empty(self) -> None:
        while self._queue.opened is not None:
            try:
                rows = await self._queue.inspect(past=True)
            except Ambiguous as error:
                _log.warning("cannot see whether anything waits: %s", error)
            else:
                todo = [row for row in rows if row.ours and row.state == "waiting"]
                waits = self._queue.opened.chorus.waits or any(row.message.kind or row.age < _TALK for row in todo)
                if not self._held and (not waits or self._queue.opened.watch.paused):
                    self.drain()
                    return
            await self._clock.sleep(self._queue.timing.scan.total_seconds())

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

    async def _work(self, lease: Lease) -> None:
        progress = self._queue.progress(lambda: lease.claim)
        job = Job(claim=lambda: lease.claim, clock=self._clock, report=progress.report, ask=self._ask(lease, progress))
        try:
            end = await self._execute(lease, job, progress)
        finally:
            job.cancel("the claim was lost" if lease.lost else "the job has ended")
        if lease.receipt is not None:
            return  # it was failed while the handler would not stop
        await progress.end()
        match end:
            case _Done(answer=answer):
                await lease.ack(answer)
            case _Failed(reason=reason, retry_in=retry_in, trace=trace):
                await lease.fail(reason, retry_in=retry_in, trace=trace)
            case _Stopped() if lease.cancelled:
                await lease.drop()
            case _Stopped():
                await lease.release()
            case _Unread():
                await lease.release(retry_in=_UNREAD)

    def _ask(self, lease: Lease, progress: Progress) -> Ask:
        """What asks people about a job; while it waits its handler is not silent."""

        async def ask(question: str, *, by: Collection[str], within: timedelta) -> Approval:
            inside = self._queue.opened
            if inside is None:
                raise ConfigurationError("The queue is not open.", remedy="Ask while the worker runs.")
            return await inside.approving.ask(lease.claim, question, by=by, within=within, alive=progress.touch)

        return ask

    async def _execute(self, lease: Lease, job: Job, progress: Progress) -> _End:
        message = lease.claim.message
        try:
            bound = self._handlers.bind(replace(message, body=await self._queue.body(message)), self._queue.here)
        except (BodyLost, UnknownKind, ArgumentsRejected) as error:
            return _Failed(reason=str(error), retry_in=None)
        except SlackError as error:
            _log.warning("the arguments of %s are read later: %s", message.ts, error)
            return _Unread()
        if self._handing_back or lease.cancelled:
            return _Stopped()
        with CancelScope() as scope:
            self._running[job] = scope
            try:
                await pause("after_start")
                if self._clock.monotonic() >= lease.claim.deadline:
                    await anyio.sleep_forever()  # this process stood still: the lease takes note in a moment
                return await self._call(bound, lease, job, progress)
            finally:
                del self._running[job]
        return _Stopped()

    async def _call(self, bound: Bound, lease: Lease, job: Job, progress: Progress) -> _End:
        end: _End = _Stopped()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(progress.run)
            if bound.handler.options.timeout or bound.handler.options.silence:
                tasks.start_soon(self._fail_without_it, bound, lease, progress)
            end = await self._run(bound, lease, job, progress, tasks)
            tasks.cancel_scope.cancel()
        return end

    async def _fail_without_it(self, bound: Bound, lease: Lease, progress: Progress) -> None:
        """Fail a job whose handler goes on long after its time: nothing can stop a thread that does not listen."""
        options, began = bound.handler.options, self._clock.monotonic()
        while (left := _overdue(options, began, progress.heard_at) - self._clock.monotonic()) > 0:
            await self._clock.sleep(left)
        _log.error("%s goes on although its time is over; it keeps a hand of this worker busy", bound.handler.name)
        if lease.lost is not None:
            return
        why = f"{_why_late(options, progress)}, and does not stop"
        try:
            await lease.fail(why, retry_in=self._retry_after(TimeoutError, options, lease))
        except LeaseLost as error:
            _log.warning("lost %s: %s", lease.claim.message.ts, error)

    async def _mind_silence(self, silence: timedelta, progress: Progress, scope: CancelScope) -> None:
        """Stop a handler that has reported no progress for too long."""
        while (left := (silence - progress.silence()).total_seconds()) > 0:
            await self._clock.sleep(left)
        scope.cancel()

    async def _run(self, bound: Bound, lease: Lease, job: Job, progress: Progress, tasks: TaskGroup) -> _End:
        options = bound.handler.options
        limit = options.timeout.total_seconds() if options.timeout else None
        try:
            with anyio.move_on_after(limit) as scope:
                if options.silence is not None:
                    tasks.start_soon(self._mind_silence, options.silence, progress, scope)
                answer = await bound(job)
                # A function on a thread that was told to stop returns like one that has done its work.
                await anyio.lowlevel.checkpoint_if_cancelled()
                return _Done(answer=answer)
        except get_cancelled_exc_class():
            await _ours_to_obey()
            return _Failed(reason="it was cancelled from within", retry_in=self._retry_in(options, lease))
        except Reject as error:
            return _Failed(reason=told(error), retry_in=None, trace=trace_of(error))
        except Retry as error:
            retry_in = self._retry_in(options, lease, error.after)
            return _Failed(reason=told(error), retry_in=retry_in, trace=trace_of(error))
        except GeneratorExit:
            raise  # nobody runs this any more
        except BaseException as error:  # noqa: BLE001  # handlers are strangers' code, and may raise what they like
            await _ours_to_obey()
            _log.warning("%s failed", bound.handler.name, exc_info=error)
            retry_in = self._retry_after(type(error), options, lease)
            return _Failed(reason=told(error), retry_in=retry_in, trace=trace_of(error))
        retry_in = self._retry_after(TimeoutError, options, lease)
        return _Failed(reason=_why_late(options, progress), retry_in=retry_in)

    def _retry_after(self, kind: type[BaseException], options: Options, lease: Lease) -> timedelta | None:
        """When to try again after an exception of this class, None if never."""
        return self._retry_in(options, lease) if options.retries(kind) else None

    def _retry_in(self, options: Options, lease: Lease, after: timedelta | None = None) -> timedelta | None:
        """When to try again, None if this was the last attempt."""
        attempt = lease.claim.attempt
        if attempt >= options.attempts:
            return None
        if after is None:
            return options.backoff.delay(attempt, self._clock.random())
        # A fleet that is started anew reads no further back than the window, and must still find the message.
        return min(after, self._queue.timing.window / 2)


def _why_late(options: Options, progress: Progress) -> str:
    """Why an attempt was stopped."""
    if options.silence is not None and progress.silence() >= options.silence:
        return f"it reported no progress for {options.silence}"
    return f"it took longer than {options.timeout}"


def _overdue(options: Options, began: float, heard_at: float) -> float:
    """When a handler that was told to stop must have stopped, on the monotonic clock."""
    limits = ((began, options.timeout), (heard_at, options.silence))
    spans = [(since, limit.total_seconds()) for since, limit in limits if limit is not None]
    return min(since + span + max(span, _OBEYS) for since, span in spans)


async def _ours_to_obey() -> None:
    """Raise if the worker wants this task to stop.

    It only ever says so by a scope. A handler may also have awaited what somebody else cancelled, or have cancelled the
    task that it runs in: that is its own affair.
    """
    await anyio.lowlevel.checkpoint_if_cancelled()
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()
