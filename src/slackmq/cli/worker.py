"""`slackmq worker module:app`: work a channel until told to stop."""

from __future__ import annotations

import logging
import os
import signal
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import anyio
from cyclopts import Parameter, validators

from slackmq.cli.check import report
from slackmq.cli.exits import Exit
from slackmq.cli.loading import load
from slackmq.cli.logs import log_to_stderr
from slackmq.cli.pulse import beat, pulse_of
from slackmq.cli.reload import reloading
from slackmq.cli.surface_checks import check as check_app
from slackmq.cli.where import Where
from slackmq.options import Rate
from slackmq.telemetry.logging import log_happenings
from slackmq.worker import GIVING_UP, AsyncWorker

if TYPE_CHECKING:
    from anyio import CancelScope
    from anyio.abc import TaskGroup

    from slackmq.app import App

__all__ = ["worker"]

_log = logging.getLogger("slackmq.command")
_HERE = Where()
_STOP = 2
"""The number of the signal that stops at once."""
_LAST = 15.0
"""Seconds that stopping at once may take: giving back what was running takes up to ten."""


def worker(
    app: Annotated[str, Parameter(help="The App, as module:name.")],
    /,
    *,
    concurrency: Annotated[
        int, Parameter(name=["--concurrency", "-c"], validator=validators.Number(gte=1), help="Jobs at a time.")
    ] = 4,
    check: Annotated[
        bool, Parameter(negative=(), help="Look whether it could work, say what is wrong, and do nothing else.")
    ] = False,
    reload: Annotated[
        bool, Parameter(negative=(), help="Start anew whenever a Python file under this folder changes; to try things.")
    ] = False,
    rate: Annotated[
        str | None, Parameter(help='Begin so many jobs in a time at most: "10/m", with s, m, h or d.')
    ] = None,
    burst: Annotated[bool, Parameter(negative=(), help="End when nothing waits any more.")] = False,
    drain: Annotated[
        float,
        Parameter(
            name=["--drain", "--shutdown-timeout"],
            validator=validators.Number(gte=0),
            help="Seconds that running jobs get to end when it is stopped.",
        ),
    ] = 30.0,
    pulse: Annotated[
        Path | None, Parameter(help="A file in which it says when it last received; with --check, look there.")
    ] = None,
    oldest: Annotated[
        float, Parameter(validator=validators.Number(gt=0), help="With --check and --pulse: how many seconds ago.")
    ] = 300.0,
    name: Annotated[
        str | None, Parameter(help="Of this process, also for jobs that are meant for it; drawn at random if not set.")
    ] = None,
    label: Annotated[
        tuple[str, ...],
        Parameter(negative=(), help='What can be said of this process, as "room=attic"; may be given several times.'),
    ] = (),
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Parameter(help="Least level of the log.")] = (
        "info"
    ),
    where: Where = _HERE,
) -> int:
    """Work the channel of an app, on as many machines as you like.

    SIGTERM or Ctrl-C: it claims nothing more, running jobs may end, what is left is given back. A second time: all is
    given back at once. A third time, or where a handler does not stop: the process ends as it is.
    """
    log_to_stderr(log_level)
    if reload and not check:
        return anyio.run(reloading, sys.argv[1:], Path.cwd())
    found = load(app)
    if check:
        findings = anyio.run(check_app, found, where)
        if pulse is not None:
            findings = (*findings, pulse_of(pulse, oldest=timedelta(seconds=oldest)))
        return report(findings)
    how = _How(
        concurrency=concurrency,
        rate=Rate.read(rate),
        drain=timedelta(seconds=drain),
        name=name,
        labels=label,
        burst=burst,
        pulse=pulse,
    )
    return anyio.run(_work, found, where, how)


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """How to work, as the flags say."""

    concurrency: int
    rate: Rate | None
    drain: timedelta
    name: str | None
    labels: tuple[str, ...]
    burst: bool
    pulse: Path | None


async def _work(app: App, where: Where, how: _How) -> Exit:
    settings = await where.settings()
    stopped = Exit.OK
    async with app.connected(settings, worker=how.name, labels=how.labels, hooks=[log_happenings]) as queue:
        running = AsyncWorker(
            queue,
            app.handlers,
            concurrency=how.concurrency,
            rate=how.rate,
            drain=how.drain,
            controls=app.controls,
        )
        _log.info("%s works #%s, %d jobs at a time", queue.worker, queue.channel.name, how.concurrency)
        async with anyio.create_task_group() as signals, anyio.create_task_group() as tasks:
            signals.start_soon(_obey, running, how.drain, tasks.cancel_scope, signals)
            try:
                if how.pulse is not None:
                    signals.start_soon(beat, how.pulse, queue)
                await running.run(burst=how.burst)
            finally:
                signals.cancel_scope.cancel()
            return stopped
    _log.warning("stopped at once; what was running was given back")
    return Exit.INTERRUPTED


async def _obey(running: AsyncWorker, drain: timedelta, scope: CancelScope, tasks: TaskGroup) -> None:
    """The first signal drains, the second stops, the third ends the process as it is."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        count = 0
        async for received in signals:
            count += 1
            if count == 1:
                _log.info("%s: claiming nothing more; again to stop at once", received.name)
                running.drain()
                tasks.start_soon(_leave, drain.total_seconds() + GIVING_UP + _LAST)
            elif count == _STOP:
                scope.cancel()
                tasks.start_soon(_leave, _LAST)
            else:
                await _leave(0)


async def _leave(seconds: float) -> None:
    """End the process in spite of handlers that cannot be stopped: a thread that hangs would keep it for ever."""
    await anyio.sleep(seconds)
    _log.error("a handler does not stop: leaving without it; its job will be taken over when its claim has lapsed")
    os._exit(Exit.INTERRUPTED)
