"""Executor: runs the handlers of what a worker has claimed, and says how each run ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

import anyio
import anyio.lowlevel
from anyio import CancelScope, get_cancelled_exc_class

from slackmq.errors import (
    ArgumentsRejected,
    BodyLost,
    ConfigurationError,
    LeaseLost,
    Reject,
    Retry,
    SlackError,
    UnknownKind,
    told,
    trace_of,
)
from slackmq.job import Job
from slackmq.message import Message
from slackmq.points import pause

if TYPE_CHECKING:
    from collections.abc import Collection, Generator

    from anyio.abc import TaskGroup

    from slackmq.answer import Answer
    from slackmq.approval import Approval
    from slackmq.clock import Clock
    from slackmq.handler import Bound
    from slackmq.handlers import Handlers
    from slackmq.job import Ask
    from slackmq.message import Json
    from slackmq.options import Options
    from slackmq.queue import AsyncQueue, Lease
    from slackmq.queue.keeping import Keeping
    from slackmq.queue.progress import Progress

__all__ = ["Done", "End", "Executor", "Failed", "Late", "Pulse", "Stopped", "Unread", "settle"]

_log = logging.getLogger("slackmq.worker")
_UNREAD = timedelta(seconds=30)
"""So long a job is left alone whose arguments Slack does not give; it may be handed back without an attempt, but not
for ever: see `slackmq.notes`."""
_OBEYS = 30.0
"""Seconds, or its timeout if that is longer, in which a handler whose time is over must stop, or its job is failed
without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The handler returned."""

    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The handler raised, or was out of its time; it may be tried again in `retry_in`, or never if None."""

    reason: str
    retry_in: timedelta | None
    trace: str = ""


class Unread:
    """Slack does not give the job's arguments now."""


class Stopped:
    """The handler was cancelled because the worker stops, or because somebody wants the job cancelled."""


End = Done | Failed | Stopped | Unread
Late = Callable[[Failed], Awaitable[None]]
"""Told how a job ends whose handler does not stop although its time is over."""


class Pulse(Protocol):
    """When a handler was last heard of."""

    heard_at: float
    """On the monotonic clock."""

    def silence(self) -> timedelta:
        """How long ago that was."""
        ...


