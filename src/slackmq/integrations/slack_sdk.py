"""A function that listens with Slack's own library, in any number of replicas, of which one handles each post."""

from __future__ import annotations

import asyncio
import atexit
import inspect
import logging
import re
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, TypeVar, get_args, overload

from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from slackmq.errors import ConfigurationError
from slackmq.integrations.guard import Framework
from slackmq.integrations.guard_thread import Guarded, GuardThread
from slackmq.integrations.plan import Plan
from slackmq.integrations.posts import event_of, is_by, is_note, mentions, post_of
from slackmq.slack.markup import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from typing import Unpack

    from slack_sdk import WebClient
    from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.web.async_client import AsyncWebClient

    from slackmq.integrations.plan import How
    from slackmq.integrations.posts import Post
    from slackmq.integrations.turn import Turn
    from slackmq.message import Message
    from slackmq.slack.api import Identity

    Slack = BaseSocketModeClient | AsyncBaseSocketModeClient | WebClient | AsyncWebClient

__all__ = ["Listener", "exactly_one"]

Kind = Literal["message", "app_mention"]
_P = ParamSpec("_P")
_R = TypeVar("_R")
_T = TypeVar("_T")
_log = logging.getLogger("slackmq.guard")
_AT_ONCE = 10
"""Posts that a function that blocks works on at once: as many as slack_sdk's own threads."""


def exactly_one(
    client: Slack,
    *channels: str,
    matching: str | re.Pattern[str] = "",
    event: Kind = "message",
    own: bool = False,
    **how: Unpack[How],
) -> _Guarding:
    """Let one of all replicas of a function handle each post of some channels: a decorator.

    With a Socket Mode client, the function is one of its listeners, and takes the client and the request; each post is
    acknowledged before it is claimed. With a web client, it takes the body of a request that Slack sent to your server
    and whose signature you have checked. For a post it runs on a thread of ours, or as a task, and None is returned at
    once, so that Slack is answered in time, however many posts wait.

    Whoever does not get the claim does nothing. The claim is extended while the function runs; when it returns, the
    post is marked done, and when it raises, failed, with the reason in the thread. What a dead replica left is found by
    reading the channel, and given to the function of another one. `payload["slackmq"]`, or `body["slackmq"]`, says the
    idempotency `key` of the post, the fencing `token` and the `attempt`.

    Args:
        client: a `SocketModeClient` of either kind, or a `WebClient` or `AsyncWebClient`; with its bot token.
        channels: names or ids. What comes from elsewhere, and all that is no post, comes to the function as ever.
        matching: the posts for the function, a pattern that is searched for in their text; all of them if "".
        event: the event that the function waits for. An `app_mention` and the `message` of one post count as one.
        own: whether the function wants posts of its own bot.
        how: how the bot is guarded.

    Returns:
        A decorator. It connects before it returns; what it returns is called as the function is, and can be closed.

    Raises:
        ConfigurationError: no channel, no token, or a channel that is worked with other settings.
        SlackError: a scope is missing, the bot is not in a channel, or the token is refused.
    """
    if event not in get_args(Kind):
        raise ConfigurationError(
            f"There are no posts in {event!r}: only messages and mentions can be claimed.",
            remedy='Use event="message" or event="app_mention"; all else comes to the function as ever.',
        )
    return _Guarding(client, Plan(channels=channels, **how), re.compile(matching), event, own=own)


