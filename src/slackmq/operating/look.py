"""Look: a channel for people who operate it, worked as it is set, and by nobody here."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from slackmq.claiming.marks import Marks
from slackmq.clock import SYSTEM
from slackmq.envelope import JOB, typed, unseal
from slackmq.errors import Ambiguous, ConfigurationError, Refused
from slackmq.operating.life import life_of
from slackmq.policy import Accept, Options, Timing
from slackmq.queue import AsyncQueue
from slackmq.queue.held import stretches
from slackmq.queue.pausing import pause_of
from slackmq.queue.setting import digest_of, found

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from slackmq.clock import Clock
    from slackmq.message import Message
    from slackmq.operating.life import Life
    from slackmq.queue.pausing import Pause
    from slackmq.queue.setting import Setting
    from slackmq.slack.api import Row, Slack

__all__ = ["Look", "looking"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A channel, looked at.

    Attributes:
        slack: the workspace.
        queue: the channel as a queue whose every job counts; it claims nothing unless it is told to.
        setting: how the channel is worked; None if no app has set it yet.
        marks: which emoji stand for what.
        pause: who paused the channel, and when; None if nobody did, or if that cannot be seen.
    """

    slack: Slack
    queue: AsyncQueue
    setting: Setting | None
    marks: Marks
    pause: Pause | None

    @property
    def odd(self) -> bool:
        """Whether the channel is worked with other emoji than these, so that its claims cannot be told here."""
        return self.setting is not None and self.setting.marks != digest_of(self.marks)

    @property
    def shared(self) -> bool:
        """Whether bots of several apps work the channel."""
        return self.setting is not None and self.setting.way == "pin"

    async def life(self, ts: str) -> Life:
        """What Slack holds of one message.

        Args:
            ts: its timestamp.

        Raises:
            ConfigurationError: no message of the channel itself has it.
        """
        channel = self.queue.channel
        row = await self.slack.row(channel.id, ts)
        if row is None:
            raise ConfigurationError(
                f"There is no message {ts} in #{channel.name}, or it was deleted.",
                remedy="`slackmq ls` shows what is there.",
            )
        replies = await self.slack.replies(channel.id, ts) if row.replies or row.latest_reply else ()
        life = await self._life(row, replies)
        return replace(life, after=await self._named(life.message.after))

    async def _life(self, row: Row, replies: Sequence[Row]) -> Life:
        channel, me = self.queue.channel.id, (await self.slack.identity()).user
        bots = frozenset({me})
        if self.shared:
            watched = row.reactions.get(self.marks.watched, frozenset())
            pinned = frozenset({row.pin.by} if row.pin else ())
            bots |= watched | pinned | frozenset(reply.user for reply in replies if reply.bot)
        message = _message(row, channel, me=me, shared=self.shared and row.bot is not None)
        return life_of(message, row, replies, marks=self.marks, bots=bots)

    async def _named(self, after: Sequence[str]) -> dict[str, str]:
        """How the messages stand that a job waits for; neighbours are read with one call."""
        rows: dict[str, Row] = {}
        for oldest, latest in stretches(after):
            page = await self.slack.history(self.queue.channel.id, oldest=oldest, latest=latest)
            rows |= {row.ts: row for row in page.rows}
        return {ts: (await self._life(rows[ts], ())).state if ts in rows else "gone" for ts in after}


@asynccontextmanager
async def looking(
    slack: Slack, channel: str, *, clock: Clock = SYSTEM, worker: str = "operator"
) -> AsyncGenerator[Look]:
    """A look at a channel, open while inside.

    Args:
        slack: the workspace.
        channel: "#name" or id.
        clock: the time of this process.
        worker: under which name it writes, if it does.
    """
    ident = (await slack.channel(channel)).id
    setting = await found(slack, await slack.channel(channel))
    pause = await _pause(slack, ident, shared=setting is not None and setting.way == "pin")
    timing = Timing()
    if setting is not None:
        timing = Timing(lease=setting.lease, margin=setting.margin, skew=setting.skew)
    async with AsyncQueue(
        slack,
        channel,
        select=_anything,
        claim=setting.way if setting else "reaction",
        timing=timing,
        clock=clock,
        worker=worker,
    ) as queue:
        yield Look(slack=slack, queue=queue, setting=setting, marks=Marks(), pause=pause)


async def _pause(slack: Slack, channel: str, *, shared: bool) -> Pause | None:
    try:
        return await pause_of(slack, channel, shared=shared)
    except (Refused, Ambiguous):
        return None


def _message(row: Row, channel: str, *, me: str, shared: bool) -> Message:
    """The job in a row; for anything else, what was typed."""
    letter = None
    if row.metadata is not None and row.metadata.type == JOB:
        payload = row.metadata.payload
        letter = unseal(payload, channel=channel, ts=row.ts, author=row.user, me=me, text=row.text, shared=shared)
    if letter is None:
        letter = typed(channel=channel, ts=row.ts, author=row.user, text=row.text, edited=row.edited)
    return letter.message


def _anything(_: Message) -> Accept:
    return Accept(options=Options())
