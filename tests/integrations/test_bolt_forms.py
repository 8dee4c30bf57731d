"""The other forms of guarding an app: as middleware, and where a loop runs already."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.request import BoltRequest

from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError
from slackmq.integrations.bolt import exactly_one, exactly_one_async, exactly_one_middleware

from . import test_bolt_async
from .conftest import FAST
from .test_bolt import bot
from .test_bolt_async import looped

if TYPE_CHECKING:
    from .conftest import Troupe


def test_as_middleware_replicas_handle_each_post_once_from_the_first_on(troupe: Troupe) -> None:
    guards: list[Any] = []
    for number in range(3):
        app = troupe.app()
        guards.append(exactly_one_middleware(app, "#jobs", timing=FAST))
        app.use(guards[-1])  # before the listeners, as middleware is

        @app.message("toggle")  # type: ignore[untyped-decorator]  # Bolt has no type for it
        def toggle(message: dict[str, Any], number: int = number) -> None:  # pyright: ignore[reportUnusedFunction]
            troupe.noted(number, message["text"])

        troupe.listen(app)
    posts = [troupe.say(f"toggle {number}") for number in range(9)]
    troupe.done(*posts)
    for guard in guards:
        guard.close()
    assert sorted(text for _, text in troupe.ran) == [f"toggle {number}" for number in range(9)]


def test_as_middleware_what_was_left_is_found_after_the_first_request(troupe: Troupe) -> None:
    left = troupe.say("toggle what was left")
    app = bot(troupe, 0)
    guard = exactly_one_middleware(app, "#jobs", timing=FAST)
    app.use(guard)
    troupe.listen(app)
    troupe.say("good morning")
    troupe.done(left)
    guard.close()
    assert [text for _, text in troupe.ran] == ["toggle what was left"]


def test_as_middleware_no_listener_runs_where_it_cannot_connect_and_the_next_request_tries_again(
    troupe: Troupe,
) -> None:
    app = bot(troupe, 0)
    guard = exactly_one_middleware(app, "#later", timing=FAST)
    app.use(guard)
    event = {"type": "message", "channel": "C1", "text": "toggle", "user": "U1", "ts": "1.000001"}
    body = {"type": "event_callback", "event": event}
    assert app.dispatch(BoltRequest(body=body, mode="socket_mode")).status == 500
    assert troupe.ran == []
    troupe.slack.create_channel("later")
    app.client.conversations_join(channel=troupe.slack.channel("later"))
    ts = troupe.slack.post("toggle", channel="#later")
    event |= {"channel": troupe.slack.channel("later"), "ts": ts}
    assert app.dispatch(BoltRequest(body=body, mode="socket_mode")).status == 200
    troupe.until(lambda: troupe.ran)
    guard.close()


def test_the_middleware_and_the_line_together_are_refused(troupe: Troupe) -> None:
    app = bot(troupe, 0)
    app.use(exactly_one_middleware(app, "#jobs", timing=FAST))
    troupe.guard(app)
    errors: list[BaseException] = []
    app._middleware_error_handler = Kept(errors)
    event = {"type": "message", "channel": "C1", "text": "toggle", "user": "U1", "ts": "1.000001"}
    app.dispatch(BoltRequest(body={"type": "event_callback", "event": event}, mode="socket_mode"))
    [error] = errors
    assert isinstance(error, ConfigurationError)
    assert "guarded already" in str(error)


class Kept:
    """Keeps what middleware raised."""

    def __init__(self, errors: list[BaseException]) -> None:
        self._errors = errors

    def handle(self, error: Exception, **_: Any) -> None:
        self._errors.append(error)


@looped
async def test_as_middleware_of_async_apps_replicas_handle_each_post_once(troupe: Troupe) -> None:
    apps = [test_bolt_async.bot(troupe, number) for number in range(3)]
    guards = [exactly_one_middleware(app, "#jobs", timing=FAST) for app in apps]
    handlers: list[Any] = []
    for app, guard in zip(apps, guards, strict=True):
        app.use(guard)
        handlers.append(AsyncSocketModeHandler(app, troupe.slack.app.app_token))
        await handlers[-1].connect_async()
    posts = [await asyncio.to_thread(troupe.say, f"toggle {number}") for number in range(9)]
    await asyncio.to_thread(troupe.done, *posts)
    for guard, handler in zip(guards, handlers, strict=True):
        await handler.close_async()
        await asyncio.to_thread(guard.close)
    assert sorted(text for _, text in troupe.ran) == [f"toggle {number}" for number in range(9)]


async def beat(beats: list[int]) -> None:
    while True:
        beats.append(1)
        await SYSTEM.sleep(0)


@looped
async def test_the_loop_goes_on_while_an_async_app_connects(troupe: Troupe) -> None:
    beats: list[int] = []
    beating = asyncio.create_task(beat(beats))
    async with exactly_one_async(test_bolt_async.bot(troupe, 0), "#jobs", timing=FAST):
        assert len(beats) > 20
        closing = len(beats)
    assert len(beats) > closing
    beating.cancel()


@looped
async def test_an_async_app_may_be_awaited_and_what_is_refused_is_raised(troupe: Troupe) -> None:
    app = test_bolt_async.bot(troupe, 0)
    guarded = await exactly_one_async(app, "#jobs", timing=FAST)
    with pytest.raises(ConfigurationError, match="guarded already"):
        await exactly_one_async(app, "#jobs", timing=FAST)
    await guarded.close_async()
    async with exactly_one_async(app, "#jobs", timing=FAST):
        pass


@looped
async def test_who_gives_up_while_it_connects_leaves_nothing_guarded(troupe: Troupe) -> None:
    app, before = test_bolt_async.bot(troupe, 0), guarding()
    opening = asyncio.ensure_future(exactly_one_async(app, "#jobs", timing=FAST)._open())
    await SYSTEM.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await asyncio.to_thread(troupe.until, lambda: guarding() <= before)
    assert "run" not in vars(app.listener_runner)


def guarding() -> set[threading.Thread]:
    """The threads on which claims are made."""
    return {thread for thread in threading.enumerate() if thread.name == "slackmq"}


def test_the_line_works_before_the_loop_of_an_async_app_runs(troupe: Troupe) -> None:
    app = test_bolt_async.bot(troupe, 0)
    guarded = exactly_one(app, "#jobs", timing=FAST)

    async def listen() -> None:
        handler: Any = AsyncSocketModeHandler(app, troupe.slack.app.app_token)
        await handler.connect_async()
        ts = await asyncio.to_thread(troupe.say, "toggle hall")
        await asyncio.to_thread(troupe.done, ts)
        await handler.close_async()

    asyncio.run(listen())
    guarded.close()
    assert troupe.ran == [(0, "toggle hall")]
