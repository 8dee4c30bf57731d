"""What the page shows, as values: drawn from the replies of Slack's own methods, before any HTML."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from slackmq.emulator.page.blocks import attachments, blocks
from slackmq.emulator.page.emoji import character
from slackmq.emulator.page.loose import rows, words
from slackmq.emulator.page.mrkdwn import shown, typed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from slackmq.emulator.page.blocks import Attachment, Block
    from slackmq.emulator.page.hands import Hand

__all__ = ["Directory", "FileView", "MessageView", "MetadataView", "ReactionView", "day_of", "message", "time_of"]

_HUES = 8
_KILO = 1024
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif"})
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
class FileView:
    """A file in a message; without an `id` it was deleted."""

    id: str
    name: str
    title: str
    detail: str
    picture: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message as the page shows it.

    Attributes:
        id: the element's id, unique on the page.
        place: "messages" for the channel's list, "replies" for the thread panel.
        day: a heading if the message is the first of its day, else "".
        source: the text for the edit box.
        notice: True for a line that Slack itself wrote, as "… pinned a message".
        blocks: what is shown instead of the text, if the message has blocks.
        whisper: True if only this person sees it.
        hand: the process that works on it or did, if one was seen doing so.
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
    blocks: tuple[Block, ...]
    attachments: tuple[Attachment, ...]
    files: tuple[FileView, ...]
    whisper: bool
    hand: Hand | None


def message(
    row: Mapping[str, Any],
    *,
    channel: str,
    directory: Directory,
    place: str,
    after: str | None,
    today: datetime,
    hand: Hand | None = None,
) -> MessageView:
    """Draw one row of conversations.history or conversations.replies.

    Args:
        row: the message as Slack's methods show it.
        channel: where it stands.
        directory: names, and who looks.
        place: "messages" or "replies".
        after: ts of the message before it, None if it is the first.
        today: the present moment, for "Today" and "Yesterday".
        hand: the process that works on it or did.
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
        hue=zlib.crc32((user or author).encode(errors="surrogatepass")) % _HUES,
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
        latest_reply=time_of(row.get("latest_reply") or ""),
        blocks=_blocks(row, directory),
        attachments=attachments(row.get("attachments"), directory),
        files=tuple(_file(file) for file in rows(row.get("files"))),
        whisper=row.get("is_ephemeral") is True,
        hand=hand,
    )


def time_of(ts: str) -> str:
    """The hour and minute of a message; "" for none."""
    return f"{_moment(ts):%H:%M}" if ts else ""


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


def _blocks(row: Mapping[str, Any], directory: Directory) -> tuple[Block, ...]:
    """The blocks of a message; none for what a person typed, whose text says the same."""
    given = rows(row.get("blocks"))
    typed_in = "bot_id" not in row and all(block.get("type") == "rich_text" for block in given)
    return () if typed_in else blocks(given, directory)


def _file(row: Mapping[str, Any]) -> FileView:
    if row.get("mode") == "tombstone":
        return FileView(id="", name="", title="", detail="", picture=False)
    size = row.get("size", 0)
    amount = f"{size} bytes" if size < _KILO else f"{size / _KILO:.0f} kB"
    return FileView(
        id=words(row.get("id")),
        name=words(row.get("name")),
        title=words(row.get("title")) or words(row.get("name")),
        detail=f"{words(row.get('pretty_type'))}, {amount}",
        picture=row.get("mimetype") in _PICTURES,
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
