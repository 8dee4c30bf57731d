"""@slack/bolt for Node, in Socket Mode and over HTTP, where it checks the signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk import WebClient
from tests.clients.judge import needs, running
from tests.clients.manifests import Operator, chatbot
from tests.ports import unused_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.clients.judge import Judge

    from slackmq.emulator.launch import About

pytestmark = needs("node")

SCOPES = ["app_mentions:read", "channels:history", "chat:write", "commands"]
EVENTS = ["app_home_opened", "app_mention", "message.channels"]


@pytest.fixture
def operator(emulator: About) -> Operator:
    return Operator(emulator)


@pytest.fixture
def person(emulator: About) -> Any:
    return WebClient(emulator.users[0].token, base_url=emulator.base_url)


@pytest.fixture(params=["sockets", "http"])
def installed(request: pytest.FixtureRequest, operator: Operator) -> dict[str, Any]:
    """The app as it was installed, and the port at which it is to listen."""
    port = unused_port()  # Bolt needs the secret before it listens, and Slack the port before the secret
    url = f"http://127.0.0.1:{port}/slack/events" if request.param == "http" else ""
    return {**operator.install(chatbot(SCOPES, EVENTS, url)), "port": port}


@pytest.fixture
def bolt(request: pytest.FixtureRequest, emulator: About, installed: dict[str, Any]) -> Iterator[Judge]:
    """A Bolt app that listens."""
    facts = {name: installed[name] for name in ("bot_token", "signing_secret", "port")}
    facts["app_token"] = installed["app_token"] if request.node.callspec.params["installed"] == "sockets" else ""
    with running("node", "bolt.js", base_url=emulator.base_url, **facts) as judge:
        assert judge.says() == {"listening": True}
        yield judge


def test_it_hears_a_person_and_answers(bolt: Judge, person: Any, jobs: str) -> None:
    ts = person.chat_postMessage(channel=jobs, text="toggle hall light")["ts"]
    answer = bolt.says()["toggled"]
    _, row = person.conversations_replies(channel=jobs, ts=ts)["messages"]
    assert (row["ts"], row["text"]) == (answer, "hall toggled")


def test_it_acknowledges_a_command_and_answers_over_its_response_url(
    bolt: Judge, person: Any, operator: Operator, jobs: str
) -> None:
    assert operator.person("interactions.command", channel=jobs, text="/deploy the lamp")["answer"] == {}
    assert bolt.says() == {"command": "jobs"}
    assert [row["text"] for row in operator.seen()["messages"]] == ["setting the lamp"]
    assert person.conversations_history(channel=jobs)["messages"][0]["text"] == "set"


def test_a_button_opens_a_modal_with_options_of_its_own(
    bolt: Judge, person: Any, operator: Operator, installed: dict[str, Any], jobs: str
) -> None:
    person.chat_postMessage(channel=jobs, text=f"<@{installed['bot_user']}> ask me")
    asked = bolt.says()["asked"]
    assert asked["user"] == operator.about.users[0].id
    operator.person("interactions.click", channel=jobs, message_ts=asked["ts"], action_id="go")
    view = bolt.says()["clicked"]
    assert person.conversations_history(channel=jobs, limit=1)["messages"][0]["text"] == "gone"
    offered = operator.person("interactions.suggest", view_id=view, action_id="room", value="dining")
    room = offered["answer"]["options"][0]
    assert room["text"]["text"] == "dining room"
    bad = operator.person("modals.submit", view_id=view, values={"b": {"name": "bad"}})
    assert bad["answer"] == {"errors": {"b": "not that"}}
    values = {"b": {"name": "lamp"}, "c": {"room": "dining"}}
    assert operator.person("modals.submit", view_id=view, values=values)["answer"] == {}
    assert bolt.says()["submitted"]["name"] == "bad"
    assert bolt.says() == {"submitted": {"name": "lamp", "room": "dining"}}


def test_it_publishes_a_home_tab(bolt: Judge, operator: Operator, installed: dict[str, Any]) -> None:
    operator.person("modals.home", app=installed["id"])
    assert bolt.says() == {"home": True}
    view = operator.person("modals.home", app=installed["id"])["view"]
    assert [block["type"] for block in view["blocks"]] == ["divider"]
