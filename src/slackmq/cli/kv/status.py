"""`slackmq kv status CHANNEL`: how a store is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import anyio

from slackmq.cli.kv.rows import print_json
from slackmq.cli.kv.which import ChannelName, Fresh, JsonLines, Which  # noqa: TC001  # cyclopts reads annotations

if TYPE_CHECKING:
    from slackmq.kv.entry import Status

__all__ = ["status"]

_HERE = Which()


def status(channel: ChannelName, /, *, fresh: Fresh = False, json: JsonLines = False, which: Which = _HERE) -> None:
    """Print how many keys and records a store has, up to when all is known, and what counts for nobody."""
    found = anyio.run(_status, which, channel, fresh)
    row = {
        "channel": found.channel,
        "keys": found.keys,
        "records": found.records,
        "revision": found.revision,
        "settled": found.settled,
        "skew_s": found.skew.total_seconds(),
        "rejected": found.rejected,
        "late": found.late,
        "signed": found.signed,
        "encrypted": found.encrypted,
    }
    if json:
        print_json([row])
    else:
        sys.stdout.writelines(f"{name:9} {value}\n" for name, value in row.items())


async def _status(which: Which, channel: str, fresh: bool) -> Status:  # noqa: FBT001  # as get
    async with which.opened(channel) as store:
        if fresh:
            await store.keys(fresh=True)
        return store.status()
