"""Methods of slack-machine's plug-ins, in any number of replicas, of which one handles each post."""

from __future__ import annotations

import asyncio
import atexit
import inspect
import logging
from dataclasses import replace
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from anyio.to_thread import run_sync

from slackmq.errors import ConfigurationError
from slackmq.integrations.guard import Framework
from slackmq.integrations.guard_thread import GuardThread
from slackmq.integrations.plan import How, Plan
from slackmq.integrations.posts import event_of, post_of
from slackmq.slack.markup import escape

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from slackmq.integrations.posts import Post
    from slackmq.integrations.turn import Turn
    from slackmq.message import Message
    from slackmq.slack.api import Identity

    Method = Callable[..., Coroutine[Any, Any, Any]]

__all__ = ["Replicas", "exactly_one"]

_log = logging.getLogger("slackmq.guard")
_GUARDED = "_slackmq_guarded"
_M = TypeVar("_M", bound="Method")


def exactly_one(method: _M) -> _M:
    """Let one of all replicas run a method of a plug-in for each post: a decorator under `@listen_to` or `@respond_to`.

    The post is claimed once for all methods that match it, the claim is extended while they run, and when the last one
    returns, the post is marked done, or failed, with the reason in its thread, if one raised. Whoever does not get the
    claim does nothing. What a dead replica left is found by reading the channel and dispatched to the decorated methods
    of another one. In a method, `message.slackmq` says the idempotency `key` of the post, the fencing `token` and the
    `attempt`.

    It wants "slackmq.integrations.slack_machine.plugin.ExactlyOne" in PLUGINS, and in the settings SLACKMQ_CHANNELS,
    names or ids: what comes from elsewhere, and edits, come to the method as ever. SLACKMQ_OPTIONS are those of
    `slackmq.integrations.plan.How`.

    Raises:
        ConfigurationError: when it is called, and that plug-in is not loaded.
    """

    @wraps(method)
    async def guarded(plugin: Any, message: Any, **found: Any) -> Any:
        replicas = Replicas.known.get(plugin._client)  # noqa: SLF001  # what a plug-in is given, under its only name
        if replicas is None:
            raise ConfigurationError(
                f"{method.__qualname__} is to run in one replica, and nothing here claims posts.",
                remedy='Add "slackmq.integrations.slack_machine.plugin.ExactlyOne" to PLUGINS, '
                'and SLACKMQ_CHANNELS = ["#ops"] to the settings.',
            )
        return await replicas.run(method, message, partial(method, plugin, message, **found))

    setattr(guarded, _GUARDED, True)
    return guarded  # type: ignore[return-value]  # it takes and gives what the method does


