"""Which events got through, noted beside the journal, so that a restart sends only the others once more.

What was noted in the very last moment before the process was killed may be missing: then an event comes twice, as it
may with Slack. An event is never forgotten because of a note that should not be there.
"""

from __future__ import annotations

import os
import sys
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["HORIZON", "Receipts"]

HORIZON = 480_000_000
"""Microseconds after which nothing is sent any more: the last turn is under seven minutes after the first."""

_MOST_LINES = 50_000
"""Lines after which the file is written anew, with the young ones only."""


class Receipts:
    """The notes of one workspace. `flush` writes to the disk: call it in a thread.

    Args:
        path: the file; None keeps nothing.
        now: microseconds since 1970; older notes than the horizon are dropped.
    """

    def __init__(self, path: Path | None, now: int) -> None:
        self._path = path
        self._lines = 0
        self._lock = Lock()
        self._fresh: list[tuple[int, str]] = []
        self._kept: dict[str, int] = {}
        if path is not None:
            self._kept = {name: at for at, name in _read(path) if at > now - HORIZON}
            self._rewrite()

    @property
    def waiting(self) -> bool:
        """True if there is something to flush."""
        return bool(self._fresh)

    def note(self, app: str, event: str, now: int) -> None:
        """An app got an event; `event` is its event_id."""
        if self._path is not None:
            self._fresh.append((now, f"{app}/{event}"))

    def knows(self, app: str, event: str) -> bool:
        """True if an app got an event, in this run or an earlier one."""
        return f"{app}/{event}" in self._kept

    def flush(self) -> None:
        """Write down what was noted; when this returns it survives the death of the process.

        If the disk is full that is said on stderr and nothing else happens: the price is an event that comes twice.
        """
        with self._lock:
            try:
                self._flush()
            except OSError as error:
                sentence = f"{self._path} cannot be written: {error}. After a restart events may come twice."
                print(f"slackmq emulator: {sentence}", file=sys.stderr, flush=True)  # noqa: T201  # to the operator

    def _flush(self) -> None:
        fresh, self._fresh = self._fresh, []
        if self._path is None or not fresh:
            return
        self._kept.update((name, at) for at, name in fresh)
        self._lines += len(fresh)
        if self._lines > _MOST_LINES:
            newest = fresh[-1][0]
            self._kept = {name: at for name, at in self._kept.items() if at > newest - HORIZON}
            self._rewrite()
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(_written(fresh))

    def _rewrite(self) -> None:
        if self._path is None:
            return
        half = self._path.with_name(f"{self._path.name}.part")
        half.write_text("".join(_written((at, name) for name, at in self._kept.items())), encoding="utf-8")
        os.replace(half, self._path)  # noqa: PTH105  # a half-written file must never be found
        self._lines = len(self._kept)


def _written(notes: Iterable[tuple[int, str]]) -> Iterable[str]:
    return (f"{at} {name}\n" for at, name in notes)


def _read(path: Path) -> Iterable[tuple[int, str]]:
    """The notes of earlier runs; a line that was cut short is passed over."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    except FileNotFoundError:
        return
    for line in lines:
        at, _, name = line.rstrip("\n").partition(" ")
        if line.endswith("\n") and at.isascii() and at.isdecimal() and name:
            yield int(at), name
