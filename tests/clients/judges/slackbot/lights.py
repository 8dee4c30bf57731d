"""A bot as people wrote it in 2019, for slackbot 1.0.5.

Slack's address is fixed in slacker, below slackbot: it is replaced here, and nothing else is changed.
"""

from __future__ import annotations

import json
import logging
import sys
import types
from typing import TYPE_CHECKING

import slacker

if TYPE_CHECKING:
    from slackbot.bot import Message

FACTS = json.loads(sys.argv[1])


def main() -> None:
    """Answer "toggle … light" until ended."""
    logging.basicConfig(level=logging.INFO)  # it says there that it is connected, for the second time
    slacker.get_api_url = lambda method: FACTS["base_url"] + method
    settings = types.ModuleType("slackbot_settings")
    settings.API_TOKEN, settings.PLUGINS = FACTS["bot_token"], []
    sys.modules["slackbot_settings"] = settings  # slackbot reads it at its import
    from slackbot.bot import Bot, listen_to  # noqa: PLC0415  # and this one needs it

    @listen_to("toggle (.*) light")
    def toggle(message: Message, light: str) -> None:
        message.reply(f"{light} toggled")  # over the socket
        message.reply_webapi(f"{light} light", in_thread=True)
        message.react("white_check_mark")

    Bot().run()


if __name__ == "__main__":
    main()
