"""Batch: the jobs of one message, each executed by itself under the one claim."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import anyio

from slackmq.answer import answer_of_batch
from slackmq.batch import jobs_of, one_of, why_failed
from slackmq.errors import LeaseLost
from slackmq.job import Job
from slackmq.message import Message
from slackmq.worker.execution import Done, Failed, Stopped, Unread, settle

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from anyio.abc import TaskGroup

    from slackmq.batch import Settled
    from slackmq.clock import Clock
    from slackmq.message import Claim, Json
    from slackmq.queue import Lease
    from slackmq.queue.tally import Tally
    from slackmq.worker.execution import End, Executor

__all__ = ["Batch"]

_AT_ONCE = timedelta(0)
_UNCLAIMED = Failed(reason="a batch is done under one claim, and its handler is for every bot", retry_in=None)


class Batch:
    """Executes what is left of a batch, several jobs at a time, and ends the claim.

    Args:
        executor: what runs handlers.
        lease: the claim on the batch.
    """

    def __init__(self, executor: Executor, lease: Lease) -> None:
        self._executor = executor
        self._lease = lease
        self._beginning = True
        self._under_way: set[int] = set()
        self._failures: dict[int, Failed] = {}
        self._over = anyio.Event()

    async def work(self) -> None:
        """Run the handler once for each job that no earlier attempt settled, and end the claim.

        A handler that does not stop although its time is over is not waited for: its job counts as failed, no further
        one is begun, and the claim has ended long before this returns.
        """
        if self._executor.is_for_every_bot(self._lease):
            await settle(self._lease, _UNCLAIMED)
            return
        message = await self._executor.read(self._lease)
        if not isinstance(message, Message):
            await settle(self._lease, message)
            return
        try:
            jobs = jobs_of(message)
        except ValueError as error:
            await settle(self._lease, Failed(reason=str(error), retry_in=None))
            return
        tally = self._executor.queue.tally(lambda: self._lease.claim, tuple(jobs))
        lost: LeaseLost | None = None
        async with anyio.create_task_group() as running:
            async with anyio.create_task_group() as notes:
                notes.start_soon(tally.run)
                await self._begin_all(jobs, tally, running)
                await self._over.wait()
                notes.cancel_scope.cancel()
            await tally.end()
            try:
                await settle(self._lease, _end(jobs, tally.settled, self._failures, cancelled=self._lease.cancelled))
            except LeaseLost as error:  # raised here, it would leave the group as one of a group
                lost = error
        if lost is not None:
            raise lost

    async def _begin_all(self, jobs: Mapping[int, Mapping[str, Json]], tally: Tally, running: TaskGroup) -> None:
        """Begin one job after the other, as hands are free and the rates allow, until told to begin no more."""
        hands = self._executor.hands if tally.width is None else anyio.Semaphore(tally.width)
        left = [number for number in jobs if number not in tally.settled]
        with self._executor.beginning(self._lease):
            for number in left:
                if number != left[0]:  # the turn of the first one came with the claim
                    await tally.turn()
                await hands.acquire()
                self._under_way.add(number)
                running.start_soon(self._run, number, jobs[number], tally, hands)
        self._beginning = False
        self._look()

    async def _run(self, number: int, body: Mapping[str, Json], tally: Tally, hands: anyio.Semaphore) -> None:
        heard, one = _Heard(self._executor.clock), one_of(self._lease.claim.message, number, body)
        results = self._executor.results_for(one)
        job = Job(
            claim=partial(self._claim, one),
            clock=self._executor.clock,
            report=heard.report,
            number=number,
            results=results,
        )
        try:
            end = await self._executor.execute(one, self._lease, job, heard, partial(self._overdue, number, tally))
            self._note(number, end, tally)
        finally:
            job.cancel("the claim was lost" if self._lease.lost else "the job has ended")
            hands.release()

    def _claim(self, one: Message) -> Claim:
        return replace(self._lease.claim, message=one)

    async def _overdue(self, number: int, tally: Tally, end: Failed) -> None:
        self._note(number, end, tally)
        self._executor.begin_no_more(self._lease)

    def _note(self, number: int, end: End, tally: Tally) -> None:
        """Take note of how a job ended; of one that was given up before it did, no more."""
        if number not in self._under_way:
            return
        match end:
            case Done(answer=answer):
                tally.finish(number, answer.result, answer.why)
            case Failed(reason=reason, retry_in=None):
                self._failures[number] = end
                tally.give_up(number, reason)
            case Failed():
                self._failures[number] = end
                tally.fail(number)
            case Stopped() | Unread():
                self._executor.begin_no_more(self._lease)
        self._under_way.discard(number)
        self._look()

    def _look(self) -> None:
        if not (self._beginning or self._under_way):
            self._over.set()


class _Heard:
    """When the handler of one job was last heard of; how far it is, the marks of the batch show by its end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.heard_at = clock.monotonic()

    def report(self, _fraction: float, _text: str) -> None:
        """Take a report in, from any thread."""
        self.heard_at = self._clock.monotonic()

    def silence(self) -> timedelta:
        """How long ago the handler last reported, or was begun."""
        return timedelta(seconds=self._clock.monotonic() - self.heard_at)


def _end(numbers: Collection[int], settled: Settled, failures: Mapping[int, Failed], *, cancelled: bool) -> End:
    """How an attempt at a batch ended, after all that it began has.

    What was not begun, or was stopped, is handed back. If others have failed meanwhile, the attempt counts all the
    same, or they would be tried more often than they may; the next one may begin at once.
    """
    left = [number for number in numbers if number not in settled]
    wrong = {number: failures[number].reason for number in left if number in failures}
    if len(wrong) < len(left) and (cancelled or not wrong):
        return Stopped()
    if not left and not settled.dead:
        return Done(answer=answer_of_batch(numbers, settled))
    waits = [failures[number].retry_in or _AT_ONCE for number in wrong] if len(wrong) == len(left) else [_AT_ONCE]
    reasons = wrong or settled.dead
    trace = next((failures[number].trace for number in reasons if number in failures), "")
    return Failed(reason=why_failed(reasons, len(numbers)), retry_in=max(waits, default=None), trace=trace)
