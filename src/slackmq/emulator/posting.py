"""How a message comes into a channel: who may post where, as what, and in which thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slackmq.emulator.refusal import Refusal
from slackmq.emulator.residents import direct_of
from slackmq.emulator.rows import author_of, authored, place
from slackmq.emulator.state import Stored
from slackmq.emulator.timestamps import is_ts

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.content import Content
    from slackmq.emulator.model import Posting
    from slackmq.emulator.state import Channel, Row, User

__all__ = ["TRUNCATED", "addressed", "dressed", "parent_of", "post", "postable", "with_content"]

TRUNCATED: Row = {"warning": "message_truncated", "response_metadata": {"warnings": ["message_truncated"]}}
"""What the reply says if the end of the text was cut off."""

_UNREPLIABLE = frozenset(
    {
        *("channel_archive", "channel_join", "channel_leave", "channel_name", "channel_purpose", "channel_topic"),
        *("channel_unarchive", "pinned_item"),
    },
)


def addressed(call: Call) -> Channel:
    """The channel by id, by name, or by the id of a user: methods that post take all three, the others ids only.

    A direct message may be a new one, which `State.keep` must take in.

    Raises:
        Refusal: channel_not_found; missing_scope.
    """
    given = call.args.text("channel")
    user = call.state.users.get(given)
    if user is not None and not user.deleted:
        return direct_of(call.state, [call.caller.user, given], call.second)
    return call.visible(call.state.names.get(given.removeprefix("#"), given))


def postable(call: Call, channel: Channel) -> None:
    """Go on only if the caller may post there.

    Raises:
        Refusal: not_in_channel; is_archived; messages_tab_disabled where an app's manifest has no messages tab.
    """
    if call.caller.user not in channel.members and not (
        "chat:write.public" in call.caller.scopes and not channel.private
    ):
        raise Refusal("not_in_channel")
    if channel.archived:
        raise Refusal("is_archived")
    if channel.kind == "im" and any(_is_closed(call.state.users[member]) for member in channel.members):
        raise Refusal("messages_tab_disabled")


def _is_closed(user: User) -> bool:
    """True for the bot of an app to which nobody can write: its manifest has no messages tab."""
    return user.app is not None and user.app.manifest is not None and not user.app.manifest.messages_tab


def parent_of(call: Call, channel: Channel) -> str | None:
    """The ts of the thread that the caller replies to, also if one of its replies is named; None for no thread.

    Raises:
        Refusal: thread_not_found; invalid_thread_ts; cannot_reply_to_message; restricted_action_… if the channel's
            or the thread's settings leave it to others.
    """
    given = call.args.text("thread_ts")
    if channel.posting and not call.owns:
        _check_rule(channel.posting, thread=bool(given))
    if not given:
        return None
    parent = channel.messages.get(given)
    if parent is None or given < call.horizon:
        raise Refusal("thread_not_found" if is_ts(given) else "invalid_thread_ts")
    if parent.row.get("subtype") in _UNREPLIABLE:
        raise Refusal("cannot_reply_to_message")
    thread = parent.thread or given
    if channel.messages[thread].locked:
        raise Refusal("restricted_action_thread_locked")
    return thread


def dressed(call: Call) -> Row:
    """The name and picture that a bot asks for; Slack ignores the wish without the scope chat:write.customize."""
    if "chat:write.customize" not in call.caller.scopes:
        return {}
    shown: dict[str, Any] = {}
    if name := call.args.text("username"):
        shown["username"] = name
    if emoji := call.args.text("icon_emoji"):
        shown["icons"] = {"emoji": emoji}
    elif url := call.args.text("icon_url"):
        shown["icons"] = {"image_64": url}
    return shown


def post(
    call: Call, channel: Channel, content: Content, *, thread: str | None = None, broadcast: bool = False
) -> tuple[str, Stored]:
    """Put the caller's message into the channel; returns its ts and itself."""
    call.state.keep(channel)
    ts = channel.stamp(call.now)
    row = with_content(authored(call, channel, ts, content.text or "", dressed=content.dressed), content)
    message = Stored(row=row, metadata=content.metadata or None, thread=thread)
    if thread is not None:
        _into_thread(channel, thread, message, broadcast=broadcast)
    place(call, channel, ts, message)
    channel.closed.clear()
    return ts, message


def with_content(row: Row, content: Content) -> Row:
    """The row with what the caller gave beside the text."""
    if content.blocks:
        row["blocks"] = content.blocks
    if content.attachments:
        row["attachments"] = content.attachments
    if content.metadata:
        row["metadata"] = {"event_type": content.metadata["event_type"]}
    return row


def _check_rule(rule: Posting, *, thread: bool) -> None:
    match rule:
        case "read_only":
            raise Refusal("restricted_action_read_only_channel")
        case "thread_only" if not thread:
            raise Refusal("restricted_action_thread_only_channel")
        case "non_threadable" if thread:
            raise Refusal("restricted_action_non_threadable_channel")
        case _:
            return


def _into_thread(channel: Channel, thread: str, message: Stored, *, broadcast: bool) -> None:
    parent = channel.messages[thread].row
    message.row["thread_ts"] = thread
    message.row["parent_user_id"] = author_of(parent)
    if broadcast:
        message.broadcast = True
        message.row["subtype"] = "thread_broadcast"
        message.row["root"] = parent
