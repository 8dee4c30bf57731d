"""Builds an embedded Slack and runs it: host, port, data file, limits; what to tell whoever started it."""

from __future__ import annotations

import asyncio
import errno
import gc
import secrets
import signal
import socket
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from slackmq.emulator import doors
from slackmq.emulator.about import About, AboutApp, AboutChannel, AboutUser
from slackmq.emulator.doors import Bound
from slackmq.emulator.guard import is_loopback
from slackmq.emulator.journal import JournalError
from slackmq.emulator.limits import Limits
from slackmq.emulator.seed import Seed, SeedApp
from slackmq.emulator.server import Server, wall_clock
from slackmq.emulator.teams import TAKEN, beside, domain_of, opened_beside
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from slackmq.emulator.faults import Faults
    from slackmq.emulator.house import House

__all__ = ["About", "AboutApp", "AboutChannel", "AboutUser", "CannotStart", "embedded", "running", "serve"]


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
    workspaces: Sequence[str] = (),
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
        workspaces: names of further workspaces, in which the first one's apps are installed too; each has a page and
            a file of its own.
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
        async with embedded(
            host=host, port=port, data=data, limits=limits, apps=apps, workspaces=workspaces, admin=admin_anywhere
        ) as house:
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
    workspaces: Sequence[str] = (),
    clock: Callable[[], int] = wall_clock,
) -> AsyncGenerator[About]:
    """An embedded Slack in this very event loop, as long as the context lasts. Arguments as for `serve`.

    Raises:
        CannotStart: the port is taken, or the data file cannot be used.
    """
    async with embedded(
        host=host, port=port, data=data, limits=limits, apps=apps, workspaces=workspaces, clock=clock
    ) as house:
        yield house.about()


@asynccontextmanager
async def embedded(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    data: Path | None = None,
    limits: bool = True,
    apps: Sequence[str] = (),
    workspaces: Sequence[str] = (),
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
        bound = Bound(socket=stack.enter_context(_bound(host, port)), host=host)
        names = tuple(dict.fromkeys(apps)) or ("slackmq",)
        seed = replace(
            seed or Seed(apps=tuple(SeedApp(name=name) for name in names)),
            secret=secrets.token_hex(16),
            created=clock() // 1_000_000,
        )
        bucket = Limits() if limits else Limits.off()
        try:
            opened = Server.opened(data, seed=seed, limits=bucket, clock=clock, origin=bound.origin)
            servers = [await stack.enter_async_context(opened)]
            await _install(servers[0], apps)
            for name in workspaces:
                servers.append(await stack.enter_async_context(_further(servers, name, data, bucket, bound)))
        except JournalError as error:
            raise CannotStart(error.cause, remedy=error.remedy) from error
        yield await stack.enter_async_context(doors.opened(servers, bound, data, everywhere=admin))


def _further(
    servers: Sequence[Server], name: str, data: Path | None, limits: Limits, bound: Bound
) -> AbstractAsyncContextManager[Server]:
    domain = domain_of(name)
    if not domain or domain in TAKEN or domain in {server.workspace.seed.domain for server in servers}:
        raise CannotStart(
            f"A workspace called {name!r} has no address of its own here.",
            remedy="Give each workspace another name, with a letter or a digit in it; not admin, files or receipts.",
        )
    origin = f"{bound.origin}/t/{domain}"
    return opened_beside(servers[0], name, beside(data, domain), limits=limits, origin=origin)


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
