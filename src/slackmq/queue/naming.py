"""Naming: the messages that a job shall wait for, checked before it is posted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from slackmq.errors import ConfigurationError
from slackmq.message import Message, seconds
from slackmq.queue.held import stretches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.clock import Clock
    from slackmq.slack.api import Slack

__all__ = ["MOST", "Naming"]

MOST = 100
"""So many messages one job can wait for; it fits into its metadata, and a group of groups takes more."""
_TS = re.compile(r"\d{10}\.\d{6}", re.ASCII)


class Naming:
    """Takes what a program names.

    Args:
        slack: the workspace.
        channel: id of the channel.
        clock: the time of this process.
        skew: seconds after which no read may miss a write.
    """

    def __init__(self, slack: Slack, channel: str, *, clock: Clock, skew: float) -> None:
        self._slack = slack
        self._channel = channel
        self._clock = clock
        self._skew = skew

    async def taken(self, after: Sequence[Message | str]) -> tuple[str, ...]:
        """The timestamps of some messages, each once, in order; of those that are only named by ts, it is looked up.

        A job names what stands already, so no two can wait for each other.

        Raises:
            ConfigurationError: too many, of another channel, or none that stands there.
        """
        names = tuple(dict.fromkeys(each if isinstance(each, str) else each.ts for each in after))
        if len(names) > MOST:
            remedy = "Let some of them be waited for by a job of their own, and wait for that."
            raise ConfigurationError(f"A job waits for {MOST} others at most, not {len(names)}.", remedy=remedy)
        for each in after:
            if isinstance(each, Message) and each.channel != self._channel:
                raise ConfigurationError(
                    f"The message {each.ts} stands in the channel {each.channel}, the job would in {self._channel}.",
                    remedy="A job waits for messages of its own channel; a handler can post into another one.",
                )
        await self._look_up([each for each in names if each not in {m.ts for m in after if isinstance(m, Message)}])
        return names

    async def _look_up(self, names: Sequence[str]) -> None:
        missing = set(names)
        for again in (True, False):
            for ts in missing:
                if not _TS.fullmatch(ts) or seconds(ts) > self._slack.now() + self._skew:
                    raise _unknown(ts)
            for oldest, latest in stretches(missing):
                page = await self._slack.history(self._channel, oldest=oldest, latest=latest)
                missing -= {row.ts for row in page.rows}
            if not missing:
                return
            if again:
                await self._clock.sleep(self._skew)
        raise _unknown(min(missing))


def _unknown(ts: str) -> ConfigurationError:
    return ConfigurationError(
        f"No message {ts!r} stands in this channel, so nothing can wait for it; nothing was sent.",
        remedy="Name what `post` returned, or the ts of a message in the channel itself, not in a thread.",
    )
