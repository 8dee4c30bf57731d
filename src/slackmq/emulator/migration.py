"""Data files of older layouts, brought to the layout of today in one transaction: all of it happens, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

__all__ = ["LAYOUT", "SCHEMA", "migrate"]

SCHEMA = 2
"""Version of the layout, the file's `user_version`. Whoever changes the layout raises it, adds a step below, and
leaves a file of the layout before in tests/data."""

LAYOUT = (
    """
    CREATE TABLE callers (
        number INTEGER PRIMARY KEY,
        caller TEXT NOT NULL UNIQUE
    ) STRICT
    """,
    """
    CREATE TABLE calls (
        number INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        caller INTEGER NOT NULL REFERENCES callers (number),
        method TEXT NOT NULL,
        args TEXT NOT NULL
    ) STRICT
    """,
)
"""The tables of an empty file. A caller with all its scopes is longer than most calls, so each is written once."""


def migrate(rows: sqlite3.Connection, version: int) -> None:
    """Bring an open file from the layout of `version` to that of today; a kill in between leaves it as it was.

    Raises:
        sqlite3.Error: it cannot be done; the file is as it was.
    """
    rows.execute("BEGIN IMMEDIATE")
    try:
        for step in range(version, SCHEMA):
            _STEPS[step](rows)
        rows.execute(f"PRAGMA user_version = {SCHEMA}")
        rows.execute("COMMIT")
    except BaseException:
        if rows.in_transaction:
            rows.execute("ROLLBACK")
        raise


def _callers_once(rows: sqlite3.Connection) -> None:
    """1 to 2: a caller stood in every call."""
    rows.execute("ALTER TABLE calls RENAME TO calls_before")
    for table in LAYOUT:
        rows.execute(table)
    rows.execute("INSERT INTO callers (caller) SELECT caller FROM calls_before GROUP BY caller ORDER BY min(number)")
    rows.execute(
        "INSERT INTO calls SELECT old.number, old.at, callers.number, old.method, old.args "
        "FROM calls_before AS old JOIN callers ON callers.caller = old.caller ORDER BY old.number"
    )
    rows.execute("DROP TABLE calls_before")


_STEPS: Mapping[int, Callable[[sqlite3.Connection], None]] = {1: _callers_once}
"""From a version to the next one."""
