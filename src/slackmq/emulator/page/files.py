"""The page's style sheet, script, icon, font and the vendored htmx: read once, then served from memory."""

from __future__ import annotations

import zlib
from pathlib import Path

from aiohttp import ETag, web

__all__ = ["Files"]

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}


class Files:
    """All files under /static/. Building one reads the disk: do it on a thread."""

    def __init__(self) -> None:
        self._files = {path.name: path.read_bytes() for path in _FOLDER.iterdir() if path.suffix in _TYPES}

    def routes(self) -> list[web.RouteDef]:
        """GET /static/<name>."""
        return [web.get("/static/{name}", self._serve)]

    async def _serve(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        content = self._files.get(name)
        if content is None:
            raise web.HTTPNotFound(text="There is no such file.\n")
        tag = f"{zlib.crc32(content):08x}"
        headers = {"Cache-Control": "no-cache", "ETag": f'"{tag}"'}
        known = request.if_none_match or ()
        if ETag(value=tag, is_weak=False) in known:
            return web.Response(status=304, headers=headers)
        kind = _TYPES[Path(name).suffix]
        return web.Response(body=content, content_type=kind, headers=headers)
