"""The parts of a running workspace, for whoever runs it in the same process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.emulator.about import about

if TYPE_CHECKING:
    from slackmq.emulator.about import About
    from slackmq.emulator.courier import Courier
    from slackmq.emulator.desk import Desk
    from slackmq.emulator.killables import Killables
    from slackmq.emulator.rtm import Rtm
    from slackmq.emulator.server import Server
    from slackmq.emulator.side_doors import SideDoors
    from slackmq.emulator.socket_mode import Connection, Sockets
    from slackmq.emulator.weather import Weather

__all__ = ["House"]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One workspace and its doors.

    Attributes:
        server: the workspace behind its order of calls.
        desk: where people's deeds are handed over to apps.
        sockets: the Socket Mode connections.
        courier: the deliveries over HTTP.
        rtm: the RTM connections.
        origin: scheme, host and port at which it answers.
        page_url: where people see it.
        prefix: the path under which its own doors are; "" for the first workspace.
        weather: the faults.
        killables: the processes that launchers named.
        side_doors: further ports, for processes that shall be told from each other.
        secret: opens the operator's door.
        admin_token: opens the door at /__admin/.
        beside: the further workspaces, if this is the first one.
    """

    server: Server
    desk: Desk
    sockets: Sockets
    courier: Courier
    rtm: Rtm
    weather: Weather
    killables: Killables
    side_doors: SideDoors
    origin: str
    page_url: str
    prefix: str
    secret: str
    admin_token: str
    beside: tuple[House, ...] = ()

    def about(self) -> About:
        """Addresses and tokens as of now: apps and channels come and go."""
        return about(self)

    def connections(self) -> list[Connection]:
        """All open WebSockets."""
        lines = [line for house in (self, *self.beside) for line in house.rtm.connections()]
        return [*self.sockets.connections(), *lines]

    def cut(self, *, connection: str | None = None, owner: str | None = None) -> int:
        """Break off the connection with this id, those of this app or user, or all; returns how many there were."""
        chosen = [one.id for one in self.connections() if connection in {None, one.id} and owner in {None, one.owner}]
        lines = (self.rtm, *(house.rtm for house in self.beside))
        return sum(self.sockets.cut(ident) or any(rtm.cut(ident) for rtm in lines) for ident in chosen)
