"""A bot as people wrote it in 2019, for slackbot 1.0.5.

The address of Slack is fixed in slacker, below slackbot: this program puts the local Slack's in its place and changes
nothing else. Arguments: the base of the Web API, the bot's token.
"""

import sys
import types

import slacker

BASE_URL, TOKEN = sys.argv[1:]
slacker.get_api_url = lambda method: BASE_URL + method
sys.modules["slackbot_settings"] = settings = types.ModuleType("slackbot_settings")
settings.API_TOKEN, settings.PLUGINS = TOKEN, []

import slackbot.bot  # noqa: E402  # it reads its settings when it is imported


@slackbot.bot.listen_to("toggle (.*) light")
def toggle(message, light):
    """Answer over the socket, over the Web API, and with an emoji."""
    message.reply(f"{light} toggled")
    message.reply_webapi(f"{light} light", in_thread=True)
    message.react("white_check_mark")


slackbot.bot.Bot().run()
