"""What `slackmq.slack.api.Events` promises, over the embedded workspace's own socket and by the settings of a user."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest
from aiohttp import web

from slackmq.emulator.limits import Limits
from slackmq.emulator.seed import Seed
from slackmq.emulator.server import Server
from slackmq.emulator.socket_mode import Sockets
from slackmq.emulator.web_api import WebApi
from slackmq.emulator.workspace import OPERATOR
from slackmq.errors import SlackError, TokenRefused
from slackmq.slack.api import Added, Arrived, Changed, Connected, HomeOpened, Metadata, Pressed
from slackmq.slack.connect import open_events, open_slack, resolve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from slackmq.slack.connect import Settings


@asynccontextmanager
async def emulated() -> AsyncGenerator[tuple[Server, Sockets, Settings]]:
    async with Server.opened(None, seed=Seed(), limits=Limits()) as server:
        sockets = Sockets(server)
        app = web.Application()
        app.add_routes([*WebApi(server, sockets).routes(), *sockets.routes()])
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        delivering = asyncio.create_task(sockets.run())
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            (mine,) = server.ask(OPERATOR, "emulator.apps.list", {})["apps"]
            env = {
                "SLACK_BOT_TOKEN": mine["bot_token"],
                "SLACK_APP_TOKEN": mine["app_token"],
                "SLACKMQ_URL": f"http://127.0.0.1:{runner.addresses[0][1]}/api",
            }
            yield server, sockets, resolve(env)
        finally:
            delivering.cancel()
            await runner.cleanup()


async def test_what_happens_in_the_channel_is_heard_in_order() -> None:
    async with (
        emulated() as (_, _, settings),
        open_slack(settings) as slack,
        open_events(settings).listen() as events,
    ):
        with anyio.fail_after(60):
            assert await anext(events) == Connected(connections=1)
            jobs = (await slack.channel("#jobs")).id
            me = await slack.identity()
            metadata = Metadata(type="mq", payload={"key": "k"})
            ts = await slack.post(jobs, "a & b", metadata=metadata)
            arrived = await anext(events)
            assert isinstance(arrived, Arrived)
            assert (arrived.channel, arrived.row.ts, arrived.row.text) == (jobs, ts, "a & b")
            assert (arrived.row.user, arrived.row.metadata) == (me.user, metadata)
            await slack.react(jobs, ts, "clock1")
            assert await anext(events) == Added(channel=jobs, ts=ts, emoji="clock1", user=me.user)
            await slack.edit(jobs, ts, "a & c")
            changed = await anext(events)
            assert isinstance(changed, Changed)
            assert (changed.row.ts, changed.row.text, changed.row.edited) == (ts, "a & c", True)


async def test_buttons_and_home_tabs_of_ours_are_heard() -> None:
    button = {"type": "button", "action_id": "go", "value": "v1", "text": {"type": "plain_text", "text": "Go"}}
    row = {"type": "actions", "block_id": "b", "elements": [button]}
    async with (
        emulated() as (server, _, settings),
        open_slack(settings) as slack,
        open_events(settings).listen() as events,
    ):
        with anyio.fail_after(10):
            assert await anext(events) == Connected(connections=1)
            jobs = (await slack.channel("#jobs")).id
            user = server.ask(OPERATOR, "emulator.users.list", {})["users"][0]["id"]
            app = server.ask(OPERATOR, "emulator.apps.list", {})["apps"][0]["id"]
            above = await slack.post(jobs, "above")
            ts = await slack.post(jobs, "press", thread=above, blocks=[row])
            assert isinstance(await anext(events), Arrived)  # what stands in a thread is no news
            where = {"user": user, "channel": jobs, "message_ts": ts, "action_id": "go"}
            assert (await server.act(OPERATOR, "emulator.interactions.click", where))["ok"]
            pressed = Pressed(user=user, action="go", value="v1", channel=jobs, ts=ts, thread=above)
            assert await anext(events) == pressed
            await slack.surfaces.publish(user, [row])
            opened = await server.act(OPERATOR, "emulator.modals.home", {"user": user, "app": app})
            assert await anext(events) == HomeOpened(user=user)
            where = {"user": user, "view_id": opened["view"]["id"], "action_id": "go"}
            await server.act(OPERATOR, "emulator.interactions.click", where)
            assert await anext(events) == Pressed(user=user, action="go", value="v1")


async def test_of_two_listeners_each_event_reaches_one() -> None:
    heard: list[str] = []

    async def listen(settings: Settings, connected: anyio.Event) -> None:
        async with open_events(settings).listen() as events:
            async for event in events:
                match event:
                    case Connected():
                        connected.set()
                    case Arrived(row=row):
                        heard.append(row.ts)
                    case _:
                        pass

    async with emulated() as (_, _, settings), open_slack(settings) as slack, anyio.create_task_group() as tasks:
        both = [anyio.Event(), anyio.Event()]
        for connected in both:
            tasks.start_soon(listen, settings, connected)
        with anyio.fail_after(60):
            for connected in both:
                await connected.wait()
            jobs = (await slack.channel("#jobs")).id
            posted = [await slack.post(jobs, str(number)) for number in range(4)]
            while len(heard) < len(posted):  # noqa: ASYNC110  # the kernel sets no Event
                await anyio.sleep(0.005)
            assert sorted(heard) == posted
            tasks.cancel_scope.cancel()


@pytest.mark.parametrize("reason", ["refresh_requested", "warning"])
async def test_a_connection_that_slack_gives_up_is_replaced(reason: str) -> None:
    async with emulated() as (_, sockets, settings), open_events(settings).listen() as events:
        with anyio.fail_after(60):
            assert isinstance(await anext(events), Connected)
            sockets.dismiss(reason)
            assert isinstance(await anext(events), Connected)


async def test_an_app_that_is_revoked_hears_so() -> None:
    async with emulated() as (server, _, settings), open_events(settings).listen() as events:
        with anyio.fail_after(60):
            assert isinstance(await anext(events), Connected)
            (mine,) = server.ask(OPERATOR, "emulator.apps.list", {})["apps"]
            await server.act(OPERATOR, "emulator.apps.revoke", {"app": mine["id"]})
            with pytest.raises(SlackError, match="link_disabled"):
                await anext(events)
            async with open_events(settings).listen() as again:
                with pytest.raises(TokenRefused, match="token_revoked"):
                    await anext(again)
