"""What changes, to every open page, as server-sent events that hold the fragments to swap and nothing else."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from slackmq.emulator.page.changes import Touched, merged, touched

if TYPE_CHECKING:
    from slackmq.emulator.model import Caller
    from slackmq.emulator.page.drawing import Drawing
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
    """One open page: who looks, at which channel and thread, and what changed since it was last told."""

    caller: Caller
    channel: str
    thread: str
    changes: list[Touched] = field(default_factory=list[Touched])
    stirred: asyncio.Event = field(default_factory=asyncio.Event)


class Streams:
    """All open pages.

    Args:
        server: whose writes are told.
        visitors: who looks.
        drawing: the templates.
    """

    def __init__(self, *, server: Server, visitors: Visitors, drawing: Drawing) -> None:
        self._visitors = visitors
        self._drawing = drawing
        self._run = secrets.token_hex(4)
        self._count = 0
        self._open: set[_Stream] = set()
        self._closing = False
        server.listen(self._heard)

    @property
    def version(self) -> str:
        """How old a page is: differs after every write, and in every run."""
        return f"{self._run}-{self._count}"

    def routes(self) -> list[web.RouteDef]:
        """GET the stream of a channel."""
        return [web.get("/c/{channel}/stream", self._serve)]

    def close(self) -> None:
        """End all streams; browsers try to come back by themselves."""
        self._closing = True
        for stream in self._open:
            stream.stirred.set()

    def _heard(self, done: Done) -> None:
        self._count += 1
        changes = [change for event in done.outcome.events for change in touched(event)]
        for stream in self._open:
            stream.changes += changes
            if done.outcome.events:
                stream.stirred.set()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        response.content_type = "text/event-stream"
        stream = _Stream(
            caller=self._visitors.caller(request),
            channel=request.match_info["channel"],
            thread=request.query.get("thread", ""),
        )
        known = request.headers.get("Last-Event-ID") or request.query.get("since")
        self._open.add(stream)
        try:
            await response.prepare(request)
            await response.write(b"retry: 1000\n\n")
            if known != self.version:
                await self._send(response, self._everything(stream))
            with suppress(ConnectionError):
                await self._follow(stream, response)
        finally:
            self._open.discard(stream)
        return response

    async def _follow(self, stream: _Stream, response: web.StreamResponse) -> None:
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
        reading = self._visitors.look(stream.caller)
        channels = reading.channels()
        current = next((channel for channel in channels if channel.id == stream.channel), None)
        if current is None:
            return self._drawing.draw("nav.html", channels=channels, current=None, oob=True)
        window = reading.window(stream.channel)
        replies = reading.thread(stream.channel, stream.thread)
        if window.messages:
            self._visitors.saw(reading.directory.me, stream.channel, window.messages[-1].ts)
        return self._drawing.draw(
            "everything.html", channels=reading.channels(), current=current, window=window, replies=replies, oob=True
        )

    def _changed(self, stream: _Stream, changes: list[Touched]) -> str:
        """The touched messages of the channel and thread that this page shows, and the list on the left."""
        here = [change for change in changes if change.channel == stream.channel]
        if len(here) > _WHOLE:
            return self._everything(stream)
        reading = self._visitors.look(stream.caller)
        left = [
            (change, reading.message(change.channel, change.ts))
            for change in here
            if not change.thread and not change.is_gone
        ]
        replies = {reply.ts: reply for reply in reading.thread(stream.channel, stream.thread)}
        right = [(change, replies.get(change.ts)) for change in here if change.ts in replies]
        added = [message for change, message in left if message and change.is_new]
        if added:
            self._visitors.saw(reading.directory.me, stream.channel, added[-1].ts)
        channels = reading.channels()
        return self._drawing.draw(
            "changes.html",
            gone=[_element(change) for change in here if change.is_gone and change.thread in {"", stream.thread}],
            altered=[message for change, message in (*left, *right) if message and not change.is_new],
            added=added,
            answered=[reply for change, reply in right if reply and change.is_new],
            channels=channels,
            current=next((channel for channel in channels if channel.id == stream.channel), None),
            oob=True,
        )


def _element(change: Touched) -> str:
    """The id of a message's element in the list, or in the thread panel."""
    return f"{'r' if change.thread else 'm'}-{change.ts.replace('.', '-')}"
