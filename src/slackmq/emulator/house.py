"""The parts of a running workspace, for whoever runs it in the same process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.emulator.about import about

if TYPE_CHECKING:
    from slackmq.emulator.about import About
    from slackmq.emulator.desk import Desk
    from slackmq.emulator.rtm import Rtm
    from slackmq.emulator.server import Server
    from slackmq.emulator.socket_mode import Sockets

__all__ = ["House"]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One workspace and its doors.

    Attributes:
        server: the workspace behind its order of calls.
        desk: where people's deeds are handed over to apps.
        sockets: the Socket Mode connections.
        rtm: the RTM connections.
        authority: host and port at which it answers.
        secret: opens the operator's door.
    """

    server: Server
    desk: Desk
    sockets: Sockets
    rtm: Rtm
    authority: str
    secret: str

    def about(self) -> About:
        """Addresses and tokens as of now: apps and channels come and go."""
        return about(self.server, authority=self.authority, secret=self.secret)
