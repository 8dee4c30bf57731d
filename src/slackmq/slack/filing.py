"""Files in channels, as the rest of the library sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["FileRow", "Files"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A file by its id and name, and when it came, whole seconds since 1970 by Slack's clock."""

    id: str
    name: str
    created: int


class Files(Protocol):
    """Files in channels. Only who put one there can delete it; everybody in the channel can read it.

    Not promised: that a file is shown to others as soon as it was put there.
    """

    async def upload(self, channel: str, name: str, content: bytes, *, comment: str, thread: str | None = None) -> str:
        """Put a file into a channel, or a thread there, under a message that says `comment`; returns its id."""
        ...

    async def download(self, ident: str) -> bytes | None:
        """The bytes of a file; None if it is gone, or not shown yet."""
        ...

    async def discard(self, ident: str) -> bool:
        """Delete an own file; False if it was gone."""
        ...

    async def listed(self, channel: str, *, user: str) -> tuple[FileRow, ...]:
        """The files in a channel that a user put there."""
        ...
