"""`slackmq kv put CHANNEL KEY [VALUE]`: write a value."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Annotated

import anyio
from cyclopts import Parameter, validators

from slackmq.cli.kv.guard import Guarded  # cyclopts reads annotations
from slackmq.cli.kv.rows import print_json
from slackmq.cli.kv.value import given, read_as
from slackmq.cli.kv.which import ChannelName, JsonLines, KeyName, Which  # noqa: TC001  # cyclopts reads annotations
from slackmq.errors import ConfigurationError
from slackmq.kv.batch import Batch
from slackmq.kv.entry import TTL_LIMIT

__all__ = ["put"]

_HERE = Which()
_UNGUARDED = Guarded()


def put(
    channel: ChannelName,
    key: KeyName,
    value: Annotated[
        str | None,
        Parameter(allow_leading_hyphen=True, help='JSON if it is JSON, text otherwise; from standard input if "-".'),
    ] = None,
    /,
    *,
    create: Annotated[bool, Parameter(negative=(), help="Only if there is no such key.")] = False,
    last: Annotated[int | None, Parameter(help="Only in the place of the value that has this revision.")] = None,
    ttl: Annotated[
        float | None,
        Parameter(validator=validators.Number(gt=0, lte=TTL_LIMIT / 1e6), help="Seconds after which it is gone."),
    ] = None,
    text: Annotated[bool, Parameter(negative=(), help="Text, even if it could be JSON.")] = False,
    bytes_: Annotated[bool, Parameter(name="--bytes", negative=(), help="Bytes, as they are.")] = False,
    json: JsonLines = False,
    guarded: Guarded = _UNGUARDED,
    which: Which = _HERE,
) -> None:
    """Write a value, whatever stands there, and print its revision: `slackmq kv put "#state" lamp on`.

    With --create, --last or a lock it takes the skew to know whether it was written; exit status 7 if it was not.
    """
    if create and last is not None:
        raise ConfigurationError("--create and --last contradict each other.", remedy="Give one of them.")
    if text and bytes_:
        raise ConfigurationError("--text and --bytes contradict each other.", remedy="Give one of them.")
    new = read_as(given(value), text=text, raw=bytes_)
    lasting = None if ttl is None else timedelta(seconds=ttl)
    last = 0 if create else last
    batch = Batch().put(key, new, ttl=lasting) if last is None else Batch().update(key, new, last=last, ttl=lasting)
    made = anyio.run(_commit, which, channel, batch.under(guarded.guard()))
    if json:
        print_json([{"key": key, "revision": made}])
    else:
        sys.stdout.write(f"{made}\n")


async def _commit(which: Which, channel: str, batch: Batch) -> int:
    async with which.opened(channel) as store:
        return await store.commit(batch)
