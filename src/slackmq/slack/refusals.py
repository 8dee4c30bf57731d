"""Slack's error codes as our errors, each with its cause and remedy in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slackmq.errors import (
    AlreadyPinned,
    AlreadyReacted,
    ChannelArchived,
    ChannelNotFound,
    MessageGone,
    MessageLocked,
    MissingScope,
    NotInChannel,
    Refused,
    TokenRefused,
    TooManyPins,
    TooManyReactions,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["refusal"]

_TOKENS = (
    "SLACK_BOT_TOKEN takes a bot token (xoxb-…), SLACK_APP_TOKEN an app-level token (xapp-…) with connections:write; "
    "both stand in your app's settings on api.slack.com/apps."
)
_REINSTALL = "Install the app to the workspace again and use the token that it shows then."
_INVITE = 'Invite the bot: type "/invite @<your bot>" in the channel.'

_LET_POST = "Let the app post there: in the channel's settings, or an administrator in the workspace's."

# Codes and meanings: docs.slack.dev/reference/methods, the list of errors of each method.
_KNOWN: Mapping[str, tuple[type[Refused], str, str]] = {
    "not_authed": (TokenRefused, "No token was sent.", _TOKENS),
    "invalid_auth": (TokenRefused, "Slack does not know this token.", _TOKENS),
    "not_allowed_token_type": (TokenRefused, "This kind of token may not do that.", _TOKENS),
    "token_revoked": (TokenRefused, "The token was revoked.", _REINSTALL),
    "token_expired": (TokenRefused, "The token has expired.", _REINSTALL),
    "account_inactive": (TokenRefused, "The app was removed from the workspace, or its user deactivated.", _REINSTALL),
    "channel_not_found": (
        ChannelNotFound,
        "There is no such channel, or it is private and the bot is no member.",
        f"Check the name. {_INVITE}",
    ),
    "not_in_channel": (NotInChannel, "The bot is no member of the channel.", _INVITE),
    "is_archived": (ChannelArchived, "The channel is archived.", "Unarchive it, or use another channel."),
    "is_inactive": (ChannelArchived, "The channel is archived or frozen.", "Unarchive it, or use another channel."),
    "not_pinnable": (MessageGone, "The message cannot be pinned: it was deleted, or is a notice of Slack's.", ""),
    "message_not_found": (MessageGone, "The message does not exist (any more).", ""),
    "thread_not_found": (MessageGone, "The message of this thread does not exist (any more).", ""),
    "already_reacted": (AlreadyReacted, "This bot has put this emoji on this message before.", ""),
    "already_pinned": (AlreadyPinned, "The message is pinned already.", ""),
    "too_many_pins": (
        TooManyPins,
        "The channel has as many pins as Slack allows.",
        "Unpin what nobody needs pinned.",
    ),
    "too_many_emoji": (TooManyReactions, "The message bears as many different emoji as Slack allows.", ""),
    "too_many_reactions": (TooManyReactions, "The bot has put as many emoji on the message as Slack allows.", ""),
    "cant_update_message": (Refused, "Only the author of a message may edit it.", ""),
    "msg_too_long": (Refused, "The text is longer than Slack takes.", "Shorten it, or put it into a file."),
    "metadata_too_large": (Refused, "The metadata is larger than Slack takes.", "Put the bulk into a file."),
    "no_text": (Refused, "The message has no text.", "Post at least one character."),
    "invalid_name": (Refused, "There is no emoji of this name.", "Add it to the workspace, or configure another."),
    "not_reactable": (MessageLocked, "Slack takes no emoji on this kind of message.", ""),
    "thread_locked": (MessageLocked, "The thread is locked.", "Unlock it in Slack."),
    "restricted_action_thread_locked": (MessageLocked, "The thread is locked.", "Unlock it in Slack."),
    "restricted_action": (
        Refused,
        "A setting of the workspace or the channel forbids it.",
        "Ask an administrator to let the app post and react in this channel.",
    ),
    "restricted_action_read_only_channel": (Refused, "The channel is read-only.", _LET_POST),
    "restricted_action_thread_only_channel": (Refused, "The channel takes replies in threads only.", _LET_POST),
    "restricted_action_non_threadable_channel": (Refused, "The channel takes no replies in threads.", _LET_POST),
    "link_disabled": (
        Refused,
        "Socket Mode is switched off for this app, or its tokens were revoked.",
        "Switch Socket Mode on in your app's settings on api.slack.com/apps; install the app again if it was removed.",
    ),
    "not_enabled": (
        Refused,
        "The app has no Home tab.",
        "Switch it on in your app's settings on api.slack.com/apps, App Home: slackmq manifest --home.",
    ),
    "no_such_subteam": (Refused, "There is no user group with this id.", "Copy the id, S…, from the group in Slack."),
    "plan_upgrade_required": (Refused, "The workspace's plan has no user groups.", "Name people by their user ids."),
    "user_not_in_channel": (Refused, "The person is not in the channel.", ""),
    "unknown_method": (Refused, "The server does not know this method.", "Check SLACKMQ_URL."),
}


def refusal(method: str, body: Mapping[str, Any]) -> Refused:
    """The error for an answer with `"ok": false`.

    Args:
        method: the method that was called, as "reactions.add".
        body: Slack's answer.
    """
    code = str(body.get("error") or "unknown_error")
    if code == "missing_scope":
        return _missing_scope(method, body)
    kind, cause, remedy = _KNOWN.get(code, (Refused, _details(body), ""))
    return kind(f"Slack refused {method} ({code}): {cause}", method=method, code=code, remedy=remedy)


def _missing_scope(method: str, body: Mapping[str, Any]) -> MissingScope:
    needed, provided = str(body.get("needed") or ""), str(body.get("provided") or "")
    return MissingScope(
        f"Slack refused {method} (missing_scope): the app lacks the permission {needed or 'for it'}.",
        method=method,
        needed=needed,
        provided=provided,
        remedy=f"Add the scope {needed} to the app's manifest and install the app again." if needed else _REINSTALL,
    )


def _details(body: Mapping[str, Any]) -> str:
    """What Slack says beyond the code, as for `invalid_arguments`."""
    more: Mapping[str, Any] = body.get("response_metadata") or {}
    said: Sequence[object] = more.get("messages") or body.get("errors") or ()
    return " ".join(str(line) for line in said) or "see docs.slack.dev for this code."
