"""What changes, to every open page, as server-sent events that hold the fragments to swap and nothing else."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from slackmq.emulator.page.changes import Touched, merged, touched
from slackmq.emulator.page.modal import surface
from slackmq.emulator.page.stores import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.model import Caller
    from slackmq.emulator.page.drawing import Drawing
    from slackmq.emulator.page.homes import Homes
    from slackmq.emulator.page.presence import Presence
    from slackmq.emulator.page.reading import Reading
    from slackmq.emulator.page.view import MessageView
    from slackmq.emulator.page.visitors import Visitors
    from slackmq.emulator.server import Done, Server

__all__ = ["Streams"]

_QUIET = 15.0
"""Seconds after which a comment is sent, so that a dead connection is noticed."""

_TOGETHER = 0.05
"""Seconds in which changes are gathered before they are drawn: nobody reads faster, and bursts cost less."""

_WHOLE = 80
"""Changed messages from which on the whole list is drawn anew."""


@dataclass(eq=False, slots=True, kw_only=True)
class _Stream:
    """One open page: who looks, at which channel and thread, and what changed since it was last told.

    Attributes:
        app: whose home tab is shown instead of a channel.
        panel: "pins" if they are shown on the right; "state" or "beside" if a store is.
        views: id and hash of the modals that the page shows.
        tab: hash of the home tab that it shows.
        whispers: ts -> the messages for this person alone that the page shows.
    """

    caller: Caller
    channel: str
    thread: str
    app: str = ""
    panel: str = ""
    views: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    tab: str = ""
    whispers: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, "Mapping[str, Any]"])
    changes: list[Touched] = field(default_factory=list[Touched])
    stirred: asyncio.Event = field(default_factory=asyncio.Event)


class Streams:
    """All open pages.

    Args:
        server: whose writes are told.
        visitors: who looks.
        drawing: the templates.
        presence: who is connected.
        homes: what apps put on their home tabs.
    """

    def __init__(
        self, *, server: Server, visitors: Visitors, drawing: Drawing, presence: Presence, homes: Homes
    ) -> None:
        self._visitors = visitors
        self._homes = homes
        self._drawing = drawing
        self._run = secrets.token_hex(4)
        self._count = 0
        self._open: set[_Stream] = set()
        self._closing = False
        server.listen(self._heard)
        presence.watch(self.stir)

    @property
    def version(self) -> str:
        """How old a page is: differs after every write, and in every run."""
        return f"{self._run}-{self._count}"

    def routes(self) -> list[web.RouteDef]:
        """GET the stream of a channel, or of a home tab."""
        return [web.get("/c/{channel}/stream", self._serve), web.get("/a/{app}/stream", self._serve)]

    def close(self) -> None:
        """End all streams; browsers try to come back by themselves."""
        self._closing = True
        self.stir()

    def stir(self) -> None:
        """Draw anew what stands around the messages on all of them."""
        for stream in self._open:
            stream.stirred.set()

    def _heard(self, done: Done) -> None:
        self._count += 1
        changes = [change for event in done.outcome.events for change in touched(event)]
        for stream in self._open:
            stream.changes += changes
            if done.outcome.events or done.method.startswith(("views.", "emulator.")):
                stream.stirred.set()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        response.content_type = "text/event-stream"
        stream = _Stream(
            caller=self._visitors.caller(request),
            channel=request.match_info.get("channel", "-"),
            thread=request.query.get("thread", ""),
            app=request.match_info.get("app", ""),
            panel=request.query.get("panel", ""),
        )
        self._surfaces(stream, self._visitors.look(stream.caller))
        known = request.headers.get("Last-Event-ID") or request.query.get("since")
        self._open.add(stream)
        try:
            await response.prepare(request)
            await response.write(b"retry: 1000\n\n")
            if known != self.version:
                await self._send(response, self._everything(stream))
            with suppress(ConnectionError):
                await self._follow(stream, request, response)
        finally:
            self._open.discard(stream)
        return response

    async def _follow(self, stream: _Stream, request: web.Request, response: web.StreamResponse) -> None:
        while not self._closing:
            try:
                async with asyncio.timeout(_QUIET):
                    await stream.stirred.wait()
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            stream.stirred.clear()
            if not self._closing:
                await self._gather()
                if request.transport is None or request.transport.is_closing():
                    return  # nobody looks any more: nothing was seen
                changes, stream.changes = merged(stream.changes), []
                await self._send(response, self._changed(stream, changes))

    async def _gather(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_TOGETHER):
                await asyncio.Event().wait()

    async def _send(self, response: web.StreamResponse, html: str) -> None:
        data = "\n".join(f"data: {line}" for line in html.splitlines() if line.strip())
        await response.write(f"event: change\nid: {self.version}\n{data}\n\n".encode())

    def _everything(self, stream: _Stream) -> str:
        """The lists anew, for a page that missed something."""
        stream.changes.clear()  # they are in what is drawn now
        stream.views, stream.tab = [("", "")], "-"
        reading = self._visitors.look(stream.caller)
        surfaces, _ = self._surfaces(stream, reading)
        values = self._frame(stream, reading)
        if values["current"] is None:
            return surfaces + self._drawing.draw("around.html", **values)
        window = reading.window(stream.channel)
        replies = reading.thread(stream.channel, stream.thread)
        if window.messages:
            self._visitors.saw(reading.directory.me, stream.channel, window.messages[-1].ts)
        values = self._frame(stream, reading)
        return surfaces + self._drawing.draw("everything.html", window=window, replies=replies, **values)

    def _changed(self, stream: _Stream, changes: list[Touched]) -> str:
        """The touched messages of the channel and thread that this page shows, and all that stands around them."""
        here = [change for change in changes if change.channel == stream.channel]
        if len(here) > _WHOLE:
            return self._everything(stream)
        reading = self._visitors.look(stream.caller)
        surfaces, whispers = self._surfaces(stream, reading)
        left = [
            (change, reading.message(change.channel, change.ts))
            for change in here
            if not change.thread and not change.is_gone
        ]
        replies = {one.ts: one for one in reading.thread(stream.channel, stream.thread) if not one.whisper}
        right = [(change, replies.get(change.ts)) for change in here if change.ts in replies]
        added = [message for change, message in left if message and change.is_new]
        added += [message for message in whispers.added if message.place == "messages"]
        if added:
            self._visitors.saw(reading.directory.me, stream.channel, added[-1].ts)
        altered = [message for change, message in (*left, *right) if message and not change.is_new]
        return surfaces + self._drawing.draw(
            "changes.html",
            gone=[_element(change) for change in here if change.is_gone and change.thread in {"", stream.thread}]
            + whispers.gone,
            altered=altered + whispers.altered,
            added=sorted(added, key=lambda message: message.ts),
            answered=[reply for change, reply in right if reply and change.is_new]
            + [message for message in whispers.added if message.place == "replies"],
            **self._frame(stream, reading),
        )

    def _frame(self, stream: _Stream, reading: Reading) -> dict[str, Any]:
        """What stands around the messages: the list on the left, the strip below, the pins if they are shown."""
        places = reading.channels()
        current = next((place for place in places if place.id == stream.channel), None)
        shows_pins = stream.panel == "pins" and current is not None
        return {
            "current": current,
            "home": {"id": stream.app} if stream.app else None,
            "pins": reading.pins(stream.channel) if shows_pins else None,
            "table": reading.table(stream.channel) if current and stream.panel in TABLES else None,
            "beside": stream.panel == "beside",
            "is_store": current is not None and reading.is_store(current.id),
            "oob": True,
            **self._visitors.tools(),
            **self._visitors.sidebar(places, reading.directory.me),
        }

    def _surfaces(self, stream: _Stream, reading: Reading) -> tuple[str, _Whispers]:
        """Modal and home tab, if they are not as the page shows them, and what is whispered."""
        me, html = reading.directory.me, ""
        views = self._visitors.surfaces(me)["views"]
        shown = [(view["id"], view["hash"]) for view in views]
        if shown != stream.views:
            modal = surface(views[-1], reading.directory) if views else None
            stream.views, html = shown, self._drawing.draw("modal.html", modal=modal, oob=True)
        row = self._homes.of(stream.app, me) if stream.app else None
        if row is not None and row["hash"] != stream.tab:
            stream.tab = row["hash"]
            html += self._drawing.draw("tab.html", tab=surface(row, reading.directory), oob=True)
        before, stream.whispers = stream.whispers, _here(reading, stream.channel, stream.thread)
        return html, _Whispers.between(before, stream.whispers, reading)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whispers:
    """What became of the messages that one person alone sees."""

    added: list[MessageView]
    altered: list[MessageView]
    gone: list[str]

    @classmethod
    def between(
        cls, before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]], reading: Reading
    ) -> _Whispers:
        return cls(
            added=[reading.whisper(row) for ts, row in after.items() if ts not in before],
            altered=[reading.whisper(row) for ts, row in after.items() if before.get(ts, row) != row],
            gone=[reading.whisper(row).id for ts, row in before.items() if ts not in after],
        )


def _here(reading: Reading, channel: str, thread: str) -> dict[str, Mapping[str, Any]]:
    """What is whispered in the channel, and in the thread that is open."""
    shown = {"", thread}
    return {
        row["ts"]: row for row in reading.whispers if row["channel"] == channel and row.get("thread_ts", "") in shown
    }


def _element(change: Touched) -> str:
    """The id of a message's element in the list, or in the thread panel."""
    return f"{'r' if change.thread else 'm'}-{change.ts.replace('.', '-')}"
