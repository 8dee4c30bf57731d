"""Plain functions, which do not await: each runs on a thread of its own, and hears of a cancellation by its job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from anyio import get_cancelled_exc_class

if TYPE_CHECKING:
    from collections.abc import Callable

    from slackmq.job import Job

__all__ = ["on_thread"]


async def on_thread(run: Callable[[], object], job: Job) -> object:
    """The result of a plain function, which hears of a cancellation by its job only.

    Threads cannot be stopped: when this call is cancelled, `job.cancelled` becomes true at once, and the call still
    waits for the function to end.
    """
    error: BaseException | None = None
    result: object = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_pass_on_cancellation, job)
        try:
            # A limiter for each call is no limit: how many run at once is the worker's `concurrency`, not anyio's 40.
            result = await anyio.to_thread.run_sync(run, limiter=anyio.CapacityLimiter(1))
        except get_cancelled_exc_class():
            raise
        except BaseException as raised:  # noqa: BLE001  # raised again below, outside the group, which would wrap it
            error = raised
        tasks.cancel_scope.cancel()
    if error is not None:
        raise error
    return result


async def _pass_on_cancellation(job: Job) -> None:
    """Cancel the job when the call is cancelled; the thread that works on it cannot be told otherwise."""
    try:
        await anyio.sleep_forever()
    finally:
        job.cancel("the attempt was cancelled, or has ended")
