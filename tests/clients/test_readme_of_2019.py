"""The README's example of 2019, three copies at once over RTM: one answer for each message, also when a copy dies."""

from __future__ import annotations

import re
import sysconfig
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk import WebClient
from tests.clients.judge import needs, running
from tests.clients.manifests import Operator, eventually

if TYPE_CHECKING:
    from tests.clients.judge import Judge

    from slackmq.emulator.launch import About

ROOT = Path(__file__).parents[2]
pytestmark = [needs("slackbot"), pytest.mark.timeout(300)]


def connected(copy: Judge) -> bool:
    return any("connected to slack RTM api" in line for line in copy.log)


def code(token: str) -> str:
    page = (ROOT / "docs" / "how-to" / "classic.md").read_text(encoding="utf-8")
    [first, _] = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return str(first).replace("SLACK-BOT-API-TOKEN", token)


def test_three_copies_answer_each_message_once_and_one_may_die(emulator: About, jobs: str, tmp_path: Path) -> None:
    bot = Operator(emulator).call("emulator.apps.classic", name="lights", channels=["#jobs"])["app"]
    person: Any = WebClient(emulator.users[0].token, base_url=emulator.base_url)
    (tmp_path / "bot_of_2019.py").write_text(code(bot["bot_token"]), encoding="utf-8")
    facts = {
        "base_url": emulator.base_url,
        "bot_token": bot["bot_token"],
        "path": [str(tmp_path), str(ROOT / "src"), sysconfig.get_paths()["purelib"]],
    }

    def answers() -> int:
        rows = person.conversations_history(channel=jobs, limit=200)["messages"]
        return sum(row["text"].startswith("Hello from ") for row in rows)

    with ExitStack() as stack:
        copies = [stack.enter_context(running("slackbot", "readme.py", **facts)) for _ in range(3)]
        for copy in copies:
            eventually(partial(connected, copy), within=60)
        for _ in range(6):
            person.chat_postMessage(channel=jobs, text="hello")
        eventually(lambda: answers() >= 6, within=90)
        copies[0].process.kill()
        for _ in range(6):
            person.chat_postMessage(channel=jobs, text="hello")
        eventually(lambda: answers() >= 12, within=150)
        assert answers() == 12
