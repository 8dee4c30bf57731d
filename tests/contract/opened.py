"""Stores and clients of the apps of one workspace."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from slackmq.clock import SystemClock
from slackmq.kv.store import AsyncStore
from slackmq.policy import Timing
from slackmq.slack.connect import open_events, open_slack

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from slackmq.clock import Clock
    from slackmq.kv.secret import Secret
    from slackmq.slack.client import Client
    from slackmq.testing.awaiting import AsyncWorkspace

FAST = Timing(scan=timedelta(seconds=3), quiet=timedelta(seconds=6), skew=timedelta(seconds=0.1))


@asynccontextmanager
async def client(workspace: AsyncWorkspace, app: int = 0) -> AsyncGenerator[Client]:
    async with open_slack(workspace.apps[app].settings) as slack:
        yield slack


@asynccontextmanager
async def opened(
    workspace: AsyncWorkspace,
    app: int = 0,
    *,
    authors: frozenset[str] | None = None,
    timing: Timing = FAST,
    clock: Clock | None = None,
    events: bool = True,
    secret: Secret | None = None,
    cache: Path | None = None,
    repair: bool = False,
) -> AsyncGenerator[AsyncStore]:
    settings = workspace.apps[app].settings
    settings = settings if events else replace(settings, app_token=None)
    clock = clock or SystemClock()
    async with (
        open_slack(settings, clock=clock) as slack,
        AsyncStore(
            slack,
            "#state",
            events=open_events(settings),
            timing=timing,
            authors=authors,
            clock=clock,
            secret=secret,
            cache=cache,
            repair=repair,
        ) as store,
    ):
        yield store
