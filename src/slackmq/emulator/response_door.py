"""The doors without tokens: response_urls and incoming webhooks; whoever knows the address may post."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs

from aiohttp import web

from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from slackmq.emulator.server import Server

__all__ = ["ResponseDoor"]

_STATUS = {
    "action_prohibited": 403,
    "channel_is_archived": 410,
    "channel_not_found": 404,
    "expired_url": 404,
    "internal_error": 500,
    "invalid_url": 404,
    "no_service": 404,
    "used_url": 404,
}
"""Refusal -> HTTP status; everything else is 400 (docs.slack.dev, "Sending messages using incoming webhooks")."""


class ResponseDoor:
    """Takes what apps say to these addresses.

    Args:
        server: the workspace behind its order of calls.
    """

    def __init__(self, server: Server) -> None:
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """POST on /commands/, /actions/ and /services/."""
        return [
            web.post("/commands/{team}/{at}/{key}", self._reply),
            web.post("/actions/{team}/{at}/{key}", self._reply),
            web.post("/services/{team}/{bot}/{key}", self._hook),
        ]

    async def _reply(self, request: web.Request) -> web.Response:
        payload = await _payload(request)
        if payload is None:
            return _plain("invalid_payload")
        args = {"key": request.match_info["key"], "payload": payload}
        reply = await self._server.act(OPERATOR, "emulator.replies.post", args)
        if reply["ok"]:
            return web.json_response({"ok": True})
        code = str(reply["error"])
        return web.json_response({"ok": False, "error": code}, status=_STATUS.get(code, 400))

    async def _hook(self, request: web.Request) -> web.Response:
        payload = await _payload(request)
        if payload is None:
            return _plain("invalid_payload")
        path = "/".join(request.match_info[part] for part in ("team", "bot", "key"))
        reply = await self._server.act(OPERATOR, "emulator.hooks.post", {"path": path, "payload": payload})
        return web.Response(text="ok") if reply["ok"] else _plain(str(reply["error"]))


def _plain(code: str) -> web.Response:
    return web.Response(text=code, status=_STATUS.get(code, 400))


async def _payload(request: web.Request) -> dict[str, Any] | None:
    """The JSON object in a body, or in its form field `payload`; None if there is none."""
    raw = (await request.read()).decode(errors="replace")
    if request.content_type == "application/x-www-form-urlencoded" and not raw.lstrip().startswith("{"):
        raw = parse_qs(raw).get("payload", [""])[0]
    try:
        value: object = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
