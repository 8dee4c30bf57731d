"""What the page reads of the workspace: through Slack's own methods, as the person who looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from slackmq.emulator.page import view

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["WINDOW", "Channel", "Reading", "Window"]

WINDOW = 60
"""Messages shown at first, and per click on "older"."""

_MANY = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel in the list on the left; `unread` is a text such as "3" or "99+", "" for none."""

    id: str
    name: str
    topic: str
    members: int
    unread: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of a channel, oldest first, and whether there is more before it."""

    messages: tuple[view.MessageView, ...]
    older: bool


class Reading:
    """One look at the workspace by one person.

    Args:
        ask: calls a method of the Web API as that person and returns Slack's reply.
        me: that person's user id.
        seen: channel id -> ts up to which that person has seen it.
    """

    def __init__(
        self, ask: Callable[[str, Mapping[str, object]], Mapping[str, Any]], *, me: str, seen: Mapping[str, str]
    ) -> None:
        self._ask = ask
        self._seen = seen
        self._listed = self._pages(
            "conversations.list", "channels", {"exclude_archived": True, "types": "public_channel,private_channel"}
        )
        people: dict[str, str] = {
            user["id"]: _inner(user, "profile").get("display_name") or user.get("name", "")
            for user in self._pages("users.list", "members", {})
        }
        names = {channel["id"]: channel["name"] for channel in self._listed}
        self.directory = view.Directory(people=people, channels=names, me=me)

    def channels(self) -> tuple[Channel, ...]:
        """All channels, by name."""
        return tuple(
            Channel(
                id=listed["id"],
                name=listed["name"],
                topic=_inner(listed, "topic").get("value", ""),
                members=listed.get("num_members", 0),
                unread=self._unread(listed["id"]),
            )
            for listed in sorted(self._listed, key=lambda listed: str(listed["name"]))
        )

    def window(self, channel: str, *, before: str | None = None) -> Window:
        """The newest messages, or those before a ts."""
        reply = self._history(channel, limit=WINDOW + 1, **({"latest": before} if before else {}))
        rows = reply.get("messages", [])[::-1]
        older = len(rows) > WINDOW
        after = rows[0]["ts"] if older else None
        return Window(messages=self._drawn(rows[1:] if older else rows, channel, "messages", after), older=older)

    def message(self, channel: str, ts: str) -> view.MessageView | None:
        """One message of the channel's list; None if it is gone, or stands in a thread only."""
        rows = self._history(channel, latest=ts, inclusive=True, limit=2).get("messages", [])
        if not rows or rows[0]["ts"] != ts:
            return None
        return self._drawn(rows[:1], channel, "messages", rows[1]["ts"] if len(rows) > 1 else None)[0]

    def thread(self, channel: str, ts: str) -> tuple[view.MessageView, ...]:
        """The thread that a message stands in, its parent first; empty if there is none."""
        if not ts:
            return ()
        args = {"channel": channel, "ts": ts, "include_all_metadata": True}
        rows = self._pages("conversations.replies", "messages", args)
        unique = {row["ts"]: row for row in rows}  # every page may begin with the parent again
        return self._drawn(list(unique.values()), channel, "replies", ts)

    def placed(self, place: str, channel: str, ts: str) -> view.MessageView | None:
        """One message as it stands in a place, "messages" or "replies"; None if it is gone."""
        if place != "replies":
            return self.message(channel, ts)
        return next((reply for reply in self.thread(channel, ts) if reply.ts == ts), None)

    def _drawn(
        self, rows: Sequence[Mapping[str, Any]], channel: str, place: str, after: str | None
    ) -> tuple[view.MessageView, ...]:
        today = datetime.now(tz=UTC)
        before = [after, *(row["ts"] for row in rows)]
        return tuple(
            view.message(row, channel=channel, directory=self.directory, place=place, after=previous, today=today)
            for row, previous in zip(rows, before, strict=False)
        )

    def _unread(self, channel: str) -> str:
        reply = self._history(channel, limit=_MANY + 1, oldest=self._seen.get(channel, "0"))
        count = sum(row.get("user") != self.directory.me for row in reply.get("messages", []))
        return f"{_MANY}+" if count > _MANY else str(count or "")

    def _history(self, channel: str, **args: object) -> Mapping[str, Any]:
        return self._ask("conversations.history", {"channel": channel, "include_all_metadata": True, **args})

    def _pages(self, method: str, key: str, args: Mapping[str, object]) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        cursor = ""
        while True:
            reply = self._ask(method, {"limit": 200, **args, **({"cursor": cursor} if cursor else {})})
            found += reply.get(key, [])
            cursor = _inner(reply, "response_metadata").get("next_cursor", "")
            if not cursor:
                return found


def _inner(row: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An object in an object; empty if it is absent or null."""
    return row.get(key) or {}
