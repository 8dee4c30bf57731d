"""Cache: the state of a store in a file of this machine (SQLite), so that a restart reads only what came later."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from slackmq.kv.errors import CacheUnusable, SnapshotDamaged
from slackmq.kv.log import Head, State
from slackmq.kv.snapshot import Manifest  # noqa: TC001  # msgspec reads annotations

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from slackmq.kv.seal import Seal

__all__ = ["Cache", "Since"]

_OURS = 0x534D514B
"""The application id in the file's head: "SMQK"."""
VERSION = 1
_WHOLE = 1 << 256

_TABLES = """
CREATE TABLE heads (id TEXT PRIMARY KEY, body BLOB NOT NULL, tag TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE about (owner TEXT NOT NULL, rest BLOB NOT NULL, total TEXT NOT NULL, tag TEXT NOT NULL);
"""


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """What tells when a snapshot is due, and does not follow from the state.

    Attributes:
        oldest: ts of the oldest record that was seen, in microseconds.
        archived: the newest snapshot that was seen, if any.
    """

    oldest: int
    archived: Manifest | None = None


class Cache:
    """A file that one process at a time has. All methods block.

    Each key has a row of its own, so that only what changed is written; the sum of all rows' tags shows whether they
    are all there, and of one time. Of an encrypted store everything in it is encrypted.

    Args:
        path: of the file; it is made if there is none.
        owner: whose it is: the workspace and the channel.
        seal: signs rows, and hides them if it hides.
        former: the owners that it may have had before: the file is emptied, and taken over.

    Raises:
        CacheUnusable: it is no file of this library, of a newer version, of another store, or another process has it.
    """

    def __init__(self, path: Path, owner: str, seal: Seal, *, former: Iterable[tuple[str, Seal]] = ()) -> None:
        self._seal = seal
        self._owner = _named(owner, seal)
        self._former = frozenset(_named(*each) for each in former)
        try:
            path.touch(mode=0o600)
            self._base = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise CacheUnusable(f"The cache {path} cannot be opened: {error}") from error
        try:
            self._take(path)
        except BaseException:
            self._base.close()
            raise

    def _take(self, path: Path) -> None:
        """Have the file for oneself, and see to it that it is one of ours."""
        try:
            self._base.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._base.execute("BEGIN EXCLUSIVE")
            ours, version, tables = (
                self._base.execute(question).fetchone()[0]
                for question in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
            )
            if not tables:
                self._found()
            elif ours != _OURS:
                raise CacheUnusable(f"{path} is no cache of a store.", remedy="Name another file.")
            elif version != VERSION:
                raise CacheUnusable(
                    f"The cache {path} is of version {version}, and here {VERSION} is read.",
                    remedy="Upgrade slackmq, or name another file.",
                )
            elif (owner := self._about()[0]) in self._former:
                self._base.execute("DELETE FROM heads")
                self._base.execute("DELETE FROM about")
            elif owner not in {"", self._owner}:
                raise CacheUnusable(
                    f"The cache {path} is of another store, or was written with another key ({owner}).",
                    remedy="Name another file, or delete this one: nothing is lost.",
                )
            self._base.execute("COMMIT")
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = NORMAL")  # what a power cut takes away the channel still has
        except sqlite3.Error as error:
            locked = "locked" in str(error)
            raise CacheUnusable(
                f"The cache {path} cannot be used: {error}.",
                remedy="Each process needs a file of its own." if locked else "Delete it: nothing is lost.",
            ) from error

    def _found(self) -> None:
        for statement in filter(str.strip, _TABLES.split(";")):
            self._base.execute(statement)
        self._base.execute(f"PRAGMA application_id = {_OURS:d}")
        self._base.execute(f"PRAGMA user_version = {VERSION:d}")

    def load(self) -> tuple[State, Since] | None:
        """What was saved; None if nothing was.

        Raises:
            CacheUnusable: the file is damaged; whatever is saved next makes it anew.
        """
        try:
            owner, rest, total, tag = self._about()
            if not owner:
                return None
            if tag != self._signed(rest, total):
                raise CacheUnusable("The cache is damaged: its head does not fit.")
            with closing(self._base.execute("SELECT id, body FROM heads")) as rows:
                heads, found = self._heads(rows)
            if f"{found:x}" != total:
                raise CacheUnusable("The cache is damaged: rows are missing, or were changed.")
            since, state = msgspec.json.decode(self._shown(rest), type=tuple[Since, msgspec.Raw])
            return State.load(bytes(state), heads=heads), since
        except (sqlite3.Error, ValueError, SnapshotDamaged, msgspec.MsgspecError) as error:
            raise CacheUnusable(f"The cache is damaged: {error}") from error

    def save(self, state: tuple[bytes, Iterable[tuple[str, Head | None]]], since: Since, *, anew: bool) -> None:
        """Write down a state.

        Args:
            state: what it is beside its keys, and the keys that changed; None: gone.
            since: when a snapshot is due.
            anew: whether these are all there are.

        Raises:
            CacheUnusable: the disk is full, or the file was taken away.
        """
        rest, changed = state
        try:
            self._base.execute("BEGIN IMMEDIATE")
            total = 0 if anew else int(self._about()[2] or "0", 16)
            if anew:
                self._base.execute("DELETE FROM heads")
            for key, head in changed:
                total += self._put(key, head)
            self._base.execute("DELETE FROM about")
            told, shown = f"{total % _WHOLE:x}", self._hidden(msgspec.json.encode((since, msgspec.Raw(rest))))
            about = (self._owner, shown, told, self._signed(shown, told))
            self._base.execute("INSERT INTO about VALUES (?, ?, ?, ?)", about)
            self._base.execute("COMMIT")
        except sqlite3.Error as error:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            raise CacheUnusable(f"The cache cannot be written: {error}") from error

    def close(self) -> None:
        """Let others have the file."""
        self._base.close()

    def _put(self, key: str, head: Head | None) -> int:
        """Write down one key; returns by how much the sum of all tags rises."""
        ident, rise = self._seal.sign(f"cache key\n{key}")[:32], 0
        former = self._base.execute("SELECT tag FROM heads WHERE id = ?", (ident,)).fetchone()
        if former is not None:
            rise -= int(former[0], 16)
        if head is None:
            self._base.execute("DELETE FROM heads WHERE id = ?", (ident,))
            return rise
        body = self._hidden(msgspec.json.encode((key, head)))
        tag = self._signed(body, ident)
        self._base.execute("INSERT OR REPLACE INTO heads VALUES (?, ?, ?)", (ident, body, tag))
        return rise + int(tag, 16)

    def _heads(self, rows: Iterable[tuple[str, bytes]]) -> tuple[dict[str, Head], int]:
        heads: dict[str, Head] = {}
        total = 0
        for ident, body in rows:
            total += int(self._signed(body, ident), 16)
            key, head = msgspec.json.decode(self._shown(body), type=tuple[str, Head])
            heads[key] = head
        return heads, total % _WHOLE

    def _about(self) -> tuple[str, bytes, str, str]:
        found = self._base.execute("SELECT owner, rest, total, tag FROM about").fetchone()
        return found or ("", b"", "", "")

    def _signed(self, data: bytes, about: str) -> str:
        return self._seal.sign(f"cache\n{self._owner}\n{about}\n{data.hex()}")

    def _hidden(self, data: bytes) -> bytes:
        return self._seal.hide(data, "cache") if self._seal.hides else data

    def _shown(self, data: bytes) -> bytes:
        return self._seal.reveal(data, "cache") if self._seal.hides else data


def _named(owner: str, seal: Seal) -> str:
    return f"{owner} {seal.id} {seal.hides:d}"
