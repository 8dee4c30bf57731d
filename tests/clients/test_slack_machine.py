"""slack-machine starts up, hears and answers; all that it is told goes through its pydantic models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk import WebClient
from tests.clients.judge import needs, running
from tests.clients.manifests import Operator, chatbot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.clients.judge import Judge

    from slackmq.emulator.launch import About

pytestmark = needs("slack-machine")

KINDS = ("channels", "groups", "im", "mpim")
SCOPES = [
    *(f"{kind}:{deed}" for kind in KINDS for deed in ("history", "read")),
    *("app_mentions:read", "channels:manage", "chat:write", "chat:write.public", "commands", "emoji:read", "im:write"),
    *("mpim:write", "pins:read", "pins:write", "reactions:read", "reactions:write", "team:read"),
    *("users:read", "users:read.email", "users:write"),
]
EVENTS = [
    *("app_mention", "channel_archive", "channel_created", "channel_deleted", "channel_rename", "channel_unarchive"),
    *("member_joined_channel", "pin_added", "reaction_added", "team_join", "user_change"),
    *(f"message.{kind}" for kind in KINDS),
]


@pytest.fixture
def operator(emulator: About) -> Operator:
    return Operator(emulator)


@pytest.fixture
def person(emulator: About) -> Any:
    return WebClient(emulator.users[0].token, base_url=emulator.base_url)


@pytest.fixture
def installed(operator: Operator, person: Any) -> Mapping[str, Any]:
    """The app, in a workspace that also has a guest, a private channel, direct messages and an old channel."""
    app = operator.install(chatbot(SCOPES, EVENTS))
    operator.call("emulator.users.create", name="guest", guest="restricted")
    person.conversations_open(users=app["bot_user"])
    person.conversations_invite(
        channel=person.conversations_create(name="cellar", is_private=True)["channel"]["id"], users=app["bot_user"]
    )
    person.conversations_archive(channel=person.conversations_create(name="attic")["channel"]["id"])
    return app


@pytest.fixture
def machine(emulator: About, installed: Mapping[str, Any], operator: Operator) -> Iterator[Judge]:
    """A slack-machine that has read the workspace and listens."""
    tokens = {name: installed[name] for name in ("bot_token", "app_token")}
    with running("slack-machine", "lights.py", base_url=emulator.base_url, **tokens) as judge:
        started = judge.says()
        assert started["bot"] == installed["bot_user"]
        assert started["users"].keys() >= {"guest", *(user.name for user in emulator.users)}
        assert set(started["channels"]) >= {"cellar", "attic", *(channel.name for channel in emulator.channels)}
        operator.awaited(installed["id"])
        yield judge


def test_it_hears_a_person_and_answers_in_the_thread(
    machine: Judge, person: Any, installed: Mapping[str, Any], jobs: str, emulator: About
) -> None:
    ts = person.chat_postMessage(channel=jobs, text="toggle dining light")["ts"]
    said = machine.until(lambda said: "sender" in said)
    assert said == {"sender": emulator.users[0].name, "channel": "jobs", "text": "toggle dining light"}
    question, answer = person.conversations_replies(channel=jobs, ts=ts)["messages"]
    assert (answer["text"], answer["user"]) == ("dining toggled", installed["bot_user"])
    assert question["reactions"] == [{"name": "white_check_mark", "users": [installed["bot_user"]], "count": 1}]
    assert question["pinned_to"] == [jobs]


def test_it_answers_when_it_is_named_and_in_a_direct_message(
    machine: Judge, person: Any, installed: Mapping[str, Any], operator: Operator, jobs: str
) -> None:
    person.chat_postMessage(channel=jobs, text=f"<@{installed['bot_user']}> who are you?")
    assert machine.until(lambda said: "asked" in said) == {"asked": "who are you?", "direct": False}
    user = operator.about.users[0].id
    assert [row["text"] for row in operator.seen()["messages"]] == [f"<@{user}>: lights"]
    direct = person.conversations_open(users=installed["bot_user"])["channel"]["id"]
    assert [row["text"] for row in person.conversations_history(channel=direct)["messages"]] == ["lights"]
    person.chat_postMessage(channel=direct, text="who are you")
    assert machine.until(lambda said: "asked" in said) == {"asked": "who are you", "direct": True}


def test_it_follows_channels_and_people_as_they_change(
    machine: Judge, person: Any, installed: Mapping[str, Any], operator: Operator
) -> None:
    operator.call("emulator.users.create", name="newcomer")
    person.users_profile_set(profile={"status_text": "at home"})
    fresh = person.conversations_create(name="fresh")["channel"]["id"]
    person.conversations_invite(channel=fresh, users=installed["bot_user"])
    person.conversations_rename(channel=fresh, name="renamed")
    newcomer = next(each for each in operator.call("emulator.users.list")["users"] if each["name"] == "newcomer")
    theirs: Any = WebClient(newcomer["token"], base_url=operator.about.base_url)
    theirs.conversations_join(channel=fresh)
    ts = theirs.chat_postMessage(channel=fresh, text="toggle hall light")["ts"]
    assert machine.until(lambda said: "sender" in said)["sender"] == "newcomer"
    person.reactions_add(channel=fresh, timestamp=ts, name="eyes")
    assert machine.until(lambda said: said.get("reaction") == "eyes")


def test_a_button_opens_a_modal_that_is_submitted_or_closed(
    machine: Judge, person: Any, installed: Mapping[str, Any], operator: Operator, jobs: str
) -> None:
    person.chat_postMessage(channel=jobs, text=f"<@{installed['bot_user']}> who are you?")
    machine.until(lambda said: "asked" in said)
    ts = person.conversations_history(channel=jobs, limit=1)["messages"][0]["ts"]
    operator.person("interactions.click", channel=jobs, message_ts=ts, action_id="go")
    clicked = machine.until(lambda said: "clicked" in said)
    assert (clicked["clicked"], clicked["by"]) == ("42", operator.about.users[0].name)
    assert person.conversations_history(channel=jobs, limit=1)["messages"][0]["text"] == "opened"
    filled = {
        "name": {"name": "lamp"},
        "much": {"much": "7"},
        "day": {"day": "2026-11-30"},
        "boxes": {"boxes": ["hall"]},
    }
    assert operator.person("modals.submit", view_id=clicked["view"], values=filled)["answer"] == {}
    submitted = machine.until(lambda said: "submitted" in said)["submitted"]
    assert (submitted["name"]["value"], submitted["much"]["value"]) == ("lamp", 7)
    assert submitted["day"]["selected_date"] == "2026-11-30"
    assert [each["value"] for each in submitted["boxes"]["selected_options"]] == ["hall"]
    operator.person("interactions.click", channel=jobs, message_ts=ts, action_id="go")
    again = machine.until(lambda said: "clicked" in said)["view"]
    operator.person("modals.close", view_id=again)
    assert machine.until(lambda said: "closed" in said) == {"closed": "form"}


def test_it_acknowledges_a_slash_command_with_a_text(
    machine: Judge, person: Any, operator: Operator, jobs: str
) -> None:
    done = operator.person("interactions.command", channel=jobs, text="/deploy the lamp")
    assert done["answer"] == {}
    assert machine.until(lambda said: "command" in said)["channel"] == "jobs"
    assert operator.seen()["messages"][0]["text"] == "setting the lamp"
    assert person.conversations_history(channel=jobs, limit=1)["messages"][0]["text"] == "set"
