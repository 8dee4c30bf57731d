"""The dozen things we ever ask of Slack, as one Protocol, with promises and non-promises."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol

from slackmq.slack.surfacing import HomeOpened, Pressed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from slackmq.slack.filing import Files
    from slackmq.slack.surfacing import Block, Surfaces

__all__ = [
    "TOMBSTONE",
    "Added",
    "Arrived",
    "Bookmark",
    "Changed",
    "Channel",
    "Connected",
    "Deleted",
    "Disconnected",
    "Event",
    "Events",
    "HomeOpened",
    "Identity",
    "Metadata",
    "Page",
    "Pin",
    "Pinned",
    "Pressed",
    "Row",
    "Slack",
    "Unpinned",
    "Urgency",
]


TOMBSTONE = "tombstone"
"""The subtype of what stands in place of a deleted message that had replies."""


class Urgency(IntEnum):
    """Who goes first when a method's budget is short: the lower number."""

    DONE = 0
    """A finished job's mark: until it stands, the work may be repeated."""
    BEAT = 1
    """An extension: without it a running job is lost."""
    CLAIM = 2
    """A new claim, or a post by a program."""
    SCAN = 3
    """A look at the channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this token is: `auth.test`; `url` is where people find the workspace, "" if Slack does not say."""

    team: str
    user: str
    bot: str
    app: str | None = None
    url: str = ""

    def link(self, channel: str, ts: str) -> str:
        """The address of a message, as `chat.getPermalink` gives it, without a call."""
        return f"{self.url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel by its id ("C…") and its name without "#"; whether the bot is a member, and whether it is archived."""

    id: str
    name: str
    member: bool
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a program attaches to a message for programs: a type, and a JSON object."""

    type: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """Who pinned a message, and when: whole seconds since 1970 by Slack's clock, rounded down."""

    by: str
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """A link at the head of a channel.

    Attributes:
        id: its id.
        title: what people read.
        link: where it leads.
        created: when it was made, whole seconds since 1970 by Slack's clock.
        by: user id of who changed it last, "" if Slack does not say.
        rank: its place among the links: of two the left one's is the lesser string; "" if Slack does not say.
    """

    id: str
    title: str
    link: str
    created: int
    by: str
    rank: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A message of a channel or thread as a read or an event showed it.

    Attributes:
        ts: its timestamp and identity.
        user: user id of its author ("" for a classic bot).
        bot: bot id of its author, None for a person.
        subtype: Slack's subtype, None for an ordinary message.
        thread: ts of the parent, None outside threads (a parent names itself).
        edited: True if it was edited after it was posted.
        reactions: emoji name -> user ids that put it there. Events carry none: {} then means "not told".
        replies: how many replies its thread has.
        latest_reply: ts of the newest reply, None if there is none.
        metadata: what its author attached.
        pin: who pinned it; None if nobody did, or in an event, which does not tell.
    """

    ts: str
    user: str
    text: str
    bot: str | None = None
    subtype: str | None = None
    thread: str | None = None
    edited: bool = False
    reactions: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    replies: int = 0
    latest_reply: str | None = None
    metadata: Metadata | None = None
    pin: Pin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A complete read of a window of a channel, however many calls it took.

    Attributes:
        rows: the window's messages, oldest first, thread replies left out.
        read_at: a moment by Slack's clock that certainly was over when the reading began.
    """

    rows: tuple[Row, ...]
    read_at: float


