"""Builds an embedded Slack and runs it: host, port, data file, limits; what to tell whoever started it."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import secrets
import signal
import socket
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from aiohttp import web

from slackmq.emulator.about import About, AboutApp, AboutChannel, AboutUser
from slackmq.emulator.admin import Admin
from slackmq.emulator.backstage import Backstage
from slackmq.emulator.blobs import Blobs
from slackmq.emulator.clockwork import keep_time
from slackmq.emulator.courier import Courier
from slackmq.emulator.desk import Desk
from slackmq.emulator.file_door import FileDoor
from slackmq.emulator.guard import Guard, headers, is_loopback
from slackmq.emulator.house import House
from slackmq.emulator.journal import JournalError
from slackmq.emulator.killables import Killables
from slackmq.emulator.limits import Limits
from slackmq.emulator.page.site import Site, Stock
from slackmq.emulator.receipts import Receipts
from slackmq.emulator.response_door import ResponseDoor
from slackmq.emulator.rtm import Rtm
from slackmq.emulator.seed import Seed, SeedApp
from slackmq.emulator.server import Server, wall_clock
from slackmq.emulator.socket_mode import Sockets
from slackmq.emulator.weather import Weather
from slackmq.emulator.web_api import LARGEST_BODY, WebApi
from slackmq.emulator.workbench import Workbench
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from pathlib import Path

    from slackmq.emulator.faults import Faults

__all__ = ["About", "AboutApp", "AboutChannel", "AboutUser", "CannotStart", "embedded", "running", "serve"]

_GRACE = 1.0
"""Seconds that requests get to end when the server stops."""


class CannotStart(Exception):
    """The embedded Slack did not start. `cause` says why, `remedy` what to do."""

    def __init__(self, cause: str, *, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause = cause
        self.remedy = remedy


async def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    data: Path | None = None,
    limits: bool = True,
    apps: Sequence[str] = (),
    faults: Faults | None = None,
    seed: int = 0,
    admin_anywhere: bool = False,
    ready: Callable[[About], None],
) -> None:
    """Run an embedded Slack until SIGTERM or SIGINT, or until cancelled.

    Args:
        host: the address to bind; anything but this machine's own lets others on the network in.
        port: the port to bind; 0 takes a free one.
        data: the workspace's file, made if it is missing; None forgets everything at the end.
        limits: whether Slack's published rate limits apply.
        apps: names of the apps to install; one that is there already stays as it is.
        faults: what goes wrong from the start.
        seed: decides what they strike.
        admin_anywhere: whether other machines reach /__admin/ too, if they reach this server at all.
        ready: is told where the workspace is, once it answers.

    Raises:
        CannotStart: the port is taken, or the data file cannot be used.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with embedded(host=host, port=port, data=data, limits=limits, apps=apps, admin=admin_anywhere) as house:
            if faults is not None:
                house.weather.arm(faults, seed)
            gc.freeze()  # what is there now stays: to look through it for garbage again and again costs every call
            ready(house.about())
            await stop.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@asynccontextmanager
async def running(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    data: Path | None = None,
    limits: bool = True,
    apps: Sequence[str] = (),
    clock: Callable[[], int] = wall_clock,
) -> AsyncGenerator[About]:
    """An embedded Slack in this very event loop, as long as the context lasts. Arguments as for `serve`.

    Raises:
        CannotStart: the port is taken, or the data file cannot be used.
    """
    async with embedded(host=host, port=port, data=data, limits=limits, apps=apps, clock=clock) as house:
        yield house.about()


@asynccontextmanager
async def embedded(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    data: Path | None = None,
    limits: bool = True,
    apps: Sequence[str] = (),
    clock: Callable[[], int] = wall_clock,
    seed: Seed | None = None,
    admin: bool = False,
) -> AsyncGenerator[House]:
    """As `running`, and the parts themselves.

    `seed` is the beginning of a new workspace, if not the usual one; `admin` opens /__admin/ to other machines.

    Raises:
        CannotStart: the port is taken, or the data file cannot be used.
    """
    if not is_loopback(host):
        print(  # noqa: T201  # to whoever started it
            f"slackmq emulator: {host} is not this machine alone: anybody on your network may read and write here, "
            "as any person, without a password. Bind 127.0.0.1 to keep them out.",
            file=sys.stderr,
            flush=True,
        )
    async with AsyncExitStack() as stack:
        bound = stack.enter_context(_bound(host, port))
        number: int = bound.getsockname()[1]
        names = tuple(dict.fromkeys(apps)) or ("slackmq",)
        seed = replace(
            seed or Seed(apps=tuple(SeedApp(name=name) for name in names)),
            secret=secrets.token_hex(16),
            created=clock() // 1_000_000,
        )
        bucket = Limits() if limits else Limits.off()
        authority = f"[{host}]:{number}" if ":" in host else f"{host}:{number}"
        origin = f"http://{authority}"
        try:
            server = await stack.enter_async_context(
                Server.opened(data, seed=seed, limits=bucket, clock=clock, origin=origin)
            )
        except JournalError as error:
            raise CannotStart(error.cause, remedy=error.remedy) from error
        await _install(server, apps)
        secret = secrets.token_urlsafe(24)
        doors = _doors(server, bound, data, host=host, authority=authority, secret=secret, everywhere=admin)
        yield await stack.enter_async_context(doors)


