"""errbot with its backend for Slack: it starts, hears people in the channel, answers, and shows a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.clients.judges import ENVIRONMENTS, PROGRAMS, needs, running
from tests.clients.manifests import Operator, manifest
from tests.clients.talk import Talk

if TYPE_CHECKING:
    from pathlib import Path

    from slackmq.emulator.launch import About

SCOPES = (
    "app_mentions:read channels:history channels:read chat:write files:write groups:history groups:read im:history "
    "im:read im:write mpim:history mpim:read mpim:write reactions:read reactions:write users:read users:write "
    "users.profile:read team:read"
)
EVENTS = "app_mention member_joined_channel message.channels message.im reaction_added reaction_removed"


def described() -> dict[str, Any]:
    """What the backend's documentation has people ask for."""
    wanted = manifest()
    wanted["oauth_config"]["scopes"]["bot"] = SCOPES.split()
    wanted["settings"]["event_subscriptions"]["bot_events"] = EVENTS.split()
    del wanted["features"]["slash_commands"], wanted["features"]["shortcuts"]
    return wanted


@needs("errbot")
def test_errbot_starts_hears_people_and_answers_with_words_and_cards(emulator: About, tmp_path: Path) -> None:
    app = Operator(emulator).install(described(), "#jobs", "#general")
    environment = {
        "SLACK_BOT_TOKEN": str(app["bot_token"]),
        "SLACK_APP_TOKEN": str(app["app_token"]),
        "SLACKMQ_URL": emulator.base_url,
        "ERRBOT_DATA": str(tmp_path),
    }
    command = (str(ENVIRONMENTS / "errbot" / "bin" / "errbot"), "-c", str(PROGRAMS / "errbot" / "config.py"))
    with (
        running(*command, folder=tmp_path, environment=environment, log=tmp_path / "log") as bot,
        Talk(emulator, bot=bot, by=app["bot_user"]) as talk,
    ):
        talk.types("toggle dining light", "dining toggled by you")
        talk.types("!lights", "")