class Slack(Protocol):
    """A workspace, seen through one bot token.

    Promised: a call that returns took effect before it returned. A call that raises `Refused` or `RateLimited`
    did not take effect and never will. A call that raises `Ambiguous` may take effect at any later time.
    Of several `react` calls by one bot user with one emoji on one message, at most one returns normally; the
    others raise `AlreadyReacted`. Of several `pin` calls on one message that nobody unpins meanwhile, by whatever
    app, at most one returns normally; the others raise `AlreadyPinned`.

    Not promised: that a read shows what was written a moment ago, that messages become visible in the order of
    their `ts`, that a call comes through at all. Rate limits are waited out inside (`pacing`), so a call may take
    minutes; whoever has a deadline wraps it in a timeout, and treats the timeout as `Ambiguous`.
    """

    @property
    def files(self) -> Files:
        """Files in channels."""
        ...

    @property
    def surfaces(self) -> Surfaces:
        """Whispers, Home tabs, groups of people."""
        ...

    def now(self) -> float:
        """A moment by Slack's clock that certainly is over, in seconds since 1970; at most a few seconds old."""
        ...

    async def identity(self) -> Identity:
        """Who we are. Asked once and kept."""
        ...

    async def channel(self, name: str) -> Channel:
        """Find a channel by "#name", "name" or id.

        Raises:
            ChannelNotFound: there is none, or it is private and the bot was not invited.
        """
        ...

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

        Nobody is mentioned and nothing is linked by accident: a text that is no `Mrkdwn` is shown character by
        character. `blocks` are shown instead of the text where there are any.
        """
        ...

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
        ...

    async def react(self, channel: str, ts: str, emoji: str, *, urgency: Urgency = Urgency.CLAIM) -> float:
        """Put an emoji on a message, as a write-once register of this bot user.

        Returns:
            When the request that took effect was sent, on this process's monotonic clock: waiting for the budget
            comes before it, so a lease that is counted from here is not shortened by it.

        Raises:
            AlreadyReacted: it stands there already; somebody with this token was first, perhaps an earlier,
                unanswered call of this very process.
        """
        ...

    def spare(self, call: Literal["react", "pin", "post", "edit"], channel: str | None = None) -> float:
        """How many of these calls may be made at once, as far as this process can tell, before one has to wait.

        Posts are counted for each channel.
        """
        ...

    async def pin(self, channel: str, ts: str, *, urgency: Urgency = Urgency.CLAIM) -> float:
        """Pin a message: only one user of the workspace can.

        Returns:
            When the request that took effect was sent, on this process's monotonic clock.

        Raises:
            AlreadyPinned: it is pinned, by whomever.
            TooManyPins: the channel has as many pins as Slack allows.
        """
        ...

    async def unpin(self, channel: str, ts: str, *, urgency: Urgency = Urgency.SCAN) -> bool:
        """Take the pin off a message, whoever pinned it; False if there was none."""
        ...

    async def unreact(self, channel: str, ts: str, emoji: str, *, urgency: Urgency = Urgency.SCAN) -> bool:
        """Take an own emoji off a message; False if there was none. Never a claim's: those stay for ever."""
        ...

    async def bookmarks(self, channel: str) -> tuple[Bookmark, ...]:
        """The links at the head of a channel."""
        ...

    async def bookmark(self, channel: str, title: str, link: str) -> Bookmark:
        """Add a link to the head of a channel."""
        ...

    async def unbookmark(self, channel: str, ident: str) -> None:
        """Take a link away; nothing happens if it is gone."""
        ...

    async def history(self, channel: str, *, oldest: float, latest: float | None = None) -> Page:
        """Read the messages with oldest < ts <= latest (seconds since 1970), all pages of it."""
        ...

    async def row(self, channel: str, ts: str) -> Row | None:
        """Read one message; None if it cannot be seen, or was deleted."""
        ...

    async def replies(self, channel: str, ts: str, *, urgency: Urgency = Urgency.SCAN) -> tuple[Row, ...]:
        """Read the replies of a thread, oldest first, without its parent."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """The socket is open (again); what was missed meanwhile only history tells.

    Attributes:
        connections: how many sockets this app has open, this one included, as Slack said at that moment.
    """

    connections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected:
    """The socket is closed and does not open again at once: until `Connected` nothing is heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A message was posted. `redelivered` is True if Slack marked the event as a repetition."""

    channel: str
    row: Row
    redelivered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A message was edited; `row` is how it stands now."""

    channel: str
    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A message was deleted."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A reaction was put on a message."""

    channel: str
    ts: str
    emoji: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A message was pinned."""

    channel: str
    ts: str
    pin: Pin


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpinned:
    """A pin was taken off a message, by `user`."""

    channel: str
    ts: str
    user: str


Event = Connected | Disconnected | Arrived | Changed | Deleted | Added | Pinned | Unpinned | Pressed | HomeOpened


class Events(Protocol):
    """Hints of what happens. Each event reaches one of the app's connections, late, twice or never."""

    def listen(self) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Connect, stay connected, and yield what comes; leaving the context disconnects.

        Raises:
            TokenRefused: the app-level token is absent or wrong.
        """
        ...
