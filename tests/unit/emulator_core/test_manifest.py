from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from slackmq.emulator.manifest import manifest_of
from slackmq.emulator.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., dict[str, Any]]

YAML = """
display_information:
  name: mq-worker
features:
  bot_user:
    display_name: worker
  slash_commands:
    - command: /mq
      description: Inspect a queue
      should_escape: true
oauth_config:
  scopes:
    bot: [chat:write, "channels:history", commands]
settings:
  event_subscriptions:
    bot_events: [message.channels, reaction_added]
  interactivity:
    is_enabled: true
  socket_mode_enabled: true
"""


def wrong(given: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(Refusal, match="invalid_manifest") as refusal:
        manifest_of(given)
    return [(problem["code"], problem["pointer"]) for problem in refusal.value.facts["errors"]]


def named(**parts: Any) -> dict[str, Any]:
    return {"display_information": {"name": "x"}, **parts}


def test_a_name_is_enough() -> None:
    manifest = manifest_of(named())
    assert (manifest.bot, manifest.scopes, manifest.socket_mode, manifest.interactivity) == ("x", (), False, False)


def test_an_app_is_installed_from_yaml_and_hears_what_it_has_the_scope_for(operator: Ask) -> None:
    app = operator("emulator.apps.create", manifest=YAML, channels=["#jobs"])["app"]
    assert (app["name"], app["scopes"]) == ("worker", ["channels:history", "chat:write", "commands"])
    assert app["events"] == ["message.channels"]  # reaction_added wants reactions:read


def test_json_in_a_string_and_an_object_install_the_same(operator: Ask) -> None:
    given = named(settings={"socket_mode_enabled": True})
    shown = [operator("emulator.apps.create", manifest=way)["app"]["manifest"] for way in (given, json.dumps(given))]
    assert shown == [given, given]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, ("missing_required_property", "/display_information")),
        (named(display_information={"name": "x" * 36}), ("invalid_length", "/display_information/name")),
        (named(display_information={"name": 7}), ("must_be_string", "/display_information/name")),
        (named(setings={}), ("unexpected_property", "/setings")),
        (named(features=[]), ("must_be_object", "/features")),
        (named(settings={"socket_mode_enabled": "yes"}), ("must_be_boolean", "/settings/socket_mode_enabled")),
        (
            named(oauth_config={"scopes": {"bot": ["this:is:not:a:real:scope"]}}),
            ("illegal_bot_scopes", "/oauth_config/scopes/bot"),
        ),
        (named(oauth_config={"scopes": {"bot": "chat:write"}}), ("must_be_array", "/oauth_config/scopes/bot")),
        (named(features={"bot_user": {"display_name": "x"}}), ("requires_a_bot_scope", "/features/bot_user")),
        (named(settings={"event_subscriptions": {}}), ("requires_request_url", "/settings/event_subscriptions")),
        (
            named(settings={"interactivity": {"is_enabled": True}}),
            ("requires_request_url", "/settings/interactivity"),
        ),
        (
            named(features={"slash_commands": [{"command": "/x", "description": "x"}]}),
            ("requires_request_url", "/features/slash_commands/0"),
        ),
        (
            named(features={"slash_commands": [{"command": "x!", "description": "x"}]}),
            ("invalid_pattern", "/features/slash_commands/0/command"),
        ),
        (
            named(features={"slash_commands": [{"command": "/x", "description": "x"}] * 51}),
            ("too_many_items", "/features/slash_commands"),
        ),
    ],
)
def test_a_wrong_manifest_fails_with_a_code_and_a_pointer(given: dict[str, Any], problem: tuple[str, str]) -> None:
    assert wrong(given) == [problem]


def test_the_sentence_is_slacks_own(operator: Ask) -> None:
    reply = operator("emulator.apps.validate", manifest=named(settings={"event_subscriptions": {"bot_events": []}}))
    assert (reply["ok"], reply["error"]) == (False, "invalid_manifest")
    assert reply["errors"][0]["message"] == "Event Subscription requires either Request URL or Socket Mode Enabled"


@pytest.mark.parametrize("text", ["{", "[1]", "a: [", "just words", "- 1"])
def test_what_is_no_object_is_no_manifest(operator: Ask, text: str) -> None:
    assert operator("emulator.apps.validate", manifest=text)["error"] == "invalid_manifest"


def test_a_second_manifest_changes_scopes_and_events_at_once(
    operator: Ask, with_token: Callable[[str], Ask], jobs: str
) -> None:
    app = operator("emulator.apps.create", manifest=YAML, channels=["#jobs"])["app"]
    bot = with_token(app["bot_token"])
    assert bot("pins.list", channel=jobs)["error"] == "missing_scope"
    changed = YAML.replace("commands]", "commands, pins:read, reactions:read]")
    assert operator("emulator.apps.update", app=app["id"], manifest=changed)["permissions_updated"]
    assert with_token(app["bot_token"])("pins.list", channel=jobs)["ok"]
    assert operator("emulator.apps.info", app=app["id"])["app"]["events"] == ["message.channels", "reaction_added"]


def test_nobody_installs_with_a_token(bot: Ask) -> None:
    assert bot("emulator.apps.create", manifest=YAML)["error"] == "unknown_method"
