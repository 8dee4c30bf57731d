"""Socket Mode over a WebSocket of our own: hints of what happens, acknowledged at once, connected again for ever."""

from __future__ import annotations

import json
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import anyio

from slackmq.clock import SYSTEM
from slackmq.errors import Ambiguous, SlackMQError
from slackmq.slack.api import Connected, Disconnected, Event, Urgency
from slackmq.slack.caller import Caller
from slackmq.slack.refusals import refusal
from slackmq.slack.rows import event, pressed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping

    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

    from slackmq.clock import Clock
    from slackmq.slack.wire import Wire

__all__ = ["SocketEvents"]

SILENCE = 30.0
"""Seconds without a word or a pong after which a connection counts as dead."""

_OPEN = "apps.connections.open"
_KEPT = 10_000
"""So many events wait for a slow listener; those beyond are dropped, and reading the channel finds them."""

_STABLE = 10.0
"""Seconds that a connection must have lived for the next one to be opened without a pause."""

_LONGEST_PAUSE = 30.0
_DEAF = 2
"""Connections in vain after which the listener is told: one that Slack renews is open again at once."""
_FAREWELL = 1.0

_log = logging.getLogger("slackmq.slack.events")


class SocketEvents:
    """Implements `slackmq.slack.api.Events` over Socket Mode: docs.slack.dev/apis/events-api/using-socket-mode.

    Each envelope is acknowledged before anybody looks at it, so Slack never waits for a worker. What is lost
    between acknowledgement and work, or while the socket is down, the next look at the channel finds.

    Args:
        open_wire: builds the wire for `apps.connections.open`; one for each `listen`, closed with it.
        clock: where time and jitter come from.
        silence: seconds without a word or a pong after which the connection is replaced.
        agent: the User-Agent; "" leaves aiohttp's.
    """

    def __init__(
        self, open_wire: Callable[[], Wire], *, clock: Clock = SYSTEM, silence: float = SILENCE, agent: str = ""
    ) -> None:
        self._headers = {"User-Agent": agent} if agent else None
        self._open_wire = open_wire
        self._clock = clock
        self._silence = silence

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator[AsyncIterator[Event]]:
        """Connect, stay connected, and yield what comes; leaving the context disconnects.

        The iterator raises, and so ends:
            TokenRefused: the app-level token is absent or wrong.
            Refused: the app may not use Socket Mode, or Socket Mode was switched off.
        """
        send, receive = anyio.create_memory_object_stream[Event](_KEPT)
        caller = Caller(self._open_wire(), self._clock)
        stream = _Stream(receive)
        theirs: Exception | None = None
        try:
            async with (
                aiohttp.ClientSession(headers=self._headers) as session,
                receive,
                anyio.create_task_group() as tasks,
            ):
                line = _Line(session, caller, self._clock, self._silence)
                tasks.start_soon(_stay_connected, line, send, stream)
                try:
                    yield stream
                except Exception as error:  # noqa: BLE001  # the listener's own, carried past the group that wraps it
                    theirs = error
                finally:
                    tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await caller.aclose()
        if theirs is not None:
            raise theirs


class _Stream:
    """The events of one `listen`, and the error that ended them."""

    def __init__(self, receive: MemoryObjectReceiveStream[Event]) -> None:
        self._receive = receive
        self.failure: SlackMQError | None = None

    def __aiter__(self) -> _Stream:
        return self

    async def __anext__(self) -> Event:
        try:
            return await self._receive.receive()
        except anyio.EndOfStream:
            if self.failure is not None:
                raise self.failure from None
            raise StopAsyncIteration from None


async def _stay_connected(line: _Line, send: MemoryObjectSendStream[Event], stream: _Stream) -> None:
    with send:
        try:
            await line.run(send)
        except SlackMQError as failure:
            stream.failure = failure


