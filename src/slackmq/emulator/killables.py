"""Processes that may be killed from the page: by name alone, and only by whoever started them.

A launcher names its children at `POST /emulator/killables` again and again, and is answered which of them the page
asked to kill since. This server knows no process id and ends no process: it can only repeat a name to the launcher that
said it. Names that nobody repeats for five seconds are forgotten, so a launcher that is gone leaves no button behind.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from aiohttp import web

from slackmq.emulator.backstage import admit
from slackmq.emulator.sent import read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Killables"]

_KEPT = 5.0
"""Seconds for which a name holds."""
_MOST = 100
_LONGEST = 60


class Killables:
    """The names that launchers gave, and who was asked for.

    Args:
        secret: what the operator's header must hold.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._asked: set[str] = set()
        self._told: list[Callable[[], None]] = []

    def routes(self) -> list[web.RouteDef]:
        """POST the names of one's children; the answer holds `kill`, those that are to be killed."""
        return [web.post("/emulator/killables", self._register)]

    def watch(self, told: Callable[[], None]) -> None:
        """Call `told` whenever a name comes or goes."""
        self._told.append(told)

    @property
    def names(self) -> frozenset[str]:
        """Who can be killed now: named by a launcher, and not asked for yet."""
        return frozenset(self._timers) - self._asked

    def ask(self, name: str) -> bool:
        """Ask the launcher to kill this child; False if nobody named it, or if it was asked for already."""
        if name not in self.names:
            return False
        self._asked.add(name)
        self._stir()
        return True

    def close(self) -> None:
        """Forget all names."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def named(self, names: Sequence[str]) -> list[str]:
        """Keep these names for a while; returns those among them that are to be killed, each once."""
        before = self.names
        loop = asyncio.get_running_loop()
        for name in names:
            if name in self._timers:
                self._timers[name].cancel()
            self._timers[name] = loop.call_later(_KEPT, self._forget, name)
        orders = sorted(self._asked.intersection(names))
        for name in orders:
            self._timers.pop(name).cancel()
        self._asked.difference_update(orders)
        if self.names != before:
            self._stir()
        return orders

    async def _register(self, request: web.Request) -> web.Response:
        admit(request, self._secret)
        given: object = (await read(request)).args.get("names")
        names = cast("list[object]", given) if isinstance(given, list) else []
        fine = [name for name in names if isinstance(name, str) and 0 < len(name) <= _LONGEST]
        if not isinstance(given, list) or len(fine) != len(names) or len(names) > _MOST:
            raise web.HTTPBadRequest(text=f"`names` must be a list of at most {_MOST} names.\n")
        return web.json_response({"ok": True, "kill": self.named(fine)})

    def _forget(self, name: str) -> None:
        del self._timers[name]
        self._asked.discard(name)
        self._stir()

    def _stir(self) -> None:
        for told in self._told:
            told()
