"""The library of 2019 under its old names: `slackmq(token, channel, ts).ack()`, now with a lease.

What was there, version 0.1.2, pinned a message and took the pin off again. Here the pin is a claim: it is kept alive
until `unack`, it lapses if the process dies, and a message that was answered is not answered again.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio

from slackmq.claiming.marks import Marks
from slackmq.clock import SYSTEM
from slackmq.errors import AlreadyReacted, LeaseLost, SlackError, SlackMQError, told
from slackmq.message import seconds
from slackmq.policy import Accept, Options, Timing
from slackmq.portal import standing_portal, wait_for
from slackmq.queue import AsyncQueue
from slackmq.queue.setting import agreed
from slackmq.slack.api import Urgency
from slackmq.slack.connect import open_slack, resolve
from slackmq.sync import Lease

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from contextlib import AbstractContextManager
    from types import TracebackType

    from anyio.from_thread import BlockingPortal

    from slackmq.claiming.way import Way
    from slackmq.message import Message
    from slackmq.slack.client import Client
    from slackmq.slack.connect import Settings

__all__ = ["left", "slackmq"]

_log = logging.getLogger("slackmq.classic")
_FORGOTTEN = timedelta(minutes=10)
"""After so long without an `unack` the work counts as failed: in 2019 such a message stayed pinned for ever."""

_LOOK = 10.0
"""Seconds after which a message that nobody had begun is looked at again, for somebody who began it and died."""
_GIVING_BACK = 5.0
"""Seconds that giving a claim back may take when the process ends."""


@dataclass(eq=False, slots=True)
class slackmq:  # noqa: N801  # its name since 2018
    """A message that one of several bots shall work on.

    Args:
        api_token: the bot's token; SLACKMQ_URL says which Slack, as everywhere in this library.
        channel: id of the channel.
        timestamp: the message's ts.
        claim: "pin" keeps bots of different tokens apart, as ever; "reaction" is faster, for copies of one bot.
        wait: whether `ack` waits while another bot is at work on the message, to take over if it dies.
        raises: whether errors of Slack are raised, or logged and answered with False.
    """

    api_token: str = field(repr=False)
    channel: str
    timestamp: str
    _: KW_ONLY
    claim: Way = "pin"
    wait: bool = True
    raises: bool = False

    def ack(self, emoji: str | None = None, stars: object = None) -> bool:
        """Pin the message, and keep it until `unack`.

        Args:
            emoji: also put this emoji on it, for people.
            stars: if it is anything but None, also star it; Slack has taken stars out of its clients.

        Returns:
            True if it is ours; False if another bot has done it, or Slack could not be asked.
        """
        try:
            office = _office(self.api_token, self.channel, self.claim)
            won = office.take(self.timestamp, wait=self.wait)
        except SlackMQError as error:
            return self._failed("could not claim", error)
        if won:
            self._decorate(office, "add", emoji, stars)
        return won

    def unack(self, emoji: str | None = None, stars: object = None) -> bool | None:
        """The work is done: mark the message done and take the pin off, in the background.

        Args:
            emoji: also take this emoji off again.
            stars: if it is anything but None, also take the star away.

        Returns:
            None, as ever; False if the message was not ours any more, or Slack could not be asked.
        """
        return self._end(None, emoji, stars)

    def __enter__(self) -> bool:
        return self.ack()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if _office(self.api_token, self.channel, self.claim).holds(self.timestamp):
            self._end(error, None, None)

    def _end(self, error: BaseException | None, emoji: str | None, stars: object) -> bool | None:
        try:
            office = _office(self.api_token, self.channel, self.claim)
            ended = office.end(self.timestamp, error)
        except SlackMQError as failure:
            return self._failed("could not end", failure)
        self._decorate(office, "remove", emoji, stars)
        return None if ended else False

    def _decorate(self, office: _Office, deed: str, emoji: str | None, stars: object) -> None:
        """What people see; it decides nothing, so its failure is no failure of the claim."""
        for method, extra in ((f"stars.{deed}", stars), (f"reactions.{deed}", emoji)):
            args = {"channel": self.channel, "timestamp": self.timestamp}
            try:
                if extra is not None:
                    office.call(method, args if method.startswith("stars") else {**args, "name": extra})
            except AlreadyReacted:
                continue
            except SlackError as error:
                _log.warning("%s on %s: %s", method, self.timestamp, error)

    def _failed(self, what: str, error: SlackMQError) -> bool:
        _log.error("%s %s: %s", what, self.timestamp, error)
        if self.raises:
            raise error
        return False


def left(api_token: str, channel: str, *, claim: Way = "pin") -> Generator[slackmq]:
    """What a bot that died had acked and not unacked, one after the other, for as long as one iterates; it blocks.

    Who waits in `ack` takes such a message over by itself. That is enough where every copy hears every message, as over
    RTM, and one of them outlives the claim. For all other cases let a thread iterate, and `ack` what it is given: it
    comes again until somebody does.

    Args:
        api_token: the bot's token.
        channel: id of the channel.
        claim: as the bots have it.

    Raises:
        SlackMQError: Slack refuses, or the channel is worked in another way.
    """
    for ts in _office(api_token, channel, claim).left():
        yield slackmq(api_token, channel, ts, claim=claim)


class _Office:
    """The queue of one channel for one token, on a loop of its own, for as long as the process lives."""

    def __init__(self, settings: Settings, channel: str, claim: Way) -> None:
        self._settings = settings
        self._channel = channel
        self._claim: Way = claim
        self._held: dict[str, tuple[Lease, Callable[[], object]]] = {}
        self._lock = threading.Lock()
        self._slack: Client
        self._portal: BlockingPortal = standing_portal("slackmq-classic")
        self._inside: AbstractContextManager[AsyncQueue] = self._portal.wrap_async_context_manager(self._opened())
        try:
            self._queue = self._inside.__enter__()
        except BaseException:
            self._portal.call(self._portal.stop)
            raise
        atexit.register(self._close)

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[AsyncQueue]:
        timing, marks = Timing(), Marks()
        async with open_slack(self._settings) as slack:
            self._slack = slack
            setting = await agreed(slack, self._channel, self._claim, timing=timing, marks=marks)
            async with AsyncQueue(
                slack, self._channel, claim=self._claim, timing=timing, marks=marks, setting=setting
            ) as queue:
                queue.sweep()  # from now on the channel is watched, and ended pins are taken off
                yield queue

    def left(self) -> Generator[str]:
        """The ts of each message whose claim has lapsed."""
        with self._portal.wrap_async_context_manager(self._sweeping()) as messages:
            while (message := wait_for(self._portal, lambda: anext(messages, None))) is not None:
                yield message.ts

    @asynccontextmanager
    async def _sweeping(self) -> AsyncGenerator[AsyncGenerator[Message]]:
        """A queue beside the first, which takes no interest in what people type; this one claims nothing."""

        def begun(message: Message) -> float:
            return self._slack.now() - seconds(message.ts) + _LOOK

        async with AsyncQueue(
            self._slack,
            self._channel,
            select=lambda _: Accept(options=Options()),
            claim=self._claim,
            timing=Timing(),
            marks=Marks(),
        ) as queue:
            messages = queue.sweep(courtesy=begun).messages()
            try:
                yield messages
            finally:
                await messages.aclose()

    def take(self, ts: str, *, wait: bool) -> bool:
        """Claim a message, and keep it alive."""
        claim = wait_for(self._portal, self._queue.claim_once(ts, wait=wait).claim)
        if claim is None:
            return False
        lease = Lease(self._portal, self._queue.hold(claim))
        lease.__enter__()
        forgotten = self._portal.start_task_soon(self._give_up, ts)
        with self._lock:
            self._held[ts] = lease, forgotten.cancel
        return True

    def holds(self, ts: str) -> bool:
        """Whether a message is ours."""
        return ts in self._held

    def end(self, ts: str, error: BaseException | None) -> bool:
        """End a claim, done or failed; False if there is none, or it was lost."""
        with self._lock:
            lease, settle = self._held.pop(ts, (None, None))
        if lease is None or settle is None:
            _log.warning("%s is not ours: it was not acked here, or it was unacked before", ts)
            return False
        settle()
        try:
            if isinstance(error, Exception):
                lease.fail(told(error))
            elif error is not None:
                lease.release()  # an interruption: somebody else may start at once
            lease.__exit__(None, None, None)
        except LeaseLost as lost:
            _log.warning("%s was lost before it was unacked: %s", ts, lost)
            return False
        return True

    def call(self, method: str, args: dict[str, Any]) -> None:
        """Any method of the Web API."""
        wait_for(self._portal, lambda: self._slack.caller.write(method, args, urgency=Urgency.SCAN))

    async def _give_up(self, ts: str) -> None:
        await SYSTEM.sleep(_FORGOTTEN.total_seconds())
        with self._lock:
            lease, _ = self._held.pop(ts, (None, None))
        if lease is not None:
            _log.error("%s was acked and never unacked: it counts as failed", ts)
            await self._queue.fail(lease.claim, "It was acked, and never unacked.")

    async def _give_back(self) -> None:
        """Somebody else may start at once; a Slack that cannot be reached is not waited for."""
        for ts in list(self._held):
            lease, _ = self._held.pop(ts)
            with anyio.move_on_after(_GIVING_BACK):
                await self._queue.release(lease.claim)

    def _close(self) -> None:
        atexit.unregister(self._close)
        self._portal.call(self._give_back)
        self._inside.__exit__(None, None, None)
        self._portal.call(self._portal.stop)


_OFFICES: dict[tuple[str, str, Way], _Office] = {}
_OPENING = threading.Lock()


def _office(token: str, channel: str, claim: Way) -> _Office:
    """The one of this process; it is opened when it is first needed."""
    with _OPENING:
        if (token, channel, claim) not in _OFFICES:
            settings = replace(resolve(os.environ, token=token), app_token=None)
            _OFFICES[token, channel, claim] = _Office(settings, channel, claim)
        return _OFFICES[token, channel, claim]
