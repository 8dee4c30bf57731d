"""A file as the workspace knows it: everything but its bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["StoredFile"]


@dataclass(slots=True, kw_only=True)
class StoredFile:
    """A file, from the moment an upload was asked for.

    Attributes:
        ticket: opens the upload, once.
        owner: id of the user.
        length: bytes that were announced, then those that came.
        uploaded: True once the bytes are here.
        completed: True once the owner said that it is to be seen.
        shares: channel id -> the messages that show it, as Slack tells of them.
        private: the ids of those channels that are private.
        handed: the bot users whose apps got it in a modal.
    """

    id: str
    ticket: str
    owner: str
    name: str
    title: str
    created: int
    length: int
    alt_text: str = ""
    snippet: str = ""
    uploaded: bool = False
    completed: bool = False
    deleted: bool = False
    shares: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    private: set[str] = field(default_factory=set[str])
    handed: set[str] = field(default_factory=set[str])
