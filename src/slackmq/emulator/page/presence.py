"""Who is connected, and which process works on which message: seen from outside, as marks and calls come in.

A process says who it is in its User-Agent, as "slackmq-worker/<name>"; Slack's own clients leave that open to every
app. Whoever says nothing is called by its app's name.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aiohttp import web

from slackmq.emulator.page.hands import Hands, Process
from slackmq.emulator.page.loose import row_in, words
from slackmq.emulator.page.mrkdwn import typed
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from slackmq.emulator.page.hands import Hand
    from slackmq.emulator.rtm import Rtm
    from slackmq.emulator.server import Done, Server
    from slackmq.emulator.socket_mode import Sockets

__all__ = ["Connection", "Presence"]

_AGENT = re.compile(r"slackmq-worker/(?P<name>[\w.-]{1,60})")
_TELLING = frozenset({"reaction_added", "pin_added"})
"""Events that say something of who works, besides messages."""
_LETTERS = 48
_SHOWN = 2
"""Messages named per connection."""

_AGENT_NOW: ContextVar[str] = ContextVar("_AGENT_NOW", default="")
"""The User-Agent of the request that is being answered: a write is applied in a copy of its context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A process that listens, and what it works on; without `link` it works and does not listen.

    Attributes:
        http: it is an app that listens at its URL, in however many processes.
        holds: the newest few of what it works on.
        more: on how many others it works.
    """

    link: str
    app: str
    name: str
    holds: tuple[Hand, ...] = ()
    more: int = 0
    http: bool = False


class Presence:
    """Watches writes and sockets.

    Args:
        server: whose writes are watched.
        sockets: the Socket Mode connections.
        rtm: those of bots of the old kind.
    """

    def __init__(self, server: Server, *, sockets: Sockets, rtm: Rtm) -> None:
        self._server = server
        self._doors = (sockets, rtm)
        self._hands = Hands()
        self._told: list[Callable[[], None]] = []
        server.listen(self._heard)
        for door in self._doors:
            door.watch(self._stir)

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
        return self._hands.of(channel, ts)

    def connections(self) -> tuple[Connection, ...]:
        """Everybody who listens or works, by name."""
        apps = self._apps()
        names = {app["id"]: app["name"] for app in apps}
        owners = {app["bot_user"]: app["id"] for app in apps}
        people = {person["id"]: person["name"] for person in self._people()} | {
            app["bot_user"]: app["name"] for app in apps
        }
        busy = [replace(hand, what=typed(hand.what, people)[:_LETTERS]) for hand in self._hands.busy()]
        found = [
            _connection(one.id, app, _named(one.agent) or names.get(app, app), busy)
            for door in self._doors
            for one in door.connections()
            if (app := owners.get(one.owner, one.owner)) in names  # others listen in a further workspace
        ]
        found += [replace(_connection("", app, name, busy), http=True) for app, name in self._over_http(apps)]
        known = {(connection.app, connection.name) for connection in found}
        gone = {(hand.app, hand.name): None for hand in busy if (hand.app, hand.name) not in known}
        found += [_connection("", app, name, busy) for app, name in gone]
        return tuple(sorted(found, key=lambda connection: (connection.name, connection.link)))

    def _over_http(self, apps: list[Mapping[str, Any]]) -> list[tuple[str, str]]:
        """Id and name of the apps that take what happens at their URLs."""
        installed = [(str(app["id"]), str(app["name"])) for app in apps if not app["revoked"]]
        manifests = {ident: self._server.workspace.manifest(ident) for ident, _ in installed}
        at_urls = {ident for ident, given in manifests.items() if given and given.events_url and not given.socket_mode}
        return [(ident, name) for ident, name in installed if ident in at_urls]

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
        told = [event.inner for event in done.outcome.events]
        bots = self._bots() if any(map(_may_tell, told)) else {}
        for inner in told:
            self._hands.hear(inner, bots)
            if inner["type"] == "message" and "thread_ts" in inner and done.method == "chat.postMessage":
                process = bots.get(inner.get("user", ""))
                if process is not None:
                    place = (inner["channel"], inner["thread_ts"])
                    self._hands.note(place, process, _payload(done.args.get("metadata")))

    def _bots(self) -> dict[str, Process]:
        """Bot user -> its process: the one that asks now, if it is that bot's."""
        agent = _named(_AGENT_NOW.get())
        return {app["bot_user"]: Process(app=app["id"], name=agent or app["name"]) for app in self._apps()}


def _may_tell(inner: Mapping[str, Any]) -> bool:
    """False for most messages, so that they cost no look at the apps."""
    return inner["type"] in _TELLING or inner.get("subtype") == "message_changed" or "thread_ts" in inner


def _payload(metadata: object) -> Mapping[str, Any]:
    """What a post says to programs, however it was sent; empty for nothing."""
    with suppress(ValueError):
        metadata = json.loads(words(metadata) or "{}") if isinstance(metadata, str) else metadata
    return row_in(row_in(metadata).get("event_payload"))


def _connection(link: str, app: str, name: str, busy: list[Hand]) -> Connection:
    holds = [hand for hand in busy if (hand.app, hand.name) == (app, name)][::-1]
    return Connection(link=link, app=app, name=name, holds=tuple(holds[:_SHOWN]), more=len(holds[_SHOWN:]))


def _named(agent: str) -> str:
    found = _AGENT.search(agent)
    return found["name"] if found else ""
