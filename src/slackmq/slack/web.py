"""The real Slack over HTTP: slack_sdk's web client with its own retries switched off."""

from __future__ import annotations

import io
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from slackmq.errors import Ambiguous, ConfigurationError, TokenRefused
from slackmq.slack.files import trusted
from slackmq.slack.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    _ApiCall = Callable[..., Awaitable[object]]

__all__ = ["SLACK", "SdkWire", "user_agent"]

SLACK = "https://slack.com/api/"
"""Where Slack's Web API lives: docs.slack.dev/apis/web-api."""

TIMEOUT = 10.0
"""Seconds for one call, connecting included; whatever is unanswered then counts as ambiguous."""

_BYTES = aiohttp.ClientTimeout(total=300.0, sock_connect=TIMEOUT, sock_read=TIMEOUT)
"""For the bytes of a file: they may take long, but never stand still for longer than a call."""

_UNFIT = re.compile(r"[^A-Za-z0-9._-]")
"""What a product in a User-Agent may not hold."""

_GET = frozenset(
    {"conversations.history", "conversations.info", "conversations.list", "conversations.members"}
    | {
        "bookmarks.list",
        "conversations.replies",
        "files.getUploadURLExternal",
        "files.info",
        "files.list",
        "pins.list",
        "reactions.get",
        "users.info",
        "users.list",
        "bots.info",
        "team.info",
        "usergroups.users.list",
    }
)
"""Methods that take no JSON body, or read only: docs.slack.dev/reference/methods. All others are posted as JSON."""


class SdkWire:
    """Implements `slackmq.slack.wire.Wire` over one long-lived HTTP session; build it inside a running event loop.

    Args:
        token: the bot token, "xoxb-…"; None if only `apps.*` methods will be called.
        app_token: the app-level token, "xapp-…", for `apps.*` methods.
        url: base of the Web API.
        worker: name of this process, told to Slack in the User-Agent.
        trust_env: whether to go through the proxy that HTTPS_PROXY names (NO_PROXY is heeded).
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        app_token: str | None = None,
        url: str = SLACK,
        worker: str = "",
        trust_env: bool = False,
    ) -> None:
        self._url = url
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT), trust_env=trust_env)
        self._bot = _client(token, url, self._session, worker)
        self._app = _client(app_token, url, self._session, worker)

    def __repr__(self) -> str:
        return f"SdkWire(url={self._url!r})"

    async def call(self, method: str, args: Mapping[str, object]) -> Reply:
        """Send one call with the bot's token (`apps.*` methods: with the app-level token) and wait for its reply.

        Raises:
            Ambiguous: no answer came within 10 s, or the connection broke.
            TokenRefused: there is no token to send; nothing was sent.
        """
        client = self._app if method.startswith("apps.") else self._bot
        if client.token is None:
            name = "SLACK_APP_TOKEN (xapp-…)" if client is self._app else "SLACK_BOT_TOKEN (xoxb-…)"
            raise TokenRefused(
                f"{method} needs a token.", method=method, code="not_authed", remedy=f"Set {name} in the environment."
            )
        call = cast("_ApiCall", client.api_call)  # pyright: ignore[reportUnknownMemberType]  # the SDK says bare dict
        try:
            if method in _GET:
                answer = await call(method, http_verb="GET", params=dict(args))
            else:
                answer = await call(method, json=dict(args))
        except SlackApiError as error:
            # Every status but 200 and every "ok": false comes this way, and so does JSON that is none, whose
            # response is aiohttp's own.
            return _reply(cast("object", error.response))
        except AttributeError:
            # The SDK looks for "ok" in what is text or a list: an HTTP 200 that Slack did not write.
            return Reply(status=200)
        except (aiohttp.ClientError, OSError, UnicodeDecodeError) as error:  # a timeout is an OSError
            raise Ambiguous(
                f"{method} got no answer ({type(error).__name__}): it may have taken effect.", method=method
            ) from error
        return _reply(answer)

    async def put(self, url: str, content: bytes) -> int:
        """Send bytes to an address that Slack named; returns the HTTP status.

        Raises:
            Ambiguous: no answer came.
        """
        try:
            async with self._session.post(url, data=io.BytesIO(content), timeout=_BYTES) as answer:
                return answer.status
        except (aiohttp.ClientError, OSError) as error:
            raise Ambiguous(f"An upload got no answer ({type(error).__name__}).", method="files.upload") from error

    async def get(self, url: str) -> tuple[int, bytes]:
        """The HTTP status and the bytes at an address of Slack's, asked for with the bot's token.

        Raises:
            Ambiguous: no answer came.
            ConfigurationError: the address is not Slack's, so the token does not go there.
        """
        if not trusted(url, self._url):
            raise ConfigurationError(
                "Slack names an address for a file that is not its own, so no token was sent there.",
                remedy="Check SLACKMQ_URL, and what stands between here and Slack.",
            )
        bearer = {"Authorization": f"Bearer {self._bot.token}"}
        try:
            async with self._session.get(url, headers=bearer, timeout=_BYTES, allow_redirects=False) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            raise Ambiguous(f"A file got no answer ({type(error).__name__}).", method="files.info") from error

    async def aclose(self) -> None:
        """Close the connections; afterwards `call` must not be used."""
        await self._session.close()


def user_agent(worker: str) -> str:
    """What this process says of itself in the User-Agent: "slackmq-worker/<name>"; "" without a name."""
    return f"slackmq-worker/{_UNFIT.sub('-', worker)[:60]}" if worker else ""


def _client(token: str | None, url: str, session: aiohttp.ClientSession, worker: str) -> AsyncWebClient:
    client = AsyncWebClient(
        token=token,
        base_url=url,
        session=session,
        timeout=int(TIMEOUT),
        retry_handlers=[],
        user_agent_suffix=user_agent(worker) or None,
    )
    # The SDK takes HTTPS_PROXY from the environment without being asked and without NO_PROXY; the session knows better.
    client.proxy = None
    return client


def _reply(answer: object) -> Reply:
    """The reply in one of two responses: the SDK's, or aiohttp's where the body could not be read."""
    data: object = getattr(answer, "data", None)
    headers = cast("Mapping[str, str]", getattr(answer, "headers", {}))
    status = cast("int", getattr(answer, "status_code", None) or getattr(answer, "status", 0))
    return Reply(
        status=status,
        body=cast("dict[str, Any]", data) if isinstance(data, dict) else {},
        date=_date(headers.get("Date")),
        retry_after=_number(headers.get("Retry-After")),
    )


def _date(header: str | None) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp() if header else None
    except ValueError:
        return None


def _number(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None
