"""Settings of a bot on slack-machine; the tokens come from the environment.

slack-machine knows one address of Slack: this file puts the local Slack's in its place and changes nothing else.
"""

import os
from functools import partial

import machine.core

machine.core.AsyncWebClient = partial(machine.core.AsyncWebClient, base_url=os.environ["SLACKMQ_URL"])

SLACK_BOT_TOKEN = os.environ["SLACK_BOT_TOKEN"]
SLACK_APP_TOKEN = os.environ["SLACK_APP_TOKEN"]
PLUGINS = ["machine.plugins.builtin.general.PingPongPlugin", "machine.plugins.builtin.help.HelpPlugin", "lights"]
