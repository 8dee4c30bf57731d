"""`slackmq trace LINK`: the life of one message, as far as Slack holds it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import anyio
import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from slackmq.cli.ls import printable
from slackmq.cli.where import Where
from slackmq.operating.link import place_of
from slackmq.operating.look import looking
from slackmq.redaction import redacted
from slackmq.slack.connect import open_slack

if TYPE_CHECKING:
    from slackmq.operating.life import Life, Step
    from slackmq.operating.link import Place

__all__ = ["trace"]

_HERE = Where()
_LONGEST = 200


def trace(
    message: Annotated[str, Parameter(help="The message: its link, or its ts together with --channel.")],
    /,
    *,
    channel: Annotated[str | None, Parameter(help='"#name", name or id; needed beside a ts.')] = None,
    json: Annotated[bool, Parameter(negative=(), help="Print one JSON object.")] = False,
    where: Where = _HERE,
) -> None:
    """Show the life of one job: posted, claimed, renewed, failed, handed back, done, and by whom.

    What stands in its thread has a time. A mark, as a claim's clock face, has none: Slack keeps no time of an emoji.
    """
    life = anyio.run(_read, where, place_of(message, channel))
    if json:
        sys.stdout.write(msgspec.json.encode(_object(life)).decode() + "\n")
        return
    sys.stdout.write(f"{_said(life.message.text)}\n")
    attempts = f", {life.attempts} attempt{'s' * (life.attempts != 1)}" if life.attempts else ""
    sys.stdout.write(f"{life.state}{attempts}, key {printable(life.message.key)}{_jobs(life)}\n")
    sys.stdout.writelines(f"after {ts}, {state}\n" for ts, state in life.after.items())
    if sys.stdout.isatty():
        Console().print(_table(life))
    else:
        sys.stdout.writelines("\t".join(_cells(step)) + "\n" for step in life.steps)


def _jobs(life: Life) -> str:
    """What the thread says of the jobs of a batch."""
    if not life.message.batch:
        return ""
    lost = f", failed for good: {life.lost}" if life.lost else ""
    return f", {life.jobs} jobs, noted as done: {life.done or 'none'}{lost}"


async def _read(where: Where, place: Place) -> Life:
    async with open_slack(await where.settings()) as slack, looking(slack, place.channel) as look:
        return await look.life(place.ts)


def _object(life: Life) -> dict[str, object]:
    return {
        "channel": life.message.channel,
        "ts": life.message.ts,
        "kind": life.message.kind or "",
        "key": life.message.key,
        "state": life.state,
        "attempts": life.attempts,
        "after": life.after,
        "jobs": life.jobs,
        "jobs_done": life.done,
        "jobs_lost": life.lost,
        "file": life.message.file,
        "steps": [
            {
                "what": step.what,
                "at": _time(step),
                "by": step.by,
                "token": step.token,
                "detail": _said(step.detail),
            }
            for step in life.steps
        ],
    }


def _table(life: Life) -> Table:
    table = Table("what", "at (UTC)", "by", "token", "", box=None, header_style="bold")
    for step in life.steps:
        table.add_row(*map(Text, _cells(step)))
    return table


def _cells(step: Step) -> tuple[str, ...]:
    return step.what, _time(step) or "-", printable(step.by) or "-", str(step.token or "-"), _said(step.detail)


def _time(step: Step) -> str | None:
    if step.at is None:
        return None
    return datetime.fromtimestamp(step.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _said(text: str) -> str:
    """A text of the channel on a line, and nothing in it that looks like one of Slack's tokens."""
    return printable(redacted(text), _LONGEST)
