"""One call of the Web API of a local workspace, made with the token of whoever is to have made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slackmq.slack.refusals import refusal
from slackmq.slack.web import SdkWire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.cli.neighbour import Neighbour

__all__ = ["errand"]


async def errand(workspace: Neighbour, token: str, method: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
    """Call a method over a connection of its own; returns the reply.

    Raises:
        SlackError: the workspace refuses.
    """
    wire = SdkWire(token=token, url=workspace.base_url)
    try:
        reply = await wire.call(method, args)
    finally:
        await wire.aclose()
    if not reply.body.get("ok"):
        raise refusal(method, reply.body)
    return reply.body
