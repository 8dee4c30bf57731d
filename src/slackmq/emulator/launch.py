"""Builds an embedded Slack and runs it: host, port, data file, limits; what to tell whoever started it."""

from __future__ import annotations

import asyncio
import errno
import secrets
import signal
import socket
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from slackmq.emulator.backstage import Backstage
from slackmq.emulator.blobs import Blobs
from slackmq.emulator.clockwork import keep_time
from slackmq.emulator.courier import Courier
from slackmq.emulator.desk import Desk
from slackmq.emulator.file_door import FileDoor
from slackmq.emulator.guard import Guard, headers, is_loopback
from slackmq.emulator.journal import JournalError
from slackmq.emulator.limits import Limits
from slackmq.emulator.page.site import Site, Stock
from slackmq.emulator.receipts import Receipts
from slackmq.emulator.response_door import ResponseDoor
from slackmq.emulator.rtm import Rtm
from slackmq.emulator.seed import Seed, SeedApp
from slackmq.emulator.server import Server, wall_clock
from slackmq.emulator.socket_mode import Sockets
from slackmq.emulator.web_api import LARGEST_BODY, WebApi
from slackmq.emulator.workbench import Workbench
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["About", "AboutApp", "AboutChannel", "AboutUser", "CannotStart", "running", "serve"]

_GRACE = 1.0
"""Seconds that requests get to end when the server stops."""


class CannotStart(Exception):
    """The embedded Slack did not start. `cause` says why, `remedy` what to do."""

    def __init__(self, cause: str, *, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause = cause
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutUser:
    """A person, and the token of Slack's own client for that person."""

    id: str
    name: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutChannel:
    """A channel."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutApp:
    """An app, its bot user and its two tokens."""

    name: str
    id: str
    bot_token: str
    app_token: str
    bot_user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Where a running workspace is, who lives there, and with which tokens.

    Attributes:
        base_url: for Slack's clients, as `WebClient(base_url=…)`.
        page_url: for a browser.
        operator_token: opens /emulator/ for this run; see `slackmq.emulator.backstage`.
    """

    base_url: str
    page_url: str
    users: tuple[AboutUser, ...]
    channels: tuple[AboutChannel, ...]
    apps: tuple[AboutApp, ...]
    operator_token: str

    def to_json(self) -> dict[str, Any]:
        """The same as a JSON object."""
        return asdict(self)


async def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    data: Path | None = None,
    limits: bool = True,
    apps: Sequence[str] = (),
    ready: Callable[[About], None],
) -> None:
    """Run an embedded Slack until SIGTERM or SIGINT, or until cancelled.

    Args:
        host: the address to bind; anything but this machine's own lets others on the network in.
        port: the port to bind; 0 takes a free one.
        data: the workspace's file, made if it is missing; None forgets everything at the end.
        limits: whether Slack's published rate limits apply.
        apps: names of the apps to install; one that is there already stays as it is.
        ready: is told where the workspace is, once it answers.

    Raises:
        CannotStart: the port is taken, or the data file cannot be used.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with running(host=host, port=port, data=data, limits=limits, apps=apps) as about:
            ready(about)
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
        seed = Seed(
            secret=secrets.token_hex(16),
            created=clock() // 1_000_000,
            apps=tuple(SeedApp(name=name) for name in names),
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
        await stack.enter_async_context(_doors(server, bound, data, host=host, authority=authority, secret=secret))
        yield _about(server, authority, secret)


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
    server: Server, bound: socket.socket, data: Path | None, *, host: str, authority: str, secret: str
) -> AsyncGenerator[None]:
    """Open all doors on one socket; on leaving, tell everybody to go and wait until they went."""
    stock, receipts = await asyncio.to_thread(_loaded, data, server.now())
    desk = Desk(server)
    sockets, courier = Sockets(server, desk, receipts=receipts), Courier(server, desk, receipts=receipts)
    rtm = Rtm(server)
    file_door = FileDoor(server, Blobs(_beside(data, "files")))
    site = Site(server=server, desk=desk, sockets=sockets, file_door=file_door, stock=stock)
    guard = Guard(host=host, port=bound.getsockname()[1])
    app = web.Application(middlewares=[guard.middleware, site.presence.middleware], client_max_size=LARGEST_BODY)
    app.on_response_prepare.append(headers)
    for routes in (
        WebApi(server, sockets, rtm).routes(),
        rtm.routes(),
        Backstage(server, sockets, about=lambda: _about(server, authority, secret).to_json(), secret=secret).routes(),
        Workbench(desk, sockets, courier, secret=secret).routes(),
        ResponseDoor(server).routes(),
        file_door.routes(),
        sockets.routes(),
        site.routes(),
    ):
        app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE)
    await runner.setup()
    try:
        await web.SockSite(runner, bound).start()
        timers = [asyncio.create_task(work) for work in (sockets.run(), keep_time(server), courier.run())]
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()
            await asyncio.gather(*timers, return_exceptions=True)
            sockets.dismiss("refresh_requested")
            rtm.close()
            site.close()
    finally:
        await runner.cleanup()


def _loaded(data: Path | None, now: int) -> tuple[Stock, Receipts]:
    """What is read from the disk before anybody knocks."""
    return Stock(), Receipts(_beside(data, "receipts"), now)


def _beside(data: Path | None, ending: str) -> Path | None:
    return None if data is None else data.with_name(f"{data.name}.{ending}")


def _about(server: Server, authority: str, secret: str) -> About:
    people: Sequence[Mapping[str, Any]] = server.ask(OPERATOR, "emulator.users.list", {})["users"]
    channels: Sequence[Mapping[str, Any]] = server.ask(OPERATOR, "emulator.channels.list", {})["channels"]
    apps: Sequence[Mapping[str, Any]] = server.ask(OPERATOR, "emulator.apps.list", {})["apps"]
    return About(
        base_url=f"http://{authority}/api/",
        page_url=f"http://{authority}/",
        users=tuple(AboutUser(id=row["id"], name=row["name"], token=row["token"]) for row in people),
        channels=tuple(AboutChannel(id=row["id"], name=row["name"]) for row in channels if not row["is_archived"]),
        apps=tuple(
            AboutApp(
                name=row["name"],
                id=row["id"],
                bot_token=row["bot_token"],
                app_token=row["app_token"],
                bot_user_id=row["bot_user"],
            )
            for row in apps
            if not row["revoked"]
        ),
        operator_token=secret,
    )
