"""The bot of `slackmq demo state`, as a process of its own: it keeps a lamp and a counter in a channel.

`python -m slackmq.cli.lamp NAME` obeys what people write to NAME in #homeops, and answers in the thread.
"""

from __future__ import annotations

import os
import re
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio

from slackmq.clock import SYSTEM
from slackmq.kv.store import AsyncStore
from slackmq.message import Mrkdwn
from slackmq.policy import Timing
from slackmq.slack.api import Arrived, Connected
from slackmq.slack.connect import open_events, open_slack, resolve

if TYPE_CHECKING:
    from slackmq.message import Json
    from slackmq.slack.api import Row, Slack

__all__ = ["ANSWERS", "CACHE", "STATE", "TALK", "TIMING", "Bot", "main"]

TALK = "#homeops"
"""Where people talk to the bots."""
STATE = "#state"
"""Where the bots keep what they know."""
CACHE = "SLACKMQ_DEMO_CACHE"
"""Environment variable with the path of a file that it can do without."""
TIMING = Timing(scan=timedelta(seconds=2), skew=timedelta(seconds=0.3))
"""Shorter than as shipped: the workspace of the demo shows at once what was written."""
ANSWERS = {
    "set": re.compile(r"the lamp is (?P<value>\w+) \(revision (?P<revision>\d+)\)"),
    "read": re.compile(r"the lamp is (?P<value>\w+), set by <@(?P<author>\w+)> \(revision (?P<revision>\d+)\)"),
    "raised": re.compile(r"I raised the counter (?P<times>\d+) times, in (?P<writes>\d+) writes"),
    "counted": re.compile(r"the counter stands at (?P<value>\d+)"),
}
"""What the bots answer, for whoever judges them."""
_PRESS = 0.1
"""Seconds from one press of the button to the next."""


class Bot:
    """Answers people, from a store.

    Args:
        name: what it listens to.
        slack: the workspace.
        store: what it knows.
    """

    def __init__(self, name: str, slack: Slack, store: AsyncStore) -> None:
        self._name = name
        self._slack = slack
        self._store = store

    async def run(self) -> None:
        """Listen until cancelled."""
        channel = (await self._slack.channel(TALK)).id
        events = open_events(resolve(os.environ))
        async with events.listen() as heard, anyio.create_task_group() as tasks:
            async for event in heard:
                match event:
                    case Connected():
                        await self._slack.post(channel, f"{self._name} is here")
                    case Arrived(channel=where, row=row) if where == channel and row.bot is None:
                        tasks.start_soon(self._obey, channel, row)
                    case _:
                        pass

    async def _obey(self, channel: str, row: Row) -> None:
        name, _, order = row.text.partition(": ")
        if name == self._name and (answer := await self._answer(order)):
            await self._slack.post(channel, Mrkdwn(answer), thread=row.ts)

    async def _answer(self, order: str) -> str:
        match order.split():
            case ["set", "the", "lamp", "to", value]:
                return f"the lamp is {value} (revision {await self._store.put('lamp', value)})"
            case ["how", "is", "the", "lamp?"]:
                entry = await self._store.get("lamp", fresh=True)
                return f"the lamp is {entry.to(str)}, set by <@{entry.author}> (revision {entry.revision})"
            case ["raise", "the", "counter", times, "times"] if times.isdecimal():
                return f"I raised the counter {times} times, in {await self._raise(int(times))} writes"
            case ["how", "is", "the", "counter?"]:
                return f"the counter stands at {(await self._store.get('counter', fresh=True)).to(int)}"
            case _:
                return ""

    async def _raise(self, times: int) -> int:
        """Somebody presses a button; what was pressed while a write was under way goes into the next one."""
        begun, done, writes = SYSTEM.monotonic(), 0, 0
        while done < times:
            pressed = min(times, 1 + int((SYSTEM.monotonic() - begun) / _PRESS)) - done
            if pressed:
                await self._store.transact("counter", _plus(pressed), default=0)
                done, writes = done + pressed, writes + 1
            else:
                await SYSTEM.sleep(_PRESS)
        return writes


class _plus:  # noqa: N801  # a function with its argument bound
    def __init__(self, by: int) -> None:
        self._by = by

    def __call__(self, count: Json | bytes) -> int:
        return int(str(count)) + self._by


async def main(name: str) -> None:
    """Run the bot of this name, with the tokens of the environment; what it read it keeps beside for a restart."""
    settings, cache = resolve(os.environ), os.environ.get(CACHE)
    async with open_slack(settings) as slack, AsyncStore(slack, STATE, timing=TIMING, name=name, cache=cache) as store:
        await Bot(name, slack, store).run()


if __name__ == "__main__":
    anyio.run(main, sys.argv[1])
