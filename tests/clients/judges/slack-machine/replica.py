"""One replica of the page's bot. slack-machine has no setting for Slack's address: the default is replaced here."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from replica import FACTS, OPTIONS

from machine import Machine, core
from machine.utils.collections import CaseInsensitiveDict


async def main() -> None:
    """Run until ended."""
    core.AsyncWebClient = partial(core.AsyncWebClient, base_url=FACTS["base_url"])
    said = vars(import_module("page_settings"))
    settings = {name: said[name] for name in said if name.isupper()} | {
        "SLACK_APP_TOKEN": FACTS["app_token"],
        "SLACK_BOT_TOKEN": FACTS["bot_token"],
        "SLACKMQ_OPTIONS": OPTIONS,
        "HTTP_PROXY": None,
        "TZ": "UTC",
        "LOGLEVEL": "INFO",
        "LOG_HANDLED_MESSAGES": True,
    }
    await Machine(CaseInsensitiveDict(settings)).run()


if __name__ == "__main__":
    asyncio.run(main())
