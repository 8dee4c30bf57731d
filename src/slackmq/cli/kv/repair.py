"""`slackmq kv repair CHANNEL`: take what is left of a store for the whole."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import anyio

from slackmq.cli.kv.rows import print_json
from slackmq.cli.kv.which import ChannelName, JsonLines, Which  # noqa: TC001  # cyclopts reads annotations

if TYPE_CHECKING:
    from slackmq.kv.entry import Status

__all__ = ["repair"]

_HERE = Which()


def repair(channel: ChannelName, /, *, json: JsonLines = False, which: Which = _HERE) -> None:
    """Take what is left of a store for the whole, where records were deleted or edited; stop all who use it before.

    A process that still knows everything loses nothing: there call `store.snapshot()` instead.
    """
    found = anyio.run(_repair, which, channel)
    if json:
        print_json([{"channel": found.channel, "keys": found.keys, "records": found.records}])
    else:
        sys.stdout.write(f"The store has {found.keys} keys, of {found.records} records; start again who uses it.\n")


async def _repair(which: Which, channel: str) -> Status:
    async with which.opened(channel, repair=True) as store:
        return store.status()
