"""Agreement: that a channel stays set as this process works it, for as long as it does."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from slackmq.errors import ConfigurationError, SlackError
from slackmq.queue.setting import keep_agreed

if TYPE_CHECKING:
    from slackmq.clock import Clock
    from slackmq.queue.setting import Setting
    from slackmq.queue.watch import Watch
    from slackmq.slack.api import Channel, Slack

__all__ = ["Agreement"]

_log = logging.getLogger("slackmq.setting")
EVERY = 600.0
"""Seconds between two looks: whoever wants another setting ends the workers first, and is told soon if one is left."""


class Agreement:
    """Looks at a channel's setting now and then, and ends the work where it has become another.

    Args:
        slack: the workspace.
        channel: the channel.
        setting: how this process works it.
        watch: what is told that it is over.
        clock: the time of this process.
    """

    def __init__(self, slack: Slack, channel: Channel, setting: Setting, *, watch: Watch, clock: Clock) -> None:
        self._slack = slack
        self._channel = channel
        self._setting = setting
        self._watch = watch
        self._clock = clock

    async def run(self) -> None:
        """Look until cancelled, or until it is over."""
        while self._watch.failure is None:
            await self._clock.sleep(EVERY)
            try:
                await keep_agreed(self._slack, self._channel, self._setting)
            except ConfigurationError as error:
                self._watch.give_up(error)
            except SlackError as error:  # whether it must end for that the watch decides, which reads more often
                _log.debug("cannot see how #%s is set: %s", self._channel.name, error)
