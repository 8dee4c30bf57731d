"""People: what they do to a channel in which programs work, whether they mean it or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from slackmq.emulator.emoji import standard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from slackmq.claiming.way import Way
    from slackmq.emulator.model import Caller
    from slackmq.simulation.world import World

__all__ = ["TYPED", "People"]

TYPED = 4
"""Messages that a person types for the bots."""
_DECOYS = ("clock1", "clock2", "clock3", "white_check_mark", "x")
_PIN_DECOYS = ("clock1", "eyes", "tada")
"""Not both marks that end a pinned job: whoever puts "eyes" and "white_check_mark" on one ends it, and may."""

_FLAGS = [name for name in standard() if name.startswith("flag-")][:50]
"""Fifty emoji that mean nothing to bots: as many as a message of the local Slack takes before `too_many_emoji`."""


class People:
    """One person who types, and who meddles as often as the faults say.

    Args:
        world: where.
        way: how claims are made, which decides what would fool a careless reader.
    """

    def __init__(self, world: World, way: Way) -> None:
        self.typing = True
        self._world = world
        self._way = way
        self._me = world.authorize(world.person["token"])
        self._fans = [world.authorize(each["token"]) for each in world.people]
        self._bots = world.authorize(world.app["bot_token"])

    async def run(self) -> None:
        """Do everything, until cancelled."""
        faults = self._world.plan.faults
        deeds: tuple[tuple[str, float, Callable[[], Awaitable[None]]], ...] = (
            ("unpin", faults.unpins, self._unpin),
            ("delete", faults.deletes, self._delete),
            ("unsay", faults.unsays, self._unsay),
            ("decoy", faults.decoys, self._decoy),
            ("fill", faults.fills, self._fill),
            ("edit", faults.edits, self._edit),
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._type)
            for what, rate, deed in deeds:
                if rate:
                    tasks.start_soon(self._meddle, what, rate, deed)

    async def _type(self) -> None:
        dice = self._world.plan.dice("person")
        for light in range(TYPED):
            await anyio.sleep(dice.expovariate(0.06))
            self._does("chat.postMessage", text=f"toggle light{light} light")
        self.typing = False

    async def _meddle(self, what: str, rate: float, deed: Callable[[], Awaitable[None]]) -> None:
        world = self._world
        while True:
            await anyio.sleep(world.plan.next_blow(what, rate))
            if world.now >= world.plan.faults.until:
                return
            await deed()

    async def _unpin(self) -> None:
        pinned = self._reads("pins.list")["items"]
        if pinned:
            ts = self._world.plan.dice("unpins").choice(pinned)["message"]["ts"]
            self._world.disturbed(ts, "unpin")
            self._does("pins.remove", timestamp=ts)

    async def _delete(self) -> None:
        row = self._any_message("deletes")
        if row is not None:
            self._world.disturbed(str(row["ts"]), "delete")
            self._does("chat.delete", own=not row.get("bot_id"), ts=row["ts"])

    async def _unsay(self) -> None:
        row = self._any_message("unsays")
        if row is None:
            return
        notes: list[Mapping[str, Any]] = self._reads("conversations.replies", ts=row["ts"])["messages"][1:]
        if notes:
            self._world.disturbed(str(row["ts"]), "note deleted")
            self._does("chat.delete", own=False, ts=self._world.plan.dice("unsays").choice(notes)["ts"])

    async def _decoy(self) -> None:
        row = self._any_message("decoys")
        if row is not None:
            name = self._world.plan.dice("decoys").choice(_PIN_DECOYS if self._way == "pin" else _DECOYS)
            self._does("reactions.add", timestamp=row["ts"], name=name)

    async def _fill(self) -> None:
        row = self._any_message("fills")
        if row is not None:
            self._world.disturbed(str(row["ts"]), "filled with emoji")
            for number, name in enumerate(_FLAGS):  # one person may not put so many on one message
                fan = self._fans[number % len(self._fans)]
                self._acts(fan, "reactions.add", timestamp=row["ts"], name=name)

    async def _edit(self) -> None:
        row = self._any_message("edits")
        if row is not None:
            self._world.disturbed(str(row["ts"]), "edit")
            self._does("chat.update", own=not row.get("bot_id"), ts=row["ts"], text=f"{row['text']} !")

    def _any_message(self, dice: str) -> Mapping[str, Any] | None:
        """One of the channel's messages, mostly one of the latest."""
        rows = [row for row in self._reads("conversations.history", limit=8)["messages"] if not row.get("subtype")]
        return self._world.plan.dice(dice).choice(rows) if rows else None

    def _reads(self, method: str, **args: object) -> Mapping[str, Any]:
        world = self._world
        return world.workspace.apply(world.micros(), self._me, method, {"channel": world.channel, **args}).reply

    def _does(self, method: str, *, own: bool = True, **args: object) -> None:
        """A write call; what bots wrote an operator edits and deletes in the bot's name."""
        self._acts(self._me if own else self._bots, method, **args)

    def _acts(self, caller: Caller, method: str, **args: object) -> None:
        world = self._world
        world.apply(caller, method, {"channel": world.channel, **args}, process="you", sent=world.now)
