"""Socket: the Socket Mode of one app in virtual time; SimEvents: one process's end of it."""

from __future__ import annotations

import asyncio
import contextvars
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio

from slackmq.emulator.delivery import Delivery, at_random
from slackmq.slack.api import Connected, Disconnected
from slackmq.slack.rows import event

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from slackmq.simulation.faults import Plan
    from slackmq.slack.api import Event

    Inbox = asyncio.Queue[dict[str, Any]]

__all__ = ["SimEvents", "Socket"]

_AGAIN = 10.0
"""Seconds after which a connection is tried again that Slack refused."""


class Socket:
    """Which payload goes to which connection, and when; the state machine is the emulator's own.

    Args:
        app: id of the app.
        plan: how long frames travel, and which acknowledgements are lost.
    """

    def __init__(self, app: str, plan: Plan) -> None:
        dice = plan.dice("socket")
        self._plan = plan
        self._delivery = Delivery(app=app, new_id=lambda: f"{dice.getrandbits(64):016x}", choose=at_random(dice.random))
        self._inboxes: dict[str, Inbox] = {}
        self._wake_at: int | None = None

    @property
    def wanted(self) -> bool:
        """True if anybody listens."""
        return bool(self._inboxes)

    def connect(self, name: str) -> Inbox:
        """Open a connection; returns the frames that arrive on it, "hello" first, or that it is one too many."""
        if self._plan.denies(asyncio.get_running_loop().time()):
            refused: Inbox = asyncio.Queue()
            refused.put_nowait({"type": "cut", "seconds": _AGAIN})
            return refused
        inbox = self._inboxes[name] = asyncio.Queue()
        inbox.put_nowait(self._delivery.connected(name, self._micros()))
        return inbox

    def disconnect(self, name: str) -> None:
        """Close a connection, or find it closed."""
        self._inboxes.pop(name, None)
        self._delivery.disconnected(name, self._micros())

    def cut(self, name: str) -> None:
        """Break a connection: whoever listens notices, and connects again."""
        inbox = self._inboxes.get(name)
        if inbox is not None:
            self.disconnect(name)
            inbox.put_nowait({"type": "cut", "seconds": self._plan.dice("cuts").uniform(1, 10)})

    def offer(self, payload: dict[str, Any]) -> None:
        """Deliver something, to whomever."""
        self._delivery.offer(payload, self._micros())
        self._pump()

    def acknowledge(self, envelope: str) -> None:
        """Say that a frame arrived, unless that is lost."""
        if not self._plan.loses_acknowledgement(asyncio.get_running_loop().time()):
            self._delivery.acknowledged(envelope)

    def _pump(self) -> None:
        loop = asyncio.get_running_loop()
        for name, frame in self._delivery.due(self._micros()):
            loop.call_later(self._plan.travel(), self._arrive, name, frame, context=contextvars.Context())
        due = self._delivery.next_due()
        if due is not None and (self._wake_at is None or due < self._wake_at):
            self._wake_at = due
            loop.call_at(due / 1_000_000, self._wake, due, context=contextvars.Context())

    def _wake(self, due: int) -> None:
        if self._wake_at == due:
            self._wake_at = None
        self._pump()

    def _arrive(self, name: str, frame: dict[str, Any]) -> None:
        if name in self._inboxes:
            self._inboxes[name].put_nowait(frame)

    @staticmethod
    def _micros() -> int:
        return round(asyncio.get_running_loop().time() * 1_000_000)


class SimEvents:
    """What a process hears of a channel. Implements `slackmq.slack.api.Events`.

    Args:
        socket: the app's socket.
        name: name of the connection.
    """

    def __init__(self, socket: Socket, name: str) -> None:
        self._socket = socket
        self._name = name

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator[AsyncIterator[Event]]:
        """Connect, and yield what comes; leaving the context disconnects."""
        inbox = self._socket.connect(self._name)
        try:
            yield self._stream(inbox)
        finally:
            self._socket.disconnect(self._name)

    async def _stream(self, inbox: Inbox) -> AsyncIterator[Event]:
        greeted = False
        while True:
            frame = await inbox.get()
            if frame["type"] == "cut":
                if greeted:
                    yield Disconnected()
                greeted = False
                await anyio.sleep(frame["seconds"])
                inbox = self._socket.connect(self._name)
                continue
            if frame["type"] == "hello":
                greeted = True
                yield Connected(connections=frame["num_connections"])
                continue
            self._socket.acknowledge(frame["envelope_id"])
            heard = event(frame["payload"], redelivered=frame["retry_attempt"] > 0)
            if heard is not None:
                yield heard
