"""Counting: what runs in the processes that raise one counter of a store together, and are killed meanwhile."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
from tests.kills.pages import append
from tests.kills.program import AWAY

from slackmq.errors import Ambiguous
from slackmq.kv import follower
from slackmq.kv.errors import RevisionMismatch, WriteLost
from slackmq.kv.secret import Secret
from slackmq.kv.store import AsyncStore
from slackmq.policy import Timing
from slackmq.slack import pacing
from slackmq.slack.connect import Settings, open_events, open_slack

if TYPE_CHECKING:
    from pathlib import Path

KEY = "n"
TIMING = Timing(scan=timedelta(seconds=2), quiet=timedelta(seconds=4), skew=timedelta(seconds=0.1))
_FASTER = 60
"""The skew is a fortieth of that as shipped, so the budgets are this many times larger, and reads follow as quickly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingLife:
    """What a process is told at its birth.

    Attributes:
        name: unlike that of any other process of the round.
        url: base of the Web API, through the proxy.
        token: of its bot.
        app_token: for Socket Mode; None: it only reads.
        folder: where it writes down what it does.
        goal: where the counter shall stop.
        secret: the store's key; "" for none.
        cache: the cache file of its place; None: none.
    """

    name: str
    url: str
    token: str
    app_token: str | None
    folder: Path
    goal: int
    secret: str
    cache: Path | None

    @property
    def pages(self) -> Path:
        """Where all write down what they ask and what they are told."""
        return self.folder / "counts.jsonl"


def hurry() -> None:
    """Let this process do in a second what takes a minute within Slack's limits."""
    pacing.LIMITS = {method: limit * _FASTER for method, limit in pacing.LIMITS.items()}
    follower._GAP /= _FASTER


def count(life: CountingLife) -> None:
    """Raise the counter until it stands at its goal."""
    with (life.folder / f"{life.name}.log").open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s", force=True)
    hurry()
    try:
        anyio.run(_count, life)
    except* Ambiguous:
        sys.exit(AWAY)


class _Full(Exception):
    """The counter stands at its goal."""


async def _count(life: CountingLife) -> None:
    settings = Settings(token=life.token, app_token=life.app_token, url=life.url)
    secret = Secret(life.secret, encrypt=True) if life.secret else Secret()

    def raised(value: object) -> int:
        if not isinstance(value, int) or value >= life.goal:
            raise _Full
        return value + 1

    asked = 0
    async with (
        open_slack(settings) as slack,
        AsyncStore(
            slack,
            "#jobs",
            events=open_events(settings),
            timing=TIMING,
            name=life.name,
            secret=secret,
            cache=life.cache,
        ) as store,
    ):
        try:
            while True:
                asked += 1
                append(life.pages, {"process": life.name, "asked": asked})
                try:
                    entry = await store.transact(KEY, raised, default=0)
                except (WriteLost, RevisionMismatch):
                    append(life.pages, {"process": life.name, "refused": asked})
                    continue
                except Ambiguous:
                    continue
                append(
                    life.pages,
                    {"process": life.name, "answered": asked, "value": entry.value, "revision": entry.revision},
                )
        except _Full:
            append(life.pages, {"process": life.name, "refused": asked})
            append(life.pages, {"process": life.name, "full": life.goal})