class Replicas(Framework):
    """A guarded slack-machine from within; the plug-in opens it.

    Args:
        client: slack-machine's own client, which all of its plug-ins have.
        settings: those of slack-machine.
    """

    known: ClassVar[dict[Any, Replicas]] = {}
    """By client: how a method that was decorated when it was written finds the bot that runs it."""

    def __init__(self, client: Any, settings: Mapping[str, Any]) -> None:
        web = client.web_client
        how: How = settings.get("SLACKMQ_OPTIONS", How())
        plan = Plan(channels=tuple(settings.get("SLACKMQ_CHANNELS") or ()), **how)
        self._client = client
        self._thread = GuardThread(web.token, web.base_url, plan, self)
        self._loop = asyncio.get_running_loop()
        self._held: dict[str, _Held] = {}
        self._awaited: dict[str, asyncio.Future[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Connect; from now on what was left is looked for."""
        await run_sync(self._thread.open)
        self.known[self._client] = self
        atexit.register(self._thread.close)

    async def run(self, method: Method, message: Any, call: Callable[[], Awaitable[Any]]) -> Any:
        """Run a method for a message, if its post is for this replica.

        Args:
            method: the method; it runs once for a post.
            message: the message of slack-machine.
            call: runs it.
        """
        event: Mapping[str, Any] = message._msg_event  # noqa: SLF001  # a message of slack-machine tells no ts but there
        post = post_of({"type": "event_callback", "event": {**event, "type": "message"}})
        if post is None or not self._thread.guard.guards(post.message.channel):
            return await call()
        turn = await self._turn(method, post)
        if turn is None:
            return None
        message.slackmq = turn.context
        with turn:
            return await call()

    async def _turn(self, method: Method, post: Post) -> Turn | None:
        """The turn that all methods share which match one post."""
        ts = post.message.ts
        held = self._held.get(ts)
        if held is None:
            held = self._held[ts] = _Held(self._loop.create_future())
            self._start(self._hold(post, held))
        elif held.won.done() or method in held.methods:
            return None  # it was delivered once more, while the first is in hand
        held.methods.add(method)
        awaited = self._awaited.pop(ts, None)
        if awaited is not None:
            awaited.set_result(None)
        return await asyncio.shield(held.won)

    async def _hold(self, post: Post, held: _Held) -> None:
        try:
            begun, working = self._thread.begin(post)
            turn = await asyncio.wrap_future(begun)
            if turn is not None:
                turn.add(len(held.methods) - 1)
            held.won.set_result(turn)
            await asyncio.wrap_future(working)
        finally:
            if not held.won.done():
                held.won.set_result(None)
            del self._held[post.message.ts]

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)  # the loop itself keeps a weak reference only
        task.add_done_callback(self._tasks.discard)
        return task

    def takes(self, message: Message, identity: Identity) -> bool:
        """Whether a decorated method may want a post that a read shows."""
        if message.ts in self._held:
            return True  # slack-machine has taken the mention off its text
        handler = self._handler()
        if message.author == identity.user:
            return False
        if handler is None:
            return True  # it is about to start; until then nothing is delivered
        known = _known(handler)
        actions, matcher = known["plugin_actions"], known["message_matcher"]
        for text in (message.text, escape(message.text)):  # patterns see the mark-up, which only a delivery has
            named = matcher.match(text)
            said = text if named is None else named["text"]
            if any(each.regex.search(said) for each in actions.listen_to.values()):
                return True
            if named and any(each.regex.search(said) for each in actions.respond_to.values()):
                return True
        return False

    async def deliver(self, raw: Mapping[str, Any], channel: str, identity: Identity) -> bool:
        """Dispatch a post to the decorated methods as if its event had come."""
        if self._handler() is None:
            return True  # nobody is at home yet; it comes again
        event = event_of(raw, channel=channel, team=identity.team, app=identity.app or "")["event"]
        wanted = asyncio.run_coroutine_threadsafe(self._redispatch(event), self._loop)
        return await asyncio.wrap_future(wanted)

    async def _redispatch(self, event: dict[str, Any]) -> bool:
        """Whether a decorated method was called; it goes on."""
        handler: Any = self._handler()
        awaited = self._awaited[event["ts"]] = self._loop.create_future()
        task = self._start(handler.__globals__["handle_message"](event, **_known(handler)))
        task.add_done_callback(_told)
        await asyncio.wait((task, awaited), return_when=asyncio.FIRST_COMPLETED)
        self._awaited.pop(event["ts"], None)
        return awaited.done()

    def _handler(self) -> Callable[..., Any] | None:
        """What slack-machine hears messages with, one of the listeners of its socket; None before it starts."""
        listeners = self._client._client.socket_mode_request_listeners  # noqa: SLF001  # there is no other way to it
        names = (getattr(listener, "__qualname__", "") for listener in listeners)
        found = zip(listeners, names, strict=True)
        return next((listener for listener, name in found if name.startswith("create_message_handler.")), None)


def _known(handler: Callable[..., Any]) -> dict[str, Any]:
    """What it dispatches by, with the decorated methods alone; it is a closure, and nothing else leads to that."""
    known = inspect.getclosurevars(handler).nonlocals
    actions = known["plugin_actions"]
    guarded = {
        kind: {name: each for name, each in getattr(actions, kind).items() if getattr(each.function, _GUARDED, False)}
        for kind in ("listen_to", "respond_to")
    }
    given = {name: known[name] for name in ("bot_name", "bot_id", "message_matcher", "slack_client")}
    return {**given, "plugin_actions": replace(actions, **guarded), "log_handled_message": True}


class _Held:
    """A post that is claimed, or about to be, for all methods that match it."""

    def __init__(self, won: asyncio.Future[Turn | None]) -> None:
        self.won = won
        self.methods: set[Method] = set()


def _told(task: asyncio.Task[None]) -> None:
    """Nobody else would hear of it."""
    if not task.cancelled() and task.exception() is not None:
        _log.error("a method raised", exc_info=task.exception())
