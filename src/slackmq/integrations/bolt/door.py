"""What both kinds of Bolt app have in common: which events are claimed, and what becomes of the rest."""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from slack_bolt.middleware.ignoring_self_events import IgnoringSelfEvents

from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError
from slackmq.integrations.bolt.matching import Listeners
from slackmq.integrations.bolt.swallowing import check_swallowing
from slackmq.integrations.bolt.turned import Turned
from slackmq.integrations.guard_thread import GuardThread
from slackmq.integrations.payload import PAYLOAD, Payload, is_work
from slackmq.integrations.posts import Post, event_of, is_edit, is_note, post_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slackmq.integrations.plan import Plan
    from slackmq.integrations.turn import Turn
    from slackmq.message import Message
    from slackmq.slack.api import Identity

__all__ = ["FAILED", "PATIENCE", "Door"]

_log = logging.getLogger("slackmq.bolt")
PATIENCE = 2.2
"""Seconds after which Slack is answered, whether the record of a payload stands or not: it waits for three
(docs.slack.dev/interactivity/handling-user-interaction)."""
FAILED = 400
"""Statuses from here on tell the person that it did not work."""


class Door(ABC):
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
        _check(app, runner, self._listeners, plan)
        self._original = runner.run
        self._completion = runner.listener_completion_handler
        self._turns: WeakKeyDictionary[Any, Turned] = WeakKeyDictionary()
        self._reached: WeakSet[Any] = WeakSet()
        self._records: WeakKeyDictionary[Any, Message] = WeakKeyDictionary()
        self._declined: WeakSet[Any] = WeakSet()
        self._lock = threading.Lock()
        self._closing = False
        self._thread = GuardThread(app.client.token, app.client.base_url, plan, self)
        self._guard = self._thread.guard

    def open(self) -> None:
        """Connect, and let listeners run only for what was claimed from now on."""
        self._thread.open()
        self._runner.run = self._run
        atexit.register(self.close)

    async def open_async(self) -> None:
        """The same for a loop, which goes on meanwhile."""
        opening = asyncio.ensure_future(asyncio.to_thread(self.open))
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:  # the thread cannot be stopped, and nobody would close what it opens
            opening.add_done_callback(lambda _: threading.Thread(target=self.close).start())
            raise

    def close(self) -> None:
        """Stop claiming: listeners that run are waited for, ten seconds at most, and then run unguarded again.

        Posts that come meanwhile are left to the other replicas: nobody here would claim them.
        """
        with self._lock:
            if self._closing or "run" not in vars(self._runner):
                return
            self._closing = True
        atexit.unregister(self.close)
        self._thread.close()
        del self._runner.run  # what stood there before was the class's own; until now it kept posts from running twice
        self._closing = False

    def takes(self, message: Message, identity: Identity) -> bool:
        """Whether a listener may want a post that a read shows."""
        if self._ignores_itself and message.author == identity.user:
            return False
        return self._listeners.may_take(message, identity.user)

    async def deliver(self, raw: Mapping[str, Any], channel: str, identity: Identity) -> bool:
        """Dispatch a post as if its event had come; whether a listener wants it.

        Who waits for mentions may keep one back with a middleware of its own. Then the post is a message as any other.
        """
        post = post_of({"type": "event_callback", "event": {**raw, "type": "message", "channel": channel}})
        mentioned = post is not None and self._listeners.may_take_mention(post.message, identity.user)
        about = partial(event_of, raw, channel=channel, team=identity.team, app=identity.app or "")
        if mentioned and await self._dispatch(about(type_="app_mention")):
            return True
        return await self._dispatch(about(type_="message"), declined=mentioned)

    async def repeat(self, payload: Payload, record: Message) -> bool:
        """Dispatch a payload, to be run once its record is claimed; whether a listener wants it."""
        return await self._dispatch(dict(payload.body), record=record)

    @abstractmethod
    async def _dispatch(self, body: dict[str, Any], *, record: Message | None = None, declined: bool = False) -> bool:
        """Have the app handle what Slack sent or would have; whether it got as far as a listener.

        Args:
            body: what Slack sent.
            record: what is to be claimed for it, if it is a payload.
            declined: whether no listener for mentions took the post.
        """

    @abstractmethod
    def _run(
        self, request: Any, response: Any, listener_name: str, listener: Any, starting_time: float | None = None
    ) -> Any:
        """Run a listener that has matched, if this replica is to: it stands in the place of the runner's own method."""

    def _sent_again(self, request: Any, record: Message | None, *, declined: bool) -> None:
        """Take note that a request is not Slack's."""
        with self._lock:
            if record is not None:
                self._records[request] = record
            if declined:
                self._declined.add(request)

    def _claimable(self, request: Any, listener: Any) -> Post | None:
        """What a listener may run for only once it is claimed; None if it runs as in any Bolt app."""
        if request.lazy_only:
            return None
        with self._lock:
            record = self._records.get(request)
        post = post_of(request.body) if record is None else Post(message=record, type=PAYLOAD, reply=False)
        if post is None or (record is None and not self._guard.guards(post.message.channel)):
            return None
        with self._lock:
            self._reached.add(request)
        if listener.lazy_functions and self._runner.process_before_response:
            raise _lazy(listener)
        return post

    def _payload(self, request: Any) -> Payload | None:
        """What a listener runs for at once, and leaves a record of; None if it leaves none.

        Where the listener has ended before Slack is answered, nothing can be lost after the answer.
        """
        recorded = self._guard.records and not self._runner.process_before_response and not self._closing
        if not recorded or request.lazy_only or not is_work(request.body):
            return None
        return Payload(body=request.body, key=SYSTEM.new_id())

    def _late(self, payload: Payload) -> None:
        _log.warning("Slack was told of %s before its record stood: the channel takes posts too slowly", payload.what)

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
        if post is None or post.type != "message" or request in self._declined:
            return False
        superfluous = self._listeners.may_take_mention(post.message, self._guard.identity.user)
        if superfluous:
            with self._lock:
                self._reached.add(request)
        return superfluous

    def _too_late(self, request: Any) -> bool:
        """Whether a listener must not begin, for nothing is claimed any more and all is not over yet."""
        if not self._closing:
            return False
        post = post_of(request.body)
        return request in self._records or (post is not None and self._guard.guards(post.message.channel))

    def over(self, request: Any) -> None:
        """The function of a listener has ended; Bolt's completion handler calls it."""
        with self._lock:
            turned = self._turns.pop(request, None)
        if turned is not None:
            turned.part_ended()

    def _begin(self, request: Any, listener: Any, turn: Turn) -> Turned:
        """The listener for this one time, which ends the turn."""
        turned = Turned(listener, turn)
        request.context["slackmq"] = turn.context
        with self._lock:
            self._turns[request] = turned
        return turned


def _check(app: Any, runner: Any, listeners: Listeners, plan: Plan) -> None:
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
        if listener.lazy_functions and (listener.auto_acknowledgement or plan.work):
            raise _lazy(listener)
    for listener in listeners:
        for function in (listener.ack_function, *listener.lazy_functions):
            check_swallowing(function, retries=plan.retries)


def _lazy(listener: Any) -> ConfigurationError:
    name = getattr(listener.ack_function, "__name__", "a listener")
    return ConfigurationError(
        f"{name} has lazy functions, and this app has process_before_response=True: they may run in another process, "
        "which does not have the claim.",
        remedy="Do the work in the listener itself; only one process does it, and the claim is extended meanwhile.",
    )