class Executor:
    """Runs handlers for one worker.

    Args:
        queue: the open queue.
        handlers: the functions that do the work.
        clock: the time of this process.
        concurrency: how many jobs of batches run at once, of all batches together.

    Attributes:
        hands: one for each of these jobs.
        running: what runs, and what stops it.
    """

    def __init__(self, queue: AsyncQueue, handlers: Handlers, *, clock: Clock, concurrency: int) -> None:
        self.queue = queue
        self.clock = clock
        self.hands = anyio.Semaphore(concurrency)
        self.running: dict[Job, CancelScope] = {}
        self._batches: dict[Lease, CancelScope] = {}
        self._handlers = handlers
        self._draining = False
        self._handing_back = False

    def is_for_every_bot(self, lease: Lease) -> bool:
        """Whether each process does this message, and nobody claims it."""
        return self.queue.opened is not None and self.queue.opened.chorus.has(lease.claim)

    def drain(self) -> None:
        """Begin no further job of any batch: what is not begun is given back with its batch."""
        self._draining = True
        for scope in self._batches.values():
            scope.cancel()

    @contextmanager
    def beginning(self, lease: Lease) -> Generator[None]:
        """While inside, jobs of a batch are begun; it is left by itself once no more shall be."""
        with CancelScope() as scope:
            self._batches[lease] = scope
            try:
                if self._draining or lease.cancelled:
                    scope.cancel()
                yield
            finally:
                del self._batches[lease]

    def begin_no_more(self, lease: Lease) -> None:
        """Let no further job of a batch be begun."""
        if lease in self._batches:
            self._batches[lease].cancel()

    def hand_back(self) -> None:
        """Stop all handlers, and begin none: what is claimed is given back."""
        self.drain()
        self._handing_back = True
        for job, scope in self.running.items():
            job.cancel("the worker stops")
            scope.cancel()

    def stop_cancelled(self, keeping: Keeping) -> None:
        """Stop the handlers whose jobs somebody wants cancelled."""
        for lease, scope in self._batches.items():
            if lease.cancelled:
                scope.cancel()
        for job, scope in self.running.items():
            if keeping.is_cancelled(job.claim):
                job.cancel("somebody cancelled it")
                scope.cancel()

    async def work(self, lease: Lease) -> None:
        """Run the handler for a message that is no batch, and end the claim."""
        message = await self.read(lease)
        if not isinstance(message, Message):
            await settle(lease, message)
            return
        progress = self.queue.progress(lambda: lease.claim)
        ask = self._ask(lease, progress)
        results = self.results_for(message)
        job = Job(claim=lambda: lease.claim, clock=self.clock, report=progress.report, ask=ask, results=results)
        end: End = Stopped()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(progress.run)
                end = await self.execute(message, lease, job, progress, partial(_fail_without_it, lease))
                tasks.cancel_scope.cancel()
        finally:
            job.cancel("the claim was lost" if lease.lost else "the job has ended")
        if lease.receipt is not None:
            return  # it was failed while the handler would not stop
        await progress.end()
        await settle(lease, end)

    def results_for(self, message: Message) -> Callable[[], Awaitable[tuple[Json, ...]]] | None:
        """What reads the results of those that a job was to be begun after."""
        inside = self.queue.opened
        return partial(inside.asking.results, message) if inside is not None and message.after else None

    def _ask(self, lease: Lease, progress: Progress) -> Ask:
        """What asks people about a job; while it waits its handler is not silent."""

        async def ask(question: str, *, by: Collection[str], within: timedelta) -> Approval:
            inside = self.queue.opened
            if inside is None:
                raise ConfigurationError("The queue is not open.", remedy="Ask while the worker runs.")
            return await inside.approving.ask(lease.claim, question, by=by, within=within, alive=progress.touch)

        return ask

    async def read(self, lease: Lease) -> Message | Failed | Unread:
        """A claimed message with its arguments, from wherever they are; or how its attempt ends without them."""
        message = lease.claim.message
        try:
            return replace(message, body=await self.queue.body(message))
        except BodyLost as error:
            return Failed(reason=str(error), retry_in=None)
        except SlackError as error:
            _log.warning("the arguments of %s are read later: %s", message.ts, error)
            return Unread()

    async def execute(self, message: Message, lease: Lease, job: Job, pulse: Pulse, late: Late) -> End:
        """Run the handler for a job once, in its time.

        Args:
            message: the job's message with its arguments, or that of one job of a batch.
            lease: the claim on its message.
            job: the job: the message, or one of a batch.
            pulse: when the handler was last heard of.
            late: told that the handler goes on long after its time.
        """
        try:
            bound = self._handlers.bind(message, self.queue.here)
        except (UnknownKind, ArgumentsRejected) as error:
            return Failed(reason=str(error), retry_in=None)
        if self._handing_back or lease.cancelled:
            return Stopped()
        with CancelScope() as scope:
            self.running[job] = scope
            try:
                await pause("after_start")
                if self.clock.monotonic() >= lease.claim.deadline:
                    await anyio.sleep_forever()  # this process stood still: the lease takes note in a moment
                return await self._call(bound, job, pulse, late)
            finally:
                del self.running[job]
        return Stopped()

    async def _call(self, bound: Bound, job: Job, pulse: Pulse, late: Late) -> End:
        end: End = Stopped()
        async with anyio.create_task_group() as tasks:
            if bound.handler.options.timeout or bound.handler.options.silence:
                tasks.start_soon(self._watch, bound, job, pulse, late)
            end = await self._run(bound, job, pulse, tasks)
            tasks.cancel_scope.cancel()
        return end

    async def _watch(self, bound: Bound, job: Job, pulse: Pulse, late: Late) -> None:
        """Fail a job whose handler goes on long after its time: nothing can stop a thread that does not listen."""
        options, began = bound.handler.options, self.clock.monotonic()
        while (left := _overdue(options, began, pulse.heard_at) - self.clock.monotonic()) > 0:
            await self.clock.sleep(left)
        _log.error("%s goes on although its time is over; it keeps a hand of this worker busy", bound.handler.name)
        why = f"{_why_late(options, pulse)}, and does not stop"
        await late(Failed(reason=why, retry_in=self._retry_after(TimeoutError, options, job)))

    async def _mind_silence(self, silence: timedelta, pulse: Pulse, scope: CancelScope) -> None:
        """Stop a handler that has reported no progress for too long."""
        while (left := (silence - pulse.silence()).total_seconds()) > 0:
            await self.clock.sleep(left)
        scope.cancel()

    async def _run(self, bound: Bound, job: Job, pulse: Pulse, tasks: TaskGroup) -> End:
        options = bound.handler.options
        limit = options.timeout.total_seconds() if options.timeout else None
        try:
            with anyio.move_on_after(limit) as scope:
                if options.silence is not None:
                    tasks.start_soon(self._mind_silence, options.silence, pulse, scope)
                answer = await bound(job)
                # A function on a thread that was told to stop returns like one that has done its work.
                await anyio.lowlevel.checkpoint_if_cancelled()
                return Done(answer=answer)
        except get_cancelled_exc_class():
            await _ours_to_obey()
            return Failed(reason="it was cancelled from within", retry_in=self._retry_in(options, job))
        except Reject as error:
            return Failed(reason=told(error), retry_in=None, trace=trace_of(error))
        except Retry as error:
            retry_in = self._retry_in(options, job, error.after)
            return Failed(reason=told(error), retry_in=retry_in, trace=trace_of(error))
        except GeneratorExit:
            raise  # nobody runs this any more
        except BaseException as error:  # noqa: BLE001  # handlers are strangers' code, and may raise what they like
            await _ours_to_obey()
            _log.warning("%s failed", bound.handler.name, exc_info=error)
            retry_in = self._retry_after(type(error), options, job)
            return Failed(reason=told(error), retry_in=retry_in, trace=trace_of(error))
        retry_in = self._retry_after(TimeoutError, options, job)
        return Failed(reason=_why_late(options, pulse), retry_in=retry_in)

    def _retry_after(self, kind: type[BaseException], options: Options, job: Job) -> timedelta | None:
        """When to try again after an exception of this class, None if never."""
        return self._retry_in(options, job) if options.retries(kind) else None

    def _retry_in(self, options: Options, job: Job, after: timedelta | None = None) -> timedelta | None:
        """When to try again, None if this was the last attempt."""
        attempt = job.attempt
        if attempt >= options.attempts:
            return None
        if after is None:
            return options.backoff.delay(attempt, self.clock.random())
        # A fleet that is started anew reads no further back than the window, and must still find the message.
        return min(after, self.queue.timing.window / 2)


def _why_late(options: Options, pulse: Pulse) -> str:
    """Why an attempt was stopped."""
    if options.silence is not None and pulse.silence() >= options.silence:
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


async def _fail_without_it(lease: Lease, end: Failed) -> None:
    """End a claim while its handler still runs."""
    if lease.lost is not None:
        return
    try:
        await lease.fail(end.reason, retry_in=end.retry_in)
    except LeaseLost as error:
        _log.warning("lost %s: %s", lease.claim.message.ts, error)


async def settle(lease: Lease, end: End) -> None:
    """End a claim as its execution ended."""
    match end:
        case Done(answer=answer):
            await lease.ack(answer)
        case Failed(reason=reason, retry_in=retry_in, trace=trace):
            await lease.fail(reason, retry_in=retry_in, trace=trace)
        case Stopped() if lease.cancelled:
            await lease.drop()
        case Stopped():
            await lease.release()
        case Unread():
            await lease.release(retry_in=_UNREAD)
