"""Entries and changes as lines: JSON that holds them exactly, and text that a person may look at."""

from __future__ import annotations

import sys
from base64 import b64encode
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from slackmq.cli.ls import printable
from slackmq.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from slackmq.kv.entry import Change, Entry
    from slackmq.message import Json

__all__ = ["cells", "print_json", "print_rows", "print_value", "row_of", "row_of_change"]

_TIME = "%Y-%m-%d %H:%M:%S"


def row_of(entry: Entry) -> dict[str, object]:
    """An entry as a JSON object; bytes stand in it as `base64`, anything else as `value`, or where it is as `file`."""
    value = entry.value
    shown: dict[str, object] = {"value": value}
    if isinstance(value, bytes):
        shown = {"base64": b64encode(value).decode()}
    elif value is None and entry.file is not None:
        shown = {"file": {"id": entry.file.id, "size": entry.file.size}}
    return {
        "key": entry.key,
        **shown,
        "revision": entry.revision,
        "first": entry.first,
        "created": entry.created,
        "modified": entry.modified,
        "author": entry.author,
        "expires": entry.expires,
    }


def row_of_change(change: Change) -> dict[str, object]:
    """A change as a JSON object; one that leaves no entry has a key, a kind and a revision."""
    if change.entry is None:
        return {"kind": change.kind.value, "key": change.key, "revision": change.revision}
    return {"kind": change.kind.value, **row_of(change.entry)}


def print_json(rows: Iterable[Mapping[str, object]]) -> None:
    """One line each, handed on at once."""
    for row in rows:
        sys.stdout.write(msgspec.json.encode(row).decode() + "\n")
    sys.stdout.flush()


def print_rows(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table in a terminal, fields with tabs between them elsewhere."""
    if not sys.stdout.isatty():
        sys.stdout.writelines("\t".join(row) + "\n" for row in rows)
        sys.stdout.flush()
        return
    table = Table(*header, box=None, header_style="bold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def cells(entry: Entry) -> tuple[str, ...]:
    """Key, value, revision, when it was changed, by whom, and when it runs out: for people, so without tokens."""
    expires = entry.expires.strftime(_TIME) if entry.expires else ""
    there = entry.value is None and entry.file is not None
    value = f"({entry.file.size:,} bytes)" if there and entry.file else printable(redacted(_text(entry.value)))
    return printable(entry.key), value, str(entry.revision), entry.modified.strftime(_TIME), entry.author, expires


def print_value(value: Json | bytes) -> None:
    """A value exactly: bytes as they are, text and JSON on a line. A terminal gets nothing that it would obey."""
    if not sys.stdout.isatty():
        data = value if isinstance(value, bytes) else f"{_text(value)}\n".encode()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    lines = _text(value).split("\n")
    sys.stdout.write("\n".join(printable(line, len(line) + 1) for line in lines) + "\n")


def _text(value: Json | bytes) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
