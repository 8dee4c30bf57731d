"""What bots of the old kind say over their connection, and what they are told; without a connection."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.model import Event

__all__ = ["Nonsense", "Ping", "Say", "Typing", "heard", "read_frame", "said"]

_EVENTS_API_ONLY = frozenset({"app_home_opened", "app_mention"})
"""Events that never came over RTM (docs.slack.dev, each event's page, "Compatibility")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A message; `number` is the bot's own count of what it said."""

    number: Any
    args: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """Are you there? `pong` answers."""

    pong: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing:
    """The bot pretends to type."""

    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Nonsense:
    """Something else, which is passed over."""


def read_frame(text: str) -> Say | Ping | Typing | Nonsense:
    """What a bot said."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return Nonsense()
    if not isinstance(value, dict):
        return Nonsense()
    frame = cast("dict[str, Any]", value)
    number = frame.get("id")
    match frame.get("type"):
        case "message":
            kept = ("channel", "text", "thread_ts", "reply_broadcast")
            return Say(number=number, args={name: frame[name] for name in kept if name in frame})
        case "ping":
            rest = {name: given for name, given in frame.items() if name not in {"id", "type"}}
            return Ping(pong={"type": "pong", **({} if number is None else {"reply_to": number}), **rest})
        case "typing":
            return Typing(channel=str(frame.get("channel", "")))
        case _:
            return Nonsense()


def said(number: Any, reply: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a message: where it stands now, or why it does not."""
    if reply["ok"]:
        return {"ok": True, "reply_to": number, "ts": reply["ts"], "text": reply["message"]["text"]}
    limited = reply["error"] == "ratelimited"
    sentence = "slow down, too many messages..." if limited else str(reply["error"])
    return {"ok": False, "reply_to": number, "error": {"code": -1 if limited else 2, "msg": sentence}}


def heard(event: Event) -> Mapping[str, Any] | None:
    """The frame that tells of an event; None if RTM does not know its kind."""
    if event.inner["type"] in _EVENTS_API_ONLY:
        return None
    return {name: value for name, value in event.inner.items() if name != "channel_type"}
