"""Purging: everything that waits in a channel is cancelled, one job after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.errors import AlreadyEnded
from slackmq.operating.turns import turns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from slackmq.message import Message
    from slackmq.queue import AsyncQueue

__all__ = ["Purged", "purging"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """A job that waited, and whether it was ended; if not, a worker had begun it, and it goes on."""

    message: Message
    ended: bool


async def purging(queue: AsyncQueue, *, by: str) -> AsyncGenerator[Purged]:
    """Cancel every job that waits, oldest last, so that workers and this do not meet; what is held goes on.

    A job costs two reads, two emoji and a line in its thread: with the published limits some twenty a minute.

    Args:
        queue: the channel, as `looking` opens it.
        by: who wants it, for people.
    """
    for row in reversed(turns(await queue.inspect(past=True))):
        try:
            ended = await queue.cancel(row.message, by=by, running=False)
        except AlreadyEnded:
            ended = False
        yield Purged(message=row.message, ended=ended)
