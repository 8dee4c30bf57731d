"""@slack/socket-mode for Node: events, redelivery, buttons, modals and commands, and what its answers carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk import WebClient
from tests.clients.judge import needs, running
from tests.clients.manifests import Operator, manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.clients.judge import Judge

    from slackmq.emulator.launch import About

pytestmark = needs("node")

GO = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "42"}
ROW = [{"type": "actions", "block_id": "row", "elements": [GO]}]


@pytest.fixture
def operator(emulator: About) -> Operator:
    return Operator(emulator)


@pytest.fixture
def installed(operator: Operator) -> Mapping[str, Any]:
    return operator.install(manifest())


@pytest.fixture
def person(emulator: About) -> Any:
    return WebClient(emulator.users[0].token, base_url=emulator.base_url)


@pytest.fixture
def socket(emulator: About, installed: Mapping[str, Any]) -> Iterator[Judge]:
    """A connected client."""
    tokens = {name: installed[name] for name in ("bot_token", "app_token")}
    with running("node", "socket_mode.js", base_url=emulator.base_url, **tokens) as judge:
        assert judge.says() == {"connected": True}
        yield judge


def test_it_hears_a_person_and_answers(
    socket: Judge, person: Any, installed: Mapping[str, Any], emulator: About, jobs: str
) -> None:
    ts = person.chat_postMessage(channel=jobs, text="toggle hall light")["ts"]
    heard = {"text": "toggle hall light", "user": emulator.users[0].id, "retry": 0, "reason": ""}
    assert socket.says() == {"message": heard}
    assert socket.says()["message"]["user"] == installed["bot_user"]  # its own answer comes back: Slack has it
    assert [row["text"] for row in person.conversations_replies(channel=jobs, ts=ts)["messages"]][1:] == ["toggled"]


def test_what_it_does_not_acknowledge_comes_again_with_number_and_reason(socket: Judge, person: Any, jobs: str) -> None:
    person.chat_postMessage(channel=jobs, text="twice")
    again = socket.says()["message"]
    assert (again["text"], again["retry"], again["reason"]) == ("twice", 1, "timeout")


def test_a_command_is_acknowledged_with_a_payload(socket: Judge, operator: Operator, jobs: str) -> None:
    assert operator.person("interactions.command", channel=jobs, text="/deploy the lamp")["answer"] == {}
    assert socket.says() == {"command": {"command": "/deploy", "payload": True}}
    assert [row["text"] for row in operator.seen()["messages"]] == ["setting the lamp"]


def test_a_button_opens_a_modal_whose_submission_is_refused_and_taken(
    socket: Judge, operator: Operator, installed: Mapping[str, Any], emulator: About, jobs: str
) -> None:
    bot: Any = WebClient(installed["bot_token"], base_url=emulator.base_url)
    ts = bot.chat_postMessage(channel=jobs, text="Go?", blocks=ROW)["ts"]
    operator.person("interactions.click", channel=jobs, message_ts=ts, action_id="go")
    clicked = socket.until(lambda said: "clicked" in said)["clicked"]
    assert clicked["value"] == "42"
    bad = operator.person("modals.submit", view_id=clicked["view"], values={"b": {"name": "bad"}})
    assert bad["answer"] == {"errors": {"b": "not that"}}
    assert operator.person("modals.submit", view_id=clicked["view"], values={"b": {"name": "lamp"}})["answer"] == {}
    assert [socket.says(), socket.says()] == [{"submitted": "bad"}, {"submitted": "lamp"}]
    assert operator.seen()["views"] == []


def test_it_comes_back_when_its_connection_is_cut(
    socket: Judge, emulator: About, installed: Mapping[str, Any], person: Any, jobs: str
) -> None:
    admin: Any = WebClient(emulator.admin_token, base_url=f"{emulator.page_url}__admin/")
    admin.api_call("cut", json={"owner": installed["id"]})
    assert socket.says() == {"reconnecting": True}
    assert socket.says() == {"connected": True}
    person.chat_postMessage(channel=jobs, text="still there?")
    assert socket.says()["message"]["text"] == "still there?"
