"""What both kinds of Bolt app have in common: which events are claimed, and what becomes of the rest."""

from __future__ import annotations

import atexit
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from slack_bolt.middleware.ignoring_self_events import IgnoringSelfEvents

from slackmq.errors import ConfigurationError
from slackmq.integrations.bolt.matching import Listeners
from slackmq.integrations.guard_thread import GuardThread
from slackmq.integrations.posts import event_of, is_edit, is_note, post_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slackmq.integrations.bolt.turned import Turned
    from slackmq.integrations.guard import Plan
    from slackmq.integrations.posts import Post
    from slackmq.message import Message
    from slackmq.slack.api import Identity

__all__ = ["Door"]


class Door:
    """A guarded app. Base of one class for each kind of app.

    Args:
        app: the app.
        runner: what runs its listeners.
        listeners: its listeners.
        middleware: its global middleware.
        plan: how it is guarded.
    """

    def __init__(
        self, app: Any, runner: Any, *, listeners: Sequence[Any], middleware: Sequence[Any], plan: Plan
    ) -> None:
        self._app = app
        self._runner = runner
        self._listeners = Listeners(listeners)
        self._ignores_itself = any(isinstance(each, IgnoringSelfEvents) for each in middleware)
        _check(app, runner, self._listeners)
        self._plan = plan
        self._original = runner.run
        self._completion = runner.listener_completion_handler
        self._turns: WeakKeyDictionary[Any, Turned] = WeakKeyDictionary()
        self._reached: WeakSet[Any] = WeakSet()
        self._lock = threading.Lock()
        self._thread = GuardThread(app.client.token, app.client.base_url, plan, self)
        self._guard = self._thread.guard

    def open(self) -> None:
        """Connect, and let listeners run only for what was claimed from now on."""
        self._thread.open()
        self._runner.run = self._run
        atexit.register(self.close)

    def close(self) -> None:
        """Stop claiming: listeners that run are waited for, ten seconds at most, and then run unguarded again."""
        if "run" not in vars(self._runner):
            return
        atexit.unregister(self.close)
        del self._runner.run  # what stood there before was the class's own
        self._thread.close()

    def takes(self, message: Message, identity: Identity) -> bool:
        """Whether a listener may want a post that a read shows."""
        if self._ignores_itself and message.author == identity.user:
            return False
        return self._listeners.may_take(message, identity.user)

    async def deliver(self, raw: Mapping[str, Any], channel: str, identity: Identity) -> bool:
        """Dispatch a post as if its event had come; each kind says how."""
        raise NotImplementedError  # a door is made for threads or for a loop, never as such

    def _claimable(self, request: Any, listener: Any) -> Post | None:
        """The post that a listener may run for only once it is claimed; None if it runs as in any Bolt app."""
        event: Mapping[str, Any] = request.body.get("event") or {}
        if request.lazy_only or not self._guard.guards(str(event.get("channel"))):
            return None
        post = post_of(request.body)
        if post is not None:
            with self._lock:
                self._reached.add(request)
            if listener.lazy_functions and self._runner.process_before_response:
                raise _lazy(listener)
        return post

    def _superfluous(self, request: Any, listener: Any) -> bool:
        """Whether a listener must not see an event: another one brings the same post, or no person and no bot spoke."""
        event: Mapping[str, Any] = request.body.get("event") or {}
        if not self._guard.guards(str(event.get("channel"))):
            return False
        if is_note(event):
            return True  # a queue's own words, also where a bot hears itself
        if is_edit(request.body):
            return not self._listeners.wants_edits_alone(listener, request.body)
        post = post_of(request.body)
        if post is None or post.type != "message":
            return False
        superfluous = self._listeners.may_take_mention(post.message, self._guard.identity.user)
        if superfluous:
            with self._lock:
                self._reached.add(request)
        return superfluous

    def _event(self, raw: Mapping[str, Any], channel: str, identity: Identity) -> dict[str, Any]:
        post = post_of({"type": "event_callback", "event": {**raw, "type": "message", "channel": channel}})
        mentioned = post is not None and self._listeners.may_take_mention(post.message, identity.user)
        type_ = "app_mention" if mentioned else "message"
        return event_of(raw, channel=channel, team=identity.team, app=identity.app or "", type_=type_)

    def over(self, request: Any) -> None:
        """The function of a listener has ended; Bolt's completion handler calls it."""
        with self._lock:
            turned = self._turns.pop(request, None)
        if turned is not None:
            turned.part_ended()

    def _begin(self, request: Any, turned: Turned, context: Mapping[str, Any]) -> None:
        request.context["slackmq"] = context
        with self._lock:
            self._turns[request] = turned

    _run: Any


def _check(app: Any, runner: Any, listeners: Listeners) -> None:
    if "run" in vars(runner):
        raise ConfigurationError("This app is guarded already.", remedy="Call exactly_one once, with all channels.")
    if not listeners:
        raise ConfigurationError(
            "This app has no listeners yet.", remedy="Call exactly_one after all of them are registered, as the last."
        )
    if not app.client.token:
        raise ConfigurationError(
            "This app has no token of its own: it is made for many workspaces.",
            remedy="Make one with App(token=…) for the workspace whose posts are to be claimed.",
        )
    for listener in listeners if runner.process_before_response else ():
        if listener.lazy_functions and listener.auto_acknowledgement:
            raise _lazy(listener)


def _lazy(listener: Any) -> ConfigurationError:
    name = getattr(listener.ack_function, "__name__", "a listener")
    return ConfigurationError(
        f"{name} has lazy functions, and this app has process_before_response=True: they may run in another process, "
        "which does not have the claim.",
        remedy="Do the work in the listener itself; only one process does it, and the claim is extended meanwhile.",
    )
