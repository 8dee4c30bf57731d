"""`slackmq pause CHANNEL` and `slackmq resume CHANNEL`: whether anything is begun there, for all workers at once."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import anyio
import msgspec
from cyclopts import Parameter

from slackmq.cli.cancel import By, who  # noqa: TC001  # flags are bound by their annotations
from slackmq.cli.ls import printable
from slackmq.cli.where import Where
from slackmq.operating.look import looking
from slackmq.queue import pausing
from slackmq.slack.connect import open_slack

if TYPE_CHECKING:
    from slackmq.queue.pausing import Pause

__all__ = ["pause", "resume", "since"]

_HERE = Where()


def pause(
    channel: Annotated[str, Parameter(help='"#name", name or id.')],
    /,
    *,
    by: By = None,
    json: Annotated[bool, Parameter(negative=(), help="Print a JSON object.")] = False,
    where: Where = _HERE,
) -> None:
    """Let nobody begin anything in a channel until it is resumed; what runs may end, and jobs can still be posted."""
    standing = anyio.run(_pause, where, channel, who(by))
    if json:
        sys.stdout.write(msgspec.json.encode({"paused": True, "by": standing.by, "since": since(standing)}).decode())
        sys.stdout.write("\n")
    else:
        sys.stdout.write(f"paused by {printable(standing.by)} since {since(standing)}\n")


def resume(
    channel: Annotated[str, Parameter(help='"#name", name or id.')],
    /,
    *,
    by: By = None,
    json: Annotated[bool, Parameter(negative=(), help="Print a JSON object.")] = False,
    where: Where = _HERE,
) -> None:
    """Let the work of a paused channel go on."""
    was = anyio.run(_resume, where, channel, who(by))
    if json:
        sys.stdout.write(msgspec.json.encode({"paused": False, "was_paused": was}).decode() + "\n")
    else:
        sys.stdout.write("resumed\n" if was else "it was not paused\n")


def since(standing: Pause) -> str:
    """When it was paused, in UTC."""
    return datetime.fromtimestamp(standing.since, UTC).isoformat().replace("+00:00", "Z")


async def _pause(where: Where, channel: str, by: str) -> Pause:
    async with open_slack(await where.settings()) as slack, looking(slack, channel) as look:
        return await pausing.pause(slack, look.queue.channel, by=by, shared=look.shared)


async def _resume(where: Where, channel: str, by: str) -> bool:
    async with open_slack(await where.settings()) as slack, looking(slack, channel) as look:
        return await pausing.resume(slack, look.queue.channel, by=by, shared=look.shared)
