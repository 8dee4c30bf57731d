"""Channels that programs use as a key-value store, as tables: what their records come to, read as anybody could.

A record is a message with metadata of the type "slackmq_kv" whose `body` is JSON: writer, when it was sent, what the
writer knew of the log, and groups of operations, [number, [[verb, key, revision, form, value, ttl], …]]. A revision
is the ts of a record in microseconds, times a thousand, plus the place of the group. -1 stands for any revision, 0 for
none. Where the first records are not shown, or stand in another channel, the oldest snapshot is what they came to:
JSON, compressed, as base85 in the replies of a thread. Nothing of the library that writes them is imported here: this
is a second reading of the same messages.
"""

from __future__ import annotations

import json
import zlib
from base64 import b85decode
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from slackmq.emulator.page.loose import row_in, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slackmq.emulator.page.view import Directory
    from slackmq.emulator.server import Done, Server

    Ask = Callable[[str, Mapping[str, object]], Mapping[str, Any]]

__all__ = ["TABLES", "Line", "Stores", "Table"]

TABLES = frozenset({"state", "beside"})
"""Panels that show a store: one that a person opened, and one that stands there where there is room for it."""

_RECORD = "slackmq_kv"
_SNAPSHOT, _PART = "slackmq_kv_snapshot", "slackmq_kv_part"
_LARGEST = 16 * 1024 * 1024
"""Bytes of a snapshot that the page takes in."""
_WINDOW = 600 * 1_000_000
"""Microseconds: a record that stands there later than this after it was sent counts for nothing."""
_GROUPS = 1000
_ANY = -1
_FIRST = 200
"""The newest messages of a channel by which it is told whether it is a store, before anything is posted there."""
_LETTERS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A key as the page shows it; `until` is "" if it does not run out."""

    key: str
    value: str
    by: str
    at: str
    full: str
    until: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A store as the page shows it.

    Attributes:
        lines: its keys, in alphabetical order.
        records: how many records count.
        hidden: how many are encrypted, so that nobody can tell here what they do.
        strange: how many look like records and cannot be read.
    """

    lines: tuple[Line, ...]
    records: int
    hidden: int
    strange: int


@dataclass(slots=True, kw_only=True)
class _Key:
    value: str
    revision: int
    first: int
    author: str
    expires: int


@dataclass(slots=True, kw_only=True)
class _Replica:
    """What the records of one channel come to, as far as they were read."""

    upto: str = "0"
    since: int = 0
    keys: dict[str, _Key] = field(default_factory=dict[str, _Key])
    seen: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    counts: Counter[str] = field(default_factory=Counter[str])

    def begin(self, snapshot: tuple[int, list[Any]]) -> None:
        """Begin with what a snapshot holds: up to which moment it goes, and the keys."""
        self.since, heads = snapshot
        for name, (value, revision, first, author, expires) in heads:
            form, data = value["form"], value["data"]
            shown = _shown(form, data if form == "b" else json.loads(data))
            self.keys[name] = _Key(value=shown, revision=revision, first=first, author=author, expires=expires)

    def take(self, row: Mapping[str, Any]) -> None:
        """Take in the next message of the channel."""
        self.upto = words(row.get("ts")) or self.upto
        metadata = row_in(row.get("metadata"))
        if metadata.get("event_type") != _RECORD or row.get("thread_ts", self.upto) != self.upto:
            return
        if _micros(self.upto) <= self.since:
            return
        payload = row_in(metadata.get("event_payload"))
        if payload.get("hidden") is True:
            self.counts["hidden"] += 1
            return
        try:
            self._replay(json.loads(words(payload.get("body"))), words(row.get("user")))
        except (TypeError, ValueError, LookupError):
            self.counts["strange"] += 1
        else:
            self.counts["records"] += 1

    def _replay(self, body: Any, author: str) -> None:
        writer, born, _, groups = body
        at = _micros(self.upto)
        self.forget(at)
        for place, (number, operations) in enumerate(groups):
            if (writer, number) in self.seen or abs(at - born) > _WINDOW:
                continue
            self.seen.add((writer, number))
            if all(self._fits(operation) for operation in operations):
                for operation in operations:
                    self._carry_out(operation, at * _GROUPS + place, author)

    def _fits(self, operation: list[Any]) -> bool:
        verb, name, revision = operation[:3]
        key = self.keys.get(name)
        stands = 0 if key is None else key.first if verb == "h" else key.revision
        return revision in {_ANY, stands}

    def _carry_out(self, operation: list[Any], revision: int, author: str) -> None:
        verb, name = operation[:2]
        if verb in {"d", "p"}:
            self.keys.pop(name, None)
        elif verb == "w":
            form, value, ttl = operation[3:6]
            old = self.keys.get(name)
            self.keys[name] = _Key(
                value=_shown(form, value),
                revision=revision,
                first=old.first if old else revision,
                author=author,
                expires=revision // _GROUPS + ttl if ttl else 0,
            )

    def forget(self, now: int) -> None:
        """Let go of what ran out before a moment."""
        for name in [name for name, key in self.keys.items() if 0 < key.expires < now]:
            del self.keys[name]


