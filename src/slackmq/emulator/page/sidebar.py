"""The list on the left: channels, direct messages and apps, with what is unread in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slackmq.emulator.page.view import Directory

__all__ = ["AppEntry", "Place", "places", "sections"]

_SIGNS = {"channel": "#", "private": "🔒", "im": "@", "mpim": "@"}
_DIRECT = frozenset({"im", "mpim"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A conversation of any kind.

    Attributes:
        kind: "channel", "private", "im" or "mpim".
        user: with whom a direct message is; "" for others.
        unread: a text such as "3" or "99+", "" for none.
    """

    id: str
    name: str
    kind: str
    topic: str
    members: int
    unread: str
    user: str = ""

    @property
    def sign(self) -> str:
        """What stands before the name."""
        return _SIGNS[self.kind]

    @property
    def direct(self) -> bool:
        """True for direct messages of two or of several."""
        return self.kind in _DIRECT


@dataclass(frozen=True, slots=True, kw_only=True)
class AppEntry:
    """An app; `listening` is how many connections it has open."""

    id: str
    name: str
    bot_user: str
    unread: str
    listening: int


def places(listed: Sequence[Mapping[str, Any]], directory: Directory, unread: Mapping[str, str]) -> tuple[Place, ...]:
    """All conversations: channels first, then direct messages, each by name.

    Args:
        listed: rows of conversations.list.
        directory: names of people.
        unread: conversation -> what is unread there.
    """
    found = [_place(row, directory, unread.get(row["id"], "")) for row in listed]
    return tuple(sorted(found, key=lambda place: (place.direct, place.name.lower())))


def sections(
    shown: Sequence[Place], people: Sequence[Mapping[str, Any]], apps: Sequence[AppEntry], me: str
) -> dict[str, object]:
    """What the template wants: channels, direct messages, people without one yet, and apps.

    Args:
        shown: all conversations.
        people: the persons of the workspace.
        apps: the installed apps.
        me: who looks.
    """
    bots = {app.bot_user for app in apps}
    met = {place.user for place in shown}
    return {
        "channels": [place for place in shown if not place.direct],
        "directs": [place for place in shown if place.direct and place.user not in bots],
        "strangers": [person for person in people if person["id"] not in met | {me}],
        "apps": apps,
    }


def _place(row: Mapping[str, Any], directory: Directory, unread: str) -> Place:
    kind = (
        "im"
        if row.get("is_im")
        else "mpim"
        if row.get("is_mpim")
        else "private"
        if row.get("is_private")
        else "channel"
    )
    user: str = row.get("user", "") if kind == "im" else ""
    name: str = row.get("name", "")
    if kind == "im":
        name = directory.people.get(user, user)
    elif kind == "mpim":
        name = ", ".join(name.removeprefix("mpdm-").removesuffix("-1").split("--"))
    topic: Mapping[str, Any] = row.get("topic") or {}
    return Place(
        id=row["id"],
        name=name,
        kind=kind,
        topic=topic.get("value", ""),
        members=row.get("num_members", 0),
        unread=unread,
        user=user,
    )
