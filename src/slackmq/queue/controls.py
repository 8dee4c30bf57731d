"""Controls: with which emoji people steer jobs, and who of them may."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from slackmq.errors import ConfigurationError
from slackmq.queue.roles import checked

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["Control", "Controls"]

Control = Literal["cancel", "again", "first"]
"""What an emoji asks for."""
_EMOJI = re.compile(r"[^\s:A-Z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """Which emoji steer jobs; off unless an app is given them.

    Attributes:
        allowed: those who may, by ids of users ("U…" or "W…") and user groups ("S…"); anybody else's emoji do nothing.
        cancel: the emoji that cancels a job; None: people cannot.
        again: the emoji that posts a dead job again, on the job or on its dead letter; None: people cannot.
        first: the emoji that puts a job before all others that wait; None: people cannot.
    """

    allowed: Collection[str] = field()
    cancel: str | None = "x"
    again: str | None = "repeat"
    first: str | None = "arrow_up"

    def __post_init__(self) -> None:
        checked(self.allowed, remedy='Name people by the id in their profile, as Controls(allowed=["U012AB3CD"]).')
        named = [emoji for emoji in (self.cancel, self.again, self.first) if emoji is not None]
        if odd := [emoji for emoji in named if not _EMOJI.fullmatch(emoji)]:
            raise ConfigurationError(f"Not the name of an emoji: {odd}.", remedy='Write it as "x", without colons.')
        if len(set(named)) < len(named):
            raise ConfigurationError("One emoji cannot ask for two things.", remedy="Name three.")

    def asked(self, reactions: Mapping[str, frozenset[str]]) -> dict[Control, frozenset[str]]:
        """Who asks for what on a message, whether they may or not; a skin tone says nothing.

        Args:
            reactions: emoji -> user ids that put it there.
        """
        named: dict[Control, str | None] = {"cancel": self.cancel, "again": self.again, "first": self.first}
        put = [(name.partition("::")[0], user) for name, users in reactions.items() for user in users]
        asked: dict[Control, frozenset[str]] = {}
        for control, emoji in named.items():
            if users := frozenset(user for name, user in put if name == emoji):
                asked[control] = users
        return asked

    def wanted(self, reactions: Mapping[str, frozenset[str]], among: frozenset[str]) -> dict[Control, str]:
        """What is asked for on a message by who may: of several the one with the lowest id.

        Args:
            reactions: emoji -> user ids that put it there.
            among: user ids of those who may.
        """
        wanted: dict[Control, str] = {}
        for control, users in self.asked(reactions).items():
            if may := users & among:
                wanted[control] = min(may)
        return wanted
