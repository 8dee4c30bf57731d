"""Tab: publishes the Home tab to who opens it, keeps it up to date for a while, and does what its buttons say."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, assert_never

import anyio

from slackmq.errors import ConfigurationError, SlackError, SlackMQError
from slackmq.home.drawing import PREFIX, Panel, blocks_of
from slackmq.operating.look import looking
from slackmq.operating.survey import Survey
from slackmq.queue.pausing import pause, resume
from slackmq.queue.roles import Roles
from slackmq.slack.api import HomeOpened, Pressed
from slackmq.slack.markup import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.clock import Clock
    from slackmq.home.drawing import Deed
    from slackmq.home.home import Home
    from slackmq.operating.look import Look
    from slackmq.slack.api import Slack
    from slackmq.slack.surfacing import Block

__all__ = ["Tab"]

_log = logging.getLogger("slackmq.home")
_PERIOD = 10.0
"""Seconds for each queue between two looks while somebody has the tab open, as far as is known, and however many open
it: a look at a queue reads its channel twice, of the 50 reads a minute that the workers need too."""
_WATCHED = 120.0
"""Seconds after it was opened, or a button pressed, for which a tab is kept up to date: Slack does not say when it is
closed."""
_WAITING = 100


class Tab:
    """The Home tabs of the people who open them here; Slack tells one process of each opening, and any of each press.

    Args:
        slack: the workspace.
        home: what is shown, and to whom.
        channels: the channels, by name or id.
        clock: the time of this process.
        worker: the name under which it writes.
    """

    def __init__(self, slack: Slack, home: Home, channels: Sequence[str], *, clock: Clock, worker: str) -> None:
        self._slack = slack
        self._home = home
        self._channels = channels
        self._clock = clock
        self._worker = worker
        self._roles = Roles(slack, clock=clock)
        self._waiting: deque[Pressed | HomeOpened] = deque()
        self._news = anyio.Event()
        self._looks: dict[str, tuple[Look, Survey]] = {}
        self._panels: tuple[float, float, list[Panel]] | None = None
        """When they were read, on the monotonic clock and by Slack's, and what they were."""
        self._viewers: dict[str, float] = {}
        """user -> until when the tab is kept up to date, on the monotonic clock."""
        self._shown: dict[str, list[Block]] = {}
        self._notices: dict[str, str] = {}
        """user -> what became of the button that was pressed last."""

    def notice(self, event: Pressed | HomeOpened) -> None:
        """Somebody opened the tab, or pressed a button there."""
        if isinstance(event, HomeOpened):
            ours = event not in self._waiting  # one view does for all openings that wait
        else:
            ours = event.action.startswith(PREFIX) and not event.channel
        if ours and len(self._waiting) == _WAITING:
            _log.warning("%d people wait for their Home tab; one more was left out", _WAITING)
        elif ours:
            self._waiting.append(event)
            self._news.set()

    async def run(self) -> None:
        """Publish and obey until cancelled."""
        async with AsyncExitStack() as stack:
            while True:
                if not self._waiting:
                    self._news = anyio.Event()
                    with anyio.move_on_after(self._period if self._viewers else None):
                        await self._news.wait()
                event = self._waiting.popleft() if self._waiting else None
                try:
                    await self._open(stack)
                    await self._answer(event)
                except SlackMQError as error:
                    _log.warning("the Home tab cannot be shown: %s", error)

    async def _open(self, stack: AsyncExitStack) -> None:
        """Look at the channels that are not looked at yet."""
        for name in self._channels:
            if name in self._looks:
                continue
            try:
                look = await stack.enter_async_context(
                    looking(self._slack, name, clock=self._clock, worker=self._worker)
                )
            except (SlackError, ConfigurationError) as error:
                _log.warning("%s is left out of the Home tab: %s", name, error)
            else:
                self._looks[name] = look, Survey(look, clock=self._clock)

    async def _answer(self, event: Pressed | HomeOpened | None) -> None:
        match event:
            case None:
                await self._refresh()
            case HomeOpened(user=user):
                self._watch(user)
                self._notices.pop(user, None)
                self._shown.pop(user, None)  # another process may have published meanwhile
                await self._publish(user)
            case Pressed(user=user):
                self._watch(user)
                self._notices[user] = await self._press(event)
                self._panels = None
                await self._publish(user)
                await self._refresh()
            case _ as unreachable:
                assert_never(unreachable)

    def _watch(self, user: str) -> None:
        self._viewers[user] = self._clock.monotonic() + _WATCHED

    async def _refresh(self) -> None:
        """Publish anew to all who still look, where anything has changed."""
        now = self._clock.monotonic()
        self._viewers = {user: until for user, until in self._viewers.items() if until > now}
        self._shown = {user: shown for user, shown in self._shown.items() if user in self._viewers}
        self._notices = {user: notice for user, notice in self._notices.items() if user in self._viewers}
        for user in list(self._viewers):
            await self._publish(user)

    async def _publish(self, user: str) -> None:
        allowed = user in await self._roles.among(self._home.allowed)
        notice = self._notices.get(user, "")
        seen, panels = await self._read()
        blocks = blocks_of(panels, allowed=allowed, now=seen, notice=notice)
        if blocks[:-1] != self._shown.get(user):
            await self._slack.surfaces.publish(user, blocks)
            self._shown[user] = blocks[:-1]

    @property
    def _period(self) -> float:
        """Seconds between two looks, and for which one is good for whoever opens the tab meanwhile."""
        return _PERIOD * max(1, len(self._looks))

    async def _read(self) -> tuple[float, list[Panel]]:
        """The queues, and when they stood so, in seconds since 1970 by Slack's clock."""
        if self._panels is None or self._clock.monotonic() - self._panels[0] >= self._period:
            seen = self._clock.monotonic(), self._slack.now()
            panels = [
                Panel(channel=look.queue.channel.id, name=look.queue.channel.name, view=await survey.view())
                for look, survey in self._looks.values()
            ]
            self._panels = *seen, panels
        return self._panels[1], self._panels[2]

    async def _press(self, press: Pressed) -> str:
        """Do what a button says; returns what became of it, in Slack's mark-up."""
        channel, _, ts = press.value.partition("/")
        look = next((look for look, _ in self._looks.values() if look.queue.channel.id == channel), None)
        if press.user not in await self._roles.among(self._home.allowed):
            return ":no_entry: This is not for you to decide."
        if look is None:
            return ":no_entry: This queue is not shown here any more."
        deeds: dict[str, Deed] = {f"{PREFIX}{deed}": deed for deed in ("pause", "resume", "redrive", "cancel")}
        deed = deeds.get(press.action)
        if deed is None:
            return ":no_entry: This button belongs to another version of the program."
        try:
            return await self._do(deed, look, ts, press.user)
        except SlackMQError as error:
            return f":warning: {escape(str(error))}"

    async def _do(self, deed: Deed, look: Look, ts: str, user: str) -> str:
        queue = look.queue
        match deed:
            case "pause":
                await pause(self._slack, queue.channel, by=user, shared=look.shared)
                return f":double_vertical_bar: #{escape(queue.channel.name)} is paused."
            case "resume":
                await resume(self._slack, queue.channel, by=user, shared=look.shared)
                return f":arrow_forward: #{escape(queue.channel.name)} goes on."
            case "redrive":
                await queue.redrive((await look.life(ts)).message)
                return ":repeat: It was posted again."
            case "cancel":
                if await queue.cancel(ts, by=user):
                    return ":no_entry_sign: It is cancelled."
                return ":no_entry_sign: Whoever works on it is told to stop."
            case _ as unreachable:
                assert_never(unreachable)
