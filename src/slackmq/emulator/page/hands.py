"""Which process works on which message: told from outside, by the marks that bots leave.

A clock face from a bot means that it is at work, a check or a cross that it has ended; a bot's pin means that it is at
work, until it takes the pin off. A bot that is short of reactions puts the check or the cross before its own text, by
an edit. And in the thread a bot may say to programs, in a reply's metadata, that it took the message or gave it back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Hand", "Hands", "Process", "State"]

_T = TypeVar("_T")

State = Literal["at work", "done", "dead", "given back"]

_CLOCK = re.compile(r"clock(?P<hour>1[0-2]|[1-9])(?P<half>30)?")
_ENDS: Mapping[str, State] = {"white_check_mark": "done", "heavy_check_mark": "done", "x": "dead"}
_STAMPS: Mapping[str, State] = {f":{mark}:": state for mark, state in _ENDS.items()}
_NOTES: Mapping[str, State] = {
    "attempt": "at work",
    "claim": "at work",
    "renew": "at work",
    "release": "given back",
    "withdraw": "given back",
    "done": "done",
    "dead": "dead",
}
"""What a reply's metadata may say as `note`."""
_MOST = 5000
"""Messages remembered."""
_LETTERS = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Who does something: a process of an app, by the name that it gives itself, else by its app's."""

    app: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """A process at a message.

    Attributes:
        name: what the process calls itself, else its app's name.
        turn: which clock face, from 1; 0 for none.
        what: how the message begins.
    """

    channel: str
    ts: str
    app: str
    name: str
    state: State
    turn: int = 0
    what: str = ""

    @property
    def sentence(self) -> str:
        """Say it to people."""
        match self.state:
            case "done":
                return f"done by {self.name}"
            case "dead":
                return f"given up by {self.name}"
            case "given back":
                return f"given back by {self.name}"
            case "at work":
                return f"{self.name} is at work" + (f" (claim {self.turn})" if self.turn > 1 else "")


class Hands:
    """What is known of each message; what a person does says nothing."""

    def __init__(self) -> None:
        self._hands: dict[tuple[str, str], Hand] = {}
        self._texts: dict[tuple[str, str], str] = {}

    def of(self, channel: str, ts: str) -> Hand | None:
        """Who works on a message, or did."""
        return self._hands.get((channel, ts))

    def busy(self) -> Iterator[Hand]:
        """All that are at work."""
        return (hand for hand in self._hands.values() if hand.state == "at work")

    def hear(self, inner: Mapping[str, Any], bots: Mapping[str, Process]) -> None:
        """Take an event in.

        Args:
            inner: the event.
            bots: bot user -> its process, the one that caused the event if it did.
        """
        match inner["type"]:
            case "reaction_added" if inner["user"] in bots:
                self._marked(inner, bots[inner["user"]])
            case "pin_added" if inner["user"] in bots:
                place = (inner["channel_id"], inner["item"]["message"]["ts"])
                if place not in self._hands:  # a pin says nothing of what is known by marks
                    self._set(place, bots[inner["user"]], "at work")
            case "pin_removed":
                self._let_go(inner["channel_id"], inner["item"]["message"]["ts"])
            case "message":
                self._said(inner, bots)
            case _:
                pass

    def _said(self, inner: Mapping[str, Any], bots: Mapping[str, Process]) -> None:
        match inner.get("subtype"):
            case "message_deleted":
                self._hands.pop((inner["channel"], inner["deleted_ts"]), None)
            case "message_changed":
                row = inner["message"]
                state = _STAMPS.get(row.get("text", "").partition(" ")[0])
                if state and row.get("user") in bots and "bot_id" in row:
                    self._set((inner["channel"], row["ts"]), bots[row["user"]], state)
            case None:
                _keep(self._texts, (inner["channel"], inner["ts"]), inner.get("text", "")[:_LETTERS])
            case _:
                pass

    def note(self, place: tuple[str, str], process: Process, payload: Mapping[str, Any]) -> None:
        """Take in what a bot's reply in a thread says to programs.

        Args:
            place: channel, and ts of the thread's parent.
            process: who wrote it.
            payload: the reply's metadata.
        """
        known, state = self._hands.get(place), _NOTES.get(str(payload.get("note", "")))
        if state is None or (known is not None and known.state in {"done", "dead"}):
            return
        if state == "given back" and known is not None and known.name != process.name:
            return  # somebody else has taken it since
        self._set(place, process, state)

    def _marked(self, inner: Mapping[str, Any], process: Process) -> None:
        place, mark = (inner["item"]["channel"], inner["item"]["ts"]), inner["reaction"]
        if clock := _CLOCK.fullmatch(mark):
            turn = int(clock["hour"]) + (12 if clock["half"] else 0)
            self._set(place, process, "at work", turn)
        elif state := _ENDS.get(mark):
            self._set(place, process, state)

    def _set(self, place: tuple[str, str], process: Process, state: State, turn: int = 0) -> None:
        known, (channel, ts) = self._hands.get(place), place
        hand = Hand(
            channel=channel,
            ts=ts,
            app=process.app,
            name=process.name,
            state=state,
            turn=turn or (known.turn if known else 0),
            what=self._texts.get(place, ""),
        )
        _keep(self._hands, place, hand)

    def _let_go(self, channel: str, ts: str) -> None:
        """A pin was taken off: what it stood for is over, whether it was done or handed back."""
        known = self._hands.get((channel, ts))
        if known is not None and known.state == "at work" and not known.turn:
            del self._hands[channel, ts]


def _keep(known: dict[tuple[str, str], _T], key: tuple[str, str], value: _T) -> None:
    """Remember a value, and forget the oldest if there are too many."""
    known[key] = value
    while len(known) > _MOST:
        del known[next(iter(known))]
