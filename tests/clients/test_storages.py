"""errbot and slack-machine keep what their plug-ins keep in a channel, as the how-tos say; the next bot has it."""

from __future__ import annotations

import re
import sysconfig
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk import WebClient
from tests.clients.judge import needs, running

from slackmq.errors import ConfigurationError
from slackmq.integrations.slack_machine import SlackMQStorage
from slackmq.kv.secret import Secret
from slackmq.kv.store import AsyncStore
from slackmq.policy import Timing
from slackmq.slack.connect import open_slack
from slackmq.testing.awaiting import async_workspace

if TYPE_CHECKING:
    from slackmq.emulator.launch import About

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
PAGES = {"errbot": "errbot-storage.md", "slack-machine": "slack-machine-storage.md"}
BLOCKS = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PATH = [str(Path(__file__).parents[2] / "src"), sysconfig.get_paths()["purelib"]]
FAST = Timing(skew=timedelta(seconds=0.2))
TOLD = {
    "errbot": {"rooms": {"hall": True}, "core": "another", "keys": ["rooms"], "missing": True, "length": 1},
    "slack-machine": {"lights": [True, 3600.0], "gone": False, "ours": "all", "nothing": None, "size": True},
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs(name)) for name in TOLD])
def test_what_one_bot_keeps_the_next_one_has(
    emulator: About, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACKMQ_KV_KEY", "k" * 43)
    [block] = BLOCKS.findall((HOW_TO / PAGES[name]).read_text(encoding="utf-8"))
    (tmp_path / "page_settings.py").write_text(block, encoding="utf-8")
    app = emulator.apps[0]
    bot: Any = WebClient(app.bot_token, base_url=emulator.base_url)
    bot.conversations_create(name="state")
    facts: dict[str, Any] = {"token": app.bot_token, "url": emulator.base_url, "path": [*PATH, str(tmp_path)]}
    with running(name, "storage.py", keep=True, **facts) as first:
        assert first.says() == TOLD[name]
    with running(name, "storage.py", keep=False, **facts) as second:
        assert second.says() == TOLD[name]


@pytest.mark.parametrize("key", ["", "unsigned", f"{'k' * 43} unsigned"])
def test_a_storage_whose_pickles_anybody_could_have_put_there_is_refused(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACKMQ_KV_KEY", key)
    with pytest.raises(ConfigurationError, match="run code"):
        SlackMQStorage({"SLACK_BOT_TOKEN": "xoxb-nobody"})


async def test_a_pickle_that_somebody_else_put_into_the_channel_is_never_given_to_the_bot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with async_workspace(channels=("general", "state"), apps=("bot", "stranger")) as there:
        stranger = there.apps[1].settings
        with_key = {"SLACK_BOT_TOKEN": there.apps[0].bot_token, "SLACKMQ_URL": stranger.url, "SLACKMQ_SKEW": 0.2}
        async with open_slack(stranger) as slack, AsyncStore(slack, "#state", timing=FAST, secret=Secret()) as theirs:
            await theirs.put("machine/lights", b"cos\nsystem\n(S'true'\ntR.")
        monkeypatch.setenv("SLACKMQ_KV_KEY", "k" * 43)
        async with open_slack(there.apps[0].settings) as slack, AsyncStore(slack, "#state", timing=FAST, repair=True):
            pass
        storage = SlackMQStorage(with_key)
        await storage.init()
        try:
            assert await storage.get("lights") is None
            await storage.set("lights", b"ours")
            assert await storage.get("lights") == b"ours"
        finally:
            await storage.close()
