"""Who may knock at all: only those who mean this server by its own name, and pages only from this server itself.

A web page in the same browser may send requests to this machine, and after a DNS trick (rebinding) even read the
answers. It can fake neither the Host header nor the Origin header.
"""

from __future__ import annotations

import logging
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

__all__ = ["Guard", "headers", "is_loopback", "server_log"]

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_HTTP = 80
"""The port that browsers leave out."""
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Refuses requests that name another server, and writes to the page that come from another page.

    Args:
        host: the name or address the server is bound to.
        port: its port.
        names: other names of it, that no name server can point elsewhere: those that end in ".localhost".
        ports: further ports at which it answers; as they stand when somebody knocks.
    """

    def __init__(
        self, *, host: str, port: int, names: tuple[str, ...] = (), ports: Callable[[], Collection[int]] = tuple
    ) -> None:
        self._ports = ports
        self._names = frozenset(names)
        self._host = host.lower()
        self._port = port
        self._authority = f"{self._host}:{port}"

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Let a request through, or answer 403 with the reason."""
        if not self.means_us(request.headers.get("Host", "")):
            raise web.HTTPForbidden(text="The Host header names another server than this one.\n")
        origin = request.headers.get("Origin")
        if origin is not None and not self.is_ours(origin) and not request.path.startswith("/api/"):
            raise web.HTTPForbidden(text="This page takes no orders from another page.\n")
        try:
            return await handler(request)
        except (web.RequestPayloadError, HttpProcessingError):
            raise web.HTTPBadRequest(text="The body cannot be read.\n") from None

    def means_us(self, host_header: str) -> bool:
        """Tell whether a Host header names this server; the port may be left out, as slack_sdk's socket does."""
        if host_header == self._authority:  # nearly all of them, and at every call
            return True
        name, port = _split(host_header)
        if name in self._names:  # without its port the first workspace would answer in this one's name
            return host_header.lower() == (name if self._port == _HTTP else f"{name}:{self._port}")
        return (port in {None, self._port} or port in self._ports()) and self._is_our_name(name)

    def is_ours(self, origin: str) -> bool:
        """Tell whether an Origin header names this very server, port included."""
        scheme, _, rest = origin.partition("://")
        name, port = _split(rest)
        port = _HTTP if port is None else port
        return scheme == "http" and (port == self._port or port in self._ports()) and self._is_our_name(name)

    def _is_our_name(self, name: str) -> bool:
        if name in self._names:
            return True
        if self._host in {"0.0.0.0", "::"}:  # noqa: S104  # compared, not bound: whoever bound it has been warned
            return name == "localhost" or _is_address(name)  # a rebound name is a name, never an address
        return name == self._host or (is_loopback(self._host) and name in _LOOPBACK)


async def headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on every answer (a signal handler for `Application.on_response_prepare`)."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


def server_log() -> logging.Logger:
    """Where the HTTP server says what went wrong; not which requests could not be read: their senders know."""
    log = logging.getLogger("slackmq.emulator")
    log.addFilter(_is_our_fault)  # a filter that is there already is not added again
    return log


def _is_our_fault(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | web.RequestPayloadError | ConnectionResetError)


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address stays on this machine."""
    return host.lower() in _LOOPBACK or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _split(netloc: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(f"//{netloc}")
        return (parts.hostname or "").lower(), parts.port
    except ValueError:
        return "", -1
