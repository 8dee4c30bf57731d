"""`slackmq kv get CHANNEL KEY`: what stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from slackmq.cli.kv.rows import print_json, print_value, row_of
from slackmq.cli.kv.which import ChannelName, Fresh, JsonLines, KeyName, Which  # noqa: TC001  # cyclopts reads annotations

if TYPE_CHECKING:
    from slackmq.kv.entry import Entry

__all__ = ["get"]

_HERE = Which()


def get(
    channel: ChannelName,
    key: KeyName,
    /,
    *,
    fresh: Fresh = False,
    json: JsonLines = False,
    which: Which = _HERE,
) -> None:
    """Print the value of a key: text and JSON on a line, bytes as they are. Exit status 6 if it is not there."""
    entry = anyio.run(_get, which, channel, key, fresh)
    if json:
        print_json([row_of(entry)])
    else:
        print_value(entry.value)


async def _get(which: Which, channel: str, key: str, fresh: bool) -> Entry:  # noqa: FBT001  # anyio.run passes by place
    async with which.opened(channel) as store:
        return await store.get(key, fresh=fresh)
