"""A bot as people wrote it in 2019, for slackbot 1.0.5: run with an interpreter that has it, see test_slackbot.py.

The address of Slack is fixed in slacker, below slackbot: this program puts the emulator's in its place and changes
nothing else. Arguments: the emulator's base_url, the bot's token.
"""

from __future__ import annotations

import sys
import types
from importlib import import_module
from typing import Any

BASE_URL, TOKEN = sys.argv[1:]


def main() -> None:
    """Answer "toggle … light" until the process is ended."""
    slacker: Any = import_module("slacker")
    slacker.get_api_url = lambda method: BASE_URL + method
    settings: Any = types.ModuleType("slackbot_settings")
    settings.API_TOKEN, settings.PLUGINS = TOKEN, []
    sys.modules["slackbot_settings"] = settings
    bots: Any = import_module("slackbot.bot")

    @bots.listen_to("toggle (.*) light")  # type: ignore[untyped-decorator]  # slackbot has no types
    def toggle(message: Any, light: str) -> None:  # pyright: ignore[reportUnusedFunction]  # slackbot keeps it
        message.reply(f"{light} toggled")  # over the socket
        message.reply_webapi(f"{light} light", in_thread=True)
        message.react("white_check_mark")

    bots.Bot().run()


if __name__ == "__main__":
    main()
