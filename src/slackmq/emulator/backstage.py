"""The operator's door at /emulator/: what Slack does not have, for scripts that run and judge a workspace.

Every request carries the header `X-Emulator-Operator` with the secret of this run, which `slackmq emulator --json`
prints once.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from aiohttp import web

from slackmq.emulator.sent import read, since
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slackmq.emulator.server import Server
    from slackmq.emulator.socket_mode import Sockets

__all__ = ["HEADER", "Backstage", "admit"]

HEADER = "X-Emulator-Operator"


class Backstage:
    """Tells the operator what happened, and does what Slack's own web site would do.

    Args:
        server: the workspace behind its order of calls.
        sockets: the Socket Mode connections.
        about: the addresses and tokens as a JSON object.
        secret: what the header must hold.
    """

    def __init__(
        self, server: Server, sockets: Sockets, *, about: Callable[[], Mapping[str, Any]], secret: str
    ) -> None:
        self._server = server
        self._sockets = sockets
        self._about = about
        self._secret = secret

    def routes(self) -> list[web.RouteDef]:
        """GET about and record; POST disconnect, and the emulator.* methods."""
        return [
            web.get("/emulator/about", self._tell_about),
            web.get("/emulator/record", self._tell_record),
            web.post("/emulator/disconnect", self._disconnect),
            web.post("/emulator/api/{method}", self._call),
        ]

    async def _tell_about(self, request: web.Request) -> web.Response:
        self._admit(request)
        return web.json_response(self._about())

    async def _tell_record(self, request: web.Request) -> web.Response:
        """Every write call after sequence number `since`, in order, with its outcome."""
        self._admit(request)
        return web.json_response({"calls": await self._server.record(since(request))})

    async def _disconnect(self, request: web.Request) -> web.Response:
        """Tell the sockets of one app, or of all, to go: `reason` is warning, refresh_requested or link_disabled."""
        self._admit(request)
        sent = await read(request)
        app, reason = sent.args.get("app"), sent.args.get("reason", "refresh_requested")
        if reason not in {"warning", "refresh_requested", "link_disabled"}:
            raise web.HTTPBadRequest(text="`reason` must be warning, refresh_requested or link_disabled.\n")
        count = self._sockets.dismiss(str(reason), app=None if app is None else str(app))
        return web.json_response({"ok": True, "connections": count})

    async def _call(self, request: web.Request) -> web.Response:
        """Call any method as the operator, also emulator.apps.install, emulator.users.create and their like."""
        self._admit(request)
        sent = await read(request)
        reply = await self._server.act(OPERATOR, request.match_info["method"], sent.args)
        return web.json_response(reply)

    def _admit(self, request: web.Request) -> None:
        admit(request, self._secret)


def admit(request: web.Request, secret: str) -> None:
    """Let the operator through.

    Raises:
        aiohttp.web.HTTPForbidden: the header does not hold the secret of this run.
    """
    given = request.headers.get(HEADER, "").encode()
    if not hmac.compare_digest(given, secret.encode()):
        raise web.HTTPForbidden(
            text=f"The header {HEADER} must hold the operator_token that `slackmq emulator --json` printed.\n"
        )
