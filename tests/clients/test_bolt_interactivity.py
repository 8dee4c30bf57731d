"""Buttons, modals, slash commands, menus and shortcuts as Bolt's users write them, in Socket Mode."""

from __future__ import annotations

import queue
from asyncio import to_thread
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from tests.clients.manifests import Operator, manifest

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from slackmq.emulator.launch import About

BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "42"}
ROW = [{"type": "actions", "block_id": "row", "elements": [BUTTON]}]
NAME = {"type": "plain_text_input", "action_id": "name"}
SIZE = {
    "type": "static_select",
    "action_id": "size",
    "options": [{"text": {"type": "plain_text", "text": size}, "value": size} for size in ("small", "large")],
}


def modal(title: str = "New", **extra: Any) -> dict[str, Any]:
    label = {"type": "plain_text", "text": "Name"}
    return {
        "type": "modal",
        "callback_id": "made",
        "title": {"type": "plain_text", "text": title},
        "submit": {"type": "plain_text", "text": "Make"},
        "blocks": [
            {"type": "input", "block_id": "b1", "label": label, "element": NAME},
            {"type": "input", "block_id": "b2", "label": label, "element": SIZE, "optional": True},
        ],
        **extra,
    }


@pytest.fixture
def operator(emulator: About) -> Operator:
    return Operator(emulator)


@pytest.fixture
def installed(operator: Operator) -> Mapping[str, Any]:
    return operator.install(manifest())


@pytest.fixture
def app(emulator: About, installed: Mapping[str, Any]) -> Any:
    return App(client=WebClient(installed["bot_token"], base_url=emulator.base_url))


@contextmanager
def listening(app: Any, installed: Mapping[str, Any]) -> Generator[None]:
    handler: Any = SocketModeHandler(app, installed["app_token"])
    try:
        handler.connect()
        yield
    finally:
        handler.close()


