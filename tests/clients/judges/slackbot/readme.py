"""The example of slackmq's README of 2019, unmodified, in slackbot 1.0.5.

Slack's address is fixed in slacker, below slackbot: it is replaced here, from SLACKMQ_URL. The example, SlackMQ and
what that needs come from the folders that the test names, after this environment's own.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import types

sys.path.extend(json.loads(sys.argv[1]))


def main() -> None:
    """Answer "hello" until ended."""
    logging.basicConfig(level=logging.INFO)
    import slacker  # noqa: PLC0415

    slacker.get_api_url = lambda method: os.environ["SLACKMQ_URL"] + method
    settings = types.ModuleType("slackbot_settings")
    settings.API_TOKEN, settings.PLUGINS = os.environ["SLACK_BOT_TOKEN"], ["bot_of_2019"]
    sys.modules["slackbot_settings"] = settings  # slackbot reads it at its import
    from slackbot.bot import Bot  # noqa: PLC0415  # and this one needs it

    Bot().run()


if __name__ == "__main__":
    main()
