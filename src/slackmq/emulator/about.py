"""Where a running workspace is, who lives there, and with which tokens: what whoever started it is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from slackmq.emulator.workspace import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slackmq.emulator.house import House

__all__ = ["About", "AboutApp", "AboutChannel", "AboutUser", "about"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutUser:
    """A person, and the token of Slack's own client for that person."""

    id: str
    name: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutChannel:
    """A channel."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutApp:
    """An app, its bot user and its two tokens."""

    name: str
    id: str
    bot_token: str
    app_token: str
    bot_user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Where a running workspace is, who lives there, and with which tokens.

    Attributes:
        team: the workspace's name.
        team_id: its id.
        base_url: for Slack's clients, as `WebClient(base_url=…)`; the token tells which workspace is meant.
        page_url: for a browser.
        admin_token: opens /__admin/ for this run; see `slackmq.emulator.admin`.
        operator_token: opens /emulator/ for this run; see `slackmq.emulator.backstage`.
        beside: the further workspaces.
    """

    team: str
    team_id: str
    base_url: str
    page_url: str
    users: tuple[AboutUser, ...]
    channels: tuple[AboutChannel, ...]
    apps: tuple[AboutApp, ...]
    operator_token: str
    admin_token: str
    beside: tuple[About, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The same as a JSON object."""
        return asdict(self)


def about(house: House) -> About:
    """What can be told of a workspace right now, and of those beside it."""
    server = house.server
    people: Sequence[Mapping[str, Any]] = server.ask(OPERATOR, "emulator.users.list", {})["users"]
    channels: Sequence[Mapping[str, Any]] = server.ask(OPERATOR, "emulator.channels.list", {})["channels"]
    apps: Sequence[Mapping[str, Any]] = server.ask(OPERATOR, "emulator.apps.list", {})["apps"]
    return About(
        team=server.workspace.seed.team,
        team_id=server.workspace.seed.team_id,
        base_url=f"{house.origin}/api/",
        page_url=house.page_url,
        users=tuple(AboutUser(id=row["id"], name=row["name"], token=row["token"]) for row in people),
        channels=tuple(AboutChannel(id=row["id"], name=row["name"]) for row in channels if not row["is_archived"]),
        apps=tuple(
            AboutApp(
                name=row["name"],
                id=row["id"],
                bot_token=row["bot_token"],
                app_token=row["app_token"],
                bot_user_id=row["bot_user"],
            )
            for row in apps
            if not row["revoked"]
        ),
        operator_token=house.secret,
        admin_token=house.admin_token,
        beside=tuple(about(each) for each in house.beside),
    )
