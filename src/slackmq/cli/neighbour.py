"""A local workspace as another process runs it: where it is, who lives there, and its operator's door."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio.to_thread
import msgspec

from slackmq.cli.exits import Unreachable
from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Neighbour", "NeighbourApp", "NeighbourChannel", "NeighbourUser"]

_HEADER = "X-Emulator-Operator"
_TIMEOUT = 5.0
"""Seconds; a workspace on this machine answers within milliseconds."""


class NeighbourUser(msgspec.Struct, frozen=True, kw_only=True):
    """A person, and the token with which a script may type as this person."""

    id: str
    name: str
    token: str


class NeighbourChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel."""

    id: str
    name: str


class NeighbourApp(msgspec.Struct, frozen=True, kw_only=True):
    """An installed app with its tokens."""

    id: str
    name: str
    bot_token: str
    app_token: str
    bot_user_id: str


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    calls: list[dict[str, Any]]


class _Orders(msgspec.Struct, frozen=True, kw_only=True):
    kill: list[str]


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """What `slackmq emulator --json` prints as its first line.

    Attributes:
        base_url: for clients of the Web API.
        page_url: for a browser.
        users: the persons.
        channels: the channels.
        apps: the installed apps.
        operator_token: opens the operator's door.
        admin_token: opens /__admin/; "" if an older program wrote this.
        team: the workspace's name.
        team_id: its id.
        beside: the further workspaces.
    """

    base_url: str
    page_url: str
    users: tuple[NeighbourUser, ...]
    channels: tuple[NeighbourChannel, ...]
    apps: tuple[NeighbourApp, ...]
    operator_token: str
    admin_token: str = ""
    team: str = ""
    team_id: str = ""
    beside: tuple[Neighbour, ...] = ()

    @classmethod
    def read(cls, line: str | bytes) -> Neighbour:
        """Read such a line.

        Raises:
            ConfigurationError: it is none.
        """
        try:
            return msgspec.json.decode(line, type=cls)
        except msgspec.MsgspecError as error:
            raise ConfigurationError(f"This is not what `slackmq emulator --json` prints: {error}.") from error

    def app(self, name: str | None = None) -> NeighbourApp:
        """The app of this name; the first one if None.

        Raises:
            ConfigurationError: there is none.
        """
        for app in self.apps:
            if name in {None, app.name}:
                return app
        raise ConfigurationError(
            f"The local workspace has no app called {name!r}.",
            remedy=f"It has: {', '.join(app.name for app in self.apps) or 'none'}.",
        )

    def channel(self, name: str) -> NeighbourChannel:
        """The channel of this name, with or without "#".

        Raises:
            ConfigurationError: there is none.
        """
        for channel in self.channels:
            if channel.name == name.removeprefix("#"):
                return channel
        raise ConfigurationError(f"The local workspace has no channel {name!r}.")

    async def alive(self) -> bool:
        """Whether exactly this run of this workspace answers at this address."""
        try:
            status, _ = await anyio.to_thread.run_sync(self._get, "/emulator/about")
        except Unreachable:
            return False
        return status == 200  # noqa: PLR2004  # HTTP's own number

    async def record(self) -> Sequence[Mapping[str, Any]]:
        """Every write call of the workspace from the first one on, and how it ended.

        Raises:
            Unreachable: it does not answer, or another one does.
        """
        status, body = await anyio.to_thread.run_sync(self._get, "/emulator/record?since=0")
        if status != 200:  # noqa: PLR2004  # HTTP's own number
            raise Unreachable(f"{self.page_url} does not show its record (HTTP {status}).")
        return msgspec.json.decode(body, type=_Record).calls

    async def killed(self, names: Sequence[str]) -> Sequence[str]:
        """Offer these processes on the page to be killed, for the next seconds; which ones the page asks to kill.

        Raises:
            Unreachable: it does not answer, or another one does.
        """
        body = msgspec.json.encode({"names": names})
        status, answer = await anyio.to_thread.run_sync(self._send, "POST", "/emulator/killables", body)
        if status != 200:  # noqa: PLR2004  # HTTP's own number
            raise Unreachable(f"{self.page_url} takes no names of processes (HTTP {status}).")
        return msgspec.json.decode(answer, type=_Orders).kill

    def _get(self, path: str) -> tuple[int, bytes]:
        return self._send("GET", path)

    def _send(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        where = urlsplit(self.base_url)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=_TIMEOUT)
        try:
            headers = {_HEADER: self.operator_token, "Content-Type": "application/json"}
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException) as error:
            raise Unreachable(
                f"The local workspace at {self.page_url} does not answer ({type(error).__name__}).",
                remedy="Start it again: slackmq emulator.",
            ) from error
        finally:
            connection.close()
