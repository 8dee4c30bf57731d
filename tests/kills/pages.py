"""Pages: what processes that may die at any moment write down, each line in one write, for the judge to read."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from slackmq.simulation.record import Disturbed, Effected, Ended, Posted, Started

if TYPE_CHECKING:
    from pathlib import Path

    from slackmq.simulation.record import Line

KINDS = {kind.__name__: kind for kind in (Disturbed, Effected, Ended, Posted, Started)}


def now() -> float:
    """Seconds since 1970 by this machine's clock, which all processes of a round share."""
    return time.time()  # noqa: TID251  # one machine, one clock


class Pages:
    """The files of one round.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._told = folder / "told.jsonl"
        self._effects = folder / "effects"

    def make(self) -> None:
        """Make the folders."""
        self._effects.mkdir(parents=True)
        (self.folder / "withhold").mkdir()

    def tell(self, line: Line) -> None:
        """Write down a line of the record."""
        append(self._told, {"type": type(line).__name__, **asdict(line)}, sync=False)

    def effect(self, *, process: str, run: int, key: str, token: int) -> bool:
        """The handlers' target: one line for an effect, on the disk on return; False if a higher token was before.

        Which of two was before, the file says: it only grows, and each line is one write.
        """
        path = self._effects / blake2b(key.encode(), digest_size=8).hexdigest()
        line = {"at": now(), "process": process, "run": run, "key": key, "token": token}
        append(path, line, sync=True)
        return next(effect.accepted for effect in _effects(path) if effect.run == run)

    def withhold(self, process: str) -> Path:
        """The file by which a process asks that the answer to its next write be withheld, and it be killed."""
        return self.folder / "withhold" / process

    def read(self) -> list[Line]:
        """Everything that was written, in the order of time."""
        lines: list[Line] = [effect for path in self._effects.iterdir() for effect in _effects(path)]
        lines.extend(KINDS[fields.pop("type")](**fields) for fields in _lines(self._told))
        return sorted(lines, key=lambda line: line.at)


def append(path: Path, fields: dict[str, Any], *, sync: bool = False) -> None:
    """Add one line to a file, in one write; with `sync` it is on the disk on return."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, json.dumps(fields).encode() + b"\n")
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def _effects(path: Path) -> list[Effected]:
    """The effects on one key, in the order in which they came."""
    highest, at = -1, 0.0
    effects: list[Effected] = []
    for fields in _lines(path):
        accepted = fields["token"] >= highest
        highest, at = max(highest, fields["token"]), max(at, fields.pop("at"))
        effects.append(Effected(at=at, accepted=accepted, **fields))
    return effects
