"""rtm.*: leave for bots of the old kind to open a connection that tells them everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply

__all__ = ["FAMILY"]

FAMILY = Family()


@FAMILY.method("rtm.connect", tier=Tier.ONE)
def connect(call: Call) -> Reply:
    """Who one is, and where; the server adds the `url`. Today's apps are refused (docs.slack.dev, "RTM API")."""
    if call.caller.type == "bot" and "bot" not in call.caller.scopes:
        raise Refusal("not_allowed_token_type")
    seed, user = call.state.seed, call.state.users[call.caller.user]
    return {
        "self": {"id": user.id, "name": user.name},
        "team": {"id": seed.team_id, "name": seed.team, "domain": seed.domain},
    }


@FAMILY.method("rtm.start", tier=Tier.ONE)
def start(call: Call) -> Reply:
    """The same as rtm.connect, since September 2022."""
    return connect(call)
