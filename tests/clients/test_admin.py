"""Faults, cut connections and a clock that goes forward, as Slack's own clients meet them."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from slackmq.emulator.launch import running
from slackmq.testing import async_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from slackmq.testing import AsyncWorkspace


@asynccontextmanager
async def link(slack: AsyncWorkspace) -> AsyncGenerator[aiohttp.ClientWebSocketResponse]:
    """An open Socket Mode connection of the first app, greeted."""
    headers = {"Authorization": f"Bearer {slack.app.app_token}"}
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{slack.url}apps.connections.open", headers=headers) as response:
            url = (await response.json())["url"]
        async with http.ws_connect(url) as socket:
            assert (await socket.receive_json())["type"] == "hello"
            yield socket


async def posted(slack: AsyncWorkspace, text: str) -> Any:
    client: Any = AsyncWebClient(slack.app.bot_token, base_url=slack.url, timeout=60, retry_handlers=[])
    return await client.chat_postMessage(channel=slack.channel("jobs"), text=text)


def texts(slack: AsyncWorkspace) -> list[str]:
    return [row["text"] for row in slack.messages("jobs")]


@pytest.mark.parametrize(("fault", "done"), [("lost_answer", True), ("lost_request", False)])
async def test_a_cut_call_took_effect_or_not_as_was_armed(fault: str, done: bool) -> None:  # noqa: FBT001
    async with async_workspace() as slack:
        armed: dict[str, Any] = {fault: 1.0}
        slack.arm(**armed)
        with pytest.raises(aiohttp.ClientError):
            await posted(slack, "x")
        assert texts(slack) == (["x"] if done else [])
        assert slack.suffered == {fault: 1}
        slack.disarm()
        assert (await posted(slack, "y"))["ok"]


@pytest.mark.parametrize(("fault", "status", "done"), [("error_before", 503, False), ("error_after", 500, True)])
async def test_a_failure_of_the_server_took_effect_or_not_as_was_armed(fault: str, status: int, done: bool) -> None:  # noqa: FBT001
    async with async_workspace() as slack:
        armed: dict[str, Any] = {fault: 1.0}
        slack.arm(**armed)
        with pytest.raises(SlackApiError) as refused:
            await posted(slack, "x")
        assert refused.value.response.status_code == status
        assert texts(slack) == (["x"] if done else [])


async def test_a_long_refusal_says_when_to_come_back() -> None:
    async with async_workspace() as slack:
        slack.arm(limited=1.0, retry_after=120)
        with pytest.raises(SlackApiError) as refused:
            await posted(slack, "x")
        assert (refused.value.response["error"], refused.value.response.headers["Retry-After"]) == (
            "ratelimited",
            "120",
        )


async def test_an_effect_comes_after_its_caller_gave_up() -> None:
    async with async_workspace() as slack:
        slack.arm(late_effect=1.0, late=1.0)
        with pytest.raises(aiohttp.ClientError):
            await posted(slack, "late")
        assert texts(slack) == []
        assert await slack.until("jobs", lambda rows: [row["text"] for row in rows]) == ["late"]


async def test_a_slow_answer_comes_whole() -> None:
    async with async_workspace() as slack:
        slack.arm(latency=1.0, slow=0.05)
        assert (await posted(slack, "slow"))["ok"]
        assert slack.suffered == {"latency": 1}


async def test_events_are_lost_and_doubled_as_was_armed() -> None:
    async with async_workspace() as slack, link(slack) as socket:
        slack.arm(event_loss=1.0)
        await slack.post("lost", channel="jobs")
        slack.arm(event_doubling=1.0)
        await slack.post("twice", channel="jobs")
        frames = [await socket.receive_json(timeout=60) for _ in range(2)]
        assert [frame["payload"]["event"]["text"] for frame in frames] == ["twice", "twice"]
        assert frames[0]["payload"]["event_id"] == frames[1]["payload"]["event_id"]
        assert frames[0]["envelope_id"] != frames[1]["envelope_id"]


async def test_a_late_event_is_overtaken() -> None:
    async with async_workspace() as slack, link(slack) as socket:
        slack.arm(event_delay=1.0, delay=0.5, seed=1)
        await slack.post("first", channel="jobs")
        slack.disarm()
        await slack.post("second", channel="jobs")
        frames = [await socket.receive_json(timeout=60) for _ in range(2)]
        assert [frame["payload"]["event"]["text"] for frame in frames] == ["second", "first"]


async def test_apps_read_what_is_behind_and_the_truth_is_not() -> None:
    async with async_workspace() as slack:
        client: Any = AsyncWebClient(slack.app.bot_token, base_url=slack.url)
        slack.arm(lag=3600, reorder=True)
        await slack.post("unseen", channel="jobs")
        assert (await client.conversations_history(channel=slack.channel("jobs")))["messages"] == []
        assert texts(slack) == ["unseen"]
        slack.advance(3600)
        rows = (await client.conversations_history(channel=slack.channel("jobs")))["messages"]
        assert [row["text"] for row in rows] == ["unseen"]


async def test_a_cut_socket_breaks_off_without_a_word() -> None:
    async with async_workspace() as slack, link(slack) as socket:
        [connection] = slack.connections()
        assert (connection.kind, connection.owner) == ("socket_mode", slack.app.id)
        assert slack.cut(app=slack.app) == 1
        message = await socket.receive(timeout=60)
        assert message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
        assert socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def test_the_clock_goes_forward_and_what_is_scheduled_comes(tmp_path: Path) -> None:
    data = tmp_path / "kept.db"
    async with async_workspace(data=data) as slack:
        client: Any = AsyncWebClient(slack.app.bot_token, base_url=slack.url)
        now = float(await slack.post("now", channel="jobs"))
        await client.chat_scheduleMessage(channel=slack.channel("jobs"), text="later", post_at=int(now) + 86_400)
        slack.advance(86_401)
        await slack.until("jobs", lambda rows: len(rows) == 2)
        with pytest.raises(ValueError, match="forward only"):
            slack.advance(-1)
    async with async_workspace(data=data) as slack:
        assert float(await slack.post("after a restart", channel="jobs")) >= now + 86_400


async def test_answers_are_dated_by_the_clock_that_went_forward() -> None:
    async with async_workspace() as slack, aiohttp.ClientSession() as http:
        slack.advance(90 * 86_400)
        now = float(await slack.post("now", channel="jobs"))
        async with http.post(f"{slack.url}api.test") as response:
            assert abs(parsedate_to_datetime(response.headers["Date"]).timestamp() - now) < 60


async def test_a_clock_that_went_forward_at_the_door_is_that_of_the_next_run(tmp_path: Path) -> None:
    async def clock(**moved: Any) -> float:
        async with running(data=tmp_path / "slack.db") as about, aiohttp.ClientSession() as http:
            headers = {"Authorization": f"Bearer {about.admin_token}"}
            if moved:
                await http.post(f"{about.page_url}__admin/clock", json=moved, headers=headers)
            async with http.get(f"{about.page_url}__admin/", headers=headers) as response:
                return float((await response.json())["now"])

    moved = await clock(seconds=86_400)
    assert await clock() >= moved


async def test_the_door_opens_for_its_own_token_alone(tmp_path: Path) -> None:
    data = tmp_path / "kept.db"
    async with running(data=data) as about, aiohttp.ClientSession() as http:
        note = tmp_path / "kept.db.admin"
        assert await asyncio.to_thread(note.read_text) == f"{about.admin_token}\n"
        assert (await asyncio.to_thread(os.stat, note)).st_mode & 0o777 == 0o600
        for token in (about.admin_token[:-1], about.apps[0].bot_token, about.users[0].token, about.operator_token, ""):
            async with http.get(f"{about.page_url}__admin/", headers={"Authorization": f"Bearer {token}"}) as response:
                assert response.status == 401
        async with http.get(f"{about.page_url}__admin/") as response:
            assert response.status == 401


async def test_the_door_arms_disarms_lists_cuts_and_moves_the_clock() -> None:
    async with running() as about, aiohttp.ClientSession() as http:
        headers = {"Authorization": f"Bearer {about.admin_token}"}

        async def ask(path: str, **args: Any) -> tuple[int, Any]:
            verb = http.post if args or path in {"disarm", "cut"} else http.get
            async with verb(f"{about.page_url}__admin/{path}", headers=headers, json=args) as response:
                json = response.content_type == "application/json"
                return response.status, await (response.json() if json else response.text())

        state = (await ask("arm", lost_answer=0.5, seed=7))[1]
        assert (state["armed"]["seed"], state["armed"]["faults"]["lost_answer"]) == (7, 0.5)
        assert (await ask("disarm"))[1]["armed"] is None
        assert (await ask("connections"))[1]["connections"] == []
        assert (await ask("cut"))[1]["cut"] == 0
        before = (await ask(""))[1]["now"]
        assert (await ask("clock", seconds=60))[1]["now"] >= before + 60
        assert [call["method"] for call in (await ask("record"))[1]["calls"]] == ["emulator.due"]
        for since in ("9" * 18, "9" * 19, "9" * 5000, "-1", ""):
            assert (await ask(f"record?since={since}"))[0] == (200 if len(since) == 18 else 400)
        for path, args in (("arm", {"earthquake": 1}), ("arm", {"seed": "x"}), ("clock", {"seconds": -1})):
            assert (await ask(path, **args))[0] == 400
