"""Home: what an app's Home tab shows, and who may press its buttons."""

from __future__ import annotations

from collections.abc import Collection  # noqa: TC003  # a field of a public value: its annotation can be read
from dataclasses import dataclass

from slackmq.errors import ConfigurationError
from slackmq.queue.roles import checked

__all__ = ["MOST", "Home"]

MOST = 5
"""Queues on a Home tab: each takes up to 17 of the 100 blocks that Slack shows (docs.slack.dev, views.publish)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What an app's Home tab shows. Slack has one for each person and app, whatever channels the app works.

    Attributes:
        allowed: those who see single jobs and have buttons, by ids of users ("U…") and user groups ("S…"); everybody
            else sees figures.
        channels: names or ids of further channels that the app works, besides its own; four at most.
    """

    allowed: Collection[str] = ()
    channels: Collection[str] = ()

    def __post_init__(self) -> None:
        checked(self.allowed, remedy='Name people by the id in their profile, as Home(allowed=["U012AB3CD"]).')
        if isinstance(self.channels, str) or len(self.channels) >= MOST:
            raise ConfigurationError(
                f"A Home tab shows the app's channel and {MOST - 1} further ones.",
                remedy='Name them as Home(channels=["#mail", "#backups"]).',
            )
