"""Files as Slack's JSON objects."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from slackmq.emulator.state import Row, State
    from slackmq.emulator.stored_file import StoredFile

__all__ = ["file_row", "kind_of", "shared_row"]

_KINDS = {
    "csv": ("text/csv", "CSV", "spaces"),
    "gif": ("image/gif", "GIF", "images"),
    "html": ("text/html", "HTML", "snippets"),
    "jpg": ("image/jpeg", "JPEG", "images"),
    "json": ("application/json", "JSON", "snippets"),
    "md": ("text/markdown", "Markdown (raw)", "snippets"),
    "mp4": ("video/mp4", "MPEG 4 Video", "spaces"),
    "pdf": ("application/pdf", "PDF", "pdfs"),
    "png": ("image/png", "PNG", "images"),
    "python": ("text/x-python", "Python", "snippets"),
    "svg": ("image/svg+xml", "SVG", "images"),
    "text": ("text/plain", "Plain Text", "snippets"),
    "yaml": ("text/yaml", "YAML", "snippets"),
    "zip": ("application/zip", "Zip", "zips"),
}
"""Slack's `filetype` -> MIME type, what people read, and the group in `types` of files.list."""
_ENDINGS = {"jpeg": "jpg", "log": "text", "markdown": "md", "py": "python", "txt": "text", "yml": "yaml", "htm": "html"}


def kind_of(file: StoredFile) -> tuple[str, str, str, str]:
    """Slack's `filetype`, the MIME type, what people read, and the group in `types` of files.list."""
    ending = file.name.rpartition(".")[2].lower() if "." in file.name else ""
    kind = file.snippet or _ENDINGS.get(ending, ending)
    mime, pretty, group = _KINDS.get(kind, ("application/octet-stream", "Binary", "spaces"))
    return (kind if kind in _KINDS else "binary"), mime, pretty, group


def shared_row(state: State, file: StoredFile) -> Row:
    """A file as messages show it."""
    if file.deleted:
        return {"id": file.id, "mode": "tombstone"}
    kind, mime, pretty, _ = kind_of(file)
    team, name = state.seed.team_id, quote(file.name, safe="", errors="replace")
    private = f"{state.origin}/files-pri/{team}-{file.id}"
    row: Row = {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": mime,
        "filetype": kind,
        "pretty_type": pretty,
        "user": file.owner,
        "user_team": team,
        "editable": False,
        "size": file.length,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": any(channel not in file.private for channel in file.shares),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{private}/{name}",
        "url_private_download": f"{private}/download/{name}",
        "permalink": f"{state.url}files/{file.owner}/{file.id}/{name}",
        "permalink_public": f"{state.origin}/files-pub/{team}-{file.id}",
        "is_starred": False,
        "has_rich_preview": False,
        "file_access": "visible",
    }
    if file.alt_text:
        row["alt_txt"] = file.alt_text
    return row


def file_row(state: State, file: StoredFile) -> Row:
    """A file as files.info shows it: with where it was shared."""
    public = {channel: rows for channel, rows in file.shares.items() if channel not in file.private}
    private = {channel: rows for channel, rows in file.shares.items() if channel in file.private}
    shares = {name: part for name, part in (("public", public), ("private", private)) if part}
    return {
        **shared_row(state, file),
        "shares": shares,
        "channels": list(public),
        "groups": [channel for channel in private if not channel.startswith("D")],
        "ims": [channel for channel in private if channel.startswith("D")],
        "has_more_shares": False,
        "comments_count": 0,
    }
