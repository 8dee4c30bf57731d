"""What an event says about a post, and a post as the event that Slack would send of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slackmq.envelope import JOB
from slackmq.message import Message, seconds
from slackmq.notes import NOTE
from slackmq.slack.markup import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.slack.api import Identity

__all__ = ["Post", "event_of", "is_by", "is_edit", "is_note", "mentions", "post_of", "without_edit"]

_SAID = frozenset({None, "bot_message", "file_share", "me_message", "thread_broadcast"})
"""Subtypes under which somebody says something (docs.slack.dev/reference/events/message); the others report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What somebody said, as an event shows it.

    Attributes:
        message: the post as a queue knows it.
        type: of the event: "message" or "app_mention".
        reply: whether it stands in a thread: the channel's history does not show it.
    """

    message: Message
    type: str
    reply: bool


def post_of(body: Mapping[str, Any]) -> Post | None:
    """The post that an event is about; None if it is about anything else, an edit for example."""
    event: Mapping[str, Any] = body.get("event") or {}
    if body.get("type") != "event_callback" or event.get("type") not in {"message", "app_mention"}:
        return None
    channel, ts, thread = event.get("channel"), event.get("ts"), event.get("thread_ts")
    if not channel or not ts or event.get("subtype") not in _SAID or event.get("hidden"):
        return None
    message = Message(
        channel=str(channel),
        ts=str(ts),
        author=str(event.get("user") or event.get("bot_id") or ""),
        text=plain(str(event.get("text") or "")),
        key=f"{channel}/{ts}",
    )
    return Post(message=message, type=str(event["type"]), reply=bool(thread and thread != ts))


def is_by(message: Message, identity: Identity) -> bool:
    """Whether the bot itself wrote a post; one under another name has no user, and names the bot alone."""
    return message.author in {identity.user, identity.bot}


def is_edit(body: Mapping[str, Any]) -> bool:
    """Whether an event says that a post was changed: by a person, or by Slack, which adds previews of links."""
    event: Mapping[str, Any] = body.get("event") or {}
    return event.get("type") == "message" and event.get("subtype") == "message_changed"


def is_note(event: Mapping[str, Any]) -> bool:
    """Whether a message is what a queue writes for itself, a note in a thread or a job."""
    metadata: Mapping[str, Any] = event.get("metadata") or {}
    return metadata.get("event_type") in {NOTE, JOB}


def without_edit(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same event as if it were the post itself."""
    edit: Mapping[str, Any] = body["event"]
    event: dict[str, Any] = {**edit, **(edit.get("message") or {}), "type": "message"}
    event.pop("subtype", None)
    return {**body, "event": event}


def mentions(text: str, bot: str) -> bool:
    """Whether a text mentions a user."""
    return f"<@{bot}>" in text or f"<@{bot}|" in text


def event_of(raw: Mapping[str, Any], *, channel: str, team: str, app: str, type_: str = "message") -> dict[str, Any]:
    """The body of the event of a post, as Slack sends it.

    Args:
        raw: the post, as `conversations.history` shows it.
        channel: id of its channel.
        team: id of the workspace.
        app: id of the app, "" if it is not known.
        type_: "message" or "app_mention".
    """
    shown = ("reactions", "pinned_to", "pinned_info", "reply_count", "latest_reply", "reply_users", "thread_ts")
    event: dict[str, Any] = {name: value for name, value in raw.items() if name not in shown}
    event |= {"type": type_, "channel": channel, "event_ts": str(raw["ts"])}
    if type_ == "message":
        event["channel_type"] = "channel" if channel.startswith("C") else "group"
    return {
        "type": "event_callback",
        "team_id": team,
        "api_app_id": app,
        "event": event,
        "event_id": f"Ev{str(raw['ts']).replace('.', '')}",
        "event_time": int(seconds(str(raw["ts"]))),
        "authorizations": [{"team_id": team, "is_bot": True}],
    }
