"""`slackmq kv del CHANNEL KEY`: let a key be gone."""

from __future__ import annotations

import sys
from typing import Annotated

import anyio
from cyclopts import Parameter

from slackmq.cli.kv.rows import print_json
from slackmq.cli.kv.which import ChannelName, JsonLines, KeyName, Which  # noqa: TC001  # cyclopts reads annotations

__all__ = ["delete"]

_HERE = Which()


def delete(
    channel: ChannelName,
    key: KeyName,
    /,
    *,
    last: Annotated[int | None, Parameter(help="Only if it has this revision; exit status 7 if not.")] = None,
    purge: Annotated[bool, Parameter(negative=(), help="Let its history begin anew, too.")] = False,
    json: JsonLines = False,
    which: Which = _HERE,
) -> None:
    """Let a key be gone, whether or not it is there, and print the revision of that."""
    made = anyio.run(_delete, which, channel, key, last, purge)
    if json:
        print_json([{"key": key, "revision": made}])
    else:
        sys.stdout.write(f"{made}\n")


async def _delete(which: Which, channel: str, key: str, last: int | None, purge: bool) -> int:  # noqa: FBT001  # as get
    async with which.opened(channel) as store:
        return await (store.purge if purge else store.delete)(key, last=last)
