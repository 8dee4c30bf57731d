"""What the subcommands make of their words: arguments of a job, apps, lines of a list."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from slackmq.cli.loading import load
from slackmq.cli.ls import age, printable, shown
from slackmq.cli.manifest import app_manifest
from slackmq.cli.post import body_of
from slackmq.emulator.manifest import manifest_of
from slackmq.errors import ConfigurationError
from slackmq.message import Message
from slackmq.queue import Standing

if TYPE_CHECKING:
    from pathlib import Path

    from slackmq.queue.standing import State


def test_a_value_is_json_if_it_can_be_and_text_otherwise() -> None:
    arguments = ["width=300", "path=cat.png", "deep=true", "sizes=[1,2]", "url=http://x/?a=b", "empty=", 'quoted="1"']
    assert body_of(None, arguments) == {
        "width": 300,
        "path": "cat.png",
        "deep": True,
        "sizes": [1, 2],
        "url": "http://x/?a=b",
        "empty": "",
        "quoted": "1",
    }


def test_single_arguments_win_over_the_body() -> None:
    assert body_of('{"a": 1, "b": 2}', ["b=3"]) == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    ("body", "arguments"), [("[1]", []), ("{", []), (None, ["a"]), (None, ["=1"]), (None, ["a b=1"])]
)
def test_arguments_that_cannot_be_read_are_refused(body: str | None, arguments: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        body_of(body, arguments)


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("home", "names no app"),
        (":app", "names no app"),
        ("nowhere_to_be_found:app", "no module 'nowhere_to_be_found'"),
        ("slackmq.nowhere:app", "no module 'slackmq.nowhere'"),
        ("slackmq.cli.house:lamp", "has no lamp. Its apps: app."),
        ("slackmq.cli.house:water", "is no App but Task"),
    ],
)
def test_a_reference_that_names_no_app_is_refused_with_the_reason(reference: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        load(reference)


def test_an_import_that_fails_shows_where_and_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_house.py").write_text("import os\nlamp = 1 / 0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType]  # pytest leaves its type open
    with pytest.raises(ConfigurationError, match=r"broken_house\.py:2: ZeroDivisionError: division by zero"):
        load("broken_house:app")


def test_a_missing_module_inside_the_app_is_not_taken_for_the_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hungry_house.py").write_text("import nowhere_to_be_found\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType]  # pytest leaves its type open
    with pytest.raises(ConfigurationError, match=r"Importing hungry_house failed: hungry_house\.py:1: ModuleNotFound"):
        load("hungry_house:app")


def test_a_text_from_the_channel_cannot_command_the_terminal() -> None:
    assert printable("a\x1b[31mred\nb\u202ec") == "a [31mred b c"


def test_a_long_text_is_cut() -> None:
    assert printable("x" * 100) == "x" * 79 + "…"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h")]
)
def test_a_span_is_told_in_the_unit_that_fits(seconds: int, text: str) -> None:
    assert age(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("kind", "state", "listed", "with_all"),
    [
        ("resize", "waiting", True, True),
        ("resize", "held", True, True),
        ("resize", "dead", True, True),
        ("resize", "done", False, True),
        ("resize", "duplicate", False, True),
        (None, "waiting", False, False),
        (None, "held", True, True),
        (None, "done", False, True),
    ],
)
def test_the_list_shows_jobs_and_no_talk(kind: str | None, state: State, listed: bool, with_all: bool) -> None:  # noqa: FBT001  # the cases of the table
    message = Message(channel="C1", ts="1.0", author="U1", kind=kind, key="k")
    row = Standing(message=message, state=state, generation=0, age=timedelta(0))
    assert (shown(row, ended=False), shown(row, ended=True)) == (listed, with_all)


def test_the_manifest_asks_for_nothing_private_unless_told() -> None:
    plain, private = app_manifest("mq"), app_manifest("mq", private=True)
    scopes, events = plain["oauth_config"]["scopes"]["bot"], plain["settings"]["event_subscriptions"]["bot_events"]
    assert not any(name.startswith("groups") or name.endswith("groups") for name in scopes + events)
    more = set(private["oauth_config"]["scopes"]["bot"]) - set(scopes)
    assert more == {"groups:history", "groups:read"}
    assert set(private["settings"]["event_subscriptions"]["bot_events"]) - set(events) == {"message.groups"}


def test_the_manifest_switches_buttons_and_the_home_tab_on_where_they_are_wanted() -> None:
    plain, asking = app_manifest("mq"), app_manifest("mq", approvals=True, groups=True)
    homely = app_manifest("mq", home=True)
    assert not plain["settings"]["interactivity"]["is_enabled"]
    assert asking["settings"]["interactivity"]["is_enabled"]
    assert set(asking["oauth_config"]["scopes"]["bot"]) - set(plain["oauth_config"]["scopes"]["bot"]) == {
        "usergroups:read"
    }
    assert homely["features"]["app_home"]["home_tab_enabled"]
    assert "app_home_opened" in homely["settings"]["event_subscriptions"]["bot_events"]
    for made in (plain, asking, homely):
        assert manifest_of(made).socket_mode  # as the local Slack checks it


@pytest.mark.parametrize("name", ["", " ", "x" * 36])
def test_a_name_that_slack_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError):
        app_manifest(name)
