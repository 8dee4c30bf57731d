"""Slack Connect and canvases in channels, which this workspace does not have: its answers are those of such a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply

__all__ = ["FAMILY"]

FAMILY = Family()
_MANAGE = ("conversations.connect:manage",)
_WRITE = ("conversations.connect:write",)


@FAMILY.method("conversations.inviteShared", tier=Tier.TWO, scopes=_WRITE)
def invite_shared(call: Call) -> Reply:
    """Nobody from another organization can be invited here."""
    channel = call.joined()
    if channel.direct:
        raise Refusal("invalid_channel_type")
    if channel.archived:
        raise Refusal("channel_archived")
    emails, users = call.args.names("emails"), call.args.names("user_ids")
    if not emails and not users:
        raise Refusal("recipients_not_specified")
    if len(emails) > 1:
        raise Refusal("too_many_emails")
    if any("@" not in email for email in emails):
        raise Refusal("invalid_email")
    if any(user not in call.state.users for user in users):
        raise Refusal("user_not_found")
    raise Refusal("not_paid")


@FAMILY.method("conversations.acceptSharedInvite", tier=Tier.TWO, scopes=_WRITE)
def accept_shared_invite(_call: Call) -> Reply:
    """There is no invitation."""
    raise Refusal("invite_not_found")


@FAMILY.method("conversations.approveSharedInvite", tier=Tier.THREE, scopes=_MANAGE)
def approve_shared_invite(_call: Call) -> Reply:
    """There is no invitation."""
    raise Refusal("invite_not_found")


@FAMILY.method("conversations.declineSharedInvite", tier=Tier.TWO, scopes=_MANAGE)
def decline_shared_invite(_call: Call) -> Reply:
    """There is no invitation."""
    raise Refusal("invite_not_found")


@FAMILY.method("conversations.listConnectInvites", tier=Tier.ONE, scopes=_MANAGE)
def list_connect_invites(call: Call) -> Reply:
    """There are no invitations."""
    if call.me.guest:
        raise Refusal("restricted_action")
    return {"invites": [], "response_metadata": {"next_cursor": ""}}


@FAMILY.method("conversations.canvases.create", tier=Tier.TWO, scopes=("canvases:write",))
def create_canvas(call: Call) -> Reply:
    """Canvases are no part of this workspace's plan."""
    call.visible(call.args.text("channel_id"))
    if call.me.guest:
        raise Refusal("restricted_action")
    raise Refusal("team_tier_cannot_create_channel_canvases")
