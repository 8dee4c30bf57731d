"""errbot and slack-machine keep what their plug-ins keep in a channel, as the how-tos say; the next bot has it."""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk import WebClient
from tests.clients.judge import needs, running

if TYPE_CHECKING:
    from slackmq.emulator.launch import About

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
BLOCKS = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PATH = [str(Path(__file__).parents[2] / "src"), sysconfig.get_paths()["purelib"]]
TOLD = {
    "errbot": {"rooms": {"hall": True}, "core": "another", "keys": ["rooms"], "missing": True, "length": 1},
    "slack-machine": {"lights": [True, 3600.0], "gone": False, "ours": "all", "nothing": None, "size": True},
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", [pytest.param(name, marks=needs(name)) for name in TOLD])
def test_what_one_bot_keeps_the_next_one_has(emulator: About, name: str, tmp_path: Path) -> None:
    [block] = BLOCKS.findall((PAGES / f"{name}-storage.md").read_text(encoding="utf-8"))
    (tmp_path / "page_settings.py").write_text(block, encoding="utf-8")
    app = emulator.apps[0]
    bot: Any = WebClient(app.bot_token, base_url=emulator.base_url)
    bot.conversations_create(name="state")
    facts: dict[str, Any] = {"token": app.bot_token, "url": emulator.base_url, "path": [*PATH, str(tmp_path)]}
    with running(name, "storage.py", keep=True, **facts) as first:
        assert first.says() == TOLD[name]
    with running(name, "storage.py", keep=False, **facts) as second:
        assert second.says() == TOLD[name]
