"""Brings events, clicks and commands to apps over HTTP, signed as Slack signs them; `request_url` says when."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import aiohttp

from slackmq.emulator.delivery import Settled
from slackmq.emulator.receipts import Receipts
from slackmq.emulator.request_url import RequestUrl, Result

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from slackmq.emulator.desk import Desk
    from slackmq.emulator.model import Payload
    from slackmq.emulator.request_url import Sending
    from slackmq.emulator.server import Done, Server
    from slackmq.emulator.weather import Weather

__all__ = ["Courier", "signature"]

_PATIENCE = aiohttp.ClientTimeout(total=3)
"""docs.slack.dev, "The Events API" and "Handling user interaction": three seconds."""
_REDIRECTS = 2
"""docs.slack.dev, "The Events API": that many are followed."""
_LARGEST = 256 * 1024
"""Bytes of an app's answer that are read."""
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "http_timeout"),
    (aiohttp.TooManyRedirects, "too_many_redirects"),
    (aiohttp.ClientSSLError, "ssl_error"),
    (ssl.SSLError, "ssl_error"),
    (aiohttp.ClientConnectionError, "connection_failed"),
    (OSError, "connection_failed"),
    (Exception, "unknown_error"),
)
"""Why there was no answer, in Slack's words; the first that fits (docs.slack.dev, "The Events API", retries)."""
_AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Received:
    """An app's answer."""

    status: int
    type: str
    text: str
    no_retry: bool


