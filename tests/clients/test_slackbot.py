"""slackbot 1.0.5 with slacker hears and answers over RTM; it has an environment with an older websocket-client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slack_sdk import WebClient
from tests.clients.judge import needs, running
from tests.clients.manifests import Operator, eventually

if TYPE_CHECKING:
    from slackmq.emulator.launch import About

pytestmark = needs("slackbot")


def test_slackbot_hears_a_person_and_answers_over_rtm_and_the_web_api(emulator: About, jobs: str) -> None:
    bot = Operator(emulator).call("emulator.apps.classic", name="lights", channels=["#jobs"])["app"]
    person: Any = WebClient(emulator.users[0].token, base_url=emulator.base_url)
    with running("slackbot", "lights.py", base_url=emulator.base_url, bot_token=bot["bot_token"]) as judge:
        eventually(lambda: any("connected to slack RTM api" in line for line in judge.log))
        question = person.chat_postMessage(channel=jobs, text="toggle dining light")["ts"]
        reacted = eventually(
            lambda: person.reactions_get(channel=jobs, timestamp=question)["message"].get("reactions")  # its last deed
        )
    spoken, _ = person.conversations_history(channel=jobs)["messages"]
    _, threaded = person.conversations_replies(channel=jobs, ts=question)["messages"]
    assert (spoken["text"], spoken["user"]) == (f"<@{emulator.users[0].id}>: dining toggled", bot["bot_user"])
    assert (threaded["text"], threaded["user"]) == ("dining light", bot["bot_user"])
    assert reacted == [{"name": "white_check_mark", "users": [bot["bot_user"]], "count": 1}]
