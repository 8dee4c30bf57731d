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
        is_new: True if it was not there before.
    """

    channel: str
    ts: str
    is_new: bool = False


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
        if key not in found or change.is_new:
            found[key] = change
    return [found[key] for key in sorted(found)]


def _by_message(inner: Mapping[str, Any]) -> Iterable[Touched]:
    channel: str = inner["channel"]
    match inner.get("subtype"):
        case "message_changed":
            changed: Mapping[str, Any] = inner["message"]
            yield Touched(channel=channel, ts=changed["ts"])
        case "message_deleted":
            changed = inner.get("previous_message") or {}
            yield Touched(channel=channel, ts=inner["deleted_ts"])
        case _:
            changed = inner
            yield Touched(channel=channel, ts=inner["ts"], is_new=True)
    parent = changed.get("thread_ts")
    if parent and parent != changed.get("ts"):
        yield Touched(channel=channel, ts=parent)  # its count of replies
