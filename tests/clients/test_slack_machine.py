"""slack-machine 0.40, whose models take no key for another: it starts, hears, answers, and is clicked and commanded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.clients.judges import ENVIRONMENTS, PROGRAMS, needs, running
from tests.clients.manifests import Operator, manifest
from tests.clients.talk import Talk

if TYPE_CHECKING:
    from pathlib import Path

    from slackmq.emulator.launch import About

SCOPES = (
    "app_mentions:read channels:history channels:read chat:write commands groups:history groups:read im:history "
    "im:read im:write mpim:history mpim:read pins:read pins:write reactions:read reactions:write users:read "
    "users:read.email"
)
EVENTS = "app_mention channel_created channel_rename member_joined_channel message.channels message.im team_join"


def described() -> dict[str, Any]:
    """What slack-machine's documentation has people ask for."""
    wanted = manifest()
    wanted["oauth_config"]["scopes"]["bot"] = SCOPES.split()
    wanted["settings"]["event_subscriptions"]["bot_events"] = EVENTS.split()
    return wanted


@needs("slack_machine")
def test_slack_machine_starts_hears_people_and_answers_with_buttons_and_to_commands(
    emulator: About, jobs: str, tmp_path: Path
) -> None:
    operator = Operator(emulator)
    app = operator.install(described(), "#jobs", "#general")
    tokens = {"SLACK_BOT_TOKEN": app["bot_token"], "SLACK_APP_TOKEN": app["app_token"]}
    environment = {**tokens, "SLACKMQ_URL": emulator.base_url}
    command, folder = ENVIRONMENTS / "slack_machine" / "bin" / "slack-machine", PROGRAMS / "slack_machine"
    with (
        running(str(command), folder=folder, environment=environment, log=tmp_path / "log") as bot,
        Talk(emulator, bot=bot, by=app["bot_user"]) as talk,
    ):
        talk.types("toggle dining light", "dining toggled by you in #jobs", "white_check_mark")
        talk.types(f"<@{app['bot_user']}> buttons", "press")
        operator.person("interactions.click", channel=jobs, message_ts=talk.newest, action_id="go")
        talk.hears("went with 42")
        operator.person("interactions.command", channel=jobs, text="/deploy web")
        talk.hears("deploying web")
