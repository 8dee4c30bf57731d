"""What a browser may look at: the page, and the fragments that replace parts of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from slackmq.emulator.page.modal import surface
from slackmq.emulator.page.stores import TABLES

if TYPE_CHECKING:
    from slackmq.emulator.page.drawing import Drawing
    from slackmq.emulator.page.homes import Homes
    from slackmq.emulator.page.reading import Reading
    from slackmq.emulator.page.sidebar import Place
    from slackmq.emulator.page.stream import Streams
    from slackmq.emulator.page.view import MessageView
    from slackmq.emulator.page.visitors import Visitors
    from slackmq.emulator.server import Server

__all__ = ["PageDoor", "fragment"]

_PANEL = ("panel.html", "live.html")


class PageDoor:
    """Shows the workspace to people.

    Args:
        server: the workspace behind its order of calls.
        visitors: who looks.
        drawing: the templates.
        streams: tell how old a page is.
        homes: what apps put on their home tabs.
    """

    def __init__(self, *, server: Server, visitors: Visitors, drawing: Drawing, streams: Streams, homes: Homes) -> None:
        self._server = server
        self._team = server.workspace.seed.team
        self._visitors = visitors
        self._drawing = drawing
        self._streams = streams
        self._homes = homes

    def routes(self) -> list[web.RouteDef]:
        """Everything that is only looked at."""
        return [
            web.get("/", self._page),
            web.get("/c/{channel}", self._page),
            web.get("/a/{app}", self._home),
            web.get("/d/{user}", self._direct),
            web.get("/search", self._search),
            web.get("/c/{channel}/older", self._older),
            web.get("/c/{channel}/thread", self._thread),
            web.get("/c/{channel}/pins", self._pins),
            web.get("/c/{channel}/state", self._state),
            web.get("/c/{channel}/message", self._message),
            web.get("/c/{channel}/picker", self._picker),
            web.get("/c/{channel}/edit", self._edit_box),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        """The whole page; or, after a click on another channel, its column and the list on the left."""
        reading = self._visitors.reading(request)
        current = _channel(request, reading)
        if current is None:
            return self._whole(request, self._values(reading, None))
        thread = request.query.get("thread", "")
        beside = not thread and reading.is_store(current.id)
        values = self._values(reading, current, thread=thread, panel="beside" if beside else "")
        values["window"] = window = reading.window(current.id, at=request.query.get("at", ""))
        if window.messages:
            self._visitors.saw(reading.directory.me, current.id, window.messages[-1].ts)
        values |= self._visitors.sidebar(reading.channels(), reading.directory.me)
        return self._whole(request, values)

    async def _home(self, request: web.Request) -> web.Response:
        """An app's home tab: opening it is what the app is told."""
        reading, ident = self._visitors.reading(request), request.match_info["app"]
        app = next((app for app in self._visitors.apps() if app["id"] == ident), None)
        if app is None:
            raise web.HTTPNotFound(text="There is no such app in this workspace.\n")
        await self._homes.open(ident, reading.directory.me)
        row = self._homes.of(ident, reading.directory.me)
        values = self._values(reading, None, app=ident)
        tab = None if row is None else surface(row, reading.directory)
        return self._whole(request, {**values, "home": app, "tab": tab})

    async def _direct(self, request: web.Request) -> web.Response:
        """To the direct messages with somebody, which begin here if there were none."""
        caller = self._visitors.caller(request)
        reply = await self._server.act(caller, "conversations.open", {"users": request.match_info["user"]})
        if not reply["ok"]:
            raise web.HTTPNotFound(text="There is no such person in this workspace.\n")
        raise web.HTTPSeeOther(f"/c/{reply['channel']['id']}")

    async def _search(self, request: web.Request) -> web.Response:
        """What holds the words, in the panel on the right."""
        reading, words = self._visitors.reading(request), request.query.get("q", "").strip()
        drawn = self._drawing.draw("found.html", words=words, hits=reading.found(words), oob=True)
        return fragment(drawn)

    async def _older(self, request: web.Request) -> web.Response:
        """The stretch before the oldest message on the page."""
        reading = self._visitors.reading(request)
        current = _current(request, reading)
        window = reading.window(current.id, before=request.query.get("before", ""))
        return fragment(self._drawing.draw("stretch.html", current=current, window=window, **self._visitors.tools()))

    async def _thread(self, request: web.Request) -> web.Response:
        """The panel on the right, and a stream that keeps it up to date; without `ts` the panel closes."""
        reading = self._visitors.reading(request)
        values = self._values(reading, _current(request, reading), thread=request.query.get("ts", ""))
        return fragment(self._drawing.all(_PANEL, oob=True, **values))

    async def _pins(self, request: web.Request) -> web.Response:
        """What is pinned in the channel, in the panel on the right."""
        reading = self._visitors.reading(request)
        current = _current(request, reading)
        values = self._values(reading, current, panel="pins")
        return fragment(
            self._drawing.all(["pins.html", "live.html"], oob=True, pins=reading.pins(current.id), **values)
        )

    async def _state(self, request: web.Request) -> web.Response:
        """What programs keep in the channel, as a table in the panel on the right."""
        reading = self._visitors.reading(request)
        current = _current(request, reading)
        if not reading.is_store(current.id):
            raise web.HTTPNotFound(text="No program keeps its state in this channel.\n")
        return fragment(self._drawing.all(_PANEL, oob=True, **self._values(reading, current, panel="state")))

    async def _message(self, request: web.Request) -> web.Response:
        """One message as it stands."""
        reading = self._visitors.reading(request)
        return fragment(self._drawing.draw("one.html", shown=_shown(request, reading), **self._visitors.tools()))

    async def _picker(self, request: web.Request) -> web.Response:
        """Emoji to choose from, for one message."""
        current = _current(request, self._visitors.reading(request))
        return fragment(self._drawing.draw("picker.html", current=current, ts=request.query.get("ts", "")))

    async def _edit_box(self, request: web.Request) -> web.Response:
        """A box with a message's text in it, to take the place of the text."""
        reading = self._visitors.reading(request)
        return fragment(self._drawing.draw("edit.html", message=_shown(request, reading)))

    def _values(
        self, reading: Reading, current: Place | None, *, thread: str = "", panel: str = "", app: str = ""
    ) -> dict[str, Any]:
        """What every template may want."""
        me = reading.directory.me
        views = self._visitors.surfaces(me)["views"]
        shown = reading.thread(current.id, thread) if current else ()
        query = {"since": self._streams.version, "thread": shown[0].thread if shown else "", "panel": panel}
        where = f"/a/{app}" if app else f"/c/{current.id if current else '-'}"
        return {
            "current": current,
            "home": None,
            "thread": shown,
            "table": reading.table(current.id) if current and panel in TABLES else None,
            "beside": panel == "beside",
            "is_store": current is not None and reading.is_store(current.id),
            "modal": surface(views[-1], reading.directory) if views else None,
            "stream": f"{where}/stream?{urlencode({name: value for name, value in query.items() if value})}",
            "me": me,
            **self._visitors.tools(),
            **self._visitors.sidebar(reading.channels(), me),
        }

    def _whole(self, request: web.Request, values: dict[str, Any]) -> web.Response:
        current, home = values["current"], values["home"]
        title = home["name"] if home else f"{current.sign}{current.name}" if current else "Slack"
        values |= {"team": self._team, "title": title}
        if "HX-Request" in request.headers:
            parts = self._drawing.draw("switch.html", **values)
            return fragment(parts + self._drawing.all(["nav.html", *_PANEL], oob=True, **values))
        return fragment(self._drawing.draw("page.html", people=self._visitors.people(), **values))


