"""Which posts a Bolt app may have a listener for, found out without running any of its code."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from slack_bolt.middleware.message_listener_matches.async_message_listener_matches import AsyncMessageListenerMatches
from slack_bolt.middleware.message_listener_matches.message_listener_matches import MessageListenerMatches
from slack_bolt.request import BoltRequest
from slack_bolt.response import BoltResponse

from slackmq.integrations.posts import mentions, without_edit
from slackmq.slack.markup import escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slackmq.message import Message

__all__ = ["Listeners"]

_KEYWORD = (MessageListenerMatches, AsyncMessageListenerMatches)


class Listeners:
    """The listeners of an app, those included that are registered later.

    Bolt's own conditions count: the event, and the keyword of a message. A user's own matchers and middleware run only
    when a post is given to the app.

    Args:
        listeners: the app's own list.
    """

    def __init__(self, listeners: Sequence[Any]) -> None:
        self._listeners = listeners

    def __iter__(self) -> Any:
        """Each listener."""
        return iter(self._listeners)

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def may_take(self, message: Message, bot: str) -> bool:
        """Whether any listener may want a post."""
        return self.may_take_mention(message, bot) or self._any(message, "message")

    def may_take_mention(self, message: Message, bot: str) -> bool:
        """Whether a post mentions the bot, and a listener waits for mentions: then that one is to have it."""
        return mentions(message.text, bot) and self._any(message, "app_mention")

    def wants_edits_alone(self, listener: Any, body: Mapping[str, Any]) -> bool:
        """Whether a listener that takes an edit would not take the post itself."""
        return not _fits(listener, without_edit(body))

    def _any(self, message: Message, kind: str) -> bool:
        event = {"type": kind, "user": message.author, "channel": message.channel, "ts": message.ts}
        texts = {message.text, escape(message.text)}  # patterns see the mark-up, which only a delivery has
        bodies = [{"type": "event_callback", "event": {**event, "text": text}} for text in texts]
        return any(_fits(listener, body) for listener in self._listeners for body in bodies)


def _fits(listener: Any, body: Mapping[str, Any]) -> bool:
    text = str(body["event"].get("text") or "")
    middleware: list[Any] = [each for each in listener.middleware if isinstance(each, _KEYWORD)]
    keywords: list[str | re.Pattern[str]] = [each.keyword for each in middleware]
    if not all(re.findall(keyword, text) for keyword in keywords):
        return False
    return not listener.matchers or _matches(listener.matchers[0], dict(body))


def _matches(matcher: Any, body: dict[str, Any]) -> bool:
    """Whether Bolt's own matcher, which stands first, accepts an event."""
    request, response = BoltRequest(body=body, mode="socket_mode"), BoltResponse(status=200)
    if not hasattr(matcher, "async_matches"):
        return bool(matcher.matches(request, response))
    answer = matcher.async_matches(request, response)
    if not inspect.iscoroutine(answer):
        return bool(answer)
    try:
        answer.send(None)
    except StopIteration as ended:  # it only looks at the body, and awaits nothing
        return bool(ended.value)
    answer.close()
    return True
