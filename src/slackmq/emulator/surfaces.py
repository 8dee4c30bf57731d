"""Where people and apps meet besides messages: modals and home tabs, and the keys that let an app answer a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Interaction", "ReplyUrl", "Surfaces", "Trigger", "View", "Webhook"]

_MOST_KEPT = 10_000
"""Triggers, response_urls and interactions kept of each kind: the old ones are of no use to anybody."""


@dataclass(slots=True, kw_only=True)
class Trigger:
    """Leave for an app to open a modal, once and soon.

    Attributes:
        at: when the person acted, in microseconds since 1970.
        view: id of the view in which the person acted, if it was one.
    """

    app: str
    user: str
    at: int
    view: str = ""
    used: bool = False


@dataclass(slots=True, kw_only=True)
class ReplyUrl:
    """Leave for an app to answer where a person acted: a response_url.

    Attributes:
        ts: the message with the button, if it was one.
        thread: ts of the thread that the message is in.
        at: when the person acted, in microseconds since 1970.
        uses: how often it was used.
    """

    app: str
    user: str
    channel: str
    at: int
    ts: str = ""
    thread: str | None = None
    uses: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address at which an app posts to one channel without a token."""

    app: str
    channel: str


@dataclass(slots=True, kw_only=True)
class View:
    """A modal or a home tab.

    Attributes:
        row: Slack's JSON object.
        shown: False once the person closed it.
    """

    id: str
    app: str
    user: str
    row: dict[str, Any]
    shown: bool = True


@dataclass(slots=True, kw_only=True)
class Interaction:
    """A person used an app, and waits for its answer.

    Attributes:
        kind: the payload's type, as "view_submission", or "slash_command".
        reply_url: the key of the response_url, if there is one.
        view: id of the view in which the person acted, if it was one.
    """

    app: str
    user: str
    kind: str
    reply_url: str = ""
    view: str = ""
    settled: bool = False


@dataclass(slots=True, kw_only=True)
class Surfaces:
    """All of them.

    Attributes:
        triggers: by trigger_id.
        reply_urls: by the last part of their address.
        webhooks: by the part of their address after /services/.
        views: by view id, those that were closed included: apps may still update them.
        stacks: user -> ids of the open modals, the one on top last.
        homes: (app, user) -> id of the home tab.
        external_ids: the apps' own ids of views.
        interactions: by number.
        whispers: user -> what only this person sees, oldest first.
        drawn: how many numbers were drawn.
    """

    triggers: dict[str, Trigger] = field(default_factory=dict[str, Trigger])
    reply_urls: dict[str, ReplyUrl] = field(default_factory=dict[str, ReplyUrl])
    webhooks: dict[str, Webhook] = field(default_factory=dict[str, Webhook])
    views: dict[str, View] = field(default_factory=dict[str, View])
    stacks: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    homes: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    external_ids: dict[str, str] = field(default_factory=dict[str, str])
    interactions: dict[str, Interaction] = field(default_factory=dict[str, Interaction])
    whispers: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    drawn: int = 0

    def draw(self) -> int:
        """A number that was never drawn before. What is older than some thousand draws is forgotten meanwhile."""
        self.drawn += 1
        for kept in (self.triggers, self.reply_urls, self.interactions):
            while len(kept) > _MOST_KEPT:
                del kept[next(iter(kept))]
        return self.drawn
