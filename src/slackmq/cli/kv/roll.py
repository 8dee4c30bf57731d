"""`slackmq kv roll CHANNEL TO`: move a store to another channel."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import anyio
from cyclopts import Parameter, validators

from slackmq.cli.kv.rows import print_json
from slackmq.cli.kv.which import ChannelName, JsonLines, Which  # noqa: TC001  # cyclopts reads annotations

if TYPE_CHECKING:
    from slackmq.kv.roll import Rolled

__all__ = ["roll"]

_HERE = Which()


def roll(
    channel: ChannelName,
    to: Annotated[str, Parameter(help="The new channel; every bot that uses the store must have been invited there.")],
    /,
    *,
    older: Annotated[
        float | None,
        Parameter(
            validator=validators.Number(gt=0),
            help="Days: only if the oldest message of the store is older than this, for what runs each day.",
        ),
    ] = None,
    json: JsonLines = False,
    which: Which = _HERE,
) -> None:
    """Move a store to another channel without stopping anybody who uses it: `slackmq kv roll "#state" "#state-2"`.

    It takes two minutes and a little. Everybody who has the store open follows, and whoever opens it by its old name
    comes to the new channel. If it is interrupted, do the same again.
    """
    age = None if older is None else timedelta(days=older)
    rolled = anyio.run(_roll, which, channel, to, age)
    if json:
        print_json([] if rolled is None else [_row(rolled)])
    elif rolled is None:
        sys.stdout.write(f"It need not move yet: nothing of it in its channel is older than {older:g} days.\n")
    else:
        sys.stdout.write(f"The store has been in {rolled.channel} since {rolled.since:%Y-%m-%d %H:%M:%S} UTC, ")
        sys.stdout.write(f"{rolled.keys} keys; {rolled.origin} leads there.\n")


def _row(rolled: Rolled) -> dict[str, object]:
    return {"channel": rolled.channel, "origin": rolled.origin, "since": rolled.since, "keys": rolled.keys}


async def _roll(which: Which, channel: str, to: str, older: timedelta | None) -> Rolled | None:
    async with which.opened(channel) as store:
        if older is not None and await store.age() <= older:
            return None
        return await store.roll(to)
