"""The workspace's memory on disk: every call that may change it, written down before it is applied, in SQLite.

Replaying the calls rebuilds the workspace; the first row is the seed. What `append` wrote survives the death of
the process (a WAL file); after a power cut the last calls may be missing, whole calls only.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from slackmq.emulator.migration import LAYOUT, SCHEMA, migrate
from slackmq.emulator.model import Caller
from slackmq.emulator.seed import Seed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

__all__ = ["Entry", "Journal", "JournalError", "JournalFull", "JournalUnreadable", "Told"]

_MAGIC = 0x534C4B4D  # "SLKM", SQLite's application_id of our files
_SEED = "emulator.seed"


class JournalError(Exception):
    """The data file cannot be used. `cause` says why, `remedy` what to do."""

    def __init__(self, cause: str, *, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause = cause
        self.remedy = remedy


class JournalFull(JournalError):
    """A call could not be written down: it must not be applied. Nothing of it is in the file."""


class JournalUnreadable(JournalError):
    """The file is no journal, is damaged, or is of a newer version."""


Told: TypeAlias = "tuple[int, Caller, str, Mapping[str, object]]"
"""A call as `Workspace.apply` takes it: moment, caller, method, arguments."""

_PATIENCE = 0.5
"""Seconds to wait for a process that is just closing the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A call as it was written down.

    Attributes:
        number: 1 for the first call, and rising.
        at: the moment it takes effect, in microseconds since 1970.
    """

    number: int
    at: int
    caller: Caller
    method: str
    args: Mapping[str, object]


class Journal:
    """One data file. Any thread may use it, one at a time; one process may have it open.

    Attributes:
        seed: the workspace's beginning: of the file if it has one, else the given one, which is then written.
    """

    def __init__(self, path: Path | None, *, seed: Seed | None = None) -> None:
        """Open the file, or make it; None keeps the journal in memory.

        Raises:
            JournalUnreadable: the file is no journal, is damaged, or is of a newer version.
            JournalFull: there is no room for a new one.
        """
        self._name = "the journal in memory" if path is None else str(path)
        self._rows: sqlite3.Connection | None = None
        self._next = 1
        self._callers: dict[Caller, int] = {}
        try:
            self._rows = sqlite3.connect(
                ":memory:" if path is None else path, isolation_level=None, check_same_thread=False, timeout=_PATIENCE
            )
            self.seed = self._open(Seed() if seed is None else seed)
        except sqlite3.Error as error:
            self.close()
            raise self._explained(error) from error
        except BaseException:
            self.close()
            raise

    def append(self, now: int, caller: Caller, method: str, args: Mapping[str, object]) -> None:
        """Write a call down; when this returns it survives the death of the process. A token among `args` is left out.

        Raises:
            JournalFull: the disk is full; nothing was written, and the call must not be applied.
        """
        self.append_all([(now, caller, method, args)])

    def append_all(self, calls: Sequence[Told]) -> None:
        """Write calls down, as `append` does one, in this order and in one transaction: all of them, or none.

        Raises:
            JournalFull: the disk is full; nothing was written, and none of the calls must be applied.
        """
        rows, before = self._connection, len(self._callers)
        try:
            rows.execute("BEGIN IMMEDIATE")
            lines = [
                (number, at, self._number_of(caller), method, _written(args))
                for number, (at, caller, method, args) in enumerate(calls, start=self._next)
            ]
            rows.executemany("INSERT INTO calls VALUES (?, ?, ?, ?, ?)", lines)
            rows.execute("COMMIT")
        except BaseException as error:
            for caller in [*self._callers][before:]:
                del self._callers[caller]
            if rows.in_transaction:
                rows.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise self._explained(error) from error
            raise
        self._next += len(lines)

    def replay(self) -> Iterator[Told]:
        """All calls in order, as `append` and `Workspace.apply` take them."""
        for _, at, caller, method, args in self._told(0):
            yield at, caller, method, args

    def record(self, since: int = 0) -> Iterator[Entry]:
        """The calls with a number greater than `since`, in order."""
        for number, at, caller, method, args in self._told(since):
            yield Entry(number=number, at=at, caller=caller, method=method, args=args)

    def latest(self) -> int:
        """The moment of the last call, in microseconds since 1970; 0 if there is none.

        Raises:
            JournalError: the file cannot be read.
        """
        try:
            return int(self._connection.execute("SELECT max(at) FROM calls").fetchone()[0] or 0)
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        if self._rows is not None:
            self._rows.close()
            self._rows = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._rows is None:
            raise JournalError(f"{self._name} is closed.", remedy="Open it again.")
        return self._rows

    def _open(self, seed: Seed) -> Seed:
        rows = self._connection
        magic, version = (rows.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
        empty = rows.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if not empty and magic != _MAGIC:
            raise JournalUnreadable(
                f"{self._name} is a database, but no workspace's journal.", remedy="Name another data file."
            )
        if version > SCHEMA:
            raise JournalUnreadable(
                f"{self._name} was written by a newer version (its layout is {version}, this one reads {SCHEMA}).",
                remedy="Update slackmq, or name another data file.",
            )
        rows.execute("PRAGMA locking_mode = EXCLUSIVE")  # two workspaces in one file would not agree on the order
        rows.execute("PRAGMA journal_mode = WAL")
        rows.execute("PRAGMA synchronous = NORMAL")
        if empty:
            self._create(seed)
        elif version < SCHEMA:
            migrate(rows, version)
        self._callers = {_caller(text): number for number, text in rows.execute("SELECT number, caller FROM callers")}
        self._next = 1 + int(rows.execute("SELECT max(number) FROM calls").fetchone()[0] or 0)
        return self._read_seed()

    def _create(self, seed: Seed) -> None:
        rows = self._connection
        rows.execute("BEGIN IMMEDIATE")
        rows.execute(f"PRAGMA application_id = {_MAGIC}")
        rows.execute(f"PRAGMA user_version = {SCHEMA}")
        for table in LAYOUT:
            rows.execute(table)
        first = json.dumps({"type": "operator"})
        rows.execute("INSERT INTO callers VALUES (1, ?)", (first,))
        seeded = (0, seed.created * 1_000_000, 1, _SEED, json.dumps(seed.as_json()))
        rows.execute("INSERT INTO calls VALUES (?, ?, ?, ?, ?)", seeded)
        rows.execute("COMMIT")

    def _read_seed(self) -> Seed:
        row = self._connection.execute("SELECT args FROM calls WHERE number = 0 AND method = ?", (_SEED,)).fetchone()
        try:
            return Seed.of_json(json.loads(row[0]))
        except (TypeError, ValueError, KeyError) as error:
            raise JournalUnreadable(f"{self._name} has no readable seed.", remedy="Name another data file.") from error

    def _told(self, since: int) -> Iterator[tuple[int, int, Caller, str, Mapping[str, object]]]:
        try:
            rows = self._connection
            callers = {number: _caller(text) for number, text in rows.execute("SELECT number, caller FROM callers")}
            select = "SELECT number, at, caller, method, args FROM calls WHERE number > ? ORDER BY number"
            for number, at, caller, method, args in rows.execute(select, (since,)):
                yield number, at, callers[caller], method, json.loads(args)
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _number_of(self, caller: Caller) -> int:
        """The caller's row, which is written if it is new."""
        number = self._callers.get(caller)
        if number is None:
            new = "INSERT INTO callers (caller) VALUES (?) RETURNING number"
            number = int(self._connection.execute(new, (json.dumps(_of_caller(caller)),)).fetchone()[0])
            self._callers[caller] = number
        return number

    def _explained(self, error: sqlite3.Error) -> JournalError:
        code = getattr(error, "sqlite_errorcode", 0) or 0
        match code & 0xFF:
            case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
                return JournalFull(
                    f"{self._name} cannot grow: {error}.",
                    remedy="Make room on the disk; what was written before is intact, and no call was half applied.",
                )
            case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
                return JournalUnreadable(f"{self._name} is no journal: {error}.", remedy="Name another data file.")
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return JournalError(
                    f"{self._name} is open in another process.",
                    remedy="Give each emulator a data file of its own, or stop the other one.",
                )
            case _:
                return JournalError(
                    f"{self._name} cannot be used: {error}.",
                    remedy="Check that its folder exists, that you may write there, and that nobody else has it open.",
                )


def _written(args: Mapping[str, object]) -> str:
    return json.dumps({name: value for name, value in args.items() if name != "token"})


def _of_caller(caller: Caller) -> dict[str, Any]:
    return {
        "type": caller.type,
        "user": caller.user,
        "app": caller.app,
        "bot": caller.bot,
        "scopes": sorted(caller.scopes),
    }


def _caller(text: str) -> Caller:
    values = cast("dict[str, Any]", json.loads(text))
    values["scopes"] = frozenset(values.get("scopes", ()))
    return Caller(**values)
