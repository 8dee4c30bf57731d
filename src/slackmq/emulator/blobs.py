"""The bytes of files: in a folder beside the journal, or in memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Blobs"]


class Blobs:
    """Bytes by file id. The methods read and write the disk: call them in a thread.

    Args:
        folder: made when the first file comes; None keeps everything in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._memory: dict[str, bytes] = {}

    def write(self, ident: str, content: bytes) -> None:
        """Keep the bytes; when this returns they survive the death of the process.

        Raises:
            OSError: there is no room, or no permission.
        """
        if self._folder is None:
            self._memory[ident] = content
            return
        self._folder.mkdir(exist_ok=True)
        half = self._folder / f"{ident}.part"
        half.write_bytes(content)
        os.replace(half, self._folder / ident)  # noqa: PTH105  # a half-written file must never be found

    def read(self, ident: str) -> bytes | None:
        """The bytes; None if they are gone."""
        if self._folder is None:
            return self._memory.get(ident)
        try:
            return (self._folder / ident).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, ident: str) -> None:
        """Forget the bytes, if they are there."""
        self._memory.pop(ident, None)
        if self._folder is not None:
            (self._folder / ident).unlink(missing_ok=True)