class Listener(Guarded, Generic[_P, _R]):
    """A guarded function; also a context manager, which closes on leaving."""

    def __init__(self, door: _Door, call: Callable[_P, _R]) -> None:
        super().__init__(door)
        self._call = call
        update_wrapper(self, door.function)

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Handle what Slack sent, if it is for this replica."""
        return self._call(*args, **kwargs)


class _Guarding:
    """The decorator."""

    def __init__(self, client: Slack, plan: Plan, pattern: re.Pattern[str], event: Kind, *, own: bool) -> None:
        self._client = client
        self._plan = plan
        self._pattern = pattern
        self._event: Kind = event
        self._own = own

    @overload  # a coroutine is an object too, and the first that fits counts
    def __call__(  # pyright: ignore[reportOverlappingOverload]
        self, function: Callable[_P, Coroutine[Any, Any, _T]]
    ) -> Listener[_P, Coroutine[Any, Any, _T | None]]: ...
    @overload
    def __call__(self, function: Callable[_P, _R]) -> Listener[_P, _R | None]: ...
    def __call__(self, function: Callable[..., Any]) -> Listener[..., Any]:
        kind = _Loop if inspect.iscoroutinefunction(function) else _Threads
        door = kind(function, self._client, self._plan, self._pattern, self._event, own=self._own)
        door.open()
        return Listener(door, door.heard)


class _Door(Framework, ABC):
    """A guarded function from within. Base of one class for each kind of function."""

    def __init__(
        self,
        function: Callable[..., Any],
        client: Slack,
        plan: Plan,
        pattern: re.Pattern[str],
        event: Kind,
        *,
        own: bool,
    ) -> None:
        self.function = function
        web: Any = getattr(client, "web_client", client)
        self._client: Any = None if web is client else client
        if not web.token:
            remedy = "Give it one: WebClient(token=…), also inside SocketModeClient(web_client=…)."
            raise ConfigurationError("This client has no bot token.", remedy=remedy)
        self._pattern = pattern
        self._event: Kind = event
        self._own = own
        self._thread = GuardThread(web.token, web.base_url, plan, self)

    def open(self) -> None:
        """Connect, and make good what was left from now on."""
        self._thread.open()
        atexit.register(self.close)

    def close(self) -> None:
        """Stop claiming: what runs is waited for, ten seconds at most."""
        atexit.unregister(self.close)
        self._thread.close()

    def takes(self, message: Message, identity: Identity) -> bool:
        """Whether the function may want a post that a read shows."""
        # Patterns see the mark-up, which only a delivery has.
        return self._fits(message, identity, message.text, escape(message.text))

    def _fits(self, message: Message, identity: Identity, *texts: str) -> bool:
        if is_by(message, identity) and not self._own:
            return False
        if self._event == "app_mention" and not mentions(message.text, identity.user):
            return False
        return any(self._pattern.search(text) for text in texts)

    async def deliver(self, raw: Mapping[str, Any], channel: str, identity: Identity) -> bool:
        """Give the function a post as if its event had come."""
        body = event_of(raw, channel=channel, team=identity.team, app=identity.app or "", type_=self._event)
        post = self._wanted(body)
        if post is not None:
            self._soon(post, body)
        return post is not None

    @abstractmethod
    def _soon(self, post: Post, body: Mapping[str, Any]) -> None:
        """Have it claimed and handled; called on any thread."""

    heard: Callable[..., Any]

    def _given(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
        """What Slack sent, of what the function is called with."""
        last: Any = [*args, *kwargs.values()][-1]
        given: Mapping[str, Any] = last if self._client is None else last.payload
        return given

    def _is_ours(self, body: Mapping[str, Any]) -> bool:
        """Whether an event is about a post of a channel that is guarded."""
        event: Mapping[str, Any] = body.get("event") or {}
        return self._thread.guard.guards(str(event.get("channel"))) and (is_note(event) or post_of(body) is not None)

    def _wanted(self, body: Mapping[str, Any]) -> Post | None:
        """The post that the function is to be run for."""
        post = post_of(body)
        if post is None or post.type != self._event or is_note(body["event"]):
            return None
        text = str(body["event"].get("text") or "")
        return post if self._fits(post.message, self._thread.guard.identity, text) else None

    def _arguments(self, body: Mapping[str, Any], turn: Turn) -> tuple[Any, ...]:
        """What the function takes."""
        told = {**body, "slackmq": turn.context}
        if self._client is None:
            return (told,)
        return _Acknowledged(self._client), SocketModeRequest(type="events_api", envelope_id="", payload=told)


class _Threads(_Door):
    """A function that blocks: it runs on the thread of its client, or on one of ours."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pool = ThreadPoolExecutor(_AT_ONCE, "slackmq-listener")

    def heard(self, *args: Any, **kwargs: Any) -> Any:
        """What the client calls, or a server."""
        given = self._given(args, kwargs)
        if not self._is_ours(given):
            return self.function(*args, **kwargs)
        if self._client is not None:
            args[0].send_socket_mode_response(SocketModeResponse(args[1].envelope_id))
        post = self._wanted(given)
        if post is not None:
            self._soon(post, given)
        return None

    def _handle(self, post: Post, body: Mapping[str, Any]) -> None:
        with self._thread.turn(post) as turn:
            if turn is not None:
                self.function(*self._arguments(body, turn))

    def _soon(self, post: Post, body: Mapping[str, Any]) -> None:
        self._pool.submit(self._handle, post, body).add_done_callback(_told)

    def close(self) -> None:
        """Stop claiming: what runs is waited for."""
        super().close()
        self._pool.shutdown(wait=False)


class _Loop(_Door):
    """A function that awaits: it runs on the loop that calls it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tasks: set[asyncio.Task[None]] = set()
        processor: Any = getattr(self._client, "message_processor", None)  # a Socket Mode client is made on its loop
        self._loop: asyncio.AbstractEventLoop | None = processor.get_loop() if processor is not None else None
        if self._loop is None:
            with suppress(RuntimeError):  # then the first event tells
                self._loop = asyncio.get_running_loop()

    async def heard(self, *args: Any, **kwargs: Any) -> Any:
        """What the client calls, or a server."""
        self._loop = asyncio.get_running_loop()
        given = self._given(args, kwargs)
        if not self._is_ours(given):
            return await self.function(*args, **kwargs)
        if self._client is not None:
            await args[0].send_socket_mode_response(SocketModeResponse(args[1].envelope_id))
        post = self._wanted(given)
        if post is not None:
            task = self._loop.create_task(self._handle(post, given))
            self._tasks.add(task)  # the loop itself keeps a weak reference only
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(_told)
        return None

    async def _handle(self, post: Post, body: Mapping[str, Any]) -> None:
        async with self._thread.turn_here(post) as turn:
            if turn is not None:
                await self.function(*self._arguments(body, turn))

    async def deliver(self, raw: Mapping[str, Any], channel: str, identity: Identity) -> bool:
        """Give the function a post as if its event had come."""
        if self._loop is None or not self._loop.is_running():
            return True  # nobody is at home yet; it comes again
        return await super().deliver(raw, channel, identity)

    def _soon(self, post: Post, body: Mapping[str, Any]) -> None:
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._handle(post, body), self._loop).add_done_callback(_told)


class _Acknowledged:
    """A Socket Mode client for a request that it has answered already: it answers none."""

    def __init__(self, client: Any) -> None:
        self._client = client
        awaits = inspect.iscoroutinefunction(client.send_socket_mode_response)
        self.send_socket_mode_response = _ignore_here if awaits else _ignore

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def _ignore(*_: object) -> None: ...


async def _ignore_here(*_: object) -> None: ...


def _told(ended: Any) -> None:
    """Nobody else would hear of it."""
    if not ended.cancelled() and ended.exception() is not None:
        _log.error("a listener raised", exc_info=ended.exception())
