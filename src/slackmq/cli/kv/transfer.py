"""`slackmq kv export CHANNEL` and `slackmq kv import CHANNEL [FILE]`: a store as JSON lines, and back."""

from __future__ import annotations

import sys
from base64 import b64decode
from binascii import Error as NotBase64
from datetime import UTC, datetime, timedelta  # noqa: TC003  # msgspec reads annotations
from pathlib import Path  # noqa: TC003  # cyclopts reads annotations
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import msgspec
from cyclopts import Parameter

from slackmq.cli.kv.ls import entries
from slackmq.cli.kv.rows import print_json, row_of
from slackmq.cli.kv.which import ChannelName, JsonLines, Prefix, Which  # noqa: TC001  # cyclopts reads annotations
from slackmq.errors import ConfigurationError
from slackmq.kv.entry import TTL_LIMIT, check_key, encode
from slackmq.kv.errors import KeyExists, StoreError
from slackmq.kv.shelf import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.kv.store import AsyncStore
    from slackmq.message import Json

__all__ = ["Line", "export", "import_", "lines"]

_HERE = Which()
_LOCKS = "lock/"
_AT_ONCE = 500
"""So many writes wait at a time: they go out together in as few posts as possible."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A key as `slackmq kv export` prints it; what else stands there is not read back."""

    key: str
    value: Any = msgspec.UNSET
    base64: str | None = None
    expires: datetime | None = None

    @property
    def content(self) -> Json | bytes:
        """The value.

        Raises:
            ValueError: there is none, or two.
        """
        if (self.value is msgspec.UNSET) == (self.base64 is None):
            raise ValueError("it has neither a value nor base64, or both")
        return self.value if self.base64 is None else b64decode(self.base64, validate=True)


def export(channel: ChannelName, prefix: Prefix = "", /, *, json: JsonLines = True, which: Which = _HERE) -> None:
    """Print each key with its value as a JSON object a line, all that was written before it began; no locks.

    It shows everything exactly, tokens too: mind where it goes.
    """
    del json  # it prints nothing else
    print_json(
        row_of(entry) for entry in anyio.run(entries, which, channel, prefix, True, True) if not _is_lock(entry.key)
    )


def import_(
    channel: ChannelName,
    file: Annotated[Path | None, Parameter(help='Of lines as export prints them; "-" or none: standard input.')] = None,
    /,
    *,
    create: Annotated[bool, Parameter(negative=(), help="Leave keys alone that are there.")] = False,
    json: JsonLines = False,
    which: Which = _HERE,
) -> None:
    """Put what `slackmq kv export` printed, whatever stands there: key, value and when it runs out.

    Nothing is written if one line is wrong. What ran out meanwhile is left out, and so are locks.
    """
    data = sys.stdin.buffer.read() if file is None or str(file) == "-" else _content(file)
    counts = anyio.run(_import, which, channel, lines(data), create)
    if json:
        print_json([counts])
    else:
        sys.stdout.write(" · ".join(f"{name} {number}" for name, number in counts.items()) + "\n")


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from error


def lines(data: bytes) -> list[Line]:
    """The lines of an export, each of them tried out.

    Raises:
        ConfigurationError: one of them is none.
        KeyRejected: a key cannot be one.
        ValueRejected: a value cannot be stored.
    """
    found: list[Line] = []
    for number, text in enumerate(data.splitlines(), 1):
        if not text.strip():
            continue
        try:
            line = msgspec.json.decode(text, type=Line)
            check_key(line.key)
            written(encode(line.content))
        except (msgspec.MsgspecError, ValueError, NotBase64, StoreError) as error:
            raise ConfigurationError(
                f"Line {number} is nothing to import: {error}",
                remedy="Nothing was written. Give it lines of an export.",
            ) from error
        found.append(line)
    return found


async def _import(which: Which, channel: str, given: Sequence[Line], create: bool) -> dict[str, int]:  # noqa: FBT001  # as get
    counts = {"put": 0, "there": 0, "expired": 0, "locks": 0}
    async with which.opened(channel) as store:
        time = _Time(store)
        for line in given:
            time.left(line)
        for start in range(0, len(given), _AT_ONCE):
            async with anyio.create_task_group() as tasks:
                for line in given[start : start + _AT_ONCE]:
                    tasks.start_soon(_put, store, line, create, counts, time)
    return counts


class _Time:
    """Slack's clock, as the store knows it: this machine's may be off by a day."""

    def __init__(self, store: AsyncStore) -> None:
        status = store.status()
        self._clock = store.clock
        self._began = status.settled + status.skew - timedelta(seconds=self._clock.monotonic())

    def left(self, line: Line) -> timedelta | None:
        """How long a key lasts still; None: for ever.

        Raises:
            ConfigurationError: longer than a key can.
        """
        if line.expires is None:
            return None
        left = line.expires.astimezone(UTC) - self._began - timedelta(seconds=self._clock.monotonic())
        if left > timedelta(microseconds=TTL_LIMIT):
            raise ConfigurationError(
                f"{line.key!r} would run out in more than a century.",
                remedy="Nothing was written. Let it last for ever.",
            )
        return left


async def _put(
    store: AsyncStore,
    line: Line,
    create: bool,  # noqa: FBT001  # as get
    counts: dict[str, int],
    time: _Time,
) -> None:
    if _is_lock(line.key):
        counts["locks"] += 1
        return
    ttl = time.left(line)
    if ttl is not None and ttl <= timedelta(0):
        counts["expired"] += 1
        return
    try:
        await (store.create if create else store.put)(line.key, line.content, ttl=ttl)
    except KeyExists:
        counts["there"] += 1
    else:
        counts["put"] += 1


def _is_lock(key: str) -> bool:
    """Whether a key stands for a lock, which belongs to a process and says nothing to another store."""
    return key.startswith(_LOCKS)
