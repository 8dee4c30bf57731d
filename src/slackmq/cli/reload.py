"""`slackmq worker --reload`: the worker is started anew whenever a file of the program changes."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio import CancelScope
    from anyio.abc import Process

__all__ = ["reloading", "stamps"]

_log = logging.getLogger("slackmq.command")
_LOOK = 0.5
"""Seconds between two looks at the files."""
_ASIDE = {"node_modules", "__pycache__", "site-packages"}
_FLAG, _VARIABLE = "--reload", "SLACKMQ_WORKER_RELOAD"


async def reloading(arguments: list[str], folder: Path) -> int:
    """Run the command in a process of its own, without the flag, and anew after each change; for development.

    A running worker is asked to stop as by Ctrl-C, so what it does may end. One that ends by itself with an error is
    started again when a file has changed.

    Args:
        arguments: what this process was called with.
        folder: whose Python files are watched, with all that is under it.

    Returns:
        The exit status of the last one.
    """
    words = [word for word in arguments if word != _FLAG]
    env = {name: value for name, value in os.environ.items() if name != _VARIABLE}
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        while True:
            known = stamps(folder)
            # Its own session: Ctrl-C reaches the terminal's group, and would count twice as it is passed on.
            child = await anyio.open_process(
                [sys.executable, "-m", "slackmq", *words],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=None,
                stderr=None,
                start_new_session=True,
            )
            received: list[signal.Signals] = []
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_hear, signals, received, tasks.cancel_scope)
                await _changed(folder, known)
                tasks.cancel_scope.cancel()
            if not received:
                _log.info("a file has changed: starting anew")
            status = await _end(child, received[0] if received else signal.SIGTERM, signals, received)
            if received:
                return status


def stamps(folder: Path) -> dict[str, int]:
    """When each Python file under a folder was changed last; hidden folders and installed packages are left out."""
    found: dict[str, int] = {}
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _ASIDE]
        for name in files:
            if name.endswith(".py"):
                path = Path(root, name)
                try:
                    found[str(path)] = path.stat().st_mtime_ns
                except FileNotFoundError:  # it was deleted this very moment
                    continue
    return found


async def _changed(folder: Path, known: dict[str, int]) -> None:
    while await anyio.to_thread.run_sync(stamps, folder) == known:  # noqa: ASYNC110  # files tell nobody that they change
        await anyio.sleep(_LOOK)


def _ask(child: Process, received: signal.Signals) -> None:
    if child.returncode is None:
        child.send_signal(received)


async def _hear(signals: AsyncIterator[signal.Signals], received: list[signal.Signals], scope: CancelScope) -> None:
    async for one in signals:
        received.append(one)
        scope.cancel()


async def _end(
    child: Process, asked: signal.Signals, signals: AsyncIterator[signal.Signals], received: list[signal.Signals]
) -> int:
    """Ask it to stop, and pass on whatever else is received until it has."""
    status = 0
    _ask(child, asked)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_pass_on, child, signals, received)
        status = await child.wait()
        tasks.cancel_scope.cancel()
    return status


async def _pass_on(child: Process, signals: AsyncIterator[signal.Signals], received: list[signal.Signals]) -> None:
    async for one in signals:
        received.append(one)
        _ask(child, one)
