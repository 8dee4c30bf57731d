"""Calls over HTTP at the cost of a few lines of Python each, so that the server is what is measured."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CONNECTIONS = 16
"""How many calls are under way at once."""


@dataclass(slots=True, kw_only=True)
class Load:
    """What calls took.

    Attributes:
        rates: calls a second, from the first call to the last answer, of each round.
        laps: seconds of each call.
        bodies: the answers, as they came.
    """

    rates: list[float] = field(default_factory=list[float])
    laps: list[float] = field(default_factory=list[float])
    bodies: list[bytes] = field(default_factory=list[bytes])

    @property
    def per_second(self) -> float:
        """Calls a second, in the median round."""
        return statistics.median(self.rates)

    @property
    def p50(self) -> float:
        """Seconds of the median call."""
        return statistics.median(self.laps)

    @property
    def p99(self) -> float:
        """Seconds of the slowest call but one in a hundred."""
        return statistics.quantiles(self.laps, n=100)[98]

    def add(self, other: Load) -> None:
        """Count another round in."""
        self.rates += other.rates
        self.laps += other.laps
        self.bodies += other.bodies


class _Line(asyncio.Protocol):
    """One connection: sends a request, waits for the answer, sends the next."""

    def __init__(self, waiting: deque[bytes], load: Load) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        self._load = load
        self._received = b""
        self._begun = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._load.laps.append(time.perf_counter() - self._begun)
        self._load.bodies.append(body)
        self._received = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_exception(exc or ConnectionError("The server hung up."))

    def _next(self) -> None:
        if not self._waiting:
            self.closed.set_result(None)
            self._transport.close()
            return
        self._begun = time.perf_counter()
        self._transport.write(self._waiting.popleft())


def request(url: str, token: str, method: str, args: Mapping[str, object]) -> bytes:
    """A call as Slack's clients send it: a form, and the token in the header."""
    parts, body = urlsplit(url), urlencode(dict(args)).encode()
    head = (
        f"POST {parts.path}{method} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def calls(url: str, requests: Iterable[bytes], connections: int = CONNECTIONS) -> Load:
    """Send the requests, `connections` at a time.

    Raises:
        RuntimeError: one was not answered ok.
    """
    load, waiting, loop, parts = Load(), deque(requests), asyncio.get_running_loop(), urlsplit(url)
    host, port = parts.hostname, parts.port
    assert host is not None
    assert port is not None
    begun = time.perf_counter()
    lines = [(await loop.create_connection(lambda: _Line(waiting, load), host, port))[1] for _ in range(connections)]
    await asyncio.gather(*(line.closed for line in lines))
    load.rates.append(len(load.laps) / (time.perf_counter() - begun))
    for body in load.bodies:
        if not body.startswith((b'{"ok": true', b'{"ok":true')):
            raise RuntimeError(f"A call was refused: {body[:200]!r}")
    return load
