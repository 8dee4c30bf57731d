"""`slackmq kv ls CHANNEL [PREFIX]`: the keys, and what stands there."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from slackmq.cli.kv.rows import cells, print_json, print_rows, row_of
from slackmq.cli.kv.which import ChannelName, Fresh, JsonLines, Prefix, Which  # noqa: TC001  # cyclopts reads annotations
from slackmq.kv.errors import KeyNotFound

if TYPE_CHECKING:
    from slackmq.kv.entry import Entry

__all__ = ["entries", "ls"]

_HERE = Which()


def ls(
    channel: ChannelName,
    prefix: Prefix = "",
    /,
    *,
    fresh: Fresh = False,
    json: JsonLines = False,
    which: Which = _HERE,
) -> None:
    """List keys and values in alphabetical order, a line each; without --json nothing that looks like a token shows."""
    found = anyio.run(entries, which, channel, prefix, fresh)
    if json:
        print_json(map(row_of, found))
    else:
        print_rows(("key", "value", "revision", "modified", "author", "expires"), map(cells, found))


async def entries(which: Which, channel: str, prefix: str, fresh: bool) -> list[Entry]:  # noqa: FBT001  # as get
    """The entries whose keys begin like this."""
    async with which.opened(channel) as store:
        keys = await store.keys(prefix, fresh=fresh)
        found: list[Entry] = []
        for key in keys:
            with suppress(KeyNotFound):  # it was there a moment ago
                found.append(await store.get(key))
    return found
