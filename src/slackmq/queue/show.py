"""Show: an emoji or a pin on what is being worked on, for people; nothing is ever decided by it."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import anyio

from slackmq.errors import SlackError
from slackmq.hooks import Claimed, Finished, Lost
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from slackmq.clock import Clock
    from slackmq.hooks import Happening
    from slackmq.message import Message
    from slackmq.slack.api import Slack

__all__ = ["Decor", "Show"]

_log = logging.getLogger("slackmq.show")

Decor = Literal["pin", "eyes"]
"""What is put on a message while somebody works on it."""

_AFTER = 2.0
"""Seconds for which a message is worked on before it is decorated: what is over sooner costs no call."""
_WAITING = 100
"""So many changes may wait to be shown; of more the oldest are not."""
_SPARE = 2.0
"""With fewer reactions to spare than this nothing is decorated: claims go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A message to decorate once that is due; None: to tidy up."""

    message: Message
    due: float | None


class Show:
    """Decorates the messages that this process works on.

    Args:
        slack: the workspace.
        decor: with what.
        emoji: the emoji of "eyes".
        clock: the time of this process.
    """

    def __init__(self, slack: Slack, decor: Decor, *, emoji: str, clock: Clock) -> None:
        self._slack = slack
        self._decor = decor
        self._emoji = emoji
        self._clock = clock
        self._held: set[str] = set()
        self._shown: set[str] = set()
        self._changes: deque[_Change] = deque(maxlen=_WAITING)
        self._news = anyio.Event()

    def tell(self, happening: Happening) -> None:
        """Take note of a claim, or of its end."""
        match happening:
            case Claimed(claim=claim):
                self._held.add(claim.message.ts)
                self._later(claim.message, self._clock.monotonic() + _AFTER)
            case Finished(claim=claim) | Lost(claim=claim):
                self._held.discard(claim.message.ts)
                if claim.attempt > 1:
                    self._shown.add(claim.message.ts)  # perhaps by whoever had it before
                self._later(claim.message, None)
            case _:
                pass

    def _later(self, message: Message, due: float | None) -> None:
        self._changes.append(_Change(message=message, due=due))
        self._news.set()

    async def run(self) -> None:
        """Decorate and tidy up, until cancelled."""
        async with anyio.create_task_group() as tasks:
            while True:
                await self._news.wait()
                self._news = anyio.Event()
                while self._changes:
                    change = self._changes.popleft()
                    if change.due is None:
                        tasks.start_soon(self._tidy, change.message)
                    else:
                        tasks.start_soon(self._decorate, change.message, change.due)

    async def _decorate(self, message: Message, due: float) -> None:
        await self._clock.sleep(due - self._clock.monotonic())
        if message.ts not in self._held or message.ts in self._shown or self._slack.spare("react") < _SPARE:
            return
        self._shown.add(message.ts)
        try:
            if self._decor == "pin":
                await self._slack.pin(message.channel, message.ts, urgency=Urgency.SCAN)
            else:
                await self._slack.react(message.channel, message.ts, self._emoji, urgency=Urgency.SCAN)
        except SlackError as error:
            _log.debug("could not show %s: %s", message.ts, error)
        if message.ts not in self._held:
            await self._tidy(message)

    async def _tidy(self, message: Message) -> None:
        """Take our decoration off, never a person's; what a killed process left, whoever ends the message takes off."""
        if message.ts not in self._shown:
            return
        try:
            if self._decor == "pin":
                row = await self._slack.row(message.channel, message.ts)
                me = (await self._slack.identity()).user
                if row is not None and row.pin is not None and row.pin.by == me:
                    await self._slack.unpin(message.channel, message.ts, urgency=Urgency.SCAN)
            else:
                await self._slack.unreact(message.channel, message.ts, self._emoji, urgency=Urgency.SCAN)
        except SlackError as error:
            _log.debug("could not tidy up %s: %s", message.ts, error)
        self._shown.discard(message.ts)