def signature(secret: str, timestamp: str, body: str) -> str:
    """The header X-Slack-Signature (docs.slack.dev, "Verifying requests from Slack")."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), "sha256").hexdigest()


class Courier:
    """All apps that take what happens over HTTP.

    Args:
        server: whose events are delivered.
        desk: is told what apps answer to people.
        receipts: where it is noted that an event got through.
        weather: decides which events are lost, doubled or late.
    """

    def __init__(
        self, server: Server, desk: Desk, *, receipts: Receipts | None = None, weather: Weather | None = None
    ) -> None:
        self._server = server
        self._desk = desk
        self._receipts = Receipts(None, 0) if receipts is None else receipts
        self._urls: dict[str, RequestUrl] = {}
        self._stirred = asyncio.Event()
        self._errands: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._weather = weather
        server.listen(self._heard)
        server.when_moved(self._stirred.set)

    def subscriptions(self) -> dict[str, RequestUrl]:
        """The addresses that were sent events, by app."""
        return self._urls

    def enable(self, app: str) -> None:
        """Switch an app's events on again after too many failures."""
        self._url(app).enable()

    async def run(self) -> None:
        """Go on where an earlier run ended, and send what is due when it is due, until cancelled."""
        self._resume()
        async with aiohttp.ClientSession(headers={"User-Agent": _AGENT}, trust_env=False) as session:
            self._session = session
            try:
                while True:
                    self._stirred.clear()
                    now = self._server.now()
                    for app, url in self._urls.items():
                        for sending in url.due(now):
                            self._start(self._deliver(app, url, sending))
                    if self._receipts.waiting:
                        await asyncio.to_thread(self._receipts.flush)
                    turns = [turn for url in self._urls.values() if (turn := url.next_due()) is not None]
                    with suppress(TimeoutError):
                        async with asyncio.timeout(max(0.0, (min(turns) - now) / 1e6) if turns else None):
                            await self._stirred.wait()
            finally:
                for errand in self._errands:
                    errand.cancel()
                await asyncio.gather(*self._errands, return_exceptions=True)

    def _resume(self) -> None:
        workspace, now = self._server.workspace, self._server.now()
        for done in self._server.recent():
            for event in done.outcome.events:
                for app in filter(self._serves, workspace.audience(event)):
                    body = workspace.wrap(event, app, done.at)
                    if not self._receipts.knows(app, body["event_id"]):
                        self._url(app).resume(body, done.at, now)

    def _serves(self, app: str) -> bool:
        """True if the app takes events over HTTP."""
        manifest = self._server.workspace.manifest(app)
        return manifest is not None and not manifest.socket_mode and bool(manifest.events_url)

    def _heard(self, done: Done) -> None:
        workspace = self._server.workspace
        for event in done.outcome.events:
            for app in filter(self._serves, workspace.audience(event)):
                self._offer(app, workspace.wrap(event, app, done.at), done.at)
        for payload in done.outcome.payloads:
            manifest = workspace.manifest(payload.app)
            if manifest is not None and not manifest.socket_mode:
                self._start(self._ask(payload))
        if done.method == "emulator.apps.update" and str(done.args.get("app")) in self._urls:
            self._urls[str(done.args["app"])].enable()  # a new address must be verified, an old one may be better now

    def _offer(self, app: str, body: Mapping[str, Any], at: int) -> None:
        arrivals = (at,) if self._weather is None else tuple(self._weather.arrivals(app, body["event_id"], at))
        for when in arrivals:
            self._url(app).offer(body, when)
            self._stirred.set()
        if not arrivals:  # a restart must not bring back what was lost
            self._receipts.note(app, body["event_id"], at)

    def _url(self, app: str) -> RequestUrl:
        if app not in self._urls:
            token = str(self._server.workspace.verification_token(app))
            team = self._server.workspace.seed.team_id
            self._urls[app] = RequestUrl(
                app=app,
                team=team,
                token=token,
                new_challenge=lambda: secrets.token_hex(26),
                through=lambda body: self._through(app, body),
            )
        return self._urls[app]

    def _through(self, app: str, body: Mapping[str, Any]) -> None:
        if "event_id" in body:  # app_rate_limited has none, and is never sent once more
            self._receipts.note(app, str(body["event_id"]), self._server.now())

    def _start(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _deliver(self, app: str, url: RequestUrl, sending: Sending) -> None:
        manifest = self._server.workspace.manifest(app)
        headers: dict[str, str] = {}
        if sending.retry:
            headers = {"X-Slack-Retry-Num": str(sending.retry), "X-Slack-Retry-Reason": sending.reason}
        address = manifest.events_url if manifest is not None else ""
        received = await self._post(app, address, json.dumps(sending.body), "application/json", headers)
        url.returned(sending.number, _result(received), self._server.now())
        self._stirred.set()

    async def _ask(self, payload: Payload) -> None:
        if payload.kind == "slash_commands":
            body = urlencode({name: str(value) for name, value in payload.body.items()}, errors="replace")
        else:
            body = urlencode({"payload": json.dumps(payload.body)})
        received = await self._post(payload.app, payload.url, body, _FORM, {})
        answer, failure = _said(received)
        await self._desk.settle(Settled(interaction=payload.interaction, payload=answer, failure=failure))

    async def _post(
        self, app: str, address: str, body: str, content_type: str, headers: Mapping[str, str]
    ) -> _Received | str:
        """What the app answered, or why it did not, by Slack's word for it."""
        if self._session is None or not address:
            return "connection_failed"
        timestamp = str(self._server.now() // 1_000_000)
        secret = self._server.workspace.signing_secret(app)
        signed = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature(secret, timestamp, body)}
        sent = {"Content-Type": content_type, **signed, **headers}
        try:
            async with self._session.post(
                address, data=body.encode(), headers=sent, timeout=_PATIENCE, max_redirects=_REDIRECTS
            ) as response:
                text = (await response.content.read(_LARGEST)).decode(errors="replace")
                no_retry = response.headers.get("X-Slack-No-Retry") == "1"
                return _Received(status=response.status, type=response.content_type, text=text, no_retry=no_retry)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return next(word for kind, word in _WORDS if isinstance(error, kind))


def _result(received: _Received | str) -> Result:
    if isinstance(received, str):
        return Result(reason=received)
    return Result(status=received.status, text=received.text, no_retry=received.no_retry)


def _said(received: _Received | str) -> tuple[Mapping[str, Any], str]:
    """The answer to a person's deed and "", or nothing and what Slack's client shows."""
    if isinstance(received, str):
        return {}, "operation_timeout" if received == "http_timeout" else "dispatch_failed"
    if not 200 <= received.status < 300:  # noqa: PLR2004  # the numbers are their own names
        return {}, "http_service_error"
    if received.type != "application/json":
        return ({"text": received.text} if received.text.strip() else {}), ""
    try:
        value: object = json.loads(received.text)
    except (ValueError, RecursionError):
        return {}, ""
    return (cast("dict[str, Any]", value) if isinstance(value, dict) else {}), ""
