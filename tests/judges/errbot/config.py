"""Configuration of a bot on errbot with its backend for Slack; tokens and folders come from the environment.

The backend knows one address of Slack: this file puts the local Slack's in its place and changes nothing else.
"""

import logging
import os

import slack_sdk.web


class LocalClient(slack_sdk.web.WebClient):
    """Slack's client with another address."""

    def __init__(self, **options):
        super().__init__(base_url=os.environ["SLACKMQ_URL"], **options)


slack_sdk.web.WebClient = LocalClient

BACKEND = "SlackV3"
BOT_IDENTITY = {"token": os.environ["SLACK_BOT_TOKEN"], "app_token": os.environ["SLACK_APP_TOKEN"]}
BOT_ADMINS = ()
BOT_DATA_DIR = os.environ["ERRBOT_DATA"]
BOT_EXTRA_PLUGIN_DIR = os.path.dirname(__file__)
BOT_LOG_FILE = None
BOT_LOG_LEVEL = logging.INFO
CORE_PLUGINS = ("ACLs", "Help", "Utils", "CommandNotFoundFilter")
