"""`slackmq post CHANNEL KIND`: put a job into a channel."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import msgspec
from cyclopts import Parameter, validators

from slackmq.cli.where import Where
from slackmq.errors import ConfigurationError
from slackmq.message import Post
from slackmq.queue import AsyncQueue
from slackmq.queue.setting import found
from slackmq.slack.connect import open_slack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.message import Json, Message

__all__ = ["body_of", "post"]

_HERE = Where()


def post(
    channel: Annotated[str, Parameter(help='"#name", name or id.')],
    kind: Annotated[str, Parameter(help="Name of the task that shall do it.")],
    /,
    *,
    arg: Annotated[
        tuple[str, ...],
        Parameter(
            name=["--arg", "-a"],
            negative=(),
            help="An argument as name=value; a value that is no JSON is text. May be given several times.",
        ),
    ] = (),
    body: Annotated[str | None, Parameter(help="All arguments as one JSON object; --arg adds to it.")] = None,
    key: Annotated[
        str | None, Parameter(help="Idempotency key: of all jobs posted with one key within a day, one is worked on.")
    ] = None,
    priority: Annotated[int, Parameter(help="Of what waits, the highest number is begun first.")] = 0,
    expires: Annotated[
        float | None,
        Parameter(validator=validators.Number(gt=0), help="Seconds after which it is dropped if nobody has begun it."),
    ] = None,
    delay: Annotated[
        float | None,
        Parameter(validator=validators.Number(gt=0), help="Seconds before which nobody begins it; 120 days at most."),
    ] = None,
    after: Annotated[
        tuple[str, ...],
        Parameter(negative=(), help="The ts of a message that must be done before it. May be given several times."),
    ] = (),
    on: Annotated[str, Parameter(help='The worker that shall do it, by name or label: "pi-1", "room=attic".')] = "",
    json: Annotated[bool, Parameter(negative=(), help="Print a JSON object.")] = False,
    where: Where = _HERE,
) -> None:
    """Post a job, as a program does it: `slackmq post "#jobs" resize -a path=cat.png -a width=300`."""
    new = Post(
        kind=kind,
        body=body_of(body, arg),
        key=key or "",
        priority=priority,
        after=after,
        on=on,
        delay=None if delay is None else timedelta(seconds=delay),
    )
    message = anyio.run(_post, where, channel, new, None if expires is None else timedelta(seconds=expires))
    if json:
        shown = {"channel": message.channel, "ts": message.ts, "key": message.key, "kind": message.kind}
        sys.stdout.write(msgspec.json.encode(shown).decode() + "\n")
    else:
        sys.stdout.write(f"{message.text}\n  ts {message.ts} in {message.channel}, key {message.key}\n")


async def _post(where: Where, channel: str, new: Post, expires: timedelta | None) -> Message:
    async with open_slack(await where.settings()) as slack:
        setting = await found(slack, await slack.channel(channel))
        async with AsyncQueue(slack, channel, claim=setting.way if setting else "reaction") as queue:
            return await queue.post(
                new.kind,
                new.body,
                key=new.key or None,
                priority=new.priority,
                expires=expires,
                delay=new.delay,
                after=new.after,
                on=new.on,
            )


def body_of(body: str | None, arguments: Sequence[str]) -> dict[str, Json]:
    """The arguments by name, from a JSON object and from name=value pairs; the pairs win.

    Raises:
        ConfigurationError: one of them cannot be read.
    """
    try:
        found: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any]) if body else {}
    except msgspec.MsgspecError as error:
        raise ConfigurationError(
            f"--body is no JSON object: {error}.", remedy="""Write it as --body '{"width": 300}'."""
        ) from error
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or not name.isidentifier():
            raise ConfigurationError(f"--arg {argument!r} is no name=value.", remedy="Write it as --arg width=300.")
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return text
