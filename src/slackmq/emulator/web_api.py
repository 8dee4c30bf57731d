"""The HTTP door at /api/<method>, where Slack's own clients knock."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from aiohttp import web

from slackmq.emulator.methods import METHODS
from slackmq.emulator.sent import read
from slackmq.emulator.wire import encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slackmq.emulator.model import Caller
    from slackmq.emulator.rtm import Rtm
    from slackmq.emulator.sent import Sent
    from slackmq.emulator.server import Answer, Server
    from slackmq.emulator.socket_mode import Sockets
    from slackmq.emulator.weather import Weather

__all__ = ["LARGEST_BODY", "WebApi"]

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes. Slack does not publish its limit; the largest message that it documents is far below a megabyte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Team:
    """A workspace, and where its own doors are."""

    server: Server
    rtm: Rtm | None
    prefix: str = ""


class WebApi:
    """Answers the methods of the Web API over HTTP; the token tells which workspace is meant.

    Args:
        server: does what is asked.
        sockets: hands out the addresses of Socket Mode.
        rtm: hands out those of RTM; without it nobody gets one.
        weather: decides how far reads are behind.
        called: is told of each call: its request, method, arguments and reply.
    """

    def __init__(
        self,
        server: Server,
        sockets: Sockets,
        rtm: Rtm | None = None,
        *,
        weather: Weather | None = None,
        called: Callable[[web.Request, str, Mapping[str, Any], Mapping[str, Any]], None] | None = None,
    ) -> None:
        self._called = called
        self._teams = [_Team(server=server, rtm=rtm)]
        self._sockets = sockets
        self._weather = weather

    def join(self, server: Server, rtm: Rtm, *, prefix: str) -> None:
        """Answer for one more workspace, whose own doors are under a path."""
        self._teams.append(_Team(server=server, rtm=rtm, prefix=prefix))

    def routes(self) -> list[web.RouteDef]:
        """GET and POST on every method: slack_sdk's sync client posts what its async client gets."""
        return [web.get("/api/{method}", self._call), web.post("/api/{method}", self._call)]

    async def _call(self, request: web.Request) -> web.Response:
        try:
            sent = await read(request)
        except web.HTTPRequestEntityTooLarge:
            return web.json_response(refused("post_contents_too_large"), status=413)
        except web.RequestPayloadError:  # cut off, or not packed as Content-Encoding says
            return web.json_response(refused("request_timeout"))
        if sent.error:
            return web.json_response(refused(sent.error))
        method: str = request.match_info["method"]
        team = self._team(sent.token)
        answer = await team.server.call(sent.token, method, sent.args)
        if self._called is not None:
            self._called(request, method, sent.args, answer.reply)
        return self._response(request, method, sent, answer, team)

    def _team(self, token: str | None) -> _Team:
        """The workspace in which the token is good, or was; else the first."""
        if len(self._teams) == 1:
            return self._teams[0]
        found = [(team, team.server.workspace.authorize(token)) for team in self._teams]
        good = next((team for team, caller in found if not isinstance(caller, str)), None)
        return good or next((team for team, refusal in found if refusal != "invalid_auth"), self._teams[0])

    def _response(self, request: web.Request, method: str, sent: Sent, answer: Answer, team: _Team) -> web.Response:
        reply = dict(answer.reply if self._weather is None else self._weather.shown(method, sent.args, answer.reply))
        caller = answer.caller
        if method == "apps.connections.open" and reply["ok"] and caller is not None and caller.app is not None:
            reply["url"] = f"ws://{request.host}{self._sockets.invite(caller.app)}"
        if method in {"rtm.connect", "rtm.start"} and reply["ok"] and caller is not None and team.rtm is not None:
            reply["url"] = f"ws://{request.host}{team.prefix}{team.rtm.invite(caller.user)}"
        if sent.warning:
            _warn(reply, sent.warning)
        headers = _scopes(method, caller)
        # By the workspace's clock, which may have been put forward: clients learn Slack's time from this header.
        headers["Date"] = formatdate(team.server.now() // 1_000_000, usegmt=True)
        if answer.retry_after is not None:
            headers["Retry-After"] = str(answer.retry_after)
        body = encoded(reply)
        return web.Response(
            body=body, status=answer.status, content_type="application/json", charset="utf-8", headers=headers
        )


def refused(code: str) -> dict[str, Any]:
    """The reply of a call that was not done."""
    return {"ok": False, "error": code}


def _warn(reply: dict[str, Any], warning: str) -> None:
    """Add a remark as Slack does: in `warning`, comma-separated, and as a list in `response_metadata`."""
    reply["warning"] = ",".join(filter(None, [reply.get("warning", ""), warning]))
    known: Mapping[str, Any] = reply.get("response_metadata", {})
    reply["response_metadata"] = {**known, "warnings": [*known.get("warnings", ()), warning]}


def _scopes(method: str, caller: Caller | None) -> dict[str, str]:
    """What the token may do and what the method wants; Bolt reads the first, spelt like this."""
    if caller is None:
        return {}
    declared = METHODS.get(method)
    accepted = declared.accepted if declared else ()
    return {"x-oauth-scopes": ",".join(sorted(caller.scopes)), "x-accepted-oauth-scopes": ",".join(accepted)}
