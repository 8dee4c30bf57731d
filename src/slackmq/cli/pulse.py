"""Pulse: a file by which a worker shows that it receives, and by which `worker --check` sees that it does."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import anyio

from slackmq.cli.check import Finding
from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError, SlackMQError

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from slackmq.queue import AsyncQueue

__all__ = ["beat", "pulse_of"]

_EVERY = 2.0
"""Seconds between two looks whether anything was received."""


async def beat(path: Path, queue: AsyncQueue) -> None:
    """Write down when the channel was last read or heard of, until cancelled.

    The time is the machine's monotonic clock, which all its processes share and nobody sets.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    written: float | None = None
    while True:
        received = queue.received_at
        if received is not None and received != written:
            _write(path, {"received": received, "worker": queue.worker, "pid": os.getpid()})
            written = received
        await anyio.sleep(_EVERY)


def pulse_of(path: Path, *, oldest: timedelta) -> Finding:
    """Whether a worker on this machine received something lately; an empty channel is received, too.

    Args:
        path: the file that it was told to write.
        oldest: how long ago its last successful read, or event, may be.
    """
    remedy = "Look into the worker's log, and start it again."
    try:
        pulse = json.loads(path.read_text(encoding="utf-8"))
        received, worker = float(pulse["received"]), str(pulse["worker"])
    except FileNotFoundError:
        wrong = SlackMQError(f"No worker has written {path}.", remedy=f"Start it with --pulse {path}.")
        return Finding(what="received", wrong=wrong)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Finding(what="received", wrong=SlackMQError(f"{path} cannot be read: {error}.", remedy=remedy))
    age = SYSTEM.monotonic() - received
    if age < 0:
        cause = f"{worker} wrote {path} before this machine was started."
        return Finding(what="received", wrong=SlackMQError(cause, remedy=remedy))
    if age > oldest.total_seconds():
        cause = f"{worker} received something {age:.0f} s ago for the last time."
        return Finding(what="received", wrong=SlackMQError(cause, remedy=remedy))
    return Finding(what="received", detail=f"{worker}, {age:.0f} s ago")


def _write(path: Path, pulse: dict[str, object]) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(json.dumps(pulse), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.", remedy="Name another file.") from error
