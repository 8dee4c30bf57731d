"""One replica of the page's bot. errbot has no setting for Slack's address: the default is replaced here."""

from __future__ import annotations

import logging
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parents[1]))
from replica import FACTS, OPTIONS

import slack_sdk.rtm.v2
import slack_sdk.web
from errbot.bootstrap import bootstrap
from errbot.logs import root_logger


def main() -> None:
    """Run until ended."""
    here = {"base_url": FACTS["base_url"]}
    slack_sdk.web.WebClient = partial(slack_sdk.web.WebClient, **here)
    slack_sdk.rtm.v2.RTMClient = partial(slack_sdk.rtm.v2.RTMClient, **here)
    said = vars(import_module("page_settings"))
    folder = Path(FACTS["folder"]) / f"data{FACTS['number']}"
    folder.mkdir(exist_ok=True)  # it may have been killed, and be started again
    config = SimpleNamespace(
        AUTOINSTALL_DEPS=False,
        BOT_IDENTITY={"token": FACTS["bot_token"], "app_token": FACTS.get("app_token")},
        BOT_ADMINS=(f"<@{FACTS['admin']}>",),
        BOT_ALT_PREFIXES=("@deployer",),
        BOT_DATA_DIR=str(folder),
        BOT_EXTRA_PLUGIN_DIR=FACTS["folder"],
        BOT_LOG_LEVEL=logging.INFO,
        BOT_PLUGIN_INDEXES=(),
        CORE_PLUGINS=("Help", "ACLs", "CommandNotFoundFilter"),
        STORAGE="Memory",
        DIVERT_TO_THREAD=("ALL_COMMANDS",),
        SLACKMQ_OPTIONS=OPTIONS,
        **{name: said[name] for name in said if name.isupper()},
    )
    root_logger.setLevel(logging.INFO)
    bootstrap(config.BACKEND, root_logger, config)


if __name__ == "__main__":
    main()
