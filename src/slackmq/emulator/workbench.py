"""The operator's door at /emulator/ for apps at work: what people do with them, and how they listen.

Like the rest of /emulator/ it wants the header `X-Emulator-Operator`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from slackmq.emulator.backstage import admit
from slackmq.emulator.sent import read
from slackmq.emulator.socket_mode import DISTRIBUTIONS

if TYPE_CHECKING:
    from slackmq.emulator.courier import Courier
    from slackmq.emulator.desk import Desk
    from slackmq.emulator.socket_mode import Sockets

__all__ = ["Workbench"]


class Workbench:
    """Lets scripts click, type commands and submit modals, and choose how payloads are spread.

    Args:
        desk: where people's deeds are handed over.
        sockets: the Socket Mode connections.
        courier: the deliveries over HTTP.
        secret: what the header must hold.
    """

    def __init__(self, desk: Desk, sockets: Sockets, courier: Courier, *, secret: str) -> None:
        self._desk = desk
        self._sockets = sockets
        self._courier = courier
        self._secret = secret

    def routes(self) -> list[web.RouteDef]:
        """POST people's deeds, the distribution, and enable; GET who listens."""
        return [
            web.post("/emulator/people/{deed}", self._perform),
            web.post("/emulator/distribution", self._distribute),
            web.post("/emulator/enable", self._enable),
            web.get("/emulator/listeners", self._tell_listeners),
            web.post("/emulator/listeners", self._tell_listeners),
        ]

    async def _perform(self, request: web.Request) -> web.Response:
        """Do what a person does, and wait for the app: /emulator/people/interactions.click, modals.submit and so on."""
        admit(request, self._secret)
        deed = request.match_info["deed"]
        if not deed.startswith(("interactions.", "modals.")) or deed == "interactions.settle":
            raise web.HTTPNotFound(text="People do interactions.* and modals.*; see the reference of the emulator.\n")
        sent = await read(request)
        return web.json_response(await self._desk.perform(f"emulator.{deed}", sent.args))

    async def _distribute(self, request: web.Request) -> web.Response:
        """From now on spread payloads over connections as `distribution` says."""
        admit(request, self._secret)
        wanted = str((await read(request)).args.get("distribution", ""))
        if wanted not in DISTRIBUTIONS:
            raise web.HTTPBadRequest(text=f"`distribution` must be one of {', '.join(DISTRIBUTIONS)}.\n")
        self._sockets.distribute(wanted)
        return web.json_response({"ok": True})

    async def _enable(self, request: web.Request) -> web.Response:
        """Switch the events of `app` on again."""
        admit(request, self._secret)
        app = str((await read(request)).args.get("app", ""))
        if app not in self._courier.subscriptions():
            raise web.HTTPNotFound(text="No events were ever sent to a request URL of this app.\n")
        self._courier.enable(app)
        return web.json_response({"ok": True})

    async def _tell_listeners(self, request: web.Request) -> web.Response:
        """Open connections by app, and the state of each request URL."""
        admit(request, self._secret)
        urls = {
            app: {"verified": url.verified, "disabled": url.disabled, "pending": url.pending}
            for app, url in self._courier.subscriptions().items()
        }
        return web.json_response({"ok": True, "sockets": self._sockets.listening(), "request_urls": urls})
