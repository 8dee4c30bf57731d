"""`slackmq kv watch CHANNEL [PREFIX]` and `slackmq kv history CHANNEL KEY`: what changes, and what changed."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import anyio
from cyclopts import Parameter, validators

from slackmq.cli.kv.rows import cells, print_json, row_of_change
from slackmq.cli.kv.which import ChannelName, JsonLines, KeyName, Prefix, Which  # noqa: TC001  # cyclopts reads annotations
from slackmq.cli.ls import printable
from slackmq.kv.entry import Kind, moment
from slackmq.kv.record import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slackmq.kv.entry import Change

__all__ = ["history", "line", "watch"]

_HERE = Which()


def watch(
    channel: ChannelName,
    prefix: Prefix = "",
    /,
    *,
    from_: Annotated[
        int | None, Parameter(name="--from", help="Begin with what came after this revision; 0: with everything.")
    ] = None,
    count: Annotated[
        int | None, Parameter(validator=validators.Number(gte=1), help="End after so many changes.")
    ] = None,
    json: JsonLines = False,
    which: Which = _HERE,
) -> None:
    """Print each change once, in order, as it is settled, until Ctrl-C; from now on, or from a revision on."""
    anyio.run(partial(_watch, which, channel, prefix, after=from_, count=count, json=json))


def history(channel: ChannelName, key: KeyName, /, *, json: JsonLines = False, which: Which = _HERE) -> None:
    """Print all that happened to a key since it was purged last, as far back as Slack shows the channel."""
    _print(anyio.run(_history, which, channel, key), json=json)


async def _watch(
    which: Which,
    channel: str,
    prefix: str,
    *,
    after: int | None,
    count: int | None,
    json: bool,
) -> None:
    async with which.opened(channel, events=True) as store:
        changes = store.watch(prefix, from_revision=after)
        seen = 0
        async for change in changes:
            _print([change], json=json)
            seen += 1
            if seen == count:
                break
        await changes.aclose()


async def _history(which: Which, channel: str, key: str) -> list[Change]:
    async with which.opened(channel) as store:
        return await store.history(key)


def _print(changes: Iterable[Change], *, json: bool) -> None:
    if json:
        print_json(map(row_of_change, changes))
        return
    sys.stdout.writelines(line(change) + "\n" for change in changes)
    sys.stdout.flush()


def line(change: Change) -> str:
    """A change for people: when, what, key, value, revision, author, with tabs between them."""
    kind, entry = change.kind.value, change.entry
    if entry is not None:
        key, value, revision, modified, author, _ = cells(entry)
    else:
        key, value, revision, modified, author = printable(change.key), "", str(change.revision), "", ""
        if change.kind is not Kind.EXPIRE:  # what runs out has the revision of its entry, which is older
            modified = f"{moment(change.revision // GROUPS):%Y-%m-%d %H:%M:%S}"
    return f"{modified}\t{kind}\t{key}\t{value}\t{revision}\t{author}"
