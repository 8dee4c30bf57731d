"""What the demo's handlers act upon: a file that only grows, one line an effect, on the disk before the job is done."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Effect", "Target", "wall_clock"]


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the target.

    Attributes:
        step: "begin" when an execution begins, "end" when its work is done.
        key: the job's idempotency key.
        token: the fencing token at that moment.
        attempt: which execution it is, by its handler.
        worker: the process that wrote it.
        at: when, in microseconds since 1970.
    """

    step: Literal["begin", "end"]
    key: str
    token: int
    attempt: int
    worker: int
    at: int


class Target:
    """The file. Any number of processes write to it at once; each line is one write of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, step: Literal["begin", "end"], *, key: str, token: int, attempt: int) -> None:
        """Append a line for this process, and return when it is on the disk."""
        effect = Effect(step=step, key=key, token=token, attempt=attempt, worker=os.getpid(), at=wall_clock())
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, msgspec.json.encode(effect) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self) -> tuple[Effect, ...]:
        """All complete lines, in the order in which they were written."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return ()
        complete = content[: content.rfind(b"\n") + 1]
        return tuple(msgspec.json.decode(line, type=Effect) for line in complete.splitlines())


def wall_clock() -> int:
    """Microseconds since 1970: the tally holds the target against the workspace's record, which uses the same clock."""
    return int(datetime.now(UTC).timestamp() * 1_000_000)
