"""What happens in `slackmq demo state`: three bots, one lamp, one counter; all bots die, and nothing is forgotten."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from slackmq.cli.errand import errand
from slackmq.cli.lamp import ANSWERS, CACHE, STATE, TALK, TIMING
from slackmq.cli.lamp_tally import Reading, sentences, wrong
from slackmq.cli.ls import printable
from slackmq.clock import SYSTEM
from slackmq.kv.errors import KeyNotFound
from slackmq.kv.store import AsyncStore
from slackmq.slack.connect import Settings, open_slack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from slackmq.cli.children import Child, Children
    from slackmq.cli.neighbour import Neighbour, NeighbourApp
    from slackmq.kv.entry import Entry

__all__ = ["BOTS", "LampScene"]

BOTS = ("bot-1", "bot-2", "bot-3")
_TIMES = 100
_LOOK = 0.2
_LINE = 160


@dataclass(slots=True, kw_only=True)
class LampScene:
    """A run in progress.

    Attributes:
        workspace: where it happens; each bot is an app of its own.
        children: the processes.
        machine: the folder of the machine on which the bots run.
        bots: the bots that run.
        calls: the workspace's record of what was said, as of the last look.
        faults: what does not hold.
    """

    workspace: Neighbour
    children: Children
    machine: Path
    bots: list[Child] = field(default_factory=list["Child"])
    calls: list[Mapping[str, Any]] = field(default_factory=list["Mapping[str, Any]"])
    faults: list[str] = field(default_factory=lambda: ["it did not come to its end in time"])
    _said: int = 0
    _begun: float = field(default_factory=SYSTEM.monotonic)

    @property
    def names(self) -> dict[str, str]:
        """User id -> name, of bots and people."""
        bots = {app.bot_user_id: app.name for app in self.workspace.apps}
        return bots | {user.id: user.name for user in self.workspace.users}

    async def play(self) -> list[str]:
        """The whole of it; returns the verdict in words, and nothing wrong in it if all holds."""
        await self._furnish()
        await self._start()
        said = [
            await self._ask("bot-1", "set the lamp to off", "set"),
            await self._ask("bot-1", "set the lamp to on", "set"),
            await self._ask("bot-2", "how is the lamp?", "read"),
        ]
        async with anyio.create_task_group() as tasks:
            for bot in BOTS[:2]:
                tasks.start_soon(self._ask, bot, f"raise the counter {_TIMES} times", "raised")
        await self._ask("bot-3", "how is the counter?", "counted")
        before = await self._read(self.workspace.apps[0])
        self._die()
        await self._start()
        said.append(await self._ask("bot-3", "how is the lamp?", "read"))
        await self._ask("bot-2", "how is the counter?", "counted")
        after = await self._read(self.workspace.apps[1])
        setter = self.workspace.app("bot-1").bot_user_id
        self.faults = wrong(before, after, said[1:], setter=setter, count=2 * _TIMES)
        return sentences(before, self.faults, self.names)

    async def obey(self) -> None:
        """Offer the bots on the page to be killed, and kill those that somebody chose there; never ends."""
        while True:
            running = {bot.name: bot for bot in self.bots if bot.running}
            for name in await self.workspace.killed(sorted(running)):
                running[name].kill()
            await SYSTEM.sleep(_LOOK)

    # the machine

    async def _furnish(self) -> None:
        """Make the channel of the store, with all bots in it."""
        first, *others = self.workspace.apps
        made = await errand(self.workspace, first.bot_token, "conversations.create", {"name": STATE[1:]})
        for app in others:
            await errand(self.workspace, app.bot_token, "conversations.join", {"channel": made["channel"]["id"]})

    async def _start(self) -> None:
        """Start the bots on the machine, and wait until each has said that it is there."""
        self.machine.mkdir()
        here = len(self._heard())
        for name in BOTS:
            app = self.workspace.app(name)
            tokens = {"SLACK_BOT_TOKEN": app.bot_token, "SLACK_APP_TOKEN": app.app_token}
            env = {"SLACKMQ_URL": self.workspace.base_url, CACHE: str(self.machine / f"{name}.db"), **tokens}
            self.bots.append(self.children.start(name, [name], env, module="slackmq.cli.lamp"))
        while len(self._heard()) < here + len(BOTS):
            await self._look()

    def _heard(self) -> list[Mapping[str, Any]]:
        return [call for call in self.calls if str(call["args"].get("text", "")).endswith(" is here")]

    def _die(self) -> None:
        """A machine is lost: its processes and its files."""
        for bot in self.bots:
            bot.kill()
            bot.process.wait()
        self.bots.clear()
        files = sorted(path.name for path in self.machine.iterdir())
        shutil.rmtree(self.machine)
        self._tell(f"KILLED    {', '.join(BOTS)} (kill -9)")
        self._tell(f"DELETED   the folder of their machine: {', '.join(files)}")

    # people

    async def _ask(self, bot: str, words: str, answer: str) -> Mapping[str, str]:
        """A person writes to a bot; returns what the bot answers, in its parts."""
        args = {"channel": self.workspace.channel(TALK).id, "text": f"{bot}: {words}"}
        ts = (await errand(self.workspace, self.workspace.users[0].token, "chat.postMessage", args))["ts"]
        user = self.workspace.app(bot).bot_user_id
        while True:
            await self._look()
            for call in self.calls:
                if call["user"] == user and call["args"].get("thread_ts") == ts:
                    found = ANSWERS[answer].fullmatch(str(call["args"]["text"]))
                    return found.groupdict() if found else {"value": str(call["args"]["text"]), "revision": "?"}

    # witnesses

    async def _look(self) -> None:
        """Read the record, and tell what was said since."""
        await SYSTEM.sleep(_LOOK)
        channel = self.workspace.channel(TALK).id
        self.calls = [
            call
            for call in await self.workspace.record()
            if call["method"] == "chat.postMessage" and call["ok"] and call["args"].get("channel") == channel
        ]
        for call in self.calls[self._said :]:
            words = str(call["args"].get("text", ""))
            for user, name in self.names.items():
                words = words.replace(f"<@{user}>", name)
            self._tell(f"{self.names.get(call['user'], '?'):9} {words}")
        self._said = len(self.calls)

    def _tell(self, line: str) -> None:
        sys.stdout.write(f"{SYSTEM.monotonic() - self._begun:6.1f} s  {printable(line, _LINE)}\n")
        sys.stdout.flush()

    async def _read(self, app: NeighbourApp) -> Reading:
        """Open the store as somebody who has never seen it, and read."""
        settings = Settings(token=app.bot_token, url=self.workspace.base_url)
        async with open_slack(settings) as slack, AsyncStore(slack, STATE, timing=TIMING) as store:
            await store.keys(fresh=True)
            return Reading(
                lamp=await _found(store, "lamp"),
                lamps=await store.history("lamp"),
                counter=await _found(store, "counter"),
                counts=await store.history("counter"),
            )


async def _found(store: AsyncStore, key: str) -> Entry | None:
    try:
        return await store.get(key)
    except KeyNotFound:
        return None
