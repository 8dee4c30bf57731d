"""Who is connected, and which process works on which message: seen from outside, as marks and calls come in.

A process says who it is in its User-Agent, as "slackmq-worker/<name>"; Slack's own clients leave that open to every
app. Whoever says nothing is called by its app's name. A clock face from a bot means that it is at work, a check or a
cross that it has ended; a bot's pin means that it is at work, until it takes the pin off.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from slackmq.emulator.page.mrkdwn import typed
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from slackmq.emulator.server import Done, Server
    from slackmq.emulator.socket_mode import Link, Sockets

__all__ = ["Connection", "Hand", "Presence"]

_T = TypeVar("_T")

_CLOCK = re.compile(r"clock(?P<hour>1[0-2]|[1-9])(?P<half>30)?")
_ENDS = {"white_check_mark": "done", "heavy_check_mark": "done", "x": "dead"}
_AGENT = re.compile(r"slackmq-worker/(?P<name>[\w.-]{1,60})")
_MOST = 5000
"""Messages remembered."""
_LETTERS = 48
_SHOWN = 6
"""Messages named per connection."""

_AGENT_NOW: ContextVar[str] = ContextVar("_AGENT_NOW", default="")
"""The User-Agent of the request that is being answered: a write is applied in a copy of its context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """A process at a message.

    Attributes:
        name: what the process calls itself, else its app's name.
        state: "at work", "done" or "dead".
        turn: which clock face, from 1; 0 for none.
        what: how the message begins.
    """

    channel: str
    ts: str
    app: str
    name: str
    state: str
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
            case _:
                return f"{self.name} is at work" + (f" (claim {self.turn})" if self.turn > 1 else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A process that listens, and what it works on; without `link` it works and does not listen."""

    link: str
    app: str
    name: str
    holds: tuple[Hand, ...] = ()


class Presence:
    """Watches writes and sockets.

    Args:
        server: whose writes are watched.
        sockets: the Socket Mode connections.
    """

    def __init__(self, server: Server, sockets: Sockets) -> None:
        self._server = server
        self._sockets = sockets
        self._hands: dict[tuple[str, str], Hand] = {}
        self._texts: dict[tuple[str, str], str] = {}
        self._told: list[Callable[[], None]] = []
        server.listen(self._heard)
        sockets.watch(self._stir)

    def watch(self, told: Callable[[], None]) -> None:
        """Call `told` whenever a connection comes or goes."""
        self._told.append(told)

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Note who asks, for as long as the request is answered."""
        mark = _AGENT_NOW.set(request.headers.get("User-Agent", ""))
        try:
            return await handler(request)
        finally:
            _AGENT_NOW.reset(mark)

    def hand(self, channel: str, ts: str) -> Hand | None:
        """Who works on a message, or did."""
        return self._hands.get((channel, ts))

    def connections(self) -> tuple[Connection, ...]:
        """Everybody who listens or works, by name."""
        names = {app["id"]: app["name"] for app in self._apps()}
        people = {person["id"]: person["name"] for person in self._people()} | {
            app["bot_user"]: app["name"] for app in self._apps()
        }
        busy = [
            replace(hand, what=typed(hand.what, people)[:_LETTERS])
            for hand in self._hands.values()
            if hand.state == "at work"
        ]
        found = [self._connection(link, names, busy) for link in self._sockets.links()]
        known = {(connection.app, connection.name) for connection in found}
        gone = {(hand.app, hand.name): None for hand in busy if (hand.app, hand.name) not in known}
        found += [Connection(link="", app=app, name=name, holds=_of(app, name, busy)) for app, name in gone]
        return tuple(sorted(found, key=lambda connection: (connection.name, connection.link)))

    def _connection(self, link: Link, names: Mapping[str, str], busy: list[Hand]) -> Connection:
        name = _named(link.agent) or names.get(link.app, link.app)
        return Connection(link=link.name, app=link.app, name=name, holds=_of(link.app, name, busy))

    def _apps(self) -> list[Mapping[str, Any]]:
        apps: list[Mapping[str, Any]] = self._server.ask(OPERATOR, "emulator.apps.list", {})["apps"]
        return apps

    def _people(self) -> list[Mapping[str, Any]]:
        people: list[Mapping[str, Any]] = self._server.ask(OPERATOR, "emulator.users.list", {})["users"]
        return people

    def _stir(self) -> None:
        for told in self._told:
            told()

    def _heard(self, done: Done) -> None:
        for event in done.outcome.events:
            inner = event.inner
            match inner["type"]:
                case "reaction_added":
                    self._marked(inner["user"], inner["item"]["channel"], inner["item"]["ts"], inner["reaction"])
                case "pin_added":
                    self._marked(inner["user"], inner["channel_id"], inner["item"]["message"]["ts"], "")
                case "pin_removed":
                    self._let_go(inner["channel_id"], inner["item"]["message"]["ts"])
                case "message" if inner.get("subtype") == "message_deleted":
                    self._hands.pop((inner["channel"], inner["deleted_ts"]), None)
                case "message" if inner.get("text") and "subtype" not in inner:
                    _keep(self._texts, (inner["channel"], inner["ts"]), inner["text"][: 2 * _LETTERS])
                case _:
                    pass

    def _marked(self, user: str, channel: str, ts: str, mark: str) -> None:
        clock = _CLOCK.fullmatch(mark)
        if not (clock or mark in _ENDS or not mark):
            return
        bot = next((app for app in self._apps() if app["bot_user"] == user), None)
        if bot is None:
            return
        known = self._hands.get((channel, ts))
        if known is not None and not mark:
            return  # a pin says nothing of what is known by marks
        name = _named(_AGENT_NOW.get()) or bot["name"]
        turn = known.turn if known else 0
        if clock:
            turn = int(clock["hour"]) + (12 if clock["half"] else 0)
        state = _ENDS.get(mark, "at work")
        what = self._texts.get((channel, ts), "")
        hand = Hand(channel=channel, ts=ts, app=bot["id"], name=name, state=state, turn=turn, what=what)
        _keep(self._hands, (channel, ts), hand)

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


def _of(app: str, name: str, busy: list[Hand]) -> tuple[Hand, ...]:
    return tuple(hand for hand in busy if (hand.app, hand.name) == (app, name))[:_SHOWN]


def _named(agent: str) -> str:
    found = _AGENT.search(agent)
    return found["name"] if found else ""
