"""A Bolt app, of either kind, in any number of replicas, of which one does each piece of work."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from slack_bolt import App

from slackmq.errors import ConfigurationError
from slackmq.integrations.bolt.middleware import ExactlyOne
from slackmq.integrations.bolt.threads import Threads
from slackmq.integrations.guard_thread import Guarded
from slackmq.integrations.plan import How as _How
from slackmq.integrations.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType
    from typing import Any, Unpack

    from slack_bolt.async_app import AsyncApp

    from slackmq.integrations.bolt.door import Door

__all__ = ["ExactlyOne", "Guarded", "How", "Opening", "exactly_one", "exactly_one_async", "exactly_one_middleware"]

_log = logging.getLogger("slackmq.bolt")


class How(_How, total=False):
    """What may be said about how an app is guarded: more than `slackmq.integrations.plan.How`.

    Attributes:
        work: name or id of a channel in which slash commands, buttons, shortcuts and modals leave a record while their
            listener is at work, so that another replica finds what a dead one left; encrypted, which takes
            `slackmq[crypto]`. Left out, they run as in any Bolt app.
    """

    work: str


def exactly_one(app: App | AsyncApp, *channels: str, **how: Unpack[How]) -> Guarded:
    """Let one of all replicas of an app handle each post of some channels; one line, after the listeners.

    A post is claimed once a listener has matched it and all middleware has let it through. Whoever does not get the
    claim answers Slack and does nothing. When the listener and its lazy functions have ended, the post is marked done,
    or failed with the reason in its thread. What a dead replica left, handled in part or not at all, another one finds
    by reading the channel, and gives it to its listeners again. An `app_mention` and the `message` of one post count as
    one, and a listener for mentions has it; an edit never runs a post again.

    In a listener `context["slackmq"]` says the idempotency `key` of the work, the fencing `token` and the `attempt`.

    Args:
        app: a `slack_bolt.App` or a `slack_bolt.async_app.AsyncApp`, in Socket Mode or over HTTP.
        channels: names or ids. What comes from elsewhere, and all that is no post, is handled as ever.
        how: as in `How`.

    Returns:
        What can be closed; it is closed at the latest when the process ends.

    Raises:
        ConfigurationError: no channel, no listener yet, an app for many workspaces, lazy functions together with
            `process_before_response=True`, `retries` for a listener that raises nothing, or a channel that is worked
            with other settings.
        SlackError: a scope is missing, the bot is not in a channel, or the token is refused.
    """
    door = _door(app, Plan(channels=channels, **how))
    if not isinstance(app, App) and _on_a_loop():
        _log.warning("exactly_one stops this loop until it is connected; write `async with exactly_one_async(app, …):`")
    door.open()
    return Guarded(door)


def exactly_one_async(app: AsyncApp, *channels: str, **how: Unpack[How]) -> Opening:
    """The same where a loop runs already, which goes on meanwhile.

    Write `async with exactly_one_async(app, "#ops"):` around the start of the app, or `await` it.

    Args:
        app: the app, with all its listeners.
        channels: names or ids.
        how: as in `How`.

    Returns:
        What is guarded once it is awaited or entered; then it raises as `exactly_one` does.
    """
    plan = Plan(channels=channels, **how)
    return Opening(lambda: _door(app, plan))


def exactly_one_middleware(app: App | AsyncApp, *channels: str, **how: Unpack[How]) -> ExactlyOne:
    """The same as middleware: `app.use(exactly_one_middleware(app, "#ops"))`, before or after the listeners.

    It connects at the first request, of whatever kind, and begins then to look for what a dead replica left.

    Args:
        app: the app that is to use it.
        channels: names or ids.
        how: as in `How`.
    """
    plan = Plan(channels=channels, **how)
    return ExactlyOne(lambda: _door(app, plan))


def _door(app: App | AsyncApp, plan: Plan) -> Door:
    if isinstance(app, App):
        return Threads(app, plan)
    from slackmq.integrations.bolt.loops import Loops  # noqa: PLC0415  # a sync bot need not load it

    _check_kind(app)
    return Loops(app, plan)


def _check_kind(app: object) -> None:
    from slack_bolt.async_app import AsyncApp  # noqa: PLC0415  # as above

    if not isinstance(app, AsyncApp):
        raise ConfigurationError(f"{app!r} is no Bolt app.", remedy='Name it first: exactly_one(app, "#ops").')


def _on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class Opening:
    """An app that is about to be guarded, as `exactly_one_async` returns it: `await` it, or `async with` it."""

    def __init__(self, make: Callable[[], Door]) -> None:
        self._make = make
        self._guarded: Guarded | None = None

    async def _open(self) -> Guarded:
        door = self._make()  # on the app's loop, which it remembers
        await door.open_async()
        return Guarded(door)

    def __await__(self) -> Generator[Any, Any, Guarded]:
        return self._open().__await__()

    async def __aenter__(self) -> Guarded:
        self._guarded = await self._open()
        return self._guarded

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._guarded is not None:
            await self._guarded.close_async()
