"""What the page reads of the workspace: through Slack's own methods, as the person who looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from slackmq.emulator.page import view
from slackmq.emulator.page.loose import row_in, words
from slackmq.emulator.page.sidebar import places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from slackmq.emulator.page.hands import Hand
    from slackmq.emulator.page.sidebar import Place
    from slackmq.emulator.page.stores import Stores, Table

__all__ = ["WINDOW", "Found", "Reading", "Window"]

WINDOW = 60
"""Messages shown at first, and per click on "older"."""

_MANY = 99
_FAR = 999
"""Messages at most between a message that somebody wants to see and the newest."""
_SEARCHED = 2000
"""The newest messages of each conversation that a search looks at."""
_FOUND = 50
_READ = frozenset({"text", "title", "pretext", "fallback", "alt_text"})
"""Keys of blocks and attachments whose strings are read by people."""
_KINDS = "public_channel,private_channel,im,mpim"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of a channel, oldest first, and whether there is more before it."""

    messages: tuple[view.MessageView, ...]
    older: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A message that a search or the list of pins names, and where it stands."""

    place: Place
    message: view.MessageView


class Reading:
    """One look at the workspace by one person.

    Args:
        ask: calls a method of the Web API as that person and returns Slack's reply.
        me: that person's user id.
        seen: channel id -> ts up to which that person has seen it.
        since: ts up to which everything counts as seen.
        whispers: what only that person sees, oldest first.
        hand: tells who works on a message.
        stores: knows which channels are stores; None: none is.
    """

    def __init__(
        self,
        ask: Callable[[str, Mapping[str, object]], Mapping[str, Any]],
        *,
        me: str,
        seen: Mapping[str, str],
        since: str = "0",
        whispers: Sequence[Mapping[str, Any]] = (),
        hand: Callable[[str, str], Hand | None] = lambda _channel, _ts: None,
        stores: Stores | None = None,
    ) -> None:
        self._ask = ask
        self._stores = stores
        self._seen = seen
        self._since = since
        self._hand = hand
        self.whispers = whispers
        self._listed = self._pages("conversations.list", "channels", {"exclude_archived": True, "types": _KINDS})
        people: dict[str, str] = {
            user["id"]: row_in(user.get("profile")).get("display_name") or user.get("name", "")
            for user in self._pages("users.list", "members", {})
        }
        names = {channel["id"]: channel["name"] for channel in self._listed if "name" in channel}
        self.directory = view.Directory(people=people, channels=names, me=me)

    def channels(self) -> tuple[Place, ...]:
        """All conversations, channels first."""
        return places(self._listed, self.directory, {row["id"]: self._unread(row["id"]) for row in self._listed})

    def busiest(self) -> str | None:
        """The conversation that matters: with the newest message of somebody else, if any, else the newest of all."""
        newest = [
            (bool(self._unread(row["id"])), message["ts"], row["id"])
            for row in self._listed
            for message in self._history(row["id"], limit=1).get("messages", [])
        ]
        return max(newest)[2] if newest else None

    def window(self, channel: str, *, before: str | None = None, at: str = "") -> Window:
        """The newest messages, or those before a ts; with `at` as many as it takes to show that one."""
        limit = WINDOW
        if at:
            after = self._history(channel, limit=_FAR, oldest=at, inclusive=True).get("messages", [])
            limit = min(_FAR - 1, max(WINDOW, len(after) + WINDOW // 2))
        reply = self._history(channel, limit=limit + 1, **({"latest": before} if before else {}))
        rows = reply.get("messages", [])[::-1]
        older = len(rows) > limit
        after_ts = rows[0]["ts"] if older else None
        rows = rows[1:] if older else rows
        rows = sorted([*rows, *self._whispered(channel, rows, before)], key=lambda row: str(row["ts"]))
        return Window(messages=self._drawn(rows, channel, "messages", after_ts), older=older)

    def whisper(self, row: Mapping[str, Any]) -> view.MessageView:
        """One message that only this person sees."""
        place = "replies" if "thread_ts" in row else "messages"
        return self._drawn([row], row["channel"], place, row["ts"])[0]

    def pins(self, channel: str) -> tuple[view.MessageView, ...]:
        """What is pinned in a channel, the newest pin first."""
        items = self._ask("pins.list", {"channel": channel}).get("items", [])
        rows = [item["message"] for item in items if "message" in item]
        return tuple(self._drawn([row], channel, "pins", row["ts"])[0] for row in rows)

    def is_store(self, channel: str) -> bool:
        """Whether programs keep state in a channel."""
        return self._stores is not None and self._stores.holds(self._ask, channel)

    def table(self, channel: str) -> Table | None:
        """The state that programs keep in a channel, None if they keep none."""
        return None if self._stores is None else self._stores.table(self._ask, channel, self.directory)

    def found(self, query: str) -> tuple[Found, ...]:
        """The messages that hold all these words, the newest first."""
        wanted = query.lower().split()
        hits: list[tuple[str, Found]] = []
        for place in places(self._listed, self.directory, {}) if wanted else ():
            for row in self._newest(place.id):
                text = " ".join(_said(row)).lower()
                if all(word in text for word in wanted):
                    shown = self._drawn([row], place.id, "found", row["ts"])[0]
                    hits.append((row["ts"], Found(place=place, message=shown)))
        return tuple(hit for _, hit in sorted(hits, key=lambda hit: hit[0], reverse=True)[:_FOUND])

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
        unique |= {row["ts"]: row for row in self._whispers_of(channel, next(iter(unique), ""))}
        return self._drawn(sorted(unique.values(), key=lambda row: str(row["ts"])), channel, "replies", ts)

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
            view.message(
                row,
                channel=channel,
                directory=self.directory,
                place=place,
                after=previous,
                today=today,
                hand=self._hand(channel, row["ts"]),
            )
            for row, previous in zip(rows, before, strict=False)
        )

    def _whispered(
        self, channel: str, rows: Sequence[Mapping[str, Any]], before: str | None
    ) -> list[Mapping[str, Any]]:
        """The whispers that stand among these messages; after the newest ones all that came later."""
        first = rows[0]["ts"] if rows else "0"
        here = [row for row in self.whispers if row["channel"] == channel and "thread_ts" not in row]
        return [row for row in here if first <= row["ts"] and (not before or row["ts"] < before)]

    def _whispers_of(self, channel: str, thread: str) -> list[Mapping[str, Any]]:
        """What is whispered in a thread."""
        return [row for row in self.whispers if row["channel"] == channel and row.get("thread_ts") == thread != ""]

    def _newest(self, channel: str) -> list[Mapping[str, Any]]:
        """The newest messages of a channel, replies in threads included, without order."""
        parents = self._pages("conversations.history", "messages", {"channel": channel}, most=_SEARCHED)
        found = {row["ts"]: row for row in parents}
        for row in parents:
            if row.get("reply_count"):
                replies = self._pages("conversations.replies", "messages", {"channel": channel, "ts": row["ts"]})
                found.update({reply["ts"]: reply for reply in replies})
        return list(found.values())

    def _unread(self, channel: str) -> str:
        reply = self._history(channel, limit=_MANY + 1, oldest=self._seen.get(channel, self._since))
        count = sum(row.get("user") != self.directory.me for row in reply.get("messages", []))
        return f"{_MANY}+" if count > _MANY else str(count or "")

    def _history(self, channel: str, **args: object) -> Mapping[str, Any]:
        return self._ask("conversations.history", {"channel": channel, "include_all_metadata": True, **args})

    def _pages(
        self, method: str, key: str, args: Mapping[str, object], *, most: int | None = None
    ) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        cursor = ""
        while True:
            reply = self._ask(method, {"limit": 200, **args, **({"cursor": cursor} if cursor else {})})
            found += reply.get(key, [])
            cursor = row_in(reply.get("response_metadata")).get("next_cursor", "")
            if not cursor or (most is not None and len(found) >= most):
                return found


def _said(row: Mapping[str, Any]) -> Iterator[str]:
    """What one reads in a message: its text, who it is by, and the texts and titles in its blocks and attachments."""
    yield words(row.get("text"))
    yield words(row.get("username"))
    for name in ("blocks", "attachments"):
        yield from _texts(row.get(name))


def _texts(node: object) -> Iterator[str]:
    match node:
        case dict():
            for name, value in cast("dict[str, object]", node).items():
                if name in _READ and isinstance(value, str):
                    yield value
                else:
                    yield from _texts(value)
        case list():
            for value in cast("list[object]", node):
                yield from _texts(value)
        case _:
            return
