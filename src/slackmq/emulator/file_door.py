"""The doors of files: bytes come in at /upload/ with a ticket, and go out at /files-pri/ with a token."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import BodyPartReader, web

from slackmq.emulator.model import Caller
from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from slackmq.emulator.blobs import Blobs
    from slackmq.emulator.server import Done, Server

__all__ = ["LARGEST_FILE", "FileDoor"]

LARGEST_FILE = 100 * 1024 * 1024
"""Bytes. Slack takes a gigabyte; a file is held in memory here while it comes in."""


class FileDoor:
    """Takes uploads, and hands files to those who may see them.

    Args:
        server: the workspace behind its order of calls.
        blobs: where the bytes are kept.
    """

    def __init__(self, server: Server, blobs: Blobs) -> None:
        self._server = server
        self._blobs = blobs
        self._errands: set[asyncio.Task[None]] = set()
        server.listen(self._heard)

    def routes(self) -> list[web.RouteDef]:
        """POST and PUT an upload, GET a file."""
        return [
            web.post("/upload/v1/{ticket}", self._take),
            web.put("/upload/v1/{ticket}", self._take),
            web.get("/files-pri/{file}/download/{name}", self._give),
            web.get("/files-pri/{file}/{name}", self._give),
        ]

    async def keep(self, ident: str, content: bytes) -> Mapping[str, Any]:
        """Keep the bytes of a file that was announced; returns Slack's reply."""
        await asyncio.to_thread(self._blobs.write, ident, content)
        return await self._server.act(OPERATOR, "emulator.files.uploaded", {"file": ident, "length": len(content)})

    async def read(self, ident: str) -> bytes | None:
        """The bytes of a file; None if they are gone."""
        return await asyncio.to_thread(self._blobs.read, ident)

    async def _take(self, request: web.Request) -> web.Response:
        ident = self._server.workspace.upload(request.match_info["ticket"])
        if ident is None:
            raise web.HTTPNotFound(text="This upload is unknown or over: ask files.getUploadURLExternal.\n")
        content = bytearray()
        async for chunk in _chunks(request):
            content += chunk
            if len(content) > LARGEST_FILE:
                raise web.HTTPRequestEntityTooLarge(max_size=LARGEST_FILE, actual_size=len(content))
        reply = await self.keep(ident, bytes(content))
        if not reply["ok"]:
            raise web.HTTPNotFound(text=f"{reply['error']}\n")
        return web.Response(text=f"OK - {len(content)}")

    async def _give(self, request: web.Request) -> web.Response:
        """The bytes; whoever has no token is sent to the page, as Slack sends to its sign-in."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        caller = self._server.workspace.authorize(token.strip() if scheme.lower() == "bearer" else None)
        if not isinstance(caller, Caller):
            raise web.HTTPFound(f"/?redir={quote(request.path)}")
        ident = request.match_info["file"].rpartition("-")[2]
        reply = self._server.ask(caller, "files.info", {"file": ident})
        if not reply["ok"]:
            status = 403 if reply["error"] in {"missing_scope", "not_allowed_token_type"} else 404
            return web.Response(text=f"{reply['error']}\n", status=status)
        content = await self.read(ident)
        if content is None:
            raise web.HTTPNotFound(text="The bytes of this file are gone from the folder beside the data file.\n")
        kind = "attachment" if "/download/" in request.path else "inline"
        disposition = f"{kind}; filename*=UTF-8''{quote(reply['file']['name'], safe='', errors='replace')}"
        return web.Response(
            body=content, content_type=reply["file"]["mimetype"], headers={"Content-Disposition": disposition}
        )

    def _heard(self, done: Done) -> None:
        if done.method == "files.delete" and done.outcome.reply["ok"]:
            removal = asyncio.get_running_loop().create_task(self._remove(str(done.args.get("file", ""))))
            self._errands.add(removal)
            removal.add_done_callback(self._errands.discard)

    async def _remove(self, ident: str) -> None:
        await asyncio.to_thread(self._blobs.remove, ident)


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    """The bytes of a body, or of the first file in a multipart one."""
    if request.content_type != "multipart/form-data":
        async for chunk in request.content.iter_chunked(65536):
            yield chunk
        return
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, BodyPartReader) and (part.filename or part.name in {"file", "filename"}):
                while chunk := await part.read_chunk():
                    yield chunk
                return
    except ValueError as error:
        raise web.HTTPBadRequest(text=f"This is no multipart body: {error}.\n") from error
