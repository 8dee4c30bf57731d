"""Who looks at the page: one of the workspace's people, chosen in the page and remembered by a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from slackmq.emulator.page.reading import Reading
from slackmq.emulator.page.sidebar import AppEntry, sections
from slackmq.emulator.page.stores import Stores
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slackmq.emulator.model import Caller
    from slackmq.emulator.page.presence import Presence
    from slackmq.emulator.page.sidebar import Place
    from slackmq.emulator.page.trouble import Trouble
    from slackmq.emulator.server import Server

__all__ = ["COOKIE", "Visitors"]

COOKIE = "slackmq_person"
"""The cookie's name; it holds a user id, which is no secret: whoever reaches the page may be anybody."""


class Visitors:
    """Turns requests into callers, and remembers how far each person has read.

    Args:
        server: the workspace behind its order of calls.
        presence: who works on what.
        trouble: what is armed, and who may be killed.
    """

    def __init__(self, server: Server, presence: Presence, trouble: Trouble) -> None:
        self._server = server
        self._presence = presence
        self._trouble = trouble
        self._stores = Stores(server)
        self._since = f"{server.now() / 1e6:.6f}"  # what was there before this run began is no news
        self._seen: dict[str, dict[str, str]] = {}

    def people(self) -> Sequence[Mapping[str, Any]]:
        """The persons that one may be: id, name and token of each."""
        listed = self._server.ask(OPERATOR, "emulator.users.list", {})["users"]
        return [person for person in listed if not person["deleted"]]

    def caller(self, request: web.Request) -> Caller:
        """The person who asks: by the cookie, else the workspace's first.

        Raises:
            aiohttp.web.HTTPConflict: nobody lives here.
        """
        people = {person["id"]: person for person in self.people()}
        chosen = people.get(request.cookies.get(COOKIE, "")) or next(iter(people.values()), None)
        caller = None if chosen is None else self._server.workspace.authorize(chosen["token"])
        if caller is None or isinstance(caller, str):
            raise web.HTTPConflict(text="Nobody lives in this workspace: create a person with emulator.users.create.\n")
        return caller

    def reading(self, request: web.Request) -> Reading:
        """A look at the workspace by the person who asks."""
        return self.look(self.caller(request))

    def look(self, caller: Caller) -> Reading:
        """A look at the workspace by somebody."""
        seen = self._seen.setdefault(caller.user, {})
        return Reading(
            lambda method, args: self._server.ask(caller, method, args),
            me=caller.user,
            seen=seen,
            since=self._since,
            whispers=self.surfaces(caller.user)["messages"],
            hand=self._presence.hand,
            stores=self._stores,
        )

    def surfaces(self, user: str) -> Mapping[str, Any]:
        """What only this person sees: `views`, the modals that are open, the one on top last; and `messages`."""
        return self._server.ask(OPERATOR, "emulator.modals.seen", {"user": user})

    def apps(self) -> tuple[Mapping[str, Any], ...]:
        """The installed apps: id, name, bot_user and tokens of each."""
        listed = self._server.ask(OPERATOR, "emulator.apps.list", {})["apps"]
        return tuple(app for app in listed if not app["revoked"])

    def tools(self) -> dict[str, object]:
        """What apps offer besides elements: slash commands, and shortcuts for messages and for anywhere."""
        manifests = [self._server.workspace.manifest(app["id"]) for app in self.apps()]
        known = [manifest for manifest in manifests if manifest is not None]
        shortcuts = [shortcut for manifest in known for shortcut in manifest.shortcuts.values()]
        commands = {command.name: command for manifest in known for command in manifest.commands.values()}
        return {
            "commands": [commands[name] for name in sorted(commands)],
            "message_shortcuts": [shortcut for shortcut in shortcuts if shortcut.kind == "message"],
            "global_shortcuts": [shortcut for shortcut in shortcuts if shortcut.kind == "global"],
        }

    def sidebar(self, shown: Sequence[Place], me: str) -> dict[str, object]:
        """What the list on the left shows, and the strip below."""
        connections = self._presence.connections()
        unread = {place.user: place.unread for place in shown if place.user}
        entries = [
            AppEntry(
                id=app["id"],
                name=app["name"],
                bot_user=app["bot_user"],
                unread=unread.get(app["bot_user"], ""),
                listening=sum(connection.app == app["id"] and bool(connection.link) for connection in connections),
            )
            for app in self.apps()
        ]
        return {**sections(shown, self.people(), entries, me), "connections": connections, **self._trouble.shown()}

    def ids(self) -> Mapping[str, str]:
        """Name -> id of everybody who can be mentioned, bots included."""
        bots = self._server.ask(OPERATOR, "emulator.apps.list", {})["apps"]
        return {app["name"]: app["bot_user"] for app in bots} | {
            person["name"]: person["id"] for person in self.people()
        }

    def saw(self, user: str, channel: str, ts: str) -> None:
        """Remember that somebody has read a channel up to a message."""
        seen = self._seen.setdefault(user, {})
        seen[channel] = max(ts, seen.get(channel, ""))