class _Line:
    """One connection after the other."""

    def __init__(self, session: aiohttp.ClientSession, caller: Caller, clock: Clock, silence: float) -> None:
        self._session = session
        self._caller = caller
        self._clock = clock
        self._silence = silence
        self._greeted = False

    async def run(self, send: MemoryObjectSendStream[Event]) -> None:
        """Connect again and again; ends only by an error that no repetition cures."""
        failures = 0
        while True:
            began = self._clock.monotonic()
            try:
                reason = await self._connection(send)
            except (Ambiguous, aiohttp.ClientError, OSError) as error:
                reason = f"{type(error).__name__}: {error}"
            failures = 0 if self._clock.monotonic() - began >= _STABLE else failures + 1
            if reason == "too_many_websockets":
                # Slack keeps 10 connections an app; the others serve meanwhile.
                _log.warning("Slack says this app has too many sockets open; waiting. Run at most 10 workers an app.")
                failures = max(failures, 6)
            if failures >= _DEAF and self._greeted:
                self._greeted = False
                _tell(send, Disconnected())
            pause = min(_LONGEST_PAUSE, 2.0 ** (failures - 2)) * (0.5 + self._clock.random() / 2) if failures else 0.0
            _log.info("socket closed (%s); opening another in %.1f s", reason, pause)
            await self._clock.sleep(pause)

    async def _connection(self, send: MemoryObjectSendStream[Event]) -> str:
        """One connection from its ticket to its end; returns why it ended."""
        # Every connection needs a fresh address: a ticket is good for one.
        ticket = await self._caller.read(_OPEN, {}, urgency=Urgency.SCAN)
        with anyio.fail_after(self._silence):
            # A ping after two thirds of the silence, and the last third for its pong: aiohttp waits half as long again.
            ws = await self._session.ws_connect(str(ticket.get("url")), heartbeat=self._silence * 2 / 3)
        try:
            return await self._listen(ws, send)
        finally:
            with anyio.move_on_after(_FAREWELL, shield=True):
                await ws.close()

    async def _listen(self, ws: aiohttp.ClientWebSocketResponse, send: MemoryObjectSendStream[Event]) -> str:
        with anyio.fail_after(self._silence) as hello_in_time:
            async for frame in ws:
                envelope = _parsed(frame)
                if "envelope_id" in envelope:
                    await ws.send_json({"envelope_id": envelope["envelope_id"]})
                if envelope.get("type") == "disconnect":
                    return _farewell(envelope)
                if (happened := _event(envelope)) is None:
                    continue
                if isinstance(happened, Connected):
                    self._greeted = True
                    hello_in_time.deadline = float("inf")
                _tell(send, happened)
        return f"close code {ws.close_code}"


def _tell(send: MemoryObjectSendStream[Event], happened: Event) -> None:
    try:
        send.send_nowait(happened)
    except anyio.WouldBlock:
        _log.warning("%d events wait for their listener; one more was dropped", _KEPT)


def _parsed(frame: aiohttp.WSMessage) -> Mapping[str, Any]:
    """The JSON object of a frame; {} for anything else, as the empty frames that Slack sends now and then."""
    if frame.type is not aiohttp.WSMsgType.TEXT:
        return {}
    try:
        value: object = json.loads(frame.data)
    except ValueError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _event(envelope: Mapping[str, Any]) -> Event | None:
    match envelope.get("type"):
        case "hello":
            return Connected(connections=int(envelope.get("num_connections") or 1))
        case "events_api":
            return event(envelope.get("payload") or {}, redelivered=bool(envelope.get("retry_attempt")))
        case "interactive":
            return pressed(envelope.get("payload") or {})
        case _:
            return None


def _farewell(envelope: Mapping[str, Any]) -> str:
    """Why Slack is about to close the connection.

    Raises:
        Refused: Socket Mode was switched off, so there is nothing to connect to.
    """
    reason = str(envelope.get("reason") or "no reason given")
    if reason == "link_disabled":
        raise refusal(_OPEN, {"error": reason})
    return reason
