"""What cannot work is refused at the start, with what to change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt import App
from slack_sdk import WebClient

from slackmq.errors import ChannelNotFound, ConfigurationError, MissingScope
from slackmq.integrations.bolt import exactly_one

from .conftest import FAST
from .test_bolt import bot

if TYPE_CHECKING:
    from .conftest import Troupe


def test_an_app_without_listeners_or_channels_or_twice_is_refused(troupe: Troupe) -> None:
    with pytest.raises(ConfigurationError, match="as the last"):
        exactly_one(troupe.app(), "#jobs")
    app = bot(troupe, 0)
    with pytest.raises(ConfigurationError, match="No channel is named"):
        exactly_one(app)
    with pytest.raises(ChannelNotFound):
        exactly_one(app, "#nowhere")
    with (
        exactly_one(app, "#jobs", timing=FAST),
        pytest.raises(ConfigurationError, match="guarded already"),
    ):
        exactly_one(app, "#jobs", timing=FAST)
    with exactly_one(app, "#jobs", timing=FAST):
        pass


def test_an_app_without_the_scope_for_reactions_is_told_which_it_needs(troupe: Troupe) -> None:
    manifest = {
        "display_information": {"name": "Poor"},
        "features": {"bot_user": {"display_name": "poor"}},
        "oauth_config": {"scopes": {"bot": ["chat:write", "channels:history", "channels:read"]}},
        "settings": {"event_subscriptions": {"bot_events": ["message.channels"]}, "socket_mode_enabled": True},
    }
    poor = troupe.slack.install(manifest, channels=["#jobs"])
    app: Any = App(client=WebClient(poor.bot_token, base_url=troupe.slack.url))
    app.message("toggle")(print)
    with pytest.raises(MissingScope, match="reactions:write"):
        exactly_one(app, "#jobs", timing=FAST)


def test_two_settings_in_one_channel_are_named_and_the_second_is_refused(troupe: Troupe) -> None:
    troupe.guard(bot(troupe, 0))
    other = replace(FAST, lease=timedelta(seconds=9))
    with pytest.raises(ConfigurationError, match=r"lease 9 s, there 3 s"):
        exactly_one(bot(troupe, 1), "#jobs", timing=other)
    with pytest.raises(ConfigurationError, match=r"claim pin, there reaction"):
        exactly_one(bot(troupe, 1), "#jobs", timing=FAST, claim="pin")


def test_lazy_functions_that_may_run_in_another_process_are_refused(troupe: Troupe) -> None:
    app = troupe.app(process_before_response=True)

    def work() -> None:
        raise AssertionError

    app.event("message")(ack=work, lazy=[work])
    with pytest.raises(ConfigurationError, match="work has lazy functions"):
        exactly_one(app, "#jobs", timing=FAST)


def test_an_app_for_many_workspaces_is_refused(troupe: Troupe) -> None:
    authorize: Any = print
    app: Any = App(client=WebClient(base_url=troupe.slack.url), authorize=authorize, signing_secret="s")
    app.message("toggle")(print)
    with pytest.raises(ConfigurationError, match="many workspaces"):
        exactly_one(app, "#jobs", timing=FAST)
