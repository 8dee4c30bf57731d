"""errbot with its slackv3 backend starts up, hears and answers: in Socket Mode, and over RTM for classic apps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk import WebClient
from tests.clients.judge import Judge, needs, running
from tests.clients.manifests import Operator, chatbot, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from slackmq.emulator.launch import About

pytestmark = needs("errbot")

KINDS = ("channels", "groups", "im", "mpim")
SCOPES = [
    *(f"{kind}:{deed}" for kind in KINDS for deed in ("history", "read")),
    *("app_mentions:read", "chat:write", "commands", "files:write", "files:read", "im:write", "reactions:read"),
    *("reactions:write", "team:read", "users:read", "users:read.email", "users:write"),
]
EVENTS = ["member_joined_channel", "reaction_added", "reaction_removed", *(f"message.{kind}" for kind in KINDS)]


@pytest.fixture
def operator(emulator: About) -> Operator:
    return Operator(emulator)


@pytest.fixture
def person(emulator: About) -> Any:
    return WebClient(emulator.users[0].token, base_url=emulator.base_url)


@pytest.fixture
def installed(operator: Operator) -> Mapping[str, Any]:
    return operator.install(chatbot(SCOPES, EVENTS))


Start = Callable[..., AbstractContextManager[Judge]]


@pytest.fixture
def start(emulator: About, tmp_path: Path) -> Start:
    def starting(**tokens: str) -> AbstractContextManager[Judge]:
        admin = emulator.users[0].id
        return running("errbot", "bot.py", base_url=emulator.base_url, admin=admin, folder=str(tmp_path), **tokens)

    return starting


@pytest.fixture
def errbot(start: Start, installed: Mapping[str, Any], operator: Operator) -> Iterator[Judge]:
    """An errbot that listens in Socket Mode."""
    with start(bot_token=installed["bot_token"], app_token=installed["app_token"]) as judge:
        assert judge.says() == {"rooms": ["jobs"]}
        operator.awaited(installed["id"])
        yield judge


def answered(person: Any, channel: str, by: str) -> Any:
    """The newest message of a channel, once the bot has written it."""

    def newest() -> Any:
        row = person.conversations_history(channel=channel, limit=1)["messages"][0]
        return row if row["user"] == by else None

    return eventually(newest)


def test_it_hears_a_person_answers_and_reacts(
    errbot: Judge, person: Any, installed: Mapping[str, Any], emulator: About, jobs: str
) -> None:
    ts = person.chat_postMessage(channel=jobs, text="toggle dining light")["ts"]
    said = errbot.until(lambda said: "sender" in said)
    assert said == {"sender": emulator.users[0].name, "room": "jobs", "domain": person.team_info()["team"]["domain"]}
    assert answered(person, jobs, by=installed["bot_user"])["text"] == "dining toggled"
    question = person.reactions_get(channel=jobs, timestamp=ts)["message"]
    assert question["reactions"] == [{"name": "white_check_mark", "users": [installed["bot_user"]], "count": 1}]


def test_it_answers_in_the_channel_by_its_name_and_in_a_direct_message(
    errbot: Judge, person: Any, installed: Mapping[str, Any], jobs: str
) -> None:
    person.chat_postMessage(channel=jobs, text=f"<@{installed['bot_user']}> who are you")
    assert errbot.until(lambda said: "asked" in said) == {"asked": "are you", "direct": False}
    assert answered(person, jobs, by=installed["bot_user"])["text"] == "*lights*"
    direct = person.conversations_open(users=installed["bot_user"])["channel"]["id"]
    person.chat_postMessage(channel=direct, text="!who is there")
    assert errbot.until(lambda said: "asked" in said) == {"asked": "is there", "direct": True}
    assert answered(person, direct, by=installed["bot_user"])["text"] == "*lights*"


@pytest.mark.usefixtures("errbot")
def test_it_sends_a_card_and_a_file(person: Any, jobs: str) -> None:
    question = person.chat_postMessage(channel=jobs, text="!card on")["ts"]

    def both() -> Any:
        rows = person.conversations_history(channel=jobs, oldest=question)["messages"]
        return sorted(rows, key=lambda row: "attachments" in row) if len(rows) == 2 else None

    shared, card = eventually(both)
    assert (shared["files"][0]["name"], shared["files"][0]["size"]) == ("lights.csv", 8)
    attachment = card["attachments"][0]
    assert (attachment["title"], attachment["text"]) == ("Lights", "on")
    assert attachment["fields"] == [{"title": "hall", "value": "on", "short": True}]


def test_it_hears_of_mentions_and_reactions(errbot: Judge, person: Any, emulator: About, jobs: str) -> None:
    user = emulator.users[0]
    ts = person.chat_postMessage(channel=jobs, text=f"<@{user.id}> look at <#{jobs}>")["ts"]
    named = {"mentioned": [f"<@{user.id}>", f"<#{jobs}|jobs>"], "text": f"<@{user.id}> look at <#{jobs}|jobs>"}
    assert errbot.until(lambda said: "mentioned" in said) == named
    person.reactions_add(channel=jobs, timestamp=ts, name="eyes")
    assert errbot.until(lambda said: "reaction" in said) == {"reaction": "eyes", "by": user.name}


def test_it_works_over_rtm_with_the_token_of_a_classic_app(
    start: Start, person: Any, operator: Operator, jobs: str
) -> None:
    app = operator.call("emulator.apps.classic", name="oldie", channels=["#jobs"])["app"]
    with start(bot_token=app["bot_token"]) as errbot:
        assert errbot.says() == {"rooms": ["jobs"]}
        person.chat_postMessage(channel=jobs, text="toggle dining light")
        errbot.until(lambda said: "sender" in said)
        assert answered(person, jobs, by=app["bot_user"])["text"] == "dining toggled"
