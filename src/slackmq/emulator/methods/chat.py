"""chat.*: post, whisper, link, unfurl."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from slackmq.emulator.content import content_of
from slackmq.emulator.posting import TRUNCATED, addressed, dressed, parent_of, post, postable, with_content
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.replies import whisper
from slackmq.emulator.rows import authored, permalink, place
from slackmq.emulator.state import Stored

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.content import Content
    from slackmq.emulator.registry import Reply

__all__ = ["FAMILY"]

FAMILY = Family()
_WRITE = ("chat:write",)


@FAMILY.method("chat.postMessage", tier=Tier.POSTING, scopes=_WRITE, write=True)
def post_message(call: Call) -> Reply:
    """Post a message, or a reply in a thread."""
    channel = addressed(call)
    postable(call, channel)
    content = _content(call)
    thread = parent_of(call, channel)
    ts, message = post(call, channel, content, thread=thread, broadcast=call.args.flag("reply_broadcast"))
    return {"channel": channel.id, "ts": ts, "message": message.full, **(TRUNCATED if content.truncated else {})}


@FAMILY.method("chat.meMessage", tier=Tier.THREE, scopes=_WRITE, write=True)
def me_message(call: Call) -> Reply:
    """Post what the caller does, as /me in Slack's client."""
    channel = addressed(call)
    postable(call, channel)
    content = _short(call)
    if content.text is None:
        raise Refusal("no_text")
    call.state.keep(channel)
    ts = channel.stamp(call.now)
    row = {**authored(call, channel, ts, content.text), "subtype": "me_message"}
    row.pop("blocks", None)
    place(call, channel, ts, Stored(row=row))
    return {"channel": channel.id, "ts": ts}


@FAMILY.method("chat.postEphemeral", tier=Tier.FOUR, scopes=_WRITE, write=True)
def post_ephemeral(call: Call) -> Reply:
    """Show one user something that is in no history; no app is told of it."""
    channel = addressed(call)
    user = call.args.text("user")
    postable(call, channel)
    if user not in channel.members:
        raise Refusal("user_not_in_channel")
    content = _short(call)
    if channel.posting and not call.owns:
        raise Refusal("restricted_action")
    thread = parent_of(call, channel)
    call.state.keep(channel)
    ts = channel.stamp(call.now)
    row = with_content(authored(call, channel, ts, content.text or "", dressed=content.dressed), content)
    whisper(call, channel, user, row if thread is None else {**row, "thread_ts": thread})
    return {"message_ts": ts}


@FAMILY.method("chat.getPermalink", tier=Tier.HUNDREDS)
def get_permalink(call: Call) -> Reply:
    """The address of a message."""
    channel = call.channel()
    ts, message = call.message(channel, "message_ts", missing="message_not_found")
    return {"channel": channel.id, "permalink": permalink(call, channel, ts, message.thread)}


def _content(call: Call) -> Content:
    content = content_of(call.args, call.state.seed.metadata_size)
    if content.empty:
        raise Refusal("no_text")
    look = dressed(call)
    return replace(content, dressed=look) if look else content


def _short(call: Call) -> Content:
    """The content for methods that cut nothing off."""
    content = _content(call)
    if content.truncated:
        raise Refusal("msg_too_long")
    return content
