"""Roles: who may do something, by ids of people and of user groups; nobody, where that cannot be read."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import anyio

from slackmq.errors import ConfigurationError, SlackError

if TYPE_CHECKING:
    from collections.abc import Collection

    from slackmq.clock import Clock
    from slackmq.slack.api import Slack

__all__ = ["Roles", "checked", "is_group"]

_log = logging.getLogger("slackmq.roles")
_ROLE = re.compile(r"[UWS][A-Z0-9]{2,}")
_FRESH = 180.0
"""Seconds for which a group's people are remembered: usergroups.users.list is Tier 2, 20 calls a minute."""
_AGAIN = 30.0
"""Seconds until a group that could not be read is asked for again."""


class Roles:
    """Knows who is in which user group, as of a few minutes ago.

    Args:
        slack: the workspace.
        clock: the time of this process.
    """

    def __init__(self, slack: Slack, *, clock: Clock) -> None:
        self._slack = slack
        self._clock = clock
        self._groups: dict[str, tuple[float, frozenset[str]]] = {}
        """group -> until when it is remembered, on the monotonic clock, and its people."""
        self._reading = anyio.Lock()

    async def among(self, allowed: Collection[str]) -> frozenset[str]:
        """User ids of all who are meant by ids of users and groups; of a group that cannot be read: nobody."""
        found = frozenset(ident for ident in allowed if not is_group(ident))
        for group in filter(is_group, allowed):
            found |= await self._members(group)
        return found

    async def _members(self, group: str) -> frozenset[str]:
        async with self._reading:
            until, members = self._groups.get(group, (0.0, frozenset[str]()))
            if group in self._groups and self._clock.monotonic() < until:
                return members
            try:
                members, fresh = await self._slack.surfaces.members(group), _FRESH
            except SlackError as error:
                _log.warning("nobody is allowed by the user group %s, which cannot be read: %s", group, error)
                members, fresh = frozenset[str](), _AGAIN
            self._groups[group] = self._clock.monotonic() + fresh, members
            return members


def is_group(ident: str) -> bool:
    """Whether an id is of a user group."""
    return ident.startswith("S")


def checked(idents: Collection[str], *, remedy: str) -> frozenset[str]:
    """The ids of those who may.

    Raises:
        ConfigurationError: something is no id of a user or a user group; names can be changed by who bears them.
    """
    wrong = sorted(ident for ident in idents if not _ROLE.fullmatch(ident))
    if isinstance(idents, str) or wrong:
        raise ConfigurationError(f"Not ids of users or user groups: {wrong or idents}.", remedy=remedy)
    return frozenset(idents)
