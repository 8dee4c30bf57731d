"""Where what people do with apps is handed over, and where they wait for the answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.delivery import Settled
    from slackmq.emulator.server import Done, Server

__all__ = ["Desk"]

_SETTLE = "emulator.interactions.settle"
_PATIENCE = 6.0
"""Seconds to wait for an answer that the app must give within three."""
_MOST = 1000
"""Answers kept for those who ask for them."""


class Desk:
    """Does what a person does with an app, and tells what came of it.

    Args:
        server: the workspace behind its order of calls.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._open: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        server.listen(self._heard)

    async def perform(self, method: str, args: Mapping[str, object]) -> Mapping[str, Any]:
        """Call one of emulator.interactions.* or emulator.modals.*, and wait until the app answered.

        Returns:
            The method's reply; with it, as `answer`, what the app's answer did: `errors` to show in the modal,
            `options` of a menu, or `failure`: dispatch_failed, operation_timeout, http_service_error.
        """
        reply = await self._server.act(OPERATOR, method, args)
        number = str(reply.get("interaction", ""))
        waiting = self._open.get(number)
        if waiting is None:
            return reply
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = dict(await asyncio.shield(waiting))
        except TimeoutError:
            answer = {"failure": "operation_timeout"}
        finally:
            self._open.pop(number, None)
        if not answer.pop("ok", True):
            answer = {"failure": answer["error"], **answer}
        return {**reply, "answer": answer}

    async def settle(self, settled: Settled) -> None:
        """An app answered, or did not: let it take effect."""
        args = {"interaction": settled.interaction, "payload": settled.payload, "failure": settled.failure}
        await self._server.act(OPERATOR, _SETTLE, args)

    def _heard(self, done: Done) -> None:
        for payload in done.outcome.payloads:
            self._open[payload.interaction] = asyncio.get_running_loop().create_future()
            while len(self._open) > _MOST:  # whoever called the method past this desk never asks
                del self._open[next(iter(self._open))]
        if done.method == _SETTLE:
            waiting = self._open.get(str(done.args.get("interaction", "")))
            if waiting is not None and not waiting.done():
                waiting.set_result(done.outcome.reply)
