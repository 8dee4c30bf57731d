"""slackbot 1.0.5 with slacker, as in 2019: it hears over RTM, and answers there and over the Web API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.clients.judges import PROGRAMS, needs, python, running
from tests.clients.manifests import Operator
from tests.clients.talk import Talk

if TYPE_CHECKING:
    from pathlib import Path

    from slackmq.emulator.launch import About


@needs("slackbot")
def test_slackbot_hears_a_person_and_answers_over_rtm_and_the_web_api(emulator: About, tmp_path: Path) -> None:
    app = Operator(emulator).call("emulator.apps.classic", name="lights", channels=["#jobs"])["app"]
    command = (python("slackbot"), str(PROGRAMS / "slackbot" / "lights.py"), emulator.base_url, app["bot_token"])
    name = f"<@{emulator.users[0].id}>"
    with (
        running(*command, folder=tmp_path, environment={}, log=tmp_path / "log") as bot,
        Talk(emulator, bot=bot, by=app["bot_user"]) as talk,
    ):
        talk.types("toggle dining light", f"{name}: dining toggled", "dining light", "white_check_mark")