def fragment(html: str) -> web.Response:
    """HTML that nobody may keep: it is a moment's view of a workspace that changes."""
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})


def _channel(request: web.Request, reading: Reading) -> Place | None:
    """The channel in the address, or the one that matters; None if the workspace has none.

    Raises:
        aiohttp.web.HTTPNotFound: the channel in the address does not exist.
    """
    wanted = request.match_info.get("channel")
    places = reading.channels()
    ident = wanted or reading.busiest()
    found = next((place for place in places if place.id == ident), None)
    if found is None and wanted is not None:
        raise web.HTTPNotFound(text="There is no such channel in this workspace.\n")
    return found or next((place for place in places if place.name != "general"), next(iter(places), None))


def _current(request: web.Request, reading: Reading) -> Place:
    channel = _channel(request, reading)
    if channel is None:
        raise web.HTTPNotFound(text="This workspace has no channel.\n")
    return channel


def _shown(request: web.Request, reading: Reading) -> MessageView:
    """The message that the query names, in the place that it names.

    Raises:
        aiohttp.web.HTTPNotFound: it is gone.
    """
    query = request.query
    found = reading.placed(query.get("place", ""), request.match_info["channel"], query.get("ts", ""))
    if found is None:
        raise web.HTTPNotFound(text="The message is gone.\n")
    return found
