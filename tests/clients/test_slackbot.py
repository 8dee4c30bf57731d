"""slackbot 1.0.5 with slacker, over RTM, in an environment of its own: it wants an older websocket-client."""

from __future__ import annotations

import os
import queue
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk import WebClient
from slack_sdk.rtm_v2 import RTMClient
from tests.clients.manifests import Operator

if TYPE_CHECKING:
    from slackmq.emulator.launch import About

PYTHON = os.environ.get("SLACKMQ_SLACKBOT_PYTHON", "")
"""An interpreter in whose environment slackbot 1.0.5 is installed."""


@pytest.mark.skipif(not PYTHON, reason="SLACKMQ_SLACKBOT_PYTHON names no interpreter that has slackbot 1.0.5")
def test_slackbot_hears_a_person_and_answers_over_rtm_and_the_web_api(emulator: About, jobs: str) -> None:
    operator = Operator(emulator)
    app = operator.call("emulator.apps.classic", name="lights", channels=["#jobs"])["app"]
    person: Any = WebClient(emulator.users[0].token, base_url=emulator.base_url)
    answers: queue.Queue[dict[str, Any]] = queue.Queue()
    watcher: Any = RTMClient(token=emulator.users[0].token, base_url=emulator.base_url)
    watcher.message_listeners.append(lambda _, event: answers.put(event))
    program = Path(__file__).with_name("slackbot_lights.py")
    with subprocess.Popen([PYTHON, program, emulator.base_url, app["bot_token"]]) as bot:
        try:
            watcher.connect()
            said: list[str] = []
            while len(said) < 3:
                try:
                    event = answers.get(timeout=1)
                except queue.Empty:  # slackbot says to nobody that it is ready
                    person.chat_postMessage(channel=jobs, text="toggle dining light")
                    continue
                if event.get("user") == app["bot_user"]:
                    said.append(str(event.get("text", event.get("reaction"))))
        finally:
            bot.terminate()
            watcher.close()
    assert said == [f"<@{emulator.users[0].id}>: dining toggled", "dining light", "white_check_mark"]
