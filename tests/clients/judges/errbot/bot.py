"""Errbot with its slackv3 backend. It has no setting for Slack's address: the default is replaced here."""

from __future__ import annotations

import json
import logging
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import slack_sdk.rtm.v2
import slack_sdk.web
from errbot.bootstrap import bootstrap
from errbot.logs import root_logger
from errbot.utils import entry_point_plugins

FACTS = json.loads(sys.argv[1])


def main() -> None:
    """Run until ended."""
    here = {"base_url": FACTS["base_url"]}
    slack_sdk.web.WebClient = partial(slack_sdk.web.WebClient, **here)
    slack_sdk.rtm.v2.RTMClient = partial(slack_sdk.rtm.v2.RTMClient, **here)
    config = SimpleNamespace(
        AUTOINSTALL_DEPS=False,
        BACKEND="SlackV3",
        BOT_IDENTITY={"token": FACTS["bot_token"], "app_token": FACTS.get("app_token")},
        BOT_ADMINS=(f"<@{FACTS['admin']}>",),
        BOT_ALT_PREFIXES=("@deployer",),
        BOT_DATA_DIR=FACTS["folder"],
        BOT_EXTRA_PLUGIN_DIR=str(Path(__file__).with_name("plugin")),
        BOT_EXTRA_BACKEND_DIR=[*entry_point_plugins("errbot.backend_plugins")],
        BOT_LOG_LEVEL=logging.INFO,
        BOT_PLUGIN_INDEXES=(),
        CORE_PLUGINS=("Help", "ACLs", "CommandNotFoundFilter"),
        STORAGE="Memory",
    )
    root_logger.setLevel(logging.INFO)
    bootstrap(config.BACKEND, root_logger, config)


if __name__ == "__main__":
    main()
