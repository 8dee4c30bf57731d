"""The door at /__admin/ for whoever tests against this workspace: faults, connections, the clock.

It has a token of its own, which is none of the apps': `Authorization: Bearer …`. Only this machine gets in, unless
whoever started the workspace said otherwise.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from aiohttp import web

from slackmq.emulator.faults import FaultsUnreadable, faults_of
from slackmq.emulator.sent import read, since
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from slackmq.emulator.house import House

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

__all__ = ["Admin", "is_near"]

_LONGEST = 366 * 86400
"""Seconds that the clock goes forward at once."""


class Admin:
    """Arms faults, cuts connections and moves the clock, over HTTP.

    Args:
        house: the running workspace.
        everywhere: True to let in other machines, with the token.
    """

    def __init__(self, house: House, *, everywhere: bool = False) -> None:
        self._house = house
        self._everywhere = everywhere

    def routes(self) -> list[web.RouteDef]:
        """GET the state, the connections and the record; POST arm, disarm, cut and clock."""
        return [
            web.get("/__admin/", self._admitted(self._tell)),
            web.get("/__admin/connections", self._admitted(self._connections)),
            web.get("/__admin/record", self._admitted(self._record)),
            web.post("/__admin/arm", self._admitted(self._arm)),
            web.post("/__admin/disarm", self._admitted(self._disarm)),
            web.post("/__admin/cut", self._admitted(self._cut)),
            web.post("/__admin/clock", self._admitted(self._clock)),
        ]

    def _admitted(self, handler: Handler) -> Handler:
        async def admitted(request: web.Request) -> web.StreamResponse:
            if not self._everywhere and not is_near(request.remote):
                raise web.HTTPForbidden(text="This door is for this machine alone; --admin anywhere opens it.\n")
            scheme, _, given = request.headers.get("Authorization", "").partition(" ")
            wanted = self._house.admin_token.encode()
            if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), wanted):
                raise web.HTTPUnauthorized(
                    headers={"WWW-Authenticate": "Bearer"},
                    text="Authorization: Bearer and the admin token are wanted; it was printed at the start.\n",
                )
            return await handler(request)

        return admitted

    async def _tell(self, _request: web.Request) -> web.Response:
        return _state(self._house)

    async def _connections(self, _request: web.Request) -> web.Response:
        rows = [asdict(one) for one in self._house.connections()]
        return web.json_response({"ok": True, "connections": rows})

    async def _record(self, request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "calls": await self._house.server.record(since(request))})

    async def _arm(self, request: web.Request) -> web.Response:
        """Faults by name, and `seed`; what is left out does not go wrong."""
        args = dict(await _args(request))
        seed = args.pop("seed", 0)
        try:
            self._house.weather.arm(faults_of(args), int(str(seed)))
        except FaultsUnreadable as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        except ValueError as error:
            raise web.HTTPBadRequest(text="`seed` must be a whole number.\n") from error
        return _state(self._house)

    async def _disarm(self, _request: web.Request) -> web.Response:
        self._house.weather.disarm()
        return _state(self._house)

    async def _cut(self, request: web.Request) -> web.Response:
        """Break off the connection with this id, those of this `owner` (an app's or user's id), or all of them."""
        args = await _args(request)
        connection, owner = args.get("connection"), args.get("owner")
        count = self._house.cut(
            connection=None if connection is None else str(connection), owner=None if owner is None else str(owner)
        )
        return web.json_response({"ok": True, "cut": count})

    async def _clock(self, request: web.Request) -> web.Response:
        """Put the clock forward by `seconds`."""
        given = str((await _args(request)).get("seconds", ""))
        try:
            seconds = float(given)
        except ValueError:
            seconds = -1
        if not 0 <= seconds <= _LONGEST:
            raise web.HTTPBadRequest(text=f"`seconds` must be between 0 and {_LONGEST}: time does not go back.\n")
        self._house.server.move(seconds)
        # Written down at once: a restart goes on from the latest moment in the journal.
        await self._house.server.act(OPERATOR, "emulator.due", {})
        return _state(self._house)


def _state(house: House) -> web.Response:
    return web.json_response({"ok": True, "now": house.server.now() / 1e6, "armed": house.weather.armed})


async def _args(request: web.Request) -> Mapping[str, Any]:
    sent = await read(request)
    if sent.error:
        raise web.HTTPBadRequest(text=f"{json.dumps(sent.error)}: send a JSON object or a form.\n")
    return sent.args


def is_near(remote: str | None) -> bool:
    """Whether a request comes from this machine."""
    try:
        return remote is not None and ip_address(remote).is_loopback
    except ValueError:
        return False
