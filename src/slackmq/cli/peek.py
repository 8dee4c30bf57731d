"""`slackmq peek CHANNEL`: the jobs that are next, left where they are."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import anyio
import msgspec
from cyclopts import Parameter, validators
from rich.console import Console
from rich.table import Table
from rich.text import Text

from slackmq.cli.ls import age, inspected, printable
from slackmq.cli.where import Where
from slackmq.operating.turns import turns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slackmq.queue import Standing

__all__ = ["peek"]

_HERE = Where()


def peek(
    channel: Annotated[str, Parameter(help='"#name", name or id.')],
    /,
    *,
    count: Annotated[
        int, Parameter(name=["--count", "-n"], validator=validators.Number(gte=1), help="So many at most.")
    ] = 10,
    json: Annotated[bool, Parameter(negative=(), help="Print one JSON object a line, with the arguments.")] = False,
    where: Where = _HERE,
) -> None:
    """Show the next jobs in their order, and claim none: by priority, then by age; what is not due yet comes last."""
    _, standings = anyio.run(inspected, where, channel)
    rows = turns(standings)[:count]
    if json:
        sys.stdout.writelines(msgspec.json.encode(_row(row)).decode() + "\n" for row in rows)
    elif sys.stdout.isatty():
        Console().print(_table(rows))
    else:
        sys.stdout.writelines("\t".join(_cells(row)) + "\n" for row in rows)


def _row(row: Standing) -> dict[str, object]:
    return {
        "ts": row.message.ts,
        "kind": row.message.kind or "",
        "key": row.message.key,
        "priority": row.message.priority,
        "age": round(row.age.total_seconds()),
        "due_in": round(row.due.total_seconds()),
        "after": row.after,
        "jobs": row.message.size,
        "body": row.message.body,
        "file": row.message.file,
    }


def _table(rows: Iterable[Standing]) -> Table:
    table = Table("ts", "age", "priority", "due", "job", box=None, header_style="bold")
    for row in rows:
        table.add_row(*map(Text, _cells(row)))
    return table


def _cells(row: Standing) -> tuple[str, ...]:
    due = f"in {age(row.due)}" if row.due else "now"
    due = f"after {' '.join(row.after)}" if row.after else due
    return row.message.ts, age(row.age), str(row.message.priority), due, printable(row.message.text)
