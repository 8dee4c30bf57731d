"""`slackmq dlq ls CHANNEL`: the dead letters that stand there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import anyio
import msgspec
from cyclopts import Parameter

from slackmq.cli.dlq.box import BoxName, Days, JsonLines, opened, row_of  # noqa: TC001  # cyclopts reads annotations
from slackmq.cli.ls import printable
from slackmq.cli.where import Where

if TYPE_CHECKING:
    from slackmq.dead import DeadLetter

__all__ = ["ls"]

_HERE = Where()


def ls(
    channel: BoxName,
    /,
    *,
    all_: Annotated[bool, Parameter(name="--all", negative=(), help="Also what was posted again.")] = False,
    days: Days = 7.0,
    json: JsonLines = False,
    where: Where = _HERE,
) -> None:
    """List the dead letters in a channel, oldest first, a line each."""
    rows = [row_of(letter) for letter in anyio.run(_letters, where, channel, days) if all_ or not letter.redriven]
    if json:
        sys.stdout.writelines(msgspec.json.encode(row).decode() + "\n" for row in rows)
    else:
        sys.stdout.writelines("\t".join(printable(str(cell)) for cell in row.values()) + "\n" for row in rows)


async def _letters(where: Where, channel: str, days: float) -> tuple[DeadLetter, ...]:
    async with opened(where, channel) as box:
        return await box.since(days)
