"""`slackmq cancel LINK` and `slackmq purge CHANNEL`: one job that shall not be done, or all that wait."""

from __future__ import annotations

import sys
from datetime import timedelta
from getpass import getuser
from typing import TYPE_CHECKING, Annotated

import anyio
import msgspec
from cyclopts import Parameter, validators

from slackmq.cli.exits import Exit
from slackmq.cli.ls import printable
from slackmq.cli.where import Where
from slackmq.errors import AlreadyEnded, ConfigurationError, JobFailed, Unanswered
from slackmq.operating.link import place_of
from slackmq.operating.look import looking
from slackmq.operating.purging import purging
from slackmq.operating.turns import turns
from slackmq.slack.connect import open_slack

if TYPE_CHECKING:
    from slackmq.operating.link import Place
    from slackmq.operating.look import Look

__all__ = ["By", "cancel", "purge", "who"]

_HERE = Where()
By = Annotated[str | None, Parameter(help="Who wants it, for people; your name on this machine if not set.")]


def cancel(
    message: Annotated[str, Parameter(help="The job: its link, or its ts together with --channel.")],
    /,
    *,
    channel: Annotated[str | None, Parameter(help='"#name", name or id; needed beside a ts.')] = None,
    wait: Annotated[
        float, Parameter(validator=validators.Number(gte=0), help="Seconds to wait until a running one has stopped.")
    ] = 0.0,
    by: By = None,
    json: Annotated[bool, Parameter(negative=(), help="Print a JSON object.")] = False,
    where: Where = _HERE,
) -> Exit:
    """Let a job not be done: what nobody has begun never begins, a running handler is told to stop.

    A function on a thread has to look at `job.cancelled`. What has ended cannot be cancelled: status 12.
    """
    place = place_of(message, channel)
    state = anyio.run(_cancel, where, place, who(by), timedelta(seconds=wait))
    if json:
        sys.stdout.write(msgspec.json.encode({"ts": place.ts, "state": state}).decode() + "\n")
    else:
        sys.stdout.write(f"{_SAID[state]}\n")
    if state == "asked" and wait:
        return Exit.GOES_ON
    return Exit.OK


_SAID = {
    "cancelled": "cancelled",
    "asked": "asked: a worker may hold it; it is told to stop, and ends it",
}


def purge(
    channel: Annotated[str, Parameter(help='"#name", name or id.')],
    /,
    *,
    yes: Annotated[bool, Parameter(negative=(), help="Do not ask.")] = False,
    by: By = None,
    json: Annotated[bool, Parameter(negative=(), help="Print one JSON object a line.")] = False,
    where: Where = _HERE,
) -> Exit:
    """Cancel every job that waits, for the first time or again; what runs goes on.

    Without --yes it says how many, and asks.
    """
    return anyio.run(_purge, where, channel, yes, who(by), json)


def who(by: str | None) -> str:
    """A name for people: as given, or that of this machine's user."""
    if by is None:
        try:
            by = getuser()
        except (KeyError, OSError):  # a container may know no name
            by = "the command line"
    return printable(by).strip() or "the command line"


async def _cancel(where: Where, place: Place, by: str, wait: timedelta) -> str:
    async with open_slack(await where.settings()) as slack, looking(slack, place.channel) as look:
        _check(look)
        if await look.queue.cancel(place.ts, by=by):
            return "cancelled"
        return await _ended(look, place.ts, wait) if wait else "asked"


async def _ended(look: Look, ts: str, wait: timedelta) -> str:
    message = (await look.life(ts)).message
    try:
        await look.queue.answer(message, within=wait)
    except JobFailed:
        return "cancelled"
    except Unanswered:
        return "asked"
    raise AlreadyEnded(ts, "was done before its handler heard of it.", remedy="What it did stands: undo it by hand.")


async def _purge(where: Where, channel: str, yes: bool, by: str, json: bool) -> Exit:  # noqa: FBT001  # anyio.run passes no names
    async with open_slack(await where.settings()) as slack, looking(slack, channel) as look:
        _check(look)
        if not yes:
            standings = await look.queue.inspect(past=True)
            _ask(sum(row.message.size for row in turns(standings)), look.queue.channel.name)
        left = count = 0
        async for purged in purging(look.queue, by=by):
            jobs = purged.message.size
            count, left = count + jobs * purged.ended, left + jobs * (not purged.ended)
            state = "cancelled" if purged.ended else "begun"
            if json:
                row = {"ts": purged.message.ts, "key": purged.message.key, "state": state, "jobs": jobs}
                sys.stdout.write(msgspec.json.encode(row).decode() + "\n")
            else:
                sys.stdout.write(f"{state}\t{purged.message.ts}\t{printable(purged.message.text)}\n")
        sys.stderr.write(f"{count} cancelled" + (f", {left} begun meanwhile\n" if left else "\n"))
    return Exit.OK


def _ask(count: int, name: str) -> None:
    remedy = "Say --yes if you mean it."
    if not sys.stdin.isatty():
        raise ConfigurationError(f"{count} jobs wait in #{name}; none was cancelled.", remedy=remedy)
    sys.stderr.write(f"Cancel {count} jobs that wait in #{name}? Type yes: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise ConfigurationError("Nothing was cancelled.", remedy=remedy)


def _check(look: Look) -> None:
    """Whether this command may claim here: it knows no other marks than the usual ones."""
    if look.odd:
        raise ConfigurationError(
            f"#{look.queue.channel.name} is worked with emoji of its own, which this command does not know.",
            remedy="Cancel from a program that has them: `await app.queue.cancel(ts)`.",
        )
