"""The values of a workspace that cross its door: who calls, what is answered, what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Caller",
    "Event",
    "Guest",
    "Kind",
    "Outcome",
    "Payload",
    "PayloadKind",
    "Posting",
    "TokenType",
    "Toll",
]

TokenType = Literal["bot", "app", "user", "operator"]

Kind = Literal["public_channel", "private_channel", "mpim", "im"]
"""The kinds of conversation, by the names in the argument `types` (docs.slack.dev, conversations.list)."""

Guest = Literal["", "restricted", "ultra_restricted"]
"""A guest of several channels, or of one only; "" is a full member (docs.slack.dev, "user" object)."""

Posting = Literal["", "read_only", "thread_only", "non_threadable"]
"""What a channel's posting permissions leave to those who do not own the workspace; "" is everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whom a token stands for.

    Attributes:
        type: a bot token (xoxb-), an app-level token (xapp-), a person's token (xoxp-), or the operator of the
            emulator itself, who has no token and no counterpart in Slack.
        user: the acting user, "U…"; "" for app-level tokens and the operator.
        app: the app the token was awarded to, "A…"; None for the operator.
        bot: the bot id, "B…", of a bot token.
        scopes: what the token may do.
    """

    type: TokenType
    user: str = ""
    app: str | None = None
    bot: str | None = None
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something happened that subscribed apps in the channel are told.

    Attributes:
        inner: the event as Slack sends it inside the wrapper, with `type`, `event_ts` and the rest.
        subscription: the name by which an app subscribes, as "message.channels" or "reaction_added".
        channel: the channel whose members hear of it; None if everybody does.
        to: id of the one app or user who hears of it; "" if all who may.
    """

    inner: Mapping[str, Any]
    subscription: str
    channel: str | None
    to: str = ""


PayloadKind = Literal["interactive", "slash_commands", "options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What an app is sent because a person used it: it must answer within three seconds.

    Attributes:
        app: id of the app.
        kind: "options" are interactive too, and go to a URL of their own.
        url: where it goes without Socket Mode; "" if nowhere.
        interaction: number of the interaction that it belongs to.
        body: Slack's JSON object.
    """

    app: str
    kind: PayloadKind
    url: str
    interaction: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a call did: the reply, as Slack's JSON object with `ok`, and the events and payloads that it caused."""

    reply: Mapping[str, Any]
    events: tuple[Event, ...] = ()
    payloads: tuple[Payload, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """What of a call counts for the rate limits.

    Attributes:
        team: id of the workspace.
        app: id of the app, all of whose tokens share the budgets; of a person's token, the user's.
        method: as "reactions.add".
        channel: id of the channel that is posted to, however the caller named it; "" for none.
        whole: True if a method that answers in pages was called without a `limit`.
        unlisted: True if the app is sold outside the Marketplace.
    """

    team: str
    app: str
    method: str
    channel: str = ""
    whole: bool = False
    unlisted: bool = False
