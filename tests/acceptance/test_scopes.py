"""The manifest asks for what the product needs, and for nothing else: an app with exactly that, and with one less."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.app import App
from slackmq.cli.manifest import EVENTS, SCOPES, app_manifest
from slackmq.errors import MissingScope
from slackmq.policy import Timing
from slackmq.slack.api import Added, Arrived
from slackmq.slack.connect import Settings, open_events, open_slack
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.acceptance.conftest import Stage

TIMING = Timing(
    lease=timedelta(seconds=60), margin=timedelta(seconds=1), scan=timedelta(seconds=1), skew=timedelta(seconds=0.3)
)


@dataclass
class Journey:
    """What an app got to see and do."""

    missing: list[str] = field(default_factory=list[str])
    heard: set[str] = field(default_factory=set[str])
    done: bool = False


async def listen(settings: Settings, journey: Journey) -> None:
    """React to a message, post another one, and hear what of it is told until the second one arrives."""
    async with open_slack(settings) as slack, open_events(settings).listen() as events:
        channel = await slack.channel("#jobs")
        mark = await slack.bookmark(channel.id, "how this channel is worked", "https://example.com/")
        assert await slack.bookmarks(channel.id)
        await slack.unbookmark(channel.id, mark.id)
        first = await slack.post(channel.id, "first")
        await slack.react(channel.id, first, "clock1")
        await slack.post(channel.id, "second")
        async for event in events:
            match event:
                case Added():
                    journey.heard.add("reaction_added")
                case Arrived(row=row):
                    journey.heard.add("message.channels")
                    if row.text == "second":
                        return
                case _:
                    continue


async def work(settings: Settings, journey: Journey) -> None:
    """Post a job and do it."""
    app = App("#jobs", timing=TIMING)

    async with app.connected(settings) as queue:
        worker = AsyncWorker(queue, app.handlers, concurrency=1)

        @app.task
        def nap() -> str:
            journey.done = True
            worker.drain()
            return "slept"

        await nap.post()
        await worker.run()


async def travel(settings: Settings, patience: float) -> Journey:
    """All that a bot does, as far as it gets, with so many seconds for each step."""
    journey = Journey()
    for step in (work, listen):
        try:
            with anyio.move_on_after(patience):
                await step(settings, journey)
        except* MissingScope as group:
            journey.missing += [error.needed for error in group.exceptions if isinstance(error, MissingScope)]
    return journey


def journey_with(stage: Stage, scopes: Sequence[str], *, patience: float) -> Journey:
    app = stage.install("traveller", scopes, list(EVENTS)).app("traveller")
    settings = Settings(token=app.bot_token, app_token=app.app_token, url=stage.workspace.base_url)
    return anyio.run(travel, settings, patience)


def test_with_the_scopes_of_the_manifest_nothing_is_missing(stage: Stage) -> None:
    scopes = app_manifest("traveller")["oauth_config"]["scopes"]["bot"]
    assert journey_with(stage, scopes, patience=60) == Journey(missing=[], heard=set(EVENTS), done=True)


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_without_any_one_of_them_something_breaks(stage: Stage, scope: str) -> None:
    journey = journey_with(stage, [other for other in SCOPES if other != scope], patience=4)
    assert journey.missing or journey.heard < set(EVENTS) or not journey.done
