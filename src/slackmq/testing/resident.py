"""Who lives in a workspace under test: apps with their tokens, people with their ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from slackmq.errors import SlackMQError
from slackmq.slack.connect import Settings

__all__ = ["CallRefused", "Person", "TestApp"]


class CallRefused(SlackMQError):
    """The workspace under test refused what the test asked for.

    Attributes:
        method: the method that was called.
        error: Slack's error code.
    """

    def __init__(self, method: str, error: str, detail: object = None) -> None:
        told = f" ({detail})" if detail else ""
        super().__init__(f"{method} was refused: {error}{told}.", remedy="Look at the arguments that the test gave.")
        self.method = method
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person with an account.

    Attributes:
        token: that of Slack's own client for this person; it may do everything that the person may.
    """

    id: str
    name: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestApp:
    """An installed app.

    Attributes:
        url: base of the Web API, for `WebClient(base_url=…)`.
        bot_user: id of its bot user, as in "<@U…>".
        signing_secret: signs what it is sent over HTTP.
        webhooks: addresses that post to its channels, if it has the scope incoming-webhook.
    """

    __test__: ClassVar[bool] = False  # pytest must not take it for a test

    id: str
    name: str
    url: str
    bot_user: str
    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    signing_secret: str = field(default="", repr=False)
    webhooks: tuple[str, ...] = field(default=(), repr=False)

    @property
    def settings(self) -> Settings:
        """How `slackmq.App.connected` and `slackmq.Queue` reach this workspace as this app."""
        return Settings(token=self.bot_token, app_token=self.app_token, url=self.url)

    @property
    def environment(self) -> dict[str, str]:
        """The same as environment variables, for code that reads them and for processes that a test starts."""
        return {"SLACK_BOT_TOKEN": self.bot_token, "SLACK_APP_TOKEN": self.app_token, "SLACKMQ_URL": self.url}
