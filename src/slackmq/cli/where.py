"""Which Slack a command speaks to: the real one, one at an address, or the one of this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Group, Parameter, validators

from slackmq.cli.local import PORT, Home, find_or_start
from slackmq.slack.connect import LOCAL, Settings, open_slack, resolve

__all__ = ["Where"]

_GROUP = Group("Slack", sort_key=9)


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True, kw_only=True)
class Where:
    """The choice, as flags.

    Attributes:
        local: the Slack of this machine.
        url: base of another Web API, or "local".
        local_port: where the Slack of this machine answers.
    """

    local: Annotated[
        bool,
        Parameter(
            env_var="SLACKMQ_LOCAL",
            negative=(),
            help="Use the Slack of this machine; it is started if it does not run.",
        ),
    ] = False
    url: Annotated[
        str | None,
        Parameter(
            env_var="SLACKMQ_URL",
            help='Base of the Web API, or "local". Slack itself if not set, with the tokens in SLACK_BOT_TOKEN and '
            "SLACK_APP_TOKEN.",
        ),
    ] = None
    local_port: Annotated[
        int,
        Parameter(
            env_var="SLACKMQ_LOCAL_PORT",
            validator=validators.Number(gte=1, lte=65535),
            help="Where the Slack of this machine answers.",
        ),
    ] = PORT

    @property
    def is_local(self) -> bool:
        """Whether it is the Slack of this machine."""
        return self.local or self.url == LOCAL

    async def settings(self) -> Settings:
        """Address and tokens; the Slack of this machine is started if it is meant and does not run.

        Raises:
            ConfigurationError: no token, or settings that cannot be meant.
            Unreachable: the Slack of this machine does not start.
        """
        if not self.is_local:
            settings = resolve(os.environ, url=self.url)
            if settings.token is None:
                async with open_slack(settings):  # raises, and says what to set
                    pass
            return settings
        neighbour = await find_or_start(Home.of_user(), self.local_port)
        app = neighbour.app()
        return Settings(token=app.bot_token, app_token=app.app_token, url=neighbour.base_url)
