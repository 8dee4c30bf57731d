"""What a workspace remembers. One owner: the Workspace; the methods change it only through a call.

Rows are never changed in place: whoever changes a message builds a new row. So a row that was handed out, or
stands in an event as `previous_message`, stays as it was, and reading copies nothing deeply.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from slackmq.emulator.stored_file import StoredFile
from slackmq.emulator.surfaces import Surfaces
from slackmq.emulator.timestamps import ts_of

if TYPE_CHECKING:
    from slackmq.emulator.app_secrets import Credentials
    from slackmq.emulator.content import Content
    from slackmq.emulator.manifest import Manifest
    from slackmq.emulator.model import Caller, Guest, Kind, Posting
    from slackmq.emulator.seed import Seed

__all__ = ["App", "Channel", "Group", "Pin", "Row", "Scheduled", "State", "Stored", "User"]

Row = dict[str, Any]
"""A message as Slack's JSON object."""

_NOTHING: Row = {"value": "", "creator": "", "last_set": 0}
"""A topic or purpose that nobody has set."""


@dataclass(slots=True, kw_only=True)
class App:
    """An app in this workspace.

    Attributes:
        hears: the events it is subscribed to and has the scope for.
        manifest: what it was installed from; None if the operator said what it may do, without one.
        profile: the `bot_profile` in its messages.
        credentials: what it keeps in every workspace that it is installed in.
        unlisted: True if it is sold, but not in Slack's Marketplace: then it reads history slowly.
    """

    name: str
    bot_user: str
    bot_id: str
    bot_token: str
    scopes: frozenset[str]
    events: tuple[str, ...]
    hears: frozenset[str]
    manifest: Manifest | None = None
    profile: Row
    credentials: Credentials
    created: int
    revoked: bool = False
    unlisted: bool = False

    @property
    def id(self) -> str:
        """Its id, the same in every workspace."""
        return self.credentials.app

    @property
    def app_token(self) -> str:
        """Opens its connections."""
        return self.credentials.app_token


@dataclass(slots=True, kw_only=True)
class User:
    """A person or a bot.

    Attributes:
        token: a person's own; "" for bots.
        app: a bot's app.
        guest: how little a person may see; "" for members.
        away: True if the person said so.
        profile: what the person changed of the profile.
        stars: the starred items, as (channel, ts), each with when, in seconds since 1970; ts "" is the channel.
        updated: when the profile last changed, in seconds since 1970.
    """

    id: str
    name: str
    created: int
    token: str = ""
    app: App | None = None
    deleted: bool = False
    email: str = ""
    guest: Guest = ""
    away: bool = False
    updated: int = 0
    profile: Row = field(default_factory=dict[str, Any])
    stars: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])


