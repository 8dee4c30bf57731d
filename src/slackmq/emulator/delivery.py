"""Socket Mode for one app, without sockets: which connection gets which payload, and when it is sent once more.

A pure state machine: the caller brings the time (microseconds) and carries out what `due` says, be it over real
WebSockets or in a simulation. What is known of Slack's side: up to ten connections, each payload to one of them,
no pattern may be assumed (docs.slack.dev, "Using Socket Mode"). That a payload nobody acknowledges within three
seconds comes again at once, after one minute and after five is documented for HTTP, and observed for Socket Mode.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Choose = Callable[[Sequence[str]], str]

__all__ = ["MOST_CONNECTIONS", "Delivery", "at_random", "newest", "round_robin"]

MOST_CONNECTIONS = 10
"""Open connections of one app (docs.slack.dev, "Using Socket Mode")."""

_SECOND = 1_000_000


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
    attempt: int = 0
    envelopes: list[str] = field(default_factory=list[str])
    done: bool = False


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
    """

    app: str
    new_id: Callable[[], str]
    choose: Choose = newest
    patience: int = 3 * _SECOND
    again: tuple[int, ...] = (0, 60 * _SECOND, 300 * _SECOND)
    _open: list[str] = field(default_factory=list[str])
    _turns: list[tuple[int, int, _Parcel, bool]] = field(default_factory=list[tuple[int, int, _Parcel, bool]])
    _envelopes: dict[str, _Parcel] = field(default_factory=dict[str, _Parcel])
    _count: int = 0

    @property
    def connections(self) -> tuple[str, ...]:
        """The open connections, in the order they were opened."""
        return tuple(self._open)

    @property
    def unacknowledged(self) -> int:
        """Payloads that were offered, and are neither acknowledged nor given up."""
        return len({id(parcel) for _, _, parcel, _ in self._turns if not parcel.done})

    def connected(self, conn: str, now: int) -> dict[str, Any]:  # noqa: ARG002  # symmetry; a policy may need it
        """A connection was opened: returns its first frame, "hello", or "disconnect" if there are too many.

        The caller closes a connection that is told "disconnect". The frames are those of docs.slack.dev, "Using
        Socket Mode", and the too_many_websockets that people report.
        """
        if len(self._open) >= MOST_CONNECTIONS:
            return {
                "type": "disconnect",
                "reason": "too_many_websockets",
                "num_connections": len(self._open),
                "debug_info": {"host": "applink-local"},
                "connection_info": {"app_id": self.app},
            }
        self._open.append(conn)
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "debug_info": {"host": "applink-local", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self.app},
        }

    def disconnected(self, conn: str, now: int) -> None:  # noqa: ARG002  # as in `connected`
        """A connection is gone; what it did not acknowledge comes again in its turn."""
        if conn in self._open:
            self._open.remove(conn)

    def offer(self, payload: Mapping[str, Any], now: int) -> None:
        """Something is to be delivered, from now on; `due` says to whom."""
        self._turn(now, _Parcel(payload=payload), sending=True)

    def acknowledged(self, envelope_id: str) -> bool:
        """An envelope came through, told by whichever connection. False if it is not, or no more, waited for."""
        parcel = self._envelopes.get(envelope_id)
        if parcel is None:
            return False
        self._finish(parcel)
        return True

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
        return frames

    def next_due(self) -> int | None:
        """When to ask `due` again; None if nothing is on its way."""
        while self._turns and self._turns[0][2].done:
            heappop(self._turns)
        return self._turns[0][0] if self._turns else None

    def _send(self, parcel: _Parcel, now: int) -> list[tuple[str, dict[str, Any]]]:
        attempt = parcel.attempt
        parcel.attempt += 1
        self._turn(now + self.patience, parcel, sending=False)
        if not self._open:
            return []
        envelope = self.new_id()
        parcel.envelopes.append(envelope)
        self._envelopes[envelope] = parcel
        frame = {
            "envelope_id": envelope,
            "payload": parcel.payload,
            "type": "events_api",
            "accepts_response_payload": False,
            "retry_attempt": attempt,
            "retry_reason": "timeout" if attempt else "",
        }
        return [(self.choose(self._open), frame)]

    def _unanswered(self, parcel: _Parcel, now: int) -> None:
        if parcel.attempt > len(self.again):
            self._finish(parcel)
        else:
            self._turn(now + self.again[parcel.attempt - 1], parcel, sending=True)

    def _finish(self, parcel: _Parcel) -> None:
        parcel.done = True
        for envelope in parcel.envelopes:
            del self._envelopes[envelope]

    def _turn(self, when: int, parcel: _Parcel, *, sending: bool) -> None:
        self._count += 1
        heappush(self._turns, (when, self._count, parcel, sending))
