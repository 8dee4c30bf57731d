"""`slackmq ls CHANNEL`: what is there, and how it stands."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import anyio
import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from slackmq.cli.where import Where
from slackmq.operating.figures import concerns
from slackmq.operating.look import looking
from slackmq.slack.connect import open_slack

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from slackmq.operating.look import Look
    from slackmq.queue import Standing

__all__ = ["age", "inspected", "ls", "printable", "shown", "standing"]

_HERE = Where()
_ENDED = {"done", "dead", "cancelled", "duplicate", "gone"}
_LONGEST = 80


def ls(
    channel: Annotated[str, Parameter(help='"#name", name or id.')],
    /,
    *,
    all_: Annotated[
        bool, Parameter(name="--all", negative=(), help="Also what is done, a duplicate, or deleted.")
    ] = False,
    json: Annotated[bool, Parameter(negative=(), help="Print one JSON object a line.")] = False,
    where: Where = _HERE,
) -> None:
    """List the jobs that wait or are held, and those of the last 24 hours that are dead.

    What people typed is listed once a worker has taken it: before that nobody knows whether it is a job.
    """
    look, standings = anyio.run(inspected, where, channel)
    setting = look.setting
    rows = [row for row in standings if shown(row, ended=all_)]
    if setting is not None:
        sys.stderr.write(f"claims by {setting.way} ({printable(setting.why)})\n")
    if look.pause is not None:
        sys.stderr.write(f"paused by {printable(look.pause.by)}\n")
    if json:
        sys.stdout.writelines(msgspec.json.encode(_row(row)).decode() + "\n" for row in rows)
    elif sys.stdout.isatty():
        Console().print(_table(rows))
    else:
        sys.stdout.writelines("\t".join(_cells(row)) + "\n" for row in rows)


async def inspected(where: Where, channel: str) -> tuple[Look, tuple[Standing, ...]]:
    """How a channel is set, and how each of its messages stands."""
    async with open_slack(await where.settings()) as slack, looking(slack, channel) as look:
        return look, await look.queue.inspect(past=True)


def shown(row: Standing, *, ended: bool) -> bool:
    """Whether a message belongs into the list."""
    return concerns(row) and (ended or row.state not in _ENDED - {"dead"})


def _row(row: Standing) -> dict[str, object]:
    return {
        "ts": row.message.ts,
        "state": row.state,
        "age": round(row.age.total_seconds()),
        "generation": row.generation,
        "kind": row.message.kind or "",
        "on": printable(row.message.on),
        "by": printable(" ".join(row.by)),
        "text": printable(row.message.text),
        "jobs": row.message.size,
        "after": row.after,
    }


def _cells(row: Standing) -> list[str]:
    """The same for tools that read lines: what it waits for is the last column, with blanks between."""
    return [*map(str, list(_row(row).values())[:-1]), " ".join(row.after)]


def standing(row: Standing) -> str:
    """How a message stands, for people, and for how many others it waits."""
    return f"{row.state} for {len(row.after)}" if row.after and row.state == "waiting" else row.state


def _table(rows: Iterable[Standing]) -> Table:
    table = Table("ts", "state", "age", "claims", "for", "by", "job", box=None, header_style="bold")
    for row in rows:
        whom, by, state = printable(row.message.on), printable(" ".join(row.by)), standing(row)
        cells = (row.message.ts, state, age(row.age), str(row.generation), whom, by, printable(row.message.text))
        table.add_row(*map(Text, cells))
    return table


def printable(text: str, longest: int = _LONGEST) -> str:
    """A text from the channel on one line, cut if it is long, and without anything a terminal would obey."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def age(span: timedelta) -> str:
    """A span as a person says it: 12 s, 3 min, 5 h."""
    length = span.total_seconds()
    if length < 2 * 60:
        return f"{length:.0f} s"
    return f"{length / 60:.0f} min" if length < 2 * 3600 else f"{length / 3600:.0f} h"
