"""What happens in the demo: who posts what and when, and which worker dies while it holds a job."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from slackmq.claiming.marks import Marks
from slackmq.cli.house import TIMING, app, water
from slackmq.cli.record import Ledger, read_record
from slackmq.cli.tally import Kill, tally
from slackmq.cli.target import wall_clock
from slackmq.clock import SYSTEM
from slackmq.slack.connect import Settings
from slackmq.slack.refusals import refusal
from slackmq.slack.web import SdkWire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.cli.children import Child
    from slackmq.cli.neighbour import Neighbour
    from slackmq.cli.tally import Tally
    from slackmq.cli.target import Effect, Target

__all__ = ["ALL", "Scene"]

_LIGHTS = (
    "dining",
    "kitchen",
    "hall",
    "garden",
    "attic",
    "porch",
    "cellar",
    "bath",
    "stairs",
    "study",
    "garage",
    "shed",
)
_PLANTS = ("fern", "basil", "ivy", "cactus", "orchid", "palm", "fig", "mint")
ALL = len(_LIGHTS) + len(_PLANTS)
"""So many messages are posted in all."""
_LONG = 3.0
"""Seconds of the jobs whose worker may be killed: enough to be caught, less than half a lease."""
_SHORT = 0.5
_LOOK = 0.5
"""Seconds from one question to the next, whom the page wants killed."""
_KILL_FROM = 3
"""The worker is killed that holds a long job once so many jobs were posted by the program."""


@dataclass(slots=True, kw_only=True)
class Scene:
    """A run in progress.

    Attributes:
        workspace: where it happens.
        workers: the worker processes.
        target: what the handlers act upon.
        ledger: the workspace's record as of the last look.
        effects: the target as of the last look.
        kills: who was killed, and when.
        posted: how many messages were posted by person and program.
        seen: how many of them when the record was last asked for.
    """

    workspace: Neighbour
    workers: Sequence[Child]
    target: Target
    ledger: Ledger = field(default_factory=Ledger)
    effects: tuple[Effect, ...] = ()
    kills: list[Kill] = field(default_factory=list[Kill])
    posted: int = 0
    seen: int = 0

    @property
    def settings(self) -> Settings:
        """How the app's program and workers reach the workspace."""
        mine = self.workspace.app()
        return Settings(token=mine.bot_token, app_token=mine.app_token, url=self.workspace.base_url)

    @property
    def over(self) -> bool:
        """Everything was posted before the last look, somebody was killed, and all is done."""
        return self.seen == ALL and bool(self.kills) and not self.tally().lost

    def tally(self) -> Tally:
        """How it stands, as of the last look."""
        return tally(self.ledger, self.effects, lease=TIMING.lease, kills=self.kills)

    async def look(self) -> None:
        """Read the record and the target."""
        posted = self.posted
        self.effects = self.target.read()
        channel, bot = self.workspace.channel(app.channel).id, self.workspace.app().bot_user_id
        self.ledger = read_record(await self.workspace.record(), channel=channel, bot=bot, marks=Marks())
        self.seen = posted

    async def person(self) -> None:
        """A person types, every two seconds."""
        channel, token = self.workspace.channel(app.channel).id, self.workspace.users[0].token
        wire = SdkWire(token=token, url=self.workspace.base_url)
        try:
            for light in _LIGHTS:
                reply = await wire.call("chat.postMessage", {"channel": channel, "text": f"toggle {light} light"})
                if not reply.body.get("ok"):
                    raise refusal("chat.postMessage", reply.body)
                self.posted += 1
                await SYSTEM.sleep(2.0)
        finally:
            await wire.aclose()

    async def program(self) -> None:
        """A program posts, every three seconds; long jobs until somebody has been killed over one."""
        async with app.connected(self.settings):
            for number, plant in enumerate(_PLANTS):
                await water.post(plant, _SHORT if self.kills or number < _KILL_FROM - 1 else _LONG)
                self.posted += 1
                await SYSTEM.sleep(3.0)

    async def killer(self) -> None:
        """Wait until the target sees a worker begin a long job, and kill that worker while it holds it."""
        while not self.kills:
            seen = self.target.read()
            ended = {effect.key for effect in seen if effect.step == "end"}
            for effect in seen:
                job = self.ledger.by_key().get(effect.key)
                if job and effect.key not in ended and f"seconds={_LONG}" in job.text:
                    self._kill(effect.worker)
                    break
            await SYSTEM.sleep(0.05)

    def _kill(self, pid: int) -> None:
        for worker in self.workers:
            if worker.pid == pid and worker.running:
                self.kills.append(Kill(worker=pid, at=wall_clock()))
                worker.kill()
                return

    async def obey(self) -> None:
        """Offer the workers on the page to be killed, and kill those that somebody chose there; never ends."""
        while True:
            running = {worker.name: worker.pid for worker in self.workers if worker.running}
            for name in await self.workspace.killed(sorted(running)):
                self._kill(running[name])
            await SYSTEM.sleep(_LOOK)

    def name_of(self, pid: int) -> str:
        """What a worker is called."""
        return next((worker.name for worker in self.workers if worker.pid == pid), f"process {pid}")
