"""Slack as the rest of the library sees it, over any wire."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from slackmq.clock import SYSTEM
from slackmq.errors import ChannelNotFound, MissingScope, Refused, TokenRefused
from slackmq.message import seconds
from slackmq.slack.api import TOMBSTONE, Bookmark, Channel, Identity, Page, Urgency
from slackmq.slack.caller import Caller
from slackmq.slack.files import WebFiles
from slackmq.slack.markup import shown
from slackmq.slack.refusals import refusal
from slackmq.slack.rows import in_channel, row
from slackmq.slack.surfaces import WebSurfaces

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from slackmq.clock import Clock
    from slackmq.slack.api import Metadata, Row
    from slackmq.slack.filing import Files
    from slackmq.slack.surfacing import Block, Surfaces
    from slackmq.slack.wire import Wire

__all__ = ["Client"]

_ID = re.compile(r"[CDG][A-Z0-9]+")
"""Ids of channels, direct messages and old private channels; names have no capitals."""

_PAGE = 200
"""Rows a call: "no more than 200 results at a time" is recommended, docs.slack.dev/apis/web-api/pagination."""

_WIDE_PAGE = 999
"""The most that conversations.history gives: docs.slack.dev/reference/methods/conversations.history."""

_WIDE = 3600.0
"""Seconds of a window from which on few large pages are better than many small ones."""


class Client:
    """A workspace over a wire; implements `slackmq.slack.api.Slack`.

    Args:
        wire: how calls reach Slack; closed by `aclose`.
        clock: where time comes from.

    Attributes:
        caller: the calls below the verbs, with their budgets.
        files: files in channels.
        surfaces: whispers, Home tabs, groups of people.
    """

    def __init__(self, wire: Wire, *, clock: Clock = SYSTEM) -> None:
        self.caller = Caller(wire, clock)
        self.files: Files = WebFiles(self.caller, wire)
        self.surfaces: Surfaces = WebSurfaces(self.caller)
        self._identity: Identity | None = None
        self._listed: dict[str, Channel] = {}

    def now(self) -> float:
        """A moment by Slack's clock that certainly is over, in seconds since 1970; 0 before any answer came."""
        return self.caller.now()

    async def identity(self) -> Identity:
        """Who we are. Asked once and kept.

        Raises:
            TokenRefused: the token is absent, wrong, revoked, or no bot token.
        """
        if self._identity is None:
            self._identity = _identity(await self.caller.read("auth.test", {}, urgency=Urgency.CLAIM))
        return self._identity

    async def channel(self, name: str) -> Channel:
        """Find a channel by "#name", "name" or id.

        Raises:
            ChannelNotFound: there is none, or it is private and the bot was not invited.
        """
        if _ID.fullmatch(name):
            found = await self.caller.read("conversations.info", {"channel": name}, urgency=Urgency.CLAIM)
            return _channel(found["channel"])
        name = name.removeprefix("#")
        # Where the bot is no member yet it may be invited any moment, so that is asked again.
        if name not in self._listed or not self._listed[name].member:
            await self._list(name)
        return self._listed[name]

    async def post(
        self,
        channel: str,
        text: str,
        *,
        metadata: Metadata | None = None,
        thread: str | None = None,
        blocks: Sequence[Block] = (),
        urgency: Urgency = Urgency.CLAIM,
    ) -> str:
        """Post a message, or a reply to `thread`; returns its ts. Sent once: an unanswered post is `Ambiguous`.

        Nobody is mentioned and nothing is linked by accident: a text that is no `Mrkdwn` is escaped. `blocks` are shown
        instead of the text where there are any.
        """
        # A preview of a link would arrive as an edit of the message, so none is asked for.
        args: dict[str, object] = {
            "channel": channel,
            "text": shown(text),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if thread is not None:
            args["thread_ts"] = thread
        if blocks:
            args["blocks"] = list(blocks)
        if metadata is not None:
            args["metadata"] = _sealed(metadata)
        posted = await self.caller.write("chat.postMessage", args, urgency=urgency, channel=channel)
        ts = str(posted["ts"])
        self.caller.posted(ts)
        return ts

    async def edit(
        self,
        channel: str,
        ts: str,
        text: str,
        *,
        metadata: Metadata | None = None,
        blocks: Sequence[Block] | None = None,
        urgency: Urgency = Urgency.CLAIM,
    ) -> None:
        """Replace the text of an own message; without `metadata` the old metadata stays.

        A message that was posted with blocks needs `blocks`, at least (): where none are named, Slack may keep them.
        """
        args: dict[str, object] = {"channel": channel, "ts": ts, "text": shown(text)}
        if blocks is not None:
            args["blocks"] = list(blocks)
        if metadata is not None:
            args["metadata"] = _sealed(metadata)
        await self.caller.write("chat.update", args, urgency=urgency)

    def spare(self, call: Literal["react", "pin", "post", "edit"], channel: str | None = None) -> float:
        """How many of these calls may be made at once, as far as this process can tell, before one has to wait."""
        methods = {"react": "reactions.add", "pin": "pins.add", "post": "chat.postMessage", "edit": "chat.update"}
        return self.caller.pacing.left(methods[call], channel)

    async def react(self, channel: str, ts: str, emoji: str, *, urgency: Urgency = Urgency.CLAIM) -> float:
        """Put an emoji on a message, as a write-once register of this bot user.

        Returns:
            When the request that took effect was sent, on this process's monotonic clock.

        Raises:
            AlreadyReacted: it stands there already.
        """
        args = {"channel": channel, "timestamp": ts, "name": emoji}
        _, sent = await self.caller.write_timed("reactions.add", args, urgency=urgency)
        return sent

    async def pin(self, channel: str, ts: str, *, urgency: Urgency = Urgency.CLAIM) -> float:
        """Pin a message: only one user of the workspace can.

        Returns:
            When the request that took effect was sent, on this process's monotonic clock.

        Raises:
            AlreadyPinned: it is pinned, by whomever.
            TooManyPins: the channel has as many pins as Slack allows.
        """
        _, sent = await self.caller.write_timed("pins.add", {"channel": channel, "timestamp": ts}, urgency=urgency)
        return sent

    async def unpin(self, channel: str, ts: str, *, urgency: Urgency = Urgency.SCAN) -> bool:
        """Take the pin off a message, whoever pinned it; False if there was none."""
        try:
            await self.caller.write("pins.remove", {"channel": channel, "timestamp": ts}, urgency=urgency)
        except Refused as error:
            if error.code not in {"no_pin", "not_pinned"}:
                raise
            return False
        return True

    async def unreact(self, channel: str, ts: str, emoji: str, *, urgency: Urgency = Urgency.SCAN) -> bool:
        """Take an own emoji off a message; False if there was none."""
        args = {"channel": channel, "timestamp": ts, "name": emoji}
        try:
            await self.caller.write("reactions.remove", args, urgency=urgency)
        except Refused as error:
            if error.code != "no_reaction":
                raise
            return False
        return True

    async def bookmarks(self, channel: str) -> tuple[Bookmark, ...]:
        """The links at the head of a channel."""
        found = await self.caller.read("bookmarks.list", {"channel_id": channel}, urgency=Urgency.CLAIM)
        return tuple(_bookmark(entry) for entry in found.get("bookmarks") or ())

    async def bookmark(self, channel: str, title: str, link: str) -> Bookmark:
        """Add a link to the head of a channel."""
        args = {"channel_id": channel, "title": title, "type": "link", "link": link}
        made = await self.caller.write("bookmarks.add", args, urgency=Urgency.CLAIM)
        return _bookmark(made["bookmark"])

    async def unbookmark(self, channel: str, ident: str) -> None:
        """Take a link away; nothing happens if it is gone."""
        args = {"channel_id": channel, "bookmark_id": ident}
        try:
            await self.caller.write("bookmarks.remove", args, urgency=Urgency.CLAIM)
        except Refused as error:
            if error.code != "not_found":
                raise

    async def history(self, channel: str, *, oldest: float, latest: float | None = None) -> Page:
        """Read the messages with oldest < ts <= latest (seconds since 1970), all pages of it."""
        read_at = self.now()
        wide = (read_at if latest is None else latest) - oldest > _WIDE
        after = f"{max(oldest, 0):.6f}"
        begins = seconds(after)
        args: dict[str, object] = {
            "channel": channel,
            "limit": _WIDE_PAGE if wide else _PAGE,
            "include_all_metadata": True,
            "oldest": after,
        }
        if latest is not None:
            args |= {"latest": f"{latest:.6f}", "inclusive": True}
        rows: dict[str, Row] = {}
        async for message in self._pages("conversations.history", args, "messages", urgency=Urgency.SCAN):
            seen = row(message)
            # `inclusive` counts for both ends, and we want only the later one.
            if in_channel(seen) and seconds(seen.ts) > begins:
                rows[seen.ts] = seen
        return Page(rows=tuple(rows[ts] for ts in sorted(rows, key=seconds)), read_at=read_at)

    async def row(self, channel: str, ts: str) -> Row | None:
        """Read one message; None if it cannot be seen."""
        args = {
            "channel": channel,
            "oldest": ts,
            "latest": ts,
            "inclusive": True,
            "limit": 1,
            "include_all_metadata": True,
        }
        found = await self.caller.read("conversations.history", args, urgency=Urgency.CLAIM)
        rows = (row(message) for message in found.get("messages") or () if message["ts"] == ts)
        return next((seen for seen in rows if seen.subtype != TOMBSTONE), None)

    async def replies(self, channel: str, ts: str, *, urgency: Urgency = Urgency.SCAN) -> tuple[Row, ...]:
        """Read the replies of a thread, oldest first, without its parent.

        Raises:
            MessageGone: there is no such message.
        """
        args = {"channel": channel, "ts": ts, "limit": _PAGE, "include_all_metadata": True}
        rows: dict[str, Row] = {}
        async for message in self._pages("conversations.replies", args, "messages", urgency=urgency):
            rows[message["ts"]] = row(message)
        rows.pop(ts, None)
        return tuple(rows[reply] for reply in sorted(rows, key=seconds))

    async def aclose(self) -> None:
        """Close the connections."""
        await self.caller.aclose()

    async def _list(self, name: str) -> None:
        """Keep all channels that the token shows, or raise if the one with this name is not among them."""
        try:
            await self._keep("public_channel,private_channel")
        except MissingScope:  # a bot for public channels alone needs no groups:read
            await self._keep("public_channel")
        if name not in self._listed:
            raise _absent(name)

    async def _keep(self, types: str) -> None:
        args = {"types": types, "limit": _PAGE}
        async for entry in self._pages("conversations.list", args, "channels", urgency=Urgency.CLAIM):
            found = _channel(entry)
            self._listed[found.name] = found

    async def _pages(
        self, method: str, args: Mapping[str, object], key: str, *, urgency: Urgency
    ) -> AsyncIterator[Mapping[str, Any]]:
        """The entries of all pages: docs.slack.dev/apis/web-api/pagination."""
        cursor = ""
        while True:
            page = await self.caller.read(method, {**args, "cursor": cursor} if cursor else args, urgency=urgency)
            for entry in page.get(key) or ():
                yield entry
            more: Mapping[str, Any] = page.get("response_metadata") or {}
            cursor = str(more.get("next_cursor") or "")
            if not cursor:
                return


def _bookmark(entry: Mapping[str, Any]) -> Bookmark:
    return Bookmark(
        id=str(entry["id"]),
        title=str(entry.get("title") or ""),
        link=str(entry.get("link") or ""),
        created=int(entry.get("date_created") or 0),
        by=str(entry.get("last_updated_by_user_id") or ""),
        rank=str(entry.get("rank") or ""),
    )


def _identity(body: Mapping[str, Any]) -> Identity:
    if not body.get("bot_id"):
        raise TokenRefused(
            "This is no bot's token.",
            method="auth.test",
            code="not_allowed_token_type",
            remedy="SLACK_BOT_TOKEN takes the token that starts with xoxb-.",
        )
    app = body.get("app_id")
    return Identity(
        team=str(body["team_id"]),
        user=str(body["user_id"]),
        bot=str(body["bot_id"]),
        app=str(app) if app else None,
        url=str(body.get("url") or ""),
    )


def _channel(entry: Mapping[str, Any]) -> Channel:
    return Channel(
        id=str(entry["id"]),
        name=str(entry.get("name") or ""),
        member=bool(entry.get("is_member") or entry.get("is_im")),
        archived=bool(entry.get("is_archived")),
    )


def _sealed(metadata: Metadata) -> dict[str, object]:
    return {"event_type": metadata.type, "event_payload": dict(metadata.payload)}


def _absent(name: str) -> ChannelNotFound:
    cause = f'There is no channel "#{name}", or it is private and the bot is no member.'
    found = refusal("conversations.list", {"error": "channel_not_found"})
    return ChannelNotFound(cause, method="conversations.list", code="channel_not_found", remedy=found.remedy)
