"""The page with all its doors, built over a running workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.page.deeds import Deeds
from slackmq.emulator.page.door import PageDoor
from slackmq.emulator.page.drawing import Drawing
from slackmq.emulator.page.files import Files
from slackmq.emulator.page.homes import Homes
from slackmq.emulator.page.presence import Presence
from slackmq.emulator.page.presses import Presses
from slackmq.emulator.page.stream import Streams
from slackmq.emulator.page.trouble import Trouble
from slackmq.emulator.page.uploads import Uploads
from slackmq.emulator.page.visitors import Visitors

if TYPE_CHECKING:
    from aiohttp import web

    from slackmq.emulator.file_door import FileDoor
    from slackmq.emulator.house import House

__all__ = ["Site", "Stock"]


class Stock:
    """Templates and static files. Building it reads the disk: do it on a thread."""

    def __init__(self) -> None:
        self.drawing = Drawing()
        self.files = Files()


class Site:
    """Everything at / that people see.

    Args:
        house: the running workspace.
        file_door: keeps the bytes of files.
        stock: templates and static files.
    """

    def __init__(self, house: House, *, file_door: FileDoor, stock: Stock) -> None:
        drawing, server = stock.drawing, house.server
        self.presence = Presence(server, sockets=house.sockets, rtm=house.rtm)
        """Must see every request, as its middleware."""
        trouble = Trouble(weather=house.weather, killables=house.killables, drawing=drawing)
        homes, visitors = Homes(server), Visitors(server, self.presence, trouble)
        uploads = Uploads(server=server, visitors=visitors, drawing=drawing, door=file_door)
        presses = Presses(desk=house.desk, visitors=visitors, drawing=drawing, uploads=uploads)
        self._streams = Streams(server=server, visitors=visitors, drawing=drawing, presence=self.presence, homes=homes)
        house.weather.watch(self._streams.stir)
        house.killables.watch(self._streams.stir)
        self._routes = (
            *PageDoor(server=server, visitors=visitors, drawing=drawing, streams=self._streams, homes=homes).routes(),
            *Deeds(server=server, visitors=visitors, drawing=drawing, presses=presses, house=house).routes(),
            *uploads.routes(),
            *presses.routes(),
            *trouble.routes(),
            *self._streams.routes(),
            *stock.files.routes(),
        )

    def routes(self) -> tuple[web.RouteDef, ...]:
        """All of the page's addresses."""
        return self._routes

    def close(self) -> None:
        """End all streams."""
        self._streams.close()