def _bound(host: str, port: int) -> socket.socket:
    """A listening socket, bound before anything else so that a taken port costs nothing."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(
                f"Port {port} of {host} is taken.",
                remedy="Another emulator may be running: use that one, stop it, or choose another port with --port.",
            ) from error
        raise CannotStart(f"{host}:{port} cannot be bound: {error}.", remedy="Choose another host or port.") from error


async def _install(server: Server, apps: Sequence[str]) -> None:
    """Install the apps that an older data file does not know yet, as members of all public channels."""
    known = {app["name"] for app in server.ask(OPERATOR, "emulator.apps.list", {})["apps"]}
    listed = server.ask(OPERATOR, "emulator.channels.list", {})["channels"]
    public = [row["id"] for row in listed if not row["is_private"] and not row["is_archived"]]
    for name in apps:
        if name not in known:
            await server.act(OPERATOR, "emulator.apps.install", {"name": name, "channels": public})


@asynccontextmanager
async def _doors(
    server: Server,
    bound: socket.socket,
    data: Path | None,
    *,
    host: str,
    authority: str,
    secret: str,
    everywhere: bool,
) -> AsyncGenerator[House]:
    """Open all doors on one socket; on leaving, tell everybody to go and wait until they went."""
    stock, receipts, admin_token = await asyncio.to_thread(_loaded, data, server.now())
    house = _furnished(server, receipts, authority=authority, secret=secret, admin_token=admin_token)
    file_door = FileDoor(server, Blobs(_beside(data, "files")))
    site = Site(house, file_door=file_door, stock=stock)
    guard = Guard(host=host, port=bound.getsockname()[1])
    walls = [guard.middleware, site.presence.middleware, house.weather.middleware]
    app = web.Application(middlewares=walls, client_max_size=LARGEST_BODY)
    app.on_response_prepare.append(headers)
    for routes in (
        *_routes(house, everywhere=everywhere),
        file_door.routes(),
        site.routes(),
    ):
        app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE)
    await runner.setup()
    try:
        await web.SockSite(runner, bound).start()
        timers = [asyncio.create_task(work) for work in (house.sockets.run(), keep_time(server), house.courier.run())]
        try:
            yield house
        finally:
            for timer in timers:
                timer.cancel()
            await asyncio.gather(*timers, return_exceptions=True)
            house.sockets.dismiss("refresh_requested")
            house.rtm.close()
            site.close()
            house.killables.close()
            await house.weather.close()
    finally:
        await runner.cleanup()


def _furnished(server: Server, receipts: Receipts, *, authority: str, secret: str, admin_token: str) -> House:
    """The parts, each of which listens to the server."""
    weather, desk = Weather(server), Desk(server)
    return House(
        server=server,
        desk=desk,
        sockets=Sockets(server, desk, receipts=receipts, weather=weather),
        courier=Courier(server, desk, receipts=receipts, weather=weather),
        rtm=Rtm(server, receipts=receipts, weather=weather),
        weather=weather,
        killables=Killables(secret),
        authority=authority,
        secret=secret,
        admin_token=admin_token,
    )


def _routes(house: House, *, everywhere: bool) -> list[list[web.RouteDef]]:
    """The doors for programs."""
    server, sockets = house.server, house.sockets
    return [
        WebApi(server, sockets, house.rtm, weather=house.weather).routes(),
        house.rtm.routes(),
        house.killables.routes(),
        Admin(house, everywhere=everywhere).routes(),
        Backstage(server, sockets, about=lambda: house.about().to_json(), secret=house.secret).routes(),
        Workbench(house.desk, sockets, house.courier, secret=house.secret).routes(),
        ResponseDoor(server).routes(),
        sockets.routes(),
    ]


def _loaded(data: Path | None, now: int) -> tuple[Stock, Receipts, str]:
    """What is read from the disk, or left there, before anybody knocks."""
    return Stock(), Receipts(_beside(data, "receipts"), now), _admin_token(_beside(data, "admin"))


def _admin_token(path: Path | None) -> str:
    """A new token for the admin door, left beside the data file for its owner alone."""
    token = secrets.token_urlsafe(24)
    if path is not None:
        path.unlink(missing_ok=True)  # an older file keeps whatever rights it has
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{token}\n")
    return token


def _beside(data: Path | None, ending: str) -> Path | None:
    return None if data is None else data.with_name(f"{data.name}.{ending}")
