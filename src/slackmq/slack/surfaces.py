"""Whispers, Home tabs and user groups over the Web API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.slack.api import Urgency
from slackmq.slack.markup import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.slack.caller import Caller
    from slackmq.slack.surfacing import Block

__all__ = ["WebSurfaces"]


class WebSurfaces:
    """Implements `slackmq.slack.surfacing.Surfaces`.

    Args:
        caller: for the calls.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def whisper(self, channel: str, user: str, text: str, *, thread: str | None = None) -> None:
        """Tell one person something that nobody else sees: docs.slack.dev, chat.postEphemeral."""
        args: dict[str, object] = {"channel": channel, "user": user, "text": shown(text)}
        if thread is not None:
            args["thread_ts"] = thread
        await self._caller.write("chat.postEphemeral", args, urgency=Urgency.CLAIM)

    async def publish(self, user: str, blocks: Sequence[Block]) -> None:
        """Show one person this on the app's Home tab: docs.slack.dev, views.publish."""
        view = {"type": "home", "blocks": list(blocks)}
        # What was published stands until it is published again, so a repetition does no harm.
        await self._caller.read("views.publish", {"user_id": user, "view": view}, urgency=Urgency.SCAN)

    async def members(self, group: str) -> frozenset[str]:
        """User ids of the people in a group: docs.slack.dev, usergroups.users.list."""
        found = await self._caller.read("usergroups.users.list", {"usergroup": group}, urgency=Urgency.CLAIM)
        return frozenset(str(user) for user in found.get("users") or ())
