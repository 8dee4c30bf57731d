"""All doors of a running emulator on one socket: for programs, for people, for the operator."""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from slackmq.emulator.admin import Admin
from slackmq.emulator.backstage import Backstage
from slackmq.emulator.blobs import Blobs
from slackmq.emulator.clockwork import keep_time
from slackmq.emulator.courier import Courier
from slackmq.emulator.desk import Desk
from slackmq.emulator.file_door import FileDoor
from slackmq.emulator.guard import Guard, headers, server_log
from slackmq.emulator.house import House
from slackmq.emulator.killables import Killables
from slackmq.emulator.page.site import Site, Stock
from slackmq.emulator.receipts import Receipts
from slackmq.emulator.response_door import ResponseDoor
from slackmq.emulator.rtm import Rtm
from slackmq.emulator.side_doors import SideDoors
from slackmq.emulator.socket_mode import Sockets
from slackmq.emulator.teams import beside
from slackmq.emulator.weather import Weather
from slackmq.emulator.web_api import LARGEST_BODY, WebApi
from slackmq.emulator.workbench import Workbench

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    from slackmq.emulator.server import Server

__all__ = ["Bound", "opened"]

_GRACE = 1.0
"""Seconds that requests get to end when the server stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A listening socket, and the name by which it is reached.

    Attributes:
        host: the name or address it is bound to.
    """

    socket: socket.socket
    host: str

    @property
    def port(self) -> int:
        """Its port."""
        number: int = self.socket.getsockname()[1]
        return number

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """What is read from the disk, or left there, before anybody knocks."""

    stock: Stock
    receipts: tuple[Receipts, ...]
    admin_token: str


@asynccontextmanager
async def opened(
    servers: Sequence[Server], bound: Bound, data: Path | None, *, everywhere: bool
) -> AsyncGenerator[House]:
    """Open all doors on one socket; on leaving, tell everybody to go and wait until they went.

    Args:
        servers: the workspaces; the first one is at the socket's own address.
        bound: the socket.
        data: the first one's data file; what is kept besides lies beside it.
        everywhere: whether /__admin/ is open to other machines too.
    """
    files = [data, *(beside(data, server.workspace.seed.domain) for server in servers[1:])]
    stored = await asyncio.to_thread(_loaded, data, files, servers[0].now())
    house = _furnished(servers, bound, stored)
    houses = (house, *house.beside)
    file_doors = [FileDoor(each.server, Blobs(beside(file, "files"))) for each, file in zip(houses, files, strict=True)]
    sites = [Site(each, file_door=door, stock=stored.stock) for each, door in zip(houses, file_doors, strict=True)]
    app = _application(houses, file_doors, sites, bound, everywhere=everywhere)
    runner = web.AppRunner(app, access_log=None, logger=server_log(), shutdown_timeout=_GRACE)
    await runner.setup()
    house.side_doors.serve(runner)
    try:
        await web.SockSite(runner, bound.socket).start()
        work = [house.sockets.run()]
        for each in houses:
            work += [keep_time(each.server), each.courier.run()]
        timers = [asyncio.create_task(each) for each in work]
        try:
            yield house
        finally:
            for timer in timers:
                timer.cancel()
            await asyncio.gather(*timers, return_exceptions=True)
            house.sockets.dismiss("refresh_requested")
            for each, site in zip(houses, sites, strict=True):
                each.rtm.close()
                site.close()
            house.killables.close()
            await house.weather.close()
    finally:
        await runner.cleanup()


def _application(
    houses: Sequence[House], file_doors: Sequence[FileDoor], sites: Sequence[Site], bound: Bound, *, everywhere: bool
) -> web.Application:
    """One application; further workspaces have their doors for programs under a path, and their page under a name."""
    first = houses[0]
    names = [each.server.workspace.seed.domain for each in houses]
    aside = first.side_doors
    also = tuple(f"{name}.localhost" for name in names[1:])
    guard = Guard(host=bound.host, port=bound.port, names=also, ports=lambda: aside.ports)
    walls = [aside.middleware, guard.middleware, sites[0].presence.middleware, first.weather.middleware]
    app = web.Application(middlewares=walls, client_max_size=LARGEST_BODY)
    app.on_response_prepare.append(headers)
    api = WebApi(first.server, first.sockets, first.rtm, weather=first.weather, called=aside.called)
    common = [
        api.routes(),
        first.killables.routes(),
        Admin(first, everywhere=everywhere).routes(),
        first.sockets.routes(),
    ]
    for routes in (*common, *_own(first, file_doors[0]), sites[0].routes()):
        app.add_routes(routes)
    for name, house, file_door, site in zip(names[1:], houses[1:], file_doors[1:], sites[1:], strict=True):
        api.join(house.server, house.rtm, prefix=house.prefix)
        programs, page = web.Application(), web.Application()
        for routes in _own(house, file_door):
            programs.add_routes(routes)
        page.add_routes(site.routes())
        app.add_subapp(house.prefix, programs)
        app.add_domain(f"{name}.localhost:{bound.port}", page)
    return app


def _own(house: House, file_door: FileDoor) -> list[list[web.RouteDef]]:
    """The doors for programs that every workspace has for itself."""
    server, sockets = house.server, house.sockets
    return [
        house.rtm.routes(),
        Backstage(server, sockets, about=lambda: house.about().to_json(), secret=house.secret).routes(),
        Workbench(house.desk, sockets, house.courier, secret=house.secret).routes(),
        ResponseDoor(server).routes(),
        file_door.routes(),
    ]


def _furnished(servers: Sequence[Server], bound: Bound, stored: _Stored) -> House:
    """The parts, each of which listens to its server; connections, faults and secrets are common to all workspaces."""
    first, desk = servers[0], Desk(servers[0])
    weather, secret = Weather(first), secrets.token_urlsafe(24)
    killables, side_doors = Killables(secret), SideDoors(bound.host)
    sockets = Sockets(first, desk, receipts=stored.receipts[0], weather=weather, told=side_doors.told)

    def house(server: Server, desk: Desk, receipts: Receipts, further: tuple[House, ...] = ()) -> House:
        domain = server.workspace.seed.domain
        return House(
            server=server,
            desk=desk,
            sockets=sockets,
            courier=Courier(server, desk, receipts=receipts, weather=weather),
            rtm=Rtm(server, receipts=receipts, weather=weather),
            weather=weather,
            killables=killables,
            side_doors=side_doors,
            origin=bound.origin,
            page_url=f"{bound.origin}/" if server is first else f"http://{domain}.localhost:{bound.port}/",
            prefix="" if server is first else f"/t/{domain}",
            secret=secret,
            admin_token=stored.admin_token,
            beside=further,
        )

    further: list[House] = []
    for server, receipts in zip(servers[1:], stored.receipts[1:], strict=True):
        weather.join(server)
        its_desk = Desk(server)
        sockets.join(server, its_desk, receipts=receipts)
        further.append(house(server, its_desk, receipts))
    return house(first, desk, stored.receipts[0], tuple(further))


def _loaded(data: Path | None, files: Sequence[Path | None], now: int) -> _Stored:
    return _Stored(
        stock=Stock(),
        receipts=tuple(Receipts(beside(file, "receipts"), now) for file in files),
        admin_token=_admin_token(beside(data, "admin")),
    )


def _admin_token(path: Path | None) -> str:
    """A new token for the admin door, left beside the data file for its owner alone."""
    token = secrets.token_urlsafe(24)
    if path is not None:
        path.unlink(missing_ok=True)  # an older file keeps whatever rights it has
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{token}\n")
    return token
