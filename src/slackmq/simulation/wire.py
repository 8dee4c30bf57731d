"""SimWire: one process's line to the simulated Slack, on which calls and answers get lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from slackmq.errors import Ambiguous
from slackmq.simulation.faults import Failure
from slackmq.simulation.record import Asked
from slackmq.simulation.world import EPOCH, later
from slackmq.slack.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.simulation.faults import Fate
    from slackmq.simulation.world import World

__all__ = ["TIMEOUT", "SimWire"]

TIMEOUT = 10.0
"""Seconds after which a caller gives up waiting."""


class SimWire:
    """Carries the calls of one process, and the bytes of files. Implements `slackmq.slack.wire.Wire` and `Carrier`.

    Args:
        world: the workspace and its faults.
        process: whose line it is.
        token: who calls.
    """

    def __init__(self, world: World, process: str, token: str) -> None:
        self._world = world
        self._process = process
        self._caller = world.authorize(token)

    async def call(self, method: str, args: Mapping[str, object]) -> Reply:
        """Send one call and wait for its reply.

        Raises:
            Ambiguous: no answer came within `TIMEOUT`.
        """
        world, sent = self._world, self._world.now
        fate = world.plan.fate(self._process, sent)
        if fate.failure is not None:
            world.disturbed(self._process, f"{fate.failure.value}: {method}")
        asked = Asked(process=self._process, method=method, sent=sent)
        world.asked.append(asked)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        if fate.failure is not Failure.LOST_REQUEST:
            world.under_way += 1
            later(fate.there, self._arrive, args, fate, answer, asked)
        if fate.failure in {Failure.LOST_REQUEST, Failure.LOST_RESPONSE, Failure.LATE_EFFECT}:
            later(TIMEOUT, self._give_up, method, answer)
        return await answer

    async def put(self, url: str, content: bytes) -> int:
        """Send bytes to an address that the workspace named; returns the HTTP status.

        Raises:
            Ambiguous: no answer came within `TIMEOUT`.
        """
        ident = self._world.workspace.upload(url.rpartition("/")[2])
        if not await self._carried("an upload"):
            raise Ambiguous("An upload was not answered.", method="files.upload")
        return 404 if ident is None else self._world.keep(ident, content)

    async def get(self, url: str) -> tuple[int, bytes]:
        """The HTTP status and the bytes at an address that the workspace named.

        Raises:
            Ambiguous: no answer came within `TIMEOUT`.
        """
        if not await self._carried("a download"):
            raise Ambiguous("A file was not answered.", method="files.info")
        content = self._world.files.get(url.split("/")[-3].rpartition("-")[2])
        return (404, b"") if content is None else (200, content)

    async def aclose(self) -> None:
        """Nothing to close."""

    async def _carried(self, what: str) -> bool:
        """Whether bytes come through; they take as long as a call."""
        world = self._world
        fate = world.plan.fate(self._process, world.now)
        lost = fate.failure in {Failure.LOST_REQUEST, Failure.LOST_RESPONSE, Failure.LATE_EFFECT}
        if lost:
            world.disturbed(self._process, f"lost: {what}")
        await asyncio.sleep(TIMEOUT if lost else fate.there + fate.back)  # noqa: TID251  # virtual time
        return not lost

    def _arrive(self, args: Mapping[str, object], fate: Fate, answer: asyncio.Future[Reply], asked: Asked) -> None:
        self._world.under_way -= 1
        reply = self._reply(asked.method, args, fate, asked.sent)
        if fate.failure is not Failure.LOST_RESPONSE:
            later(fate.back, self._settle, answer, reply, asked)

    def _reply(self, method: str, args: Mapping[str, object], fate: Fate, sent: float) -> Reply:
        world = self._world
        date = float(EPOCH + int(world.now))
        if fate.failure is Failure.ERROR_BEFORE:
            return Reply(status=503, date=date)
        if fate.failure is Failure.LIMITED:
            return _limited(fate.retry_after, date)
        if refusal := world.refusal(method):
            return Reply(status=200, body={"ok": False, "error": refusal}, date=date)
        wait = world.limited(self._caller, method, args)
        if wait is not None:
            world.disturbed(self._process, f"one too many: {method}")
            return _limited(float(wait), date)
        body: Mapping[str, Any] = world.apply(self._caller, method, args, process=self._process, sent=sent)
        if fate.failure is Failure.ERROR_AFTER:
            return Reply(status=500, body={"ok": False, "error": "internal_error"}, date=date)
        return Reply(status=200, body=body, date=date)

    def _settle(self, answer: asyncio.Future[Reply], reply: Reply, asked: Asked) -> None:
        if not answer.done():
            asked.retry_after, asked.answered = reply.retry_after or 0.0, self._world.now
            answer.set_result(reply)

    @staticmethod
    def _give_up(method: str, answer: asyncio.Future[Reply]) -> None:
        if not answer.done():
            answer.set_exception(Ambiguous(f"{method} was not answered within {TIMEOUT:.0f} s.", method=method))


def _limited(retry_after: float, date: float) -> Reply:
    return Reply(status=429, body={"ok": False, "error": "ratelimited"}, date=date, retry_after=retry_after)