class Stores:
    """Knows which channels are stores, and keeps up with each that somebody looks at.

    Args:
        server: whose writes are watched.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stores: dict[str, bool] = {}
        self._replicas: dict[str, _Replica] = {}
        server.listen(self._heard)

    def _heard(self, done: Done) -> None:
        for event in done.outcome.events:
            inner = event.inner
            if inner["type"] != "message":
                continue
            if inner.get("subtype") in {"message_deleted", "message_changed"}:
                self._replicas.pop(inner["channel"], None)  # read it again: what stands there now is what counts
            elif _kind(inner) == _RECORD:
                self._stores[inner["channel"]] = True
            elif _kind(inner) == _SNAPSHOT:
                self._stores[inner["channel"]] = True
                self._replicas.pop(inner["channel"], None)  # the first one may be where it all begins

    def holds(self, ask: Ask, channel: str) -> bool:
        """Whether a channel is a store."""
        if channel not in self._stores:
            args = {"channel": channel, "limit": _FIRST, "include_all_metadata": True}
            rows = ask("conversations.history", args).get("messages", [])
            self._stores[channel] = any(_kind(row) in {_RECORD, _SNAPSHOT} for row in rows)
        return self._stores[channel]

    def table(
        self,
        ask: Ask,
        channel: str,
        directory: Directory,
    ) -> Table | None:
        """A channel as a table, None if it is no store.

        Args:
            ask: calls a method of the Web API as the person who looks.
            channel: id of the channel.
            directory: what ids stand for.
        """
        if not self.holds(ask, channel):
            return None
        replica = self._replicas.setdefault(channel, _Replica())
        rows = _news(ask, channel, replica.upto)
        if replica.upto == "0" and not _whole(rows):
            replica.begin(_oldest_snapshot(ask, channel, rows))
        for row in rows:
            replica.take(row)
        replica.forget(self._server.now())
        lines = tuple(_line(name, replica.keys[name], directory) for name in sorted(replica.keys))
        counts = replica.counts
        return Table(lines=lines, records=counts["records"], hidden=counts["hidden"], strange=counts["strange"])


def _news(ask: Ask, channel: str, after: str) -> list[Mapping[str, Any]]:
    """The messages after a ts, oldest first."""
    found: list[Mapping[str, Any]] = []
    cursor = ""
    while True:
        args: dict[str, object] = {"channel": channel, "limit": _FIRST, "include_all_metadata": True, "oldest": after}
        reply = ask("conversations.history", {**args, "cursor": cursor} if cursor else args)
        found += reply.get("messages", [])
        cursor = row_in(reply.get("response_metadata")).get("next_cursor", "")
        if not cursor:
            return sorted(found, key=lambda row: str(row["ts"]))


def _kind(row: Mapping[str, Any]) -> str:
    return words(row_in(row.get("metadata")).get("event_type"))


def _micros(ts: str) -> int:
    return round(float(ts) * 1_000_000)


def _body(row: Mapping[str, Any]) -> Any:
    """What a record or a manifest says; None if nobody can tell."""
    try:
        return json.loads(words(row_in(row_in(row.get("metadata")).get("event_payload")).get("body")))
    except ValueError:
        return None


def _whole(rows: list[Mapping[str, Any]]) -> bool:
    """Whether the first record that is shown is the first one: whoever wrote it knew none."""
    body = next((_body(row) for row in rows if _kind(row) == _RECORD), None)
    try:
        return body is not None and body[2][1] == 0
    except (TypeError, LookupError):
        return True


def _oldest_snapshot(ask: Ask, channel: str, rows: list[Mapping[str, Any]]) -> tuple[int, list[Any]]:
    """Up to which moment the oldest snapshot goes that can be read, and its keys; (0, []) if there is none."""
    for row in rows:
        if _kind(row) != _SNAPSHOT:
            continue
        try:
            about = _body(row)
            args = {"channel": channel, "ts": about["thread"], "limit": _FIRST, "include_all_metadata": True}
            found = [each for each in ask("conversations.replies", args).get("messages", []) if _kind(each) == _PART]
            parts = [row_in(row_in(each.get("metadata")).get("event_payload")) for each in found]
            text = "".join(part["part"] for part in sorted(parts, key=lambda part: int(part["number"])))
            now, _, canon = json.loads(zlib.decompressobj().decompress(b85decode(text), _LARGEST))
            return now, canon[3]
        except (TypeError, ValueError, LookupError, zlib.error):
            continue  # encrypted, or not all there
    return 0, []


def _shown(form: object, value: object) -> str:
    """A value as one reads it."""
    if form == "b":
        return f"{len(str(value)) * 3 // 4 - str(value).count('=')} bytes"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LETTERS else f"{text[:_LETTERS]}…"


def _line(name: str, key: _Key, directory: Directory) -> Line:
    at = _moment(key.revision // _GROUPS)
    return Line(
        key=name,
        value=key.value,
        by=directory.people.get(key.author, key.author),
        at=f"{at:%H:%M:%S}",
        full=f"{at:%A, %d %B %Y, %H:%M:%S} (revision {key.revision})",
        until=f"{_moment(key.expires):%H:%M:%S}" if key.expires else "",
        revision=key.revision,
    )


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, tz=UTC).astimezone()
