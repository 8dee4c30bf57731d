"""A workspace inside a test: people post, apps answer, and the truth can be read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk import WebClient
from slack_sdk.web.async_client import AsyncWebClient

import slackmq
from slackmq.testing import CallRefused, async_workspace, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from slackmq.testing import Workspace

MANIFEST = """
display_information: {name: Deployer}
features:
  bot_user: {display_name: deployer}
oauth_config:
  scopes: {bot: [chat:write, channels:history]}
settings:
  socket_mode_enabled: true
"""


def test_slacks_own_client_finds_what_a_person_typed(slack_workspace: Workspace) -> None:
    ts = slack_workspace.post("toggle dining light", channel="#jobs")
    client: Any = WebClient(slack_workspace.app.bot_token, base_url=slack_workspace.url)
    [message] = client.conversations_history(channel=slack_workspace.channel("jobs"))["messages"]
    assert (message["ts"], message["user"]) == (ts, slack_workspace.person("you").id)


def test_the_truth_holds_threads_reactions_and_every_call(slack_workspace: Workspace) -> None:
    ts = slack_workspace.post("hello", channel="jobs")
    slack_workspace.react("eyes", channel="jobs", ts=ts, person="colleague")
    slack_workspace.post("and more", channel="jobs", thread=ts)
    [parent, reply] = slack_workspace.messages("jobs", thread=ts)
    assert (parent["reactions"][0]["name"], reply["text"]) == ("eyes", "and more")
    assert [call["method"] for call in slack_workspace.calls()] == [
        "chat.postMessage",
        "reactions.add",
        "chat.postMessage",
    ]


def test_an_app_comes_by_its_manifest(slack_workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_text(MANIFEST, encoding="utf-8")
    for manifest in (MANIFEST, tmp_path / "manifest.yaml"):
        app = slack_workspace.install(manifest, channels=["jobs"])
        client: Any = WebClient(app.bot_token, base_url=app.url)
        assert client.chat_postMessage(channel=slack_workspace.channel("jobs"), text="deployed")["ok"]
    assert [app.name for app in slack_workspace.apps] == ["slackmq", "deployer", "deployer"]
    with pytest.raises(CallRefused, match="invalid_manifest"):
        slack_workspace.install("display_information: {}")


def test_channels_and_people_are_made_as_wanted(slack_workspace: Workspace) -> None:
    secret = slack_workspace.create_channel("#secret", private=True)
    assert slack_workspace.create_person("visitor", guest="restricted").name == "visitor"
    with pytest.raises(CallRefused, match="channel_not_found"):
        slack_workspace.post("let me in", channel=secret, person="visitor")
    with pytest.raises(LookupError, match="create_person"):
        slack_workspace.person("stranger")
    with pytest.raises(LookupError, match="create_channel"):
        slack_workspace.channel("#nowhere")


@pytest.mark.slack_workspace(channels=["general", "ops"], people=["ada"], apps=["home", "garden"])
def test_a_mark_says_what_the_fixture_starts(slack_workspace: Workspace) -> None:
    assert [app.name for app in slack_workspace.apps] == ["home", "garden"]
    assert slack_workspace.person().name == "ada"
    assert slack_workspace.messages("#ops") == []


def test_waiting_ends_when_it_is_there_and_tells_what_is_if_it_is_not(slack_workspace: Workspace) -> None:
    slack_workspace.post("hello", channel="jobs")
    assert slack_workspace.until("jobs", lambda rows: rows[0]["text"]) == "hello"
    with pytest.raises(TimeoutError, match="hello"):
        slack_workspace.until("jobs", lambda rows: len(rows) > 1, within=0.05)


async def test_a_bot_answers_in_the_same_event_loop() -> None:
    app = slackmq.App(channel="#jobs")

    @app.task
    def double(number: int) -> int:
        return 2 * number

    async with async_workspace() as slack, app.connected(slack.app.settings):
        await double.post(21)
        [message] = slack.messages("jobs")
        assert "21" in message["text"]


async def test_an_answer_of_a_client_is_seen_by_who_waits_for_it() -> None:
    async with async_workspace() as slack:
        client: Any = AsyncWebClient(slack.app.bot_token, base_url=slack.url)
        ts = await slack.post("ping", channel="general")
        await client.chat_postMessage(channel=slack.channel("general"), text="pong", thread_ts=ts)
        assert await slack.until("general", lambda rows: rows[-1]["text"] == "pong", thread=ts)


def test_what_is_kept_in_a_file_is_there_again(tmp_path: Path) -> None:
    with workspace(data=tmp_path / "kept.db") as slack:
        ts = slack.post("remember", channel="jobs")
    with workspace(data=tmp_path / "kept.db") as slack:
        assert [row["ts"] for row in slack.messages("jobs")] == [ts]


def test_a_start_takes_an_instant(record_property: Any) -> None:
    started = time.perf_counter()
    with workspace() as slack:
        assert slack.messages("jobs") == []
        took = time.perf_counter() - started
    record_property("seconds", took)
    print(f"started in {took * 1000:.0f} ms")  # noqa: T201  # a figure to look at, not to judge by
