"""Lets happen what is due without anybody calling: scheduled messages arrive at their time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from slackmq.emulator.server import Done, Server

__all__ = ["keep_time"]

_MICRO = 1_000_000
_PATIENCE = 1.0
"""Seconds until the next try, if the journal could not write it down."""


async def keep_time(server: Server) -> None:
    """Deliver what is due, at its time, until cancelled; what became due while nobody ran the server comes first."""
    woken = asyncio.Event()

    def wake(_done: Done) -> None:
        woken.set()

    server.listen(wake)
    server.when_moved(woken.set)
    while True:
        woken.clear()
        due = server.workspace.next_due()
        wait = None if due is None else (due - server.now()) / _MICRO
        if wait is not None and wait <= 0:
            if (await server.act(OPERATOR, "emulator.due", {}))["ok"]:
                continue
            wait = _PATIENCE
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await woken.wait()
