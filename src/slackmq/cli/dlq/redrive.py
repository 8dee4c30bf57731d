"""`slackmq dlq redrive CHANNEL [TS…]`: post dead jobs again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import anyio
import msgspec
from cyclopts import Parameter

from slackmq.cli.dlq.box import BoxName, Days, JsonLines, opened  # noqa: TC001  # cyclopts reads annotations
from slackmq.cli.where import Where
from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from slackmq.dead import DeadLetter
    from slackmq.message import Message

__all__ = ["redrive"]

_HERE = Where()


def redrive(
    channel: BoxName,
    /,
    *stamps: Annotated[str, Parameter(name="TS", help="Timestamps of letters, as `slackmq dlq ls` shows them.")],
    all_: Annotated[
        bool, Parameter(name="--all", negative=(), help="All that programs posted and nobody has posted again.")
    ] = False,
    days: Days = 7.0,
    json: JsonLines = False,
    where: Where = _HERE,
) -> None:
    """Post dead jobs again where they were, with a fresh count of attempts. Doing it twice makes one job."""
    if all_ == bool(stamps):
        raise ConfigurationError("Which letters are meant?", remedy="Name their timestamps, or say --all.")
    for letter, message in anyio.run(_redrive, where, channel, stamps, days):
        if json:
            row = {"ts": letter.ts, "job": f"{message.channel}/{message.ts}", "key": message.origin}
            sys.stdout.write(msgspec.json.encode(row).decode() + "\n")
        else:
            sys.stdout.write(f"{letter.ts} posted again as {message.ts} in {message.channel}\n")


async def _redrive(
    where: Where, channel: str, stamps: tuple[str, ...], days: float
) -> list[tuple[DeadLetter, Message]]:
    async with opened(where, channel) as box:
        if stamps:
            chosen = [await box.letters.at(ts) for ts in stamps]
        else:
            chosen = [letter for letter in await box.since(days) if letter.job.kind and not letter.redriven]
        return [(letter, await box.redrive.again(letter.job, shared=letter.shared, letter=letter)) for letter in chosen]
