"""What a browser may look at: the page, and the fragments that replace parts of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from slackmq.emulator.page.drawing import Drawing
    from slackmq.emulator.page.reading import Channel, Reading
    from slackmq.emulator.page.stream import Streams
    from slackmq.emulator.page.view import MessageView
    from slackmq.emulator.page.visitors import Visitors

__all__ = ["PageDoor", "fragment"]


class PageDoor:
    """Shows the workspace to people.

    Args:
        team: name of the workspace.
        visitors: who looks.
        drawing: the templates.
        streams: tell how old a page is.
    """

    def __init__(self, *, team: str, visitors: Visitors, drawing: Drawing, streams: Streams) -> None:
        self._team = team
        self._visitors = visitors
        self._drawing = drawing
        self._streams = streams

    def routes(self) -> list[web.RouteDef]:
        """Everything that is only looked at."""
        return [
            web.get("/", self._page),
            web.get("/c/{channel}", self._page),
            web.get("/c/{channel}/older", self._older),
            web.get("/c/{channel}/thread", self._thread),
            web.get("/c/{channel}/message", self._message),
            web.get("/c/{channel}/edit", self._edit_box),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        """The whole page; or, after a click on another channel, its column and the list on the left."""
        reading = self._visitors.reading(request)
        current = _channel(request, reading)
        values: dict[str, Any] = {"current": current, "version": self._streams.version, "thread": ()}
        if current is not None:
            values["window"] = window = reading.window(current.id)
            values["thread"] = reading.thread(current.id, request.query.get("thread", ""))
            if window.messages:
                self._visitors.saw(reading.directory.me, current.id, window.messages[-1].ts)
        values["channels"] = reading.channels()
        if "HX-Request" in request.headers:
            parts = self._drawing.draw("switch.html", team=self._team, **values)
            return fragment(parts + self._drawing.all(["nav.html", "thread.html", "live.html"], oob=True, **values))
        people = self._visitors.people()
        return fragment(
            self._drawing.draw("page.html", people=people, me=reading.directory.me, team=self._team, **values)
        )

    async def _older(self, request: web.Request) -> web.Response:
        """The stretch before the oldest message on the page."""
        reading = self._visitors.reading(request)
        current = _current(request, reading)
        window = reading.window(current.id, before=request.query.get("before", ""))
        return fragment(self._drawing.draw("stretch.html", current=current, window=window))

    async def _thread(self, request: web.Request) -> web.Response:
        """The panel on the right, and a stream that keeps it up to date; without `ts` the panel closes."""
        reading = self._visitors.reading(request)
        current = _current(request, reading)
        thread = reading.thread(current.id, request.query.get("ts", ""))
        values = {"current": current, "thread": thread, "version": self._streams.version}
        return fragment(self._drawing.all(["thread.html", "live.html"], oob=True, **values))

    async def _message(self, request: web.Request) -> web.Response:
        """One message as it stands."""
        reading = self._visitors.reading(request)
        return fragment(self._drawing.draw("one.html", shown=_shown(request, reading)))

    async def _edit_box(self, request: web.Request) -> web.Response:
        """A box with a message's text in it, to take the place of the text."""
        reading = self._visitors.reading(request)
        return fragment(self._drawing.draw("edit.html", message=_shown(request, reading)))


def fragment(html: str) -> web.Response:
    """HTML that nobody may keep: it is a moment's view of a workspace that changes."""
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})


def _channel(request: web.Request, reading: Reading) -> Channel | None:
    """The channel in the address, or the first one; None if the workspace has none.

    Raises:
        aiohttp.web.HTTPNotFound: the channel in the address does not exist.
    """
    wanted = request.match_info.get("channel")
    found = next((channel for channel in reading.channels() if wanted in {None, channel.id}), None)
    if found is None and wanted is not None:
        raise web.HTTPNotFound(text="There is no such channel in this workspace.\n")
    return found


def _current(request: web.Request, reading: Reading) -> Channel:
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
