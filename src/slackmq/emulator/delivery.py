"""Socket Mode for one app, without sockets: which connection gets which payload, and when it is sent once more.

A pure state machine: the caller brings the time (microseconds) and carries out what `due` says, be it over real
WebSockets or in a simulation. What is known of Slack's side: up to ten connections, each payload to one of them,
no pattern may be assumed (docs.slack.dev, "Using Socket Mode"). That a payload nobody acknowledges within three
seconds comes again at once, after one minute and after five is documented for HTTP, and observed for Socket Mode.
What a person waits for (a click, a slash command) is sent once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from slackmq.emulator.model import PayloadKind

    Choose = Callable[[Sequence[str]], str]

__all__ = [
    "LIFETIME",
    "MOST_CONNECTIONS",
    "NOTICE",
    "Delivery",
    "Settled",
    "at_random",
    "newest",
    "round_robin",
]

MOST_CONNECTIONS = 10
"""Open connections of one app (docs.slack.dev, "Using Socket Mode")."""

_SECOND = 1_000_000
_HOST = "applink-local"

LIFETIME = 18_060 * _SECOND
"""How long a connection lasts: the `approximate_connection_time` in the fixtures of Slack's own clients."""

NOTICE = 10 * _SECOND
"""From the "warning" to the end of a connection (docs.slack.dev, "Using Socket Mode")."""


def at_random(dice: Callable[[], float]) -> Choose:
    """Each payload to any connection; `dice` gives numbers in [0, 1)."""
    return lambda open_: open_[int(dice() * len(open_))]


def round_robin() -> Choose:
    """Each payload to the connection after the last one's."""
    turns = _counting()
    return lambda open_: open_[next(turns) % len(open_)]


def newest(open_: Sequence[str]) -> str:
    """Every payload to the connection that was opened last."""
    return open_[-1]


def _counting() -> Iterator[int]:
    turn = 0
    while True:
        yield turn
        turn += 1


