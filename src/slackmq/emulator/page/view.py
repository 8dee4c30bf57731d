"""What the page shows, as values: drawn from the replies of Slack's own methods, before any HTML."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from slackmq.emulator.page.emoji import character
from slackmq.emulator.page.mrkdwn import shown, typed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

__all__ = ["Directory", "MessageView", "MetadataView", "ReactionView", "day_of", "message"]

_HUES = 8
_NOTICES = frozenset(
    {"pinned_item", "channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Who and what the ids of the workspace stand for.

    Attributes:
        people: user id -> name, bots included.
        channels: channel id -> name.
        me: the person who looks at the page.
    """

    people: Mapping[str, str]
    channels: Mapping[str, str]
    me: str

    @property
    def names(self) -> Mapping[str, str]:
        """Every id with its name."""
        return {**self.people, **self.channels}

    def who(self, users: Sequence[str]) -> str:
        """Name people as a sentence does: "you, home-bot and colleague"."""
        named = ["you" if user == self.me else self.people.get(user, user) for user in users]
        return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionView:
    """An emoji under a message, how often, by whom, and whether by the person who looks."""

    name: str
    character: str
    count: int
    who: str
    mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataView:
    """What a program attached to the message: its type, one line about it, and all of it."""

    kind: str
    line: str
    json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message as the page shows it.

    Attributes:
        id: the element's id, unique on the page.
        place: "messages" for the channel's list, "replies" for the thread panel.
        day: a heading if the message is the first of its day, else "".
        source: the text for the edit box.
        notice: True for a line that Slack itself wrote, as "… pinned a message".
    """

    id: str
    place: str
    channel: str
    ts: str
    thread: str
    author: str
    initials: str
    hue: int
    is_bot: bool
    at: str
    iso: str
    full: str
    day: str
    text: Markup
    source: str
    edited: bool
    notice: bool
    mine: bool
    pinned: str
    metadata: MetadataView | None
    reactions: tuple[ReactionView, ...]
    replies: int
    latest_reply: str


def message(
    row: Mapping[str, Any], *, channel: str, directory: Directory, place: str, after: str | None, today: datetime
) -> MessageView:
    """Draw one row of conversations.history or conversations.replies.

    Args:
        row: the message as Slack's methods show it.
        channel: where it stands.
        directory: names, and who looks.
        place: "messages" or "replies".
        after: ts of the message before it, None if it is the first.
        today: the present moment, for "Today" and "Yesterday".
    """
    ts: str = row["ts"]
    moment = _moment(ts)
    user: str = row.get("user", "")
    author = _author(row, directory)
    text: str = row.get("text", "")
    return MessageView(
        id=f"{place[0]}-{ts.replace('.', '-')}",
        place=place,
        channel=channel,
        ts=ts,
        thread=row.get("thread_ts") or ts,
        author=author,
        initials="".join(word[0] for word in author.replace("-", " ").replace("_", " ").split()[:2]).upper() or "?",
        hue=zlib.crc32((user or author).encode()) % _HUES,
        is_bot="bot_id" in row,
        at=f"{moment:%H:%M}",
        iso=moment.isoformat(),
        full=f"{moment:%A, %d %B %Y, %H:%M:%S} (ts {ts})",
        day=day_of(ts, today) if after is None or _moment(after).date() != moment.date() else "",
        text=shown(text, directory.names),
        source=typed(text, directory.people),
        edited="edited" in row,
        notice=row.get("subtype") in _NOTICES,
        mine=user == directory.me and "bot_id" not in row,
        pinned=_pinned(row, channel, directory),
        metadata=_metadata(row.get("metadata")),
        reactions=tuple(_reaction(reaction, directory) for reaction in row.get("reactions", ())),
        replies=row.get("reply_count", 0),
        latest_reply=f"{_moment(row['latest_reply']):%H:%M}" if row.get("latest_reply") else "",
    )


def day_of(ts: str, today: datetime) -> str:
    """Name the day of a message: "Today", "Yesterday" or "Monday, 23 November 2026"."""
    day = _moment(ts).date()
    if day == today.astimezone().date():
        return "Today"
    if day == today.astimezone().date() - timedelta(days=1):
        return "Yesterday"
    return f"{day:%A}, {day.day} {day:%B %Y}"


def _moment(ts: str) -> datetime:
    return datetime.fromtimestamp(float(ts), tz=UTC).astimezone()


def _author(row: Mapping[str, Any], directory: Directory) -> str:
    profile: Mapping[str, Any] = row.get("bot_profile") or {}
    return str(
        row.get("username") or directory.people.get(row.get("user", "")) or profile.get("name") or row.get("user", "?")
    )


def _pinned(row: Mapping[str, Any], channel: str, directory: Directory) -> str:
    """Say who pinned the message; "" if it is not pinned."""
    if channel not in row.get("pinned_to", ()):
        return ""
    info: Mapping[str, Any] = row.get("pinned_info") or {}
    by: str = info.get("pinned_by", "")
    return f"Pinned by {directory.who([by])}" if by else "Pinned"


def _metadata(metadata: Mapping[str, Any] | None) -> MetadataView | None:
    if not metadata:
        return None
    payload = metadata.get("event_payload", {})
    return MetadataView(
        kind=str(metadata.get("event_type", "")),
        line=json.dumps(payload, ensure_ascii=False),
        json=json.dumps(payload, ensure_ascii=False, indent=2),
    )


def _reaction(reaction: Mapping[str, Any], directory: Directory) -> ReactionView:
    users: list[str] = reaction["users"]
    return ReactionView(
        name=reaction["name"],
        character=character(reaction["name"]),
        count=reaction["count"],
        who=directory.who(users),
        mine=directory.me in users,
    )
