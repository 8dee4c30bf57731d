"""From settings to a connected Slack: `connect`, and its parts for those who need one of them."""

from __future__ import annotations

import logging
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError
from slackmq.slack.client import Client
from slackmq.slack.events import SocketEvents
from slackmq.slack.polling import NoEvents
from slackmq.slack.web import SLACK, SdkWire, user_agent

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from slackmq.clock import Clock
    from slackmq.slack.api import Events, Slack

__all__ = ["LOCAL", "Settings", "connect", "open_events", "open_slack", "resolve"]

LOCAL = "local"
"""The value of SLACKMQ_URL that stands for the embedded workspace; the command puts its address in place."""

_log = logging.getLogger("slackmq.slack")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Which Slack, and as whom. The tokens do not show in `repr`.

    Attributes:
        token: the bot token, "xoxb-…"; None if none was set.
        app_token: the app-level token for Socket Mode, "xapp-…"; None if none was set.
        url: base of the Web API, with a slash at its end, or "local".
        worker: name of this process, told to Slack in the User-Agent; "" tells none. The local Slack shows it.
    """

    token: str | None = field(default=None, repr=False)
    app_token: str | None = field(default=None, repr=False)
    url: str = SLACK
    worker: str = ""


def resolve(
    env: Mapping[str, str], *, token: str | None = None, app_token: str | None = None, url: str | None = None
) -> Settings:
    """Settings from SLACK_BOT_TOKEN, SLACK_APP_TOKEN and SLACKMQ_URL in `env`; an argument wins over its variable.

    Raises:
        ConfigurationError: a token of the wrong kind, or an address that is none.
    """
    settings = Settings(
        token=token or env.get("SLACK_BOT_TOKEN") or None,
        app_token=app_token or env.get("SLACK_APP_TOKEN") or None,
        url=_base(url or env.get("SLACKMQ_URL") or SLACK),
    )
    if (settings.token or "").startswith("xapp-"):
        raise ConfigurationError(
            "SLACK_BOT_TOKEN holds an app-level token.", remedy="Set it to the token that starts with xoxb-."
        )
    if (settings.app_token or "xapp-").startswith("xox"):
        raise ConfigurationError(
            "SLACK_APP_TOKEN holds no app-level token.", remedy="Set it to the token that starts with xapp-."
        )
    return settings


@asynccontextmanager
async def connect(
    *, token: str | None = None, app_token: str | None = None, url: str | None = None, clock: Clock = SYSTEM
) -> AsyncGenerator[Slack]:
    """A Slack by the settings of the environment, closed on leaving.

    Args:
        token: the bot token; SLACK_BOT_TOKEN if None.
        app_token: the app-level token; SLACK_APP_TOKEN if None.
        url: base of the Web API; SLACKMQ_URL if None, and Slack's own if that is not set either.
        clock: where time comes from.

    Raises:
        ConfigurationError: no token, or settings that cannot be meant.
    """
    async with open_slack(resolve(os.environ, token=token, app_token=app_token, url=url), clock=clock) as slack:
        yield slack


@asynccontextmanager
async def open_slack(settings: Settings, *, clock: Clock = SYSTEM) -> AsyncGenerator[Client]:
    """A Slack by these settings, closed on leaving.

    Raises:
        ConfigurationError: there is no token, or "local" was not replaced by an address.
    """
    if settings.url == LOCAL:
        raise ConfigurationError(
            'SLACKMQ_URL is "local", and only the slackmq command starts a local workspace.',
            remedy="Start one with `slackmq emulator`, and set SLACKMQ_URL to the address that it prints.",
        )
    if settings.token is None:
        raise ConfigurationError(
            "Set SLACK_BOT_TOKEN to your app's bot token (xoxb-…) and SLACK_APP_TOKEN to its app-level token (xapp-…),",
            remedy="\nor use the Slack of this machine, which needs no account: --local or SLACKMQ_URL=local.",
        )
    wire = SdkWire(token=settings.token, app_token=settings.app_token, url=settings.url, worker=settings.worker)
    client = Client(wire, clock=clock)
    try:
        yield client
    finally:
        with anyio.CancelScope(shield=True):
            await client.aclose()


def open_events(settings: Settings, *, clock: Clock = SYSTEM) -> Events:
    """The events of this app: over Socket Mode, or none at all if there is no app-level token.

    Nothing is opened before `listen`, and everything is closed with it.
    """
    if settings.app_token is None:
        _log.info("SLACK_APP_TOKEN is not set: messages are found by reading the channel, a few seconds late.")
        return NoEvents()
    return SocketEvents(
        lambda: SdkWire(app_token=settings.app_token, url=settings.url, worker=settings.worker),
        clock=clock,
        agent=user_agent(settings.worker),
    )


def _base(url: str) -> str:
    if url == LOCAL:
        return url
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(
            f"SLACKMQ_URL is no web address: {url!r}.", remedy=f'Set it as "{SLACK}", or to "local".'
        )
    return url if url.endswith("/") else f"{url}/"
