"""Which messages an event touches, so that the page redraws those and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from slackmq.emulator.model import Event

__all__ = ["Touched", "merged", "touched"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A message that looks different now.

    Attributes:
        channel: where it stands.
        ts: which one it is.
        thread: ts of the thread's parent if it is shown in that thread only, else "".
        is_new: True if it was not there before.
        is_gone: True if it was deleted.
    """

    channel: str
    ts: str
    thread: str = ""
    is_new: bool = False
    is_gone: bool = False


def touched(event: Event) -> tuple[Touched, ...]:
    """Name the messages that an event touches; none for events about other things."""
    inner = event.inner
    match inner["type"]:
        case "message":
            return tuple(_by_message(inner))
        case "reaction_added" | "reaction_removed":
            return (Touched(channel=inner["item"]["channel"], ts=inner["item"]["ts"]),)
        case "pin_added" | "pin_removed":
            return (Touched(channel=inner["channel_id"], ts=inner["item"]["message"]["ts"]),)
        case _:
            return ()


def merged(changes: Iterable[Touched]) -> list[Touched]:
    """Each message once, oldest first; one that is new stays new however often it changed since."""
    found: dict[tuple[str, str], Touched] = {}
    for change in changes:
        key = (change.channel, change.ts)
        if key not in found or change.is_new or change.is_gone:
            found[key] = change
    return [found[key] for key in sorted(found)]


def _by_message(inner: Mapping[str, Any]) -> Iterable[Touched]:
    channel: str = inner["channel"]
    match inner.get("subtype"):
        case "message_changed":
            row: Mapping[str, Any] = inner["message"]
            yield Touched(channel=channel, ts=row["ts"], thread=_thread(row))
        case "message_deleted":
            row = inner.get("previous_message") or {}
            yield Touched(channel=channel, ts=inner["deleted_ts"], thread=_thread(row), is_gone=True)
        case _:
            row = inner
            yield Touched(channel=channel, ts=row["ts"], thread=_thread(row), is_new=True)
    parent = row.get("thread_ts")
    if parent and parent != row.get("ts"):
        yield Touched(channel=channel, ts=parent)  # its count of replies


def _thread(row: Mapping[str, Any]) -> str:
    parent: str = row.get("thread_ts", "")
    return "" if parent == row.get("ts") or row.get("subtype") == "thread_broadcast" else parent
