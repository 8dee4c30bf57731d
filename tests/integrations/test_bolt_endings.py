"""Bolt listeners that are ended before their work is, and apps that are closed while they work."""

from __future__ import annotations

import asyncio
import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from slackmq.errors import Retry
from slackmq.integrations.bolt import exactly_one, exactly_one_async

from .conftest import FAST

if TYPE_CHECKING:
    from .conftest import Troupe


def test_a_listener_that_exits_has_failed_and_is_not_repeated(troupe: Troupe) -> None:
    app = troupe.app()

    @app.message("toggle")  # type: ignore[untyped-decorator]  # Bolt has no type for it
    def toggle(message: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # Bolt keeps it
        troupe.noted(0, message["text"])
        sys.exit("no such light")

    troupe.guard(app)
    troupe.listen(app)
    ts = troupe.say("toggle attic")
    troupe.until(lambda: len(troupe.marks(ts)) > 1)
    assert troupe.marks(ts) == {"clock1", "x"}
    assert troupe.slack.messages("#jobs", thread=ts)[-1]["text"] == ":x: SystemExit: no such light"
    assert len(troupe.ran) == 1


@pytest.mark.parametrize(("retries", "runs"), [(0, 5), (5, 6)])
def test_a_listener_that_asks_for_ever_to_be_run_again_is_given_up_with_its_own_reason(
    troupe: Troupe, retries: int, runs: int
) -> None:
    app = troupe.app()

    @app.message("toggle")  # type: ignore[untyped-decorator]  # as above
    def toggle(message: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        troupe.noted(0, message["text"])
        raise Retry("the light is not there yet", after=timedelta(seconds=0.05))

    troupe.guard(app, retries=retries)
    troupe.listen(app)
    ts = troupe.say("toggle attic")
    troupe.until(lambda: "x" in troupe.marks(ts))
    assert len(troupe.ran) == runs
    assert troupe.slack.messages("#jobs", thread=ts)[-1]["text"] == ":x: the light is not there yet"


def async_bot(troupe: Troupe, replica: int, *, waits: bool) -> Any:
    app: Any = AsyncApp(client=AsyncWebClient(troupe.slack.app.bot_token, base_url=troupe.slack.url))

    @app.message("toggle")  # type: ignore[untyped-decorator]  # as above
    async def toggle(message: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        troupe.noted(replica, message["text"])
        if waits:
            await asyncio.Event().wait()

    return app


async def begins(troupe: Troupe) -> tuple[str, Any]:
    """A bot that is asked for something and ends as soon as it has begun it: the post, and the guard that is left."""
    app = async_bot(troupe, 0, waits=True)
    guarded = await exactly_one_async(app, "#jobs", timing=FAST)
    handler: Any = AsyncSocketModeHandler(app, troupe.slack.app.app_token)
    await handler.connect_async()
    ts = await asyncio.to_thread(troupe.say, "toggle hall")
    await asyncio.to_thread(troupe.until, lambda: troupe.ran)
    await handler.close_async()
    return ts, guarded


async def ends(troupe: Troupe) -> None:
    """Another one, which ends when it has done it."""
    async with exactly_one_async(async_bot(troupe, 1, waits=False), "#jobs", timing=FAST):
        await asyncio.to_thread(troupe.until, lambda: troupe.ran[-1][0] == 1)


def test_what_an_async_listener_was_at_when_its_loop_ended_another_replica_does(troupe: Troupe) -> None:
    ts, left = asyncio.run(begins(troupe))  # whose end cancels the listener
    troupe.until(lambda: len(troupe.slack.messages("#jobs", thread=ts)) > 1 or "white_check_mark" in troupe.marks(ts))
    assert "white_check_mark" not in troupe.marks(ts)
    asyncio.run(ends(troupe))
    troupe.done(ts)
    asyncio.run(left.close_async())  # it would read for ever, and complain in other tests
    assert troupe.ran == [(0, "toggle hall"), (1, "toggle hall")]


def test_a_post_that_comes_while_an_app_closes_is_left_to_another_replica(troupe: Troupe) -> None:
    go_on, begun, heard = threading.Event(), threading.Event(), threading.Event()

    def replica(number: int) -> Any:
        app = troupe.app()

        @app.middleware  # type: ignore[untyped-decorator]  # as above
        def listen(body: dict[str, Any], next: Any) -> None:  # noqa: A002  # pyright: ignore[reportUnusedFunction]  # Bolt's name
            next()
            if "late" in body["event"]["text"]:
                heard.set()

        @app.message("toggle")  # type: ignore[untyped-decorator]  # as above
        def toggle(message: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
            if "slow" in message["text"]:
                begun.set()
                assert go_on.wait(60)
            troupe.noted(number, message["text"])

        return app

    first = replica(0)
    guarded = exactly_one(first, "#jobs", timing=FAST)
    troupe.listen(first)
    slow = troupe.say("toggle slow")
    assert begun.wait(60)
    closing = threading.Thread(target=guarded.close)
    closing.start()
    troupe.until(lambda: first.listener_runner.run.__self__._closing)  # nothing else tells
    late = troupe.say("toggle late")
    assert heard.wait(60)
    go_on.set()
    closing.join()
    assert (troupe.marks(late), [text for _, text in troupe.ran]) == (set(), ["toggle slow"])
    troupe.guard(replica(1))
    troupe.done(slow, late)
    assert troupe.ran == [(0, "toggle slow"), (1, "toggle late")]
