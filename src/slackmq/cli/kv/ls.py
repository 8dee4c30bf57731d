"""`slackmq kv ls CHANNEL [PREFIX]`: the keys, and what stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from slackmq.cli.kv.rows import cells, print_json, print_rows, row_of
from slackmq.cli.kv.which import ChannelName, Fresh, JsonLines, Prefix, Which  # noqa: TC001  # cyclopts reads annotations

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


async def entries(
    which: Which,
    channel: str,
    prefix: str,
    fresh: bool,  # noqa: FBT001  # as get
    whole: bool = False,  # noqa: FBT001, FBT002  # as get
) -> list[Entry]:
    """The entries whose keys begin like this; `whole`, with the values that are in files."""
    found: list[Entry] = []
    async with which.opened(channel) as store:
        for key in await store.keys(prefix, fresh=fresh):
            head = await store.head(key)
            if head is not None:
                entry = head.entry(key)
                found.append(await store.get(key) if whole and entry.file else entry)
    return found
