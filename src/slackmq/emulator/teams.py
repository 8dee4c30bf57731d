"""Workspaces beside the first one: each has people, channels and a journal of its own, and the first one's apps."""

from __future__ import annotations

import re
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from slackmq.emulator.identifiers import derived_id
from slackmq.emulator.seed import Seed
from slackmq.emulator.server import Server
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from slackmq.emulator.limits import Limits

__all__ = ["TAKEN", "adopt_all", "beside", "domain_of", "opened_beside"]

TAKEN = frozenset({"admin", "files", "receipts"})
"""Endings of what lies beside the first workspace's data file already: a journal there would be lost to it."""


def domain_of(name: str) -> str:
    """What stands in a workspace's addresses for its name: "Acme Corp." -> "acme-corp"; "" if nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:21].strip("-")


def beside(data: Path | None, ending: str) -> Path | None:
    """The file of this ending beside a data file, or the folder; None where nothing is kept."""
    return None if data is None else data.with_name(f"{data.name}.{ending}")


@asynccontextmanager
async def opened_beside(
    first: Server, name: str, data: Path | None, *, limits: Limits, origin: str
) -> AsyncGenerator[Server]:
    """A further workspace, whose clock is the first one's; open while inside.

    Args:
        first: the workspace whose apps are installed in this one as well.
        name: what it is called.
        data: its journal's file; None keeps it in memory only.
        limits: how often methods may be called: each app has a budget in each workspace.
        origin: scheme, host and path under which its own addresses stand.

    Raises:
        JournalError: the file cannot be used; the error carries a remedy.
    """
    domain = domain_of(name)
    seed = Seed(
        team=name,
        team_id=derived_id("T", domain),
        domain=domain,
        secret=secrets.token_hex(16),
        created=first.now() // 1_000_000,
        apps=(),
    )
    async with Server.opened(data, seed=seed, limits=limits, clock=first.now, origin=origin) as server:
        server.follow(first)
        await adopt_all(first, server)
        yield server


async def adopt_all(first: Server, server: Server) -> None:
    """Install the apps of one workspace in another, as members of all its public channels, where they are not yet."""
    known = {app["id"] for app in server.ask(OPERATOR, "emulator.apps.list", {})["apps"]}
    listed = server.ask(OPERATOR, "emulator.channels.list", {})["channels"]
    public = [row["id"] for row in listed if not row["is_private"] and not row["is_archived"]]
    for app in first.ask(OPERATOR, "emulator.apps.list", {})["apps"]:
        if app["id"] not in known and not app["revoked"]:
            told = first.ask(OPERATOR, "emulator.apps.export", {"app": app["id"]})["app"]
            await server.act(OPERATOR, "emulator.apps.adopt", {"app": told, "channels": public})
