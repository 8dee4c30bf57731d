"""Files in the page: in through the person's own upload, out to those who may see them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import web

from slackmq.emulator.file_door import LARGEST_FILE
from slackmq.emulator.page.door import fragment
from slackmq.emulator.page.mrkdwn import sealed
from slackmq.emulator.sent import posted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slackmq.emulator.file_door import FileDoor
    from slackmq.emulator.page.drawing import Drawing
    from slackmq.emulator.page.visitors import Visitors
    from slackmq.emulator.server import Server

__all__ = ["Uploads"]

_DONE = 204
_INLINE = frozenset({"image/png", "image/jpeg", "image/gif"})
_SENTENCES = {
    "posting_to_channel_denied": "The channel is archived: nothing can be written there.",
    "missing_argument": "The file is empty.",
}


class Uploads:
    """Takes files from people, and shows them.

    Args:
        server: the workspace behind its order of calls.
        visitors: who sends and who looks.
        drawing: the templates.
        door: keeps the bytes.
    """

    def __init__(self, *, server: Server, visitors: Visitors, drawing: Drawing, door: FileDoor) -> None:
        self._server = server
        self._visitors = visitors
        self._drawing = drawing
        self._door = door

    def routes(self) -> list[web.RouteDef]:
        """POST files into a channel, GET one."""
        return [web.post("/c/{channel}/files", self._take), web.get("/files/{file}/{name}", self._give)]

    async def _take(self, request: web.Request) -> web.Response:
        """Share the files of a form, in one message, with what was typed as its text."""
        form = await posted(request.clone(client_max_size=LARGEST_FILE))
        parts = [part for part in form.getall("file", []) if isinstance(part, web.FileField)]
        files = await self._uploaded(request, parts)
        if not isinstance(files, list):
            return self._refusal(files)
        text = sealed(str(form.get("text", "")).strip(), self._visitors.ids())
        args = {"files": json.dumps(files), "channel_id": request.match_info["channel"], "initial_comment": text}
        if form.get("thread"):
            args["thread_ts"] = str(form["thread"])
        reply = await self._shared(request, args)
        return web.Response(status=_DONE) if reply["ok"] else self._refusal(reply)

    async def entrust(self, request: web.Request, parts: Sequence[web.FileField]) -> list[str] | Mapping[str, Any]:
        """Upload the files of a modal as the person who asks; returns their ids, or what Slack said against it."""
        files = await self._uploaded(request, parts)
        if not isinstance(files, list) or not files:
            return [] if isinstance(files, list) else files
        reply = await self._shared(request, {"files": json.dumps(files)})
        return [file["id"] for file in files] if reply["ok"] else reply

    async def _uploaded(
        self, request: web.Request, parts: Sequence[web.FileField]
    ) -> list[dict[str, str]] | Mapping[str, Any]:
        """Id and title of each; or what Slack said against it."""
        sent = [part for part in parts if part.filename]
        contents = await asyncio.to_thread(_read, sent)
        files: list[dict[str, str]] = []
        for part, content in zip(sent, contents, strict=True):
            reply = await self._kept(request, part.filename, content)
            if not reply["ok"]:
                return reply
            files.append({"id": reply["file_id"], "title": part.filename})
        return files

    async def _kept(self, request: web.Request, name: str, content: bytes) -> Mapping[str, Any]:
        caller = self._visitors.caller(request)
        args = {"filename": name, "length": len(content)}
        reply = await self._server.act(caller, "files.getUploadURLExternal", args)
        return {**reply, **(await self._door.keep(reply["file_id"], content))} if reply["ok"] else reply

    async def _shared(self, request: web.Request, args: Mapping[str, str]) -> Mapping[str, Any]:
        caller = self._visitors.caller(request)
        reply = await self._server.act(caller, "files.completeUploadExternal", args)
        if reply.get("error") != "not_in_channel":
            return reply
        await self._server.act(caller, "conversations.join", {"channel": args["channel_id"]})
        return await self._server.act(caller, "files.completeUploadExternal", args)

    async def _give(self, request: web.Request) -> web.Response:
        """A file; pictures are shown, everything else is saved: it must not run in the page's name."""
        caller, ident = self._visitors.caller(request), request.match_info["file"]
        reply = self._server.ask(caller, "files.info", {"file": ident})
        content = await self._door.read(ident) if reply["ok"] else None
        if content is None:
            raise web.HTTPNotFound(text="There is no such file here.\n")
        row = reply["file"]
        kind = row["mimetype"] if row["mimetype"] in _INLINE else "application/octet-stream"
        how = "inline" if row["mimetype"] in _INLINE else "attachment"
        headers = {
            "Content-Disposition": f"{how}; filename*=UTF-8''{quote(row['name'], safe='', errors='replace')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "no-store",
        }
        return web.Response(body=content, content_type=kind, headers=headers)

    def _refusal(self, reply: Mapping[str, Any]) -> web.Response:
        code = reply["error"]
        sentence = _SENTENCES.get(code, f"The file was not taken: {code}.")
        return fragment(self._drawing.draw("notice.html", refusal=sentence, oob=True))


def _read(parts: Sequence[web.FileField]) -> list[bytes]:
    """The bytes of the parts, whose temporary files are closed."""
    contents: list[bytes] = []
    for part in parts:
        with part.file:
            contents.append(part.file.read())
    return contents
