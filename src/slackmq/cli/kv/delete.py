"""`slackmq kv del CHANNEL KEY`: let a key be gone."""

from __future__ import annotations

import sys
from typing import Annotated

import anyio
from cyclopts import Parameter

from slackmq.cli.kv.guard import Guarded
from slackmq.cli.kv.rows import print_json
from slackmq.cli.kv.which import ChannelName, JsonLines, KeyName, Which  # noqa: TC001  # cyclopts reads annotations
from slackmq.kv.batch import Batch

__all__ = ["delete"]

_HERE = Which()
_UNGUARDED = Guarded()


def delete(
    channel: ChannelName,
    key: KeyName,
    /,
    *,
    last: Annotated[int | None, Parameter(help="Only if it has this revision; exit status 7 if not.")] = None,
    purge: Annotated[bool, Parameter(negative=(), help="Let its history begin anew, too.")] = False,
    json: JsonLines = False,
    guarded: Guarded = _UNGUARDED,
    which: Which = _HERE,
) -> None:
    """Let a key be gone, whether or not it is there, and print the revision of that."""
    batch = (Batch().purge if purge else Batch().delete)(key, last=last).under(guarded.guard())
    made = anyio.run(_commit, which, channel, batch)
    if json:
        print_json([{"key": key, "revision": made}])
    else:
        sys.stdout.write(f"{made}\n")


async def _commit(which: Which, channel: str, batch: Batch) -> int:
    async with which.opened(channel) as store:
        return await store.commit(batch)
