"""Who looks at the page: one of the workspace's people, chosen in the page and remembered by a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from slackmq.emulator.page.reading import Reading
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slackmq.emulator.model import Caller
    from slackmq.emulator.server import Server

__all__ = ["COOKIE", "Visitors"]

COOKIE = "slackmq_person"
"""The cookie's name; it holds a user id, which is no secret: whoever reaches the page may be anybody."""


class Visitors:
    """Turns requests into callers, and remembers how far each person has read.

    Args:
        server: the workspace behind its order of calls.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
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
        return Reading(lambda method, args: self._server.ask(caller, method, args), me=caller.user, seen=seen)

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
