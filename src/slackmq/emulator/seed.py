"""What a workspace holds before the first call: team, people, channels, apps, and the numbers Slack keeps to itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.model import Guest

__all__ = ["QUEUE_EVENTS", "QUEUE_SCOPES", "Seed", "SeedApp", "SeedChannel", "SeedPerson"]

QUEUE_SCOPES = (
    "app_mentions:read",
    "bookmarks:read",
    "bookmarks:write",
    "channels:history",
    "channels:join",
    "channels:manage",
    "channels:read",
    "chat:write",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "groups:write",
    "metadata.message:read",
    "pins:read",
    "pins:write",
    "reactions:read",
    "reactions:write",
    "team:read",
    "usergroups:read",
    "users:read",
)
"""The bot scopes that a queue or a store in a channel needs."""

QUEUE_EVENTS = (
    "app_home_opened",
    "message.channels",
    "message.groups",
    "pin_added",
    "pin_removed",
    "reaction_added",
    "reaction_removed",
)
"""The bot events that a queue in a channel listens to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPerson:
    """A person with an account.

    Attributes:
        name: the account's name, lower case.
        email: "" for an address made of the name.
        guest: "restricted" for a guest, "ultra_restricted" for one who may be in one channel only.
    """

    name: str
    email: str = ""
    guest: Guest = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedChannel:
    """A channel.

    Attributes:
        name: without "#".
        members: names of people and apps; None: everybody, those who come later included.
        private: True if only members see it.
    """

    name: str
    members: tuple[str, ...] | None = None
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedApp:
    """An installed app.

    Attributes:
        name: also the name of its bot.
        scopes: what its bot token may do.
        events: the bot events it is subscribed to.
        unlisted: True if it is sold, but not in Slack's Marketplace: 15 messages a page and one page a minute
            (docs.slack.dev, "Rate limit changes for non-Marketplace apps", May 2025).
    """

    name: str
    scopes: tuple[str, ...] = QUEUE_SCOPES
    events: tuple[str, ...] = QUEUE_EVENTS
    unlisted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """The beginning of a workspace. Two workspaces with one seed and the same calls are the same.

    Attributes:
        team: name of the workspace.
        team_id: its id.
        domain: the part before ".slack.com" in its addresses.
        secret: all tokens derive from it; a server that anybody can reach draws a new one for a new workspace.
        created: when the workspace began, in seconds since 1970.
        people: the persons; the first one founded the workspace.
        channels: the first one is the workspace's general channel.
        apps: the installed apps.
        emoji_per_message: Slack refuses more with too_many_emoji; it does not publish the number.
        reactions_per_user: how many one user may put on one message (too_many_reactions); not published either.
        pins_per_channel: 100 by Slack's help pages of earlier years; the current number is not published.
        metadata_size: characters of a message's metadata as JSON (metadata_too_large); not published.
        pin_notice: whether a pin posts a visible "pinned a message" notice; the docs say so of people's pins.
        edit_window: seconds in which a message may be edited (edit_window_closed); None: for ever.
        visible_days: how far back messages can be read; 90 on Slack's free plan (slack.com/help, "Usage limits for
            free workspaces"). None: everything, as on a paid plan.
        scheduled_metadata_bug: whether a scheduled message with metadata never arrives, as Slack's docs warn
            (docs.slack.dev, chat.scheduleMessage).
    """

    team: str = "Local"
    team_id: str = "T0LOCAL0000"
    domain: str = "local"
    secret: str = "not a secret"  # noqa: S105  # only for tests and simulations, as the docstring says
    created: int = 1_700_000_000
    people: tuple[SeedPerson, ...] = (SeedPerson(name="you"), SeedPerson(name="colleague"))
    channels: tuple[SeedChannel, ...] = (
        SeedChannel(name="general"),
        SeedChannel(name="homeops"),
        SeedChannel(name="jobs"),
    )
    apps: tuple[SeedApp, ...] = (SeedApp(name="slackmq"),)
    emoji_per_message: int = 50
    reactions_per_user: int = 23
    pins_per_channel: int = 100
    metadata_size: int = 16_000
    pin_notice: bool = True
    edit_window: int | None = None
    visible_days: int | None = None
    scheduled_metadata_bug: bool = True

    def as_json(self) -> dict[str, Any]:
        """The seed as a JSON object; `Seed.of_json` reads it back."""
        return asdict(self)

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Seed:
        """The seed that `as_json` wrote.

        Raises:
            TypeError: a key is missing or unknown.
        """
        fields: dict[str, Any] = {
            **values,
            "people": tuple(SeedPerson(**person) for person in values["people"]),
            "channels": tuple(_channel(channel) for channel in values["channels"]),
            "apps": tuple(_app(app) for app in values["apps"]),
        }
        return cls(**fields)


def _channel(values: Mapping[str, Any]) -> SeedChannel:
    members = values["members"]
    return SeedChannel(
        name=values["name"], members=None if members is None else tuple(members), private=values["private"]
    )


def _app(values: Mapping[str, Any]) -> SeedApp:
    fields: dict[str, Any] = {**values, "scopes": tuple(values["scopes"]), "events": tuple(values["events"])}
    return SeedApp(**fields)
