"""What stands beside messages, as the rest of the library sees it: buttons, whispers, Home tabs, groups of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Block", "HomeOpened", "Pressed", "Surfaces"]

Block = Mapping[str, Any]
"""A block of Block Kit, as Slack's JSON: docs.slack.dev/reference/block-kit/blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A person pressed a button of ours.

    Attributes:
        user: user id of the person.
        action: which button, by the name that it was given.
        value: what it was given to carry.
        channel: id of the channel of the message; "" in a Home tab.
        ts: timestamp of the message; "" in a Home tab.
        thread: ts of the parent; None outside threads.
    """

    user: str
    action: str
    value: str
    channel: str = ""
    ts: str = ""
    thread: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeOpened:
    """A person opened the app's Home tab."""

    user: str


class Surfaces(Protocol):
    """Buttons' answers, Home tabs, groups.

    Not promised: that a whisper is seen. Who is in a group may be as late as any read.
    """

    async def whisper(self, channel: str, user: str, text: str, *, thread: str | None = None) -> None:
        """Tell one person something in a channel, or in a thread there, that nobody else sees and nobody keeps.

        A text that is no `Mrkdwn` is shown character by character.

        Raises:
            Refused: the person is not in the channel.
        """
        ...

    async def publish(self, user: str, blocks: Sequence[Block]) -> None:
        """Show one person this on the app's Home tab, at most 100 blocks, instead of what was there.

        Raises:
            Refused: the app has no Home tab.
        """
        ...

    async def members(self, group: str) -> frozenset[str]:
        """User ids of the people in a user group, "S…".

        Raises:
            MissingScope: the bot may not read groups.
            Refused: there is no such group, or the workspace's plan has none.
        """
        ...
