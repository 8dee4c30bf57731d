"""`slackmq kv lock CHANNEL NAME -- COMMAND…`: run a command while a lock is held."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import anyio
from cyclopts import Parameter, validators

from slackmq.cli.exits import Exit, StillHeld
from slackmq.cli.kv.guard import KEY, TOKEN
from slackmq.cli.kv.rows import print_json
from slackmq.cli.kv.which import ChannelName, JsonLines, Which  # noqa: TC001  # cyclopts reads annotations
from slackmq.errors import ConfigurationError
from slackmq.kv.entry import TTL_LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anyio import CancelScope
    from anyio.abc import Process

    from slackmq.kv.lock import Lock

__all__ = ["lock"]

_HERE = Which()
_GRACE = 5.0
"""Seconds between asking a command to end and making it."""
_KILLED = 128
"""What a shell adds to the number of the signal that ended a command."""
_NOT_THERE, _NOT_RUN = 127, 126
"""What a shell answers for a command that is not there, or that cannot be run."""


def lock(
    channel: ChannelName,
    name: Annotated[str, Parameter(help="Of the lock.")],
    /,
    *command: Annotated[str, Parameter(allow_leading_hyphen=True, help="After --: a program and its arguments.")],
    ttl: Annotated[
        float,
        Parameter(
            validator=validators.Number(gt=0, lte=TTL_LIMIT / 1e6),
            help="Seconds that it lasts unless it is renewed; five times the skew at least.",
        ),
    ] = 60.0,
    wait: Annotated[
        float | None, Parameter(validator=validators.Number(gt=0), help="Seconds to wait for it; for ever if not set.")
    ] = None,
    json: JsonLines = False,
    which: Which = _HERE,
) -> int:
    """Run a command while a lock is held: `slackmq kv lock "#state" backup -- rsync -a /data host:`. There is no shell.

    The command finds the fencing token in SLACKMQ_LOCK_TOKEN and its exit status is the one of this. If the lock is
    lost, the command is ended (SIGTERM, after 5 s SIGKILL), and the status is 9; 11 if the lock is held by somebody
    else for longer than --wait. With --json the key and the token are printed before the command runs.
    """
    if not command:
        raise ConfigurationError("There is no command.", remedy='slackmq kv lock "#state" NAME -- COMMAND')
    errand = _Errand(channel=channel, name=name, command=command, ttl=ttl, wait=wait, json=json)
    return anyio.run(_obeying, which, errand)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errand:
    channel: str
    name: str
    command: Sequence[str]
    ttl: float
    wait: float | None
    json: bool


async def _obeying(which: Which, errand: _Errand) -> int:
    """Pass SIGTERM and SIGHUP on; a terminal tells Ctrl-C to the command itself."""
    running: list[Process] = []
    status = int(Exit.INTERRUPTED)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_pass_on, running, tasks.cancel_scope)
        status = await _locked(which, errand, running)
        tasks.cancel_scope.cancel()
    return status


async def _pass_on(running: list[Process], scope: CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async for received in signals:
            if not running:
                scope.cancel()
            elif received is not signal.SIGINT:
                with suppress(ProcessLookupError):
                    running[0].send_signal(received)


async def _locked(which: Which, errand: _Errand, running: list[Process]) -> int:
    async with which.opened(errand.channel, events=True) as store:
        held = store.lock(errand.name, ttl=timedelta(seconds=errand.ttl))
        await _acquire(held, errand.wait)
        async with held:
            if errand.json:
                print_json([{"key": held.key, "token": held.token}])
            return await _run(errand.command, {KEY: held.key, TOKEN: str(held.token)}, running)
    return Exit.LOCK_LOST  # for type checkers: leaving a lock that was lost raises


async def _acquire(held: Lock, wait: float | None) -> None:
    with anyio.move_on_after(wait):
        await held.acquire()
    if not held.token:
        raise StillHeld(f"{held.key!r} is held by somebody else.", remedy="Wait longer (--wait), or try again.")


async def _run(command: Sequence[str], env: dict[str, str], running: list[Process]) -> int:
    try:
        process = await anyio.open_process(
            list(command), stdin=None, stdout=None, stderr=None, env={**os.environ, **env}
        )
    except OSError as error:
        sys.stderr.write(f"slackmq: {command[0]} cannot be run: {error.strerror}\n")
        return _NOT_THERE if isinstance(error, FileNotFoundError) else _NOT_RUN
    running.append(process)
    try:
        status = await process.wait()
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)
    return status if status >= 0 else _KILLED - status


async def _end(process: Process) -> None:
    """Ask it to end, and make it after a while; nothing if it has ended."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with anyio.move_on_after(_GRACE):
        await process.wait()
        return
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
