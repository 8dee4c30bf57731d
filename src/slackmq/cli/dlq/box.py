"""Box: a channel for dead letters, as the command opens it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from slackmq.clock import SYSTEM
from slackmq.policy import Timing
from slackmq.queue.dead_letters import DeadLetters
from slackmq.queue.redrive import Redrive
from slackmq.slack.connect import open_slack

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from slackmq.cli.where import Where
    from slackmq.dead import DeadLetter
    from slackmq.hooks import Happening
    from slackmq.slack.api import Slack

__all__ = ["Box", "BoxName", "Days", "JsonLines", "opened", "row_of"]

BoxName = Annotated[str, Parameter(help='"#name", name or id of the channel for dead letters.')]
Days = Annotated[float, Parameter(help="How far back to look.")]
JsonLines = Annotated[bool, Parameter(negative=(), help="Print one JSON object a line.")]
_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """An open channel for dead letters."""

    letters: DeadLetters
    redrive: Redrive
    slack: Slack

    async def since(self, days: float) -> tuple[DeadLetter, ...]:
        """The letters of the last days, oldest first."""
        return await self.letters.all(since=self.slack.now() - days * _DAY)


@asynccontextmanager
async def opened(where: Where, channel: str) -> AsyncGenerator[Box]:
    """The channel while inside."""
    timing = Timing()
    async with open_slack(await where.settings()) as slack:
        letters = DeadLetters(slack, channel, clock=SYSTEM, skew=timing.skew.total_seconds())
        await letters.open()
        yield Box(letters=letters, redrive=Redrive(slack, clock=SYSTEM, timing=timing, hook=_deaf), slack=slack)


def row_of(letter: DeadLetter) -> dict[str, str | int | bool]:
    """A letter as the command prints it."""
    return {
        "ts": letter.ts,
        "state": "redriven" if letter.redriven else "dead",
        "attempts": letter.attempts,
        "kind": letter.job.kind or "",
        "key": letter.job.origin or letter.job.key,
        "job": f"{letter.job.channel}/{letter.job.ts}",
        "reason": letter.reason,
    }


def _deaf(_: Happening, /) -> None:
    return