@dataclass(slots=True, kw_only=True)
class Stored:
    """A message.

    Attributes:
        row: as reads show it, its metadata reduced to the type.
        metadata: the whole metadata.
        thread: ts of the parent of a reply; None for others.
        replies: ts of the replies, in order.
        broadcast: True for a reply that is shown in the channel too.
        locked: True for a parent whose thread takes nothing more.
    """

    row: Row
    metadata: Row | None = None
    thread: str | None = None
    replies: list[str] = field(default_factory=list[str])
    broadcast: bool = False
    locked: bool = False

    @property
    def full(self) -> Row:
        """The row with all of its metadata."""
        return self.row if self.metadata is None else {**self.row, "metadata": self.metadata}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A message pinned to its channel: by whom and when, in seconds since 1970."""

    ts: str
    by: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of people by their user ids, made and changed at these moments, in seconds since 1970."""

    id: str
    handle: str
    users: tuple[str, ...]
    created: int
    updated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A message that waits for its time.

    Attributes:
        caller: who posts it.
        channel: id of the channel.
        post_at: when it is to be posted, in seconds since 1970.
        created: when it was written, in seconds since 1970.
        thread: ts of the parent, if it is a reply.
        broadcast: True if the reply is shown in the channel too.
    """

    id: str
    caller: Caller
    channel: str
    post_at: int
    created: int
    content: Content
    thread: str | None
    broadcast: bool


@dataclass(slots=True, kw_only=True)
class Channel:
    """A conversation of any kind, its members in the order they came, its messages by ts.

    Attributes:
        name: unique among channels; of a direct message, what Slack makes of the members' names.
        everybody: True if whoever is new in the workspace becomes a member.
        shown: ts of the messages that history shows, rising; replies are not among them.
        read: user id -> ts up to which the user has read.
        posting: what may be posted by those who do not own the workspace.
        closed: users who do not see this direct message in their list.
        bookmarks: the links above the channel, by id.
        last: the last moment at which something happened here, in microseconds since 1970.
    """

    id: str
    name: str
    creator: str
    created: int
    kind: Kind = "public_channel"
    general: bool = False
    everybody: bool = False
    archived: bool = False
    posting: Posting = ""
    members: dict[str, None] = field(default_factory=dict[str, None])
    messages: dict[str, Stored] = field(default_factory=dict[str, Stored])
    shown: list[str] = field(default_factory=list[str])
    pins: dict[str, Pin] = field(default_factory=dict[str, Pin])
    topic: Row = field(default_factory=_NOTHING.copy)
    purpose: Row = field(default_factory=_NOTHING.copy)
    previous_names: list[str] = field(default_factory=list[str])
    read: dict[str, str] = field(default_factory=dict[str, str])
    closed: set[str] = field(default_factory=set[str])
    bookmarks: dict[str, Row] = field(default_factory=dict[str, Row])
    last: int = 0

    @property
    def private(self) -> bool:
        """True if only members know of it."""
        return self.kind != "public_channel"

    @property
    def direct(self) -> bool:
        """True for a direct message, of two or of several."""
        return self.kind in {"im", "mpim"}

    def stamp(self, now: int) -> str:
        """A ts of its own for what happens now: later than everything that happened here before."""
        self.last = max(now, self.last + 1)
        return ts_of(self.last)

    def add(self, ts: str, message: Stored) -> None:
        """Take in a new message; `ts` must come from `stamp`."""
        self.messages[ts] = message
        if message.thread is None or message.broadcast:
            self.shown.append(ts)

    def show(self, ts: str) -> None:
        """Have history show a reply that it did not show before."""
        insort(self.shown, ts)

    def remove(self, ts: str) -> None:
        """Forget a message and its pin."""
        del self.messages[ts]
        self.pins.pop(ts, None)
        at = bisect_left(self.shown, ts)
        if at < len(self.shown) and self.shown[at] == ts:
            del self.shown[at]

    def window(self, oldest: str, latest: str, *, inclusive: bool) -> tuple[int, int]:
        """The range of `shown` between the two edges, either of which may be "" for none."""
        low, high = (bisect_left, bisect_right) if inclusive else (bisect_right, bisect_left)
        return low(self.shown, oldest) if oldest else 0, high(self.shown, latest) if latest else len(self.shown)


@dataclass(slots=True, kw_only=True)
class State:
    """Everything in the workspace, by id.

    Attributes:
        surfaces: where people and apps meet, besides messages.
        files: the files, by id.
        origin: the scheme and host at which this workspace is reached, without a slash at the end.
        names: channel ids by channel name, archived channels included: their names stay taken.
        directs: ids of the direct messages by who is in them.
        scheduled: the messages that wait for their time, by id.
        reacted: user id -> (channel, ts) of the messages with a reaction by the user, in the order of the first one.
        groups: the groups of people, by id.
        emoji: custom emoji by name: an address, or "alias:" and a name.
        bots: the apps by bot id.
        tokens: whom each token stands for.
        refused: tokens that are valid no more, and the error code they get.
    """

    seed: Seed
    origin: str = "https://slack.com"
    surfaces: Surfaces = field(default_factory=Surfaces)
    files: dict[str, StoredFile] = field(default_factory=dict[str, StoredFile])
    users: dict[str, User] = field(default_factory=dict[str, User])
    apps: dict[str, App] = field(default_factory=dict[str, App])
    bots: dict[str, App] = field(default_factory=dict[str, App])
    channels: dict[str, Channel] = field(default_factory=dict[str, Channel])
    names: dict[str, str] = field(default_factory=dict[str, str])
    directs: dict[frozenset[str], str] = field(default_factory=dict[frozenset[str], str])
    scheduled: dict[str, Scheduled] = field(default_factory=dict[str, Scheduled])
    reacted: dict[str, dict[tuple[str, str], None]] = field(
        default_factory=dict[str, dict[tuple[str, str], None]],
    )
    groups: dict[str, Group] = field(default_factory=dict[str, Group])
    emoji: dict[str, str] = field(default_factory=dict[str, str])
    tokens: dict[str, Caller] = field(default_factory=dict[str, "Caller"])
    refused: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def url(self) -> str:
        """The workspace's address, with a slash at the end."""
        return f"https://{self.seed.domain}.slack.com/"

    def keep(self, channel: Channel) -> None:
        """Take in a direct message that is new; one that is known stays as it is."""
        if channel.id not in self.channels:
            self.channels[channel.id] = channel
            self.directs[frozenset(channel.members)] = channel.id
