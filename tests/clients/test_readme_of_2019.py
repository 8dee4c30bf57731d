"""The README's example of 2019, three copies at once over RTM: one answer for each message, also when a copy dies."""

from __future__ import annotations

import json
import os
import re
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.clients.judge import ENVIRONMENTS, PROGRAMS, needs

from slackmq.emulator.workspace import OPERATOR
from slackmq.testing import TestApp

if TYPE_CHECKING:
    from slackmq.testing import Replicas, Workspace

ROOT = Path(__file__).parents[2]
MESSAGES = int(os.environ.get("SLACKMQ_MESSAGES_OF_2019", "24"))
"""About 20 a minute: each copy keeps to Slack's limits for pins and reads. `nox -s classic` sends 200."""
READY = "connected to slack RTM api"
"""slackbot connects twice, and hears nothing before the second time."""
pytestmark = [needs("slackbot"), pytest.mark.timeout(300 + 6 * MESSAGES)]


def code(token: str) -> str:
    page = (ROOT / "docs" / "how-to" / "classic.md").read_text(encoding="utf-8")
    first, *_ = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return str(first).replace("SLACK-BOT-API-TOKEN", token)


def classic_bot(slack: Workspace) -> TestApp:
    """A bot of the old kind, which has one scope for all and no app."""
    made = slack.run(
        slack.house.server.act, OPERATOR, "emulator.apps.classic", {"name": "lights", "channels": ["#jobs"]}
    )["app"]
    return TestApp(
        id=made["id"],
        name="lights",
        url=slack.url,
        bot_user=made["bot_user"],
        bot_token=made["bot_token"],
        app_token="",
    )


def all_marked(rows: list[dict[str, Any]]) -> bool:
    return all(
        any(reaction["name"] == "white_check_mark" for reaction in row.get("reactions", ()))
        for row in rows
        if row["text"] == "hello"
    )


def test_three_copies_answer_each_message_once_and_one_dies_in_the_middle_of_a_handling(
    slack_workspace: Workspace, replicas: Replicas, tmp_path: Path
) -> None:
    bot = classic_bot(slack_workspace)
    (tmp_path / "bot_of_2019.py").write_text(code(bot.bot_token), encoding="utf-8")
    path = [str(tmp_path), str(ROOT / "src"), sysconfig.get_paths()["purelib"]]
    command = [str(ENVIRONMENTS / "slackbot" / "bin" / "python"), "-u", str(PROGRAMS / "slackbot" / "readme.py")]
    with replicas(3, [*command, json.dumps(path)], apps=[bot], ready=READY, within=90) as fleet:
        for _ in range(MESSAGES // 2):
            fleet.post("hello")
        # A copy that is killed between an answer and its mark would leave two, so only one is in hand when one dies.
        slack_workspace.until("#jobs", all_marked, within=120 + 6 * MESSAGES)
        in_hand = fleet.post("hello")
        dead = fleet.kill_one(holding=in_hand, within=60)
        for _ in range(MESSAGES // 2 - 1):
            fleet.post("hello")
        found = fleet.expect_one_answer_each(within=240 + 6 * MESSAGES)
        assert (found.posts, found.lost, found.repeated) == (MESSAGES, 0, 0)
        assert not dead.alive
        assert fleet.in_hand(in_hand) is not dead
