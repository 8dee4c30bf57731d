"""What a caller sent, whichever way it was sent: query, form, JSON, multipart or nothing at all."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from slackmq.emulator.arguments import is_deep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multidict import MultiDictProxy

__all__ = ["UNREADABLE", "Sent", "posted", "read", "since"]

UNREADABLE = (ValueError, LookupError, AssertionError, RuntimeError, HttpProcessingError, web.RequestPayloadError)
"""What aiohttp raises for a form that is not what it says."""

_MOST_DIGITS = 18
"""Of a sequence number: what surely fits the 64 bits of a number in the journal's file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A call as it came through the door.

    Attributes:
        token: from the Authorization header, the form or the query. Slack takes it from the query only of apps
            that are older than February 2021, whose clients still send it there; with JSON it must be in the header.
        args: query and body in one; the body wins.
        warning: Slack's remark on the content type, as "missing_charset"; "" if there is none.
        error: why the body could not be read, as "invalid_json"; "" if it could.
    """

    token: str | None = None
    args: Mapping[str, object] = field(default_factory=dict[str, object])
    warning: str = ""
    error: str = ""


async def read(request: web.Request) -> Sent:
    """Read a request to /api/<method>: slack_sdk alone sends the same arguments in four different ways.

    Raises:
        aiohttp.web.HTTPRequestEntityTooLarge: the body is larger than the application's `client_max_size`.
    """
    query = dict(request.query) if request.query_string else {}
    asked = query.pop("token", None)
    bearer = _bearer(request.headers.get("Authorization", "")) or asked
    charset = "charset=" in request.headers.get("Content-Type", "")
    if request.content_type == "multipart/form-data":
        try:
            return _form(bearer, query, await _fields(request), warning="")
        except UNREADABLE:
            return Sent(token=bearer, args=query, error="invalid_form_data")
    raw = await request.read()
    if not raw.strip():
        return Sent(token=bearer, args=query)
    match request.content_type:
        case "application/json":
            return _json(bearer, query, raw, warning="" if charset else "missing_charset")
        case "application/x-www-form-urlencoded":
            fields = dict(parse_qsl(raw.decode(errors="replace"), keep_blank_values=True))
            return _form(bearer, query, fields, warning="superfluous_charset" if charset else "")
        case _:
            known = "Content-Type" in request.headers
            return Sent(token=bearer, args=query, error="invalid_post_type" if known else "missing_post_type")


async def posted(request: web.Request) -> MultiDictProxy[str | bytes | bytearray | web.FileField]:
    """The form in a body.

    Raises:
        aiohttp.web.HTTPBadRequest: it cannot be read.
    """
    try:
        return await request.post()
    except UNREADABLE:
        raise web.HTTPBadRequest(text="This form cannot be read.\n") from None


def since(request: web.Request) -> int:
    """The sequence number after which a record is to begin; 0 if the query names none.

    Raises:
        aiohttp.web.HTTPBadRequest: `since` is no such number.
    """
    given = request.query.get("since", "0")
    if not given.isdecimal() or len(given) > _MOST_DIGITS:
        raise web.HTTPBadRequest(text="`since` must be a sequence number from an earlier record.\n")
    return int(given)


async def _fields(request: web.Request) -> dict[str, str]:
    """The text fields of a multipart body; files belong to methods that this workspace does not have yet."""
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _form(bearer: str | None, query: dict[str, str], fields: dict[str, str], *, warning: str) -> Sent:
    token = fields.pop("token", None)
    return Sent(token=bearer or token, args={**query, **fields}, warning=warning)


def _json(bearer: str | None, query: dict[str, str], raw: bytes, *, warning: str) -> Sent:
    try:
        body: object = json.loads(raw)
    except (ValueError, RecursionError):
        return Sent(token=bearer, args=query, error="invalid_json")
    if is_deep(body):
        return Sent(token=bearer, args=query, error="invalid_json")
    if not isinstance(body, dict):
        return Sent(token=bearer, args=query, error="json_not_object")
    args = cast("dict[str, object]", body)
    args.pop("token", None)  # with JSON the token travels in the header only
    return Sent(token=bearer, args={**query, **args}, warning=warning)


def _bearer(header: str) -> str | None:
    scheme, _, token = header.partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