@dataclass(slots=True, kw_only=True)
class _Parcel:
    """A payload on its way. `attempt` is the number of the next sending, `envelopes` the ids of the earlier ones."""

    payload: Mapping[str, Any]
    type: str = "events_api"
    interaction: str = ""
    attempt: int = 0
    envelopes: list[str] = field(default_factory=list[str])
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How an interaction ended.

    Attributes:
        interaction: its number.
        payload: what the app answered; {} if it only acknowledged.
        failure: "" if it answered; else what Slack's client shows: dispatch_failed, operation_timeout.
    """

    interaction: str
    payload: Mapping[str, Any]
    failure: str = ""


@dataclass(slots=True, kw_only=True)
class Delivery:
    """The deliveries of one app.

    A payload that comes up while no connection is open misses that turn and waits for its next one; after the
    last it is lost, as in Slack: clients must read the channel for what they missed.

    Attributes:
        app: id of the app.
        new_id: draws a new envelope id.
        choose: picks one of the open connections, given in the order they were opened.
        patience: microseconds in which a payload must be acknowledged.
        again: microseconds to wait, after patience ran out, before each further sending.
        through: is told each event that was acknowledged.
    """

    app: str
    new_id: Callable[[], str]
    choose: Choose = newest
    patience: int = 3 * _SECOND
    again: tuple[int, ...] = (0, 60 * _SECOND, 300 * _SECOND)
    through: Callable[[Mapping[str, Any]], None] | None = None
    _open: list[str] = field(default_factory=list[str])
    _turns: list[tuple[int, int, _Parcel, bool]] = field(default_factory=list[tuple[int, int, _Parcel, bool]])
    _envelopes: dict[str, _Parcel] = field(default_factory=dict[str, _Parcel])
    _ends: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    """When a connection is next told to go, and why."""
    _settled: list[Settled] = field(default_factory=list[Settled])
    _count: int = 0

    @property
    def connections(self) -> tuple[str, ...]:
        """The open connections, in the order they were opened."""
        return tuple(self._open)

    @property
    def unacknowledged(self) -> int:
        """Payloads that were offered, and are neither acknowledged nor given up."""
        return len({id(parcel) for _, _, parcel, _ in self._turns if not parcel.done})

    def connected(self, conn: str, now: int, *, lifetime: int | None = None) -> dict[str, Any]:
        """A connection was opened: returns its first frame, "hello", or "disconnect" if there are too many.

        `lifetime` is in microseconds; None lets it last. The caller closes a connection that is told "disconnect"
        for any reason but "warning". The frames are those of docs.slack.dev, "Using
        Socket Mode", and the too_many_websockets that people report.
        """
        if len(self._open) >= MOST_CONNECTIONS:
            return {
                "type": "disconnect",
                "reason": "too_many_websockets",
                "num_connections": len(self._open),
                "debug_info": {"host": _HOST},
                "connection_info": {"app_id": self.app},
            }
        self._open.append(conn)
        if lifetime is not None:
            self._ends[conn] = (now + max(0, lifetime - NOTICE), "warning")
        lasting = (LIFETIME if lifetime is None else lifetime) // _SECOND
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "debug_info": {"host": _HOST, "build_number": 1, "approximate_connection_time": lasting},
            "connection_info": {"app_id": self.app},
        }

    def disconnected(self, conn: str, now: int) -> None:  # noqa: ARG002  # as in `connected`
        """A connection is gone; what it did not acknowledge comes again in its turn."""
        if conn in self._open:
            self._open.remove(conn)
        self._ends.pop(conn, None)

    def retire(self, conn: str, reason: str, now: int) -> None:
        """Have a connection told to go: `due` says so now, and for a "warning" once more when its time is up."""
        if conn in self._open:
            self._ends[conn] = (now, reason)

    def offer(self, payload: Mapping[str, Any], now: int) -> None:
        """Something is to be delivered, from now on; `due` says to whom."""
        self._turn(now, _Parcel(payload=payload), sending=True)

    def resume(self, payload: Mapping[str, Any], since: int, now: int) -> None:
        """Go on with what was offered at `since` to an earlier run: turns that are over by now are missed."""
        when = since
        for attempt, wait in enumerate((*self.again, 0)):
            if when >= now:
                self._turn(when, _Parcel(payload=payload, attempt=attempt), sending=True)
                return
            when += self.patience + wait

    def ask(self, payload: Mapping[str, Any], now: int, *, kind: PayloadKind, interaction: str) -> None:
        """A person used the app: deliver it once, now; `settled` tells what came of it."""
        envelope = "slash_commands" if kind == "slash_commands" else "interactive"
        self._turn(now, _Parcel(payload=payload, type=envelope, interaction=interaction), sending=True)

    def acknowledged(self, envelope_id: str, payload: Mapping[str, Any] | None = None) -> bool:
        """An envelope came through, told by whichever connection. False if it is not, or no more, waited for."""
        parcel = self._envelopes.get(envelope_id)
        if parcel is None:
            return False
        self._finish(parcel)
        if parcel.interaction:
            self._settled.append(Settled(interaction=parcel.interaction, payload=payload or {}))
        elif self.through is not None:
            self.through(parcel.payload)
        return True

    def settled(self) -> list[Settled]:
        """The interactions that ended since this was asked last."""
        done, self._settled = self._settled, []
        return done

    def due(self, now: int) -> list[tuple[str, dict[str, Any]]]:
        """The frames to send now, each with its connection, in order."""
        frames: list[tuple[str, dict[str, Any]]] = []
        while self._turns and self._turns[0][0] <= now:
            _, _, parcel, sending = heappop(self._turns)
            if parcel.done:
                continue
            if sending:
                frames.extend(self._send(parcel, now))
            else:
                self._unanswered(parcel, now)
        for conn, (when, reason) in list(self._ends.items()):
            if when <= now:
                frames.append((conn, {"type": "disconnect", "reason": reason, "debug_info": {"host": _HOST}}))
                if reason == "warning":
                    self._ends[conn] = (now + NOTICE, "refresh_requested")
                else:
                    self.disconnected(conn, now)
        return frames

    def next_due(self) -> int | None:
        """When to ask `due` again; None if nothing is on its way."""
        while self._turns and self._turns[0][2].done:
            heappop(self._turns)
        moments = [when for when, _ in self._ends.values()]
        if self._turns:
            moments.append(self._turns[0][0])
        return min(moments, default=None)

    def _send(self, parcel: _Parcel, now: int) -> list[tuple[str, dict[str, Any]]]:
        attempt = parcel.attempt
        parcel.attempt += 1
        self._turn(now + self.patience, parcel, sending=False)
        if not self._open:
            if parcel.interaction:
                self._fail(parcel, "dispatch_failed")
            return []
        envelope = self.new_id()
        parcel.envelopes.append(envelope)
        self._envelopes[envelope] = parcel
        frame: dict[str, Any] = {
            "envelope_id": envelope,
            "payload": parcel.payload,
            "type": parcel.type,
            "accepts_response_payload": bool(parcel.interaction),
        }
        if not parcel.interaction:
            frame |= {"retry_attempt": attempt, "retry_reason": "timeout" if attempt else ""}
        return [(self.choose(self._open), frame)]

    def _unanswered(self, parcel: _Parcel, now: int) -> None:
        if parcel.interaction:
            self._fail(parcel, "operation_timeout")
        elif parcel.attempt > len(self.again):
            self._finish(parcel)
        else:
            self._turn(now + self.again[parcel.attempt - 1], parcel, sending=True)

    def _fail(self, parcel: _Parcel, failure: str) -> None:
        self._finish(parcel)
        self._settled.append(Settled(interaction=parcel.interaction, payload={}, failure=failure))

    def _finish(self, parcel: _Parcel) -> None:
        parcel.done = True
        for envelope in parcel.envelopes:
            del self._envelopes[envelope]

    def _turn(self, when: int, parcel: _Parcel, *, sending: bool) -> None:
        self._count += 1
        heappush(self._turns, (when, self._count, parcel, sending))
