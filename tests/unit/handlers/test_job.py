"""What a handler may know."""

from dataclasses import replace
from datetime import timedelta

import anyio

from slackmq.clock import SystemClock
from slackmq.job import Job
from slackmq.message import Claim, Message

MESSAGE = Message(channel="C1", ts="1.000001", author="U1", kind="resize", key="cat/300")


class StandingClock(SystemClock):
    now = 100.0

    def monotonic(self) -> float:
        return self.now


class Lease:
    """What the worker keeps."""

    claim = Claim(message=MESSAGE, token=3, attempt=2, deadline=160.0)


def test_a_job_tells_key_token_attempt_message_and_time_left() -> None:
    job = Job(claim=lambda: Lease().claim, clock=StandingClock())
    assert (job.key, job.token, job.attempt, job.message) == ("cat/300", 3, 2, MESSAGE)
    assert job.remaining() == timedelta(seconds=60)


def test_token_and_time_left_rise_with_every_extension() -> None:
    lease, clock = Lease(), StandingClock()
    job = Job(claim=lambda: lease.claim, clock=clock)
    clock.now = 130.0
    assert job.remaining() == timedelta(seconds=30)
    lease.claim = replace(lease.claim, token=4, deadline=190.0)
    assert (job.token, job.attempt, job.remaining()) == (4, 2, timedelta(seconds=60))


def test_the_first_reason_to_stop_counts() -> None:
    job = Job(claim=lambda: Lease().claim, clock=StandingClock())
    assert (job.cancelled, job.reason) == (False, None)
    job.cancel("lease lost")
    job.cancel("drain")
    assert (job.cancelled, job.reason) == (True, "lease lost")


async def test_an_async_handler_can_wait_for_the_reason_to_stop() -> None:
    job = Job(claim=lambda: Lease().claim, clock=StandingClock())
    heard: list[str] = []

    async def listen() -> None:
        heard.append(await job.wait_cancelled())

    async with anyio.create_task_group() as group:
        group.start_soon(listen)
        await anyio.wait_all_tasks_blocked()
        assert heard == []
        job.cancel("drain")
    assert heard == ["drain"]


async def test_a_report_is_taken_in_with_and_without_await() -> None:
    reports: list[tuple[float, str]] = []
    job = Job(claim=lambda: Lease().claim, clock=StandingClock(), report=lambda *report: reports.append(report))
    await job.progress(0.25, "one")
    job.progress(0.5)
    await anyio.to_thread.run_sync(job.progress, 0.75, "three")
    assert reports == [(0.25, "one"), (0.5, ""), (0.75, "three")]
    await Job(claim=lambda: Lease().claim, clock=StandingClock()).progress(1.0)