def test_a_slash_command_is_acknowledged_with_a_text_for_its_person_alone(
    app: Any, installed: Mapping[str, Any], operator: Operator, jobs: str
) -> None:
    bodies: queue.Queue[dict[str, Any]] = queue.Queue()

    @app.command("/deploy")  # type: ignore[untyped-decorator]  # Bolt has no type for it
    def deploy(ack: Any, body: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # Bolt keeps it
        ack(f"deploying {body['text']}")
        bodies.put(body)

    with listening(app, installed):
        done = operator.person("interactions.command", channel=jobs, text="/deploy the lamp")
    body = bodies.get(timeout=60)
    assert done["answer"] == {}
    assert (body["command"], body["text"], body["channel_name"]) == ("/deploy", "the lamp", "jobs")
    (row,) = operator.seen()["messages"]
    assert (row["text"], row["is_ephemeral"], row["channel"]) == ("deploying the lamp", True, jobs)


def test_a_slash_command_is_answered_over_its_response_url(
    app: Any, installed: Mapping[str, Any], operator: Operator, jobs: str
) -> None:
    statuses: queue.Queue[Any] = queue.Queue()

    @app.command("/deploy")  # type: ignore[untyped-decorator]  # as above
    def deploy(ack: Any, respond: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack()
        statuses.put([respond(text=str(n), response_type="in_channel").status_code for n in range(6)])

    with listening(app, installed):
        operator.person("interactions.command", channel=jobs, text="/deploy")
        assert statuses.get(timeout=60) == [200, 200, 200, 200, 200, 404]
    person: Any = WebClient(operator.about.users[0].token, base_url=operator.about.base_url)
    rows = person.conversations_history(channel=jobs, limit=5)["messages"]
    assert [row["text"] for row in rows] == ["4", "3", "2", "1", "0"]
    assert {row["app_id"] for row in rows} == {installed["id"]}


def test_a_button_is_clicked_and_its_message_replaced(
    app: Any, installed: Mapping[str, Any], operator: Operator, jobs: str
) -> None:
    bodies: queue.Queue[dict[str, Any]] = queue.Queue()

    @app.action("go")  # type: ignore[untyped-decorator]  # as above
    def go(ack: Any, body: dict[str, Any], respond: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack()
        respond(text="gone", replace_original=True)
        bodies.put(body)

    ts = app.client.chat_postMessage(channel=jobs, text="Go?", blocks=ROW)["ts"]
    with listening(app, installed):
        operator.person("interactions.click", channel=jobs, message_ts=ts, action_id="go")
        body = bodies.get(timeout=60)
    action = body["actions"][0]
    assert (action["type"], action["value"], action["block_id"]) == ("button", "42", "row")
    assert body["message"]["ts"] == body["container"]["message_ts"] == ts
    (row,) = app.client.conversations_history(channel=jobs, oldest=ts, inclusive=True)["messages"]
    assert (row["text"], "blocks" in row) == ("gone", False)


def test_a_button_in_a_message_for_one_person_is_clicked_and_the_message_taken_back(
    app: Any, installed: Mapping[str, Any], operator: Operator, jobs: str
) -> None:
    containers: queue.Queue[dict[str, Any]] = queue.Queue()

    @app.action("go")  # type: ignore[untyped-decorator]  # as above
    def go(ack: Any, body: dict[str, Any], respond: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack()
        respond(delete_original=True)
        containers.put(body["container"])

    user = operator.about.users[0].id
    ts = app.client.chat_postEphemeral(channel=jobs, user=user, text="Go?", blocks=ROW)["message_ts"]
    assert [row["ts"] for row in operator.seen()["messages"]] == [ts]
    with listening(app, installed):
        operator.person("interactions.click", channel=jobs, message_ts=ts, action_id="go")
        assert containers.get(timeout=60)["is_ephemeral"]
    assert operator.seen()["messages"] == []


def test_a_modal_is_opened_refused_and_submitted(app: Any, installed: Mapping[str, Any], operator: Operator) -> None:
    views: queue.Queue[dict[str, Any]] = queue.Queue()

    @app.shortcut("new")  # type: ignore[untyped-decorator]  # as above
    def new(ack: Any, body: dict[str, Any], client: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack()
        views.put(client.views_open(trigger_id=body["trigger_id"], view=modal())["view"])

    @app.view("made")  # type: ignore[untyped-decorator]  # as above
    def made(ack: Any, view: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        name = view["state"]["values"]["b1"]["name"]["value"]
        if name == "bad":
            ack(response_action="errors", errors={"b1": "not that"})
            return
        ack()
        views.put(view)

    with listening(app, installed):
        operator.person("interactions.shortcut", callback_id="new")
        ident = views.get(timeout=60)["id"]
        assert [view["id"] for view in operator.seen()["views"]] == [ident]
        bad = operator.person("modals.submit", view_id=ident, values={"b1": {"name": "bad"}})
        assert bad["answer"] == {"errors": {"b1": "not that"}}
        assert len(operator.seen()["views"]) == 1
        operator.person("modals.submit", view_id=ident, values={"b1": {"name": "lamp"}, "b2": {"size": "large"}})
        values = views.get(timeout=60)["state"]["values"]
    assert values["b1"]["name"] == {"type": "plain_text_input", "value": "lamp"}
    assert values["b2"]["size"]["selected_option"]["value"] == "large"
    assert operator.seen()["views"] == []


def test_a_submission_may_update_push_and_clear(app: Any, installed: Mapping[str, Any], operator: Operator) -> None:
    answers: list[dict[str, Any]] = [
        {"response_action": "update", "view": modal("Again")},
        {"response_action": "push", "view": modal("On top")},
        {"response_action": "clear"},
    ]
    opened: queue.Queue[str] = queue.Queue()

    @app.shortcut("new")  # type: ignore[untyped-decorator]  # as above
    def new(ack: Any, body: dict[str, Any], client: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack()
        opened.put(client.views_open(trigger_id=body["trigger_id"], view=modal())["view"]["id"])

    @app.view("made")  # type: ignore[untyped-decorator]  # as above
    def made(ack: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack(**answers.pop(0))

    titles: list[list[str]] = []
    with listening(app, installed):
        operator.person("interactions.shortcut", callback_id="new")
        ident = opened.get(timeout=60)
        for _ in range(3):
            operator.person("modals.submit", view_id=ident, values={"b1": {"name": "x"}})
            shown = operator.seen()["views"]
            titles.append([view["title"]["text"] for view in shown])
            ident = shown[-1]["id"] if shown else ""
    assert titles == [["Again"], ["Again", "On top"], []]


def test_an_app_that_does_not_listen_or_answer_is_told_to_the_person(
    app: Any, installed: Mapping[str, Any], operator: Operator, jobs: str
) -> None:
    nobody = operator.person("interactions.command", channel=jobs, text="/deploy")
    assert nobody["answer"] == {"failure": "dispatch_failed"}
    with listening(app, installed):  # it listens, and has no handler: Bolt acknowledges nothing
        silent = operator.person("interactions.command", channel=jobs, text="/deploy")
    assert silent["answer"] == {"failure": "operation_timeout"}


def test_a_trigger_opens_one_modal_only(app: Any, installed: Mapping[str, Any], operator: Operator) -> None:
    codes: queue.Queue[list[str]] = queue.Queue()

    @app.shortcut("new")  # type: ignore[untyped-decorator]  # as above
    def new(ack: Any, body: dict[str, Any], client: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=modal())
        found: list[str] = []
        for trigger in (body["trigger_id"], "1.2.nonsense"):
            try:
                client.views_open(trigger_id=trigger, view=modal())
            except SlackApiError as error:
                found.append(error.response["error"])
        codes.put(found)

    with listening(app, installed):
        operator.person("interactions.shortcut", callback_id="new")
        assert codes.get(timeout=60) == ["exchanged_trigger_id", "invalid_trigger_id"]


def test_a_message_shortcut_shows_the_message(
    app: Any, installed: Mapping[str, Any], operator: Operator, jobs: str
) -> None:
    bodies: queue.Queue[dict[str, Any]] = queue.Queue()

    @app.shortcut({"type": "message_action", "callback_id": "copy"})  # type: ignore[untyped-decorator]  # as above
    def copy(ack: Any, body: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack()
        bodies.put(body)

    ts = app.client.chat_postMessage(channel=jobs, text="this one")["ts"]
    with listening(app, installed):
        operator.person("interactions.shortcut", callback_id="copy", channel=jobs, message_ts=ts)
        assert bodies.get(timeout=60)["message"]["text"] == "this one"


async def test_the_home_tab_is_opened_published_and_clicked_with_async_bolt(
    emulator: About, operator: Operator, installed: Mapping[str, Any]
) -> None:
    app: Any = AsyncApp(client=AsyncWebClient(installed["bot_token"], base_url=emulator.base_url))
    clicked: queue.Queue[dict[str, Any]] = queue.Queue()

    @app.event("app_home_opened")  # type: ignore[untyped-decorator]  # as above
    async def home(event: dict[str, Any], client: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": ROW})
        clicked.put({})

    @app.action("go")  # type: ignore[untyped-decorator]  # as above
    async def go(ack: Any, body: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        await ack()
        clicked.put(body)

    handler: Any = AsyncSocketModeHandler(app, installed["app_token"])
    try:
        await handler.connect_async()
        await to_thread(operator.person, "modals.home", app=installed["id"])
        await to_thread(clicked.get, timeout=60)
        view = (await to_thread(operator.person, "modals.home", app=installed["id"]))["view"]
        await to_thread(clicked.get, timeout=60)
        await to_thread(operator.person, "interactions.click", view_id=view["id"], action_id="go")
        body = await to_thread(clicked.get, timeout=60)
    finally:
        await handler.close_async()
    assert (body["container"]["type"], body["view"]["type"]) == ("view", "home")
