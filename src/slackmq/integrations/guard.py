"""Guard: claims work for a bot of another framework, keeps the claims alive, and finds what was left."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from slackmq.clock import SYSTEM
from slackmq.errors import (
    ConfigurationError,
    EnvelopeTooLarge,
    LeaseLost,
    MessageGone,
    Refused,
    Reject,
    Retry,
    SlackError,
    told,
)
from slackmq.integrations.payload import PAYLOAD, Safe
from slackmq.integrations.recent import Recent
from slackmq.integrations.turn import Turn
from slackmq.message import seconds
from slackmq.policy import Accept, Ignore, Options
from slackmq.queue import AsyncQueue
from slackmq.queue.setting import agreed
from slackmq.slack.api import Urgency
from slackmq.slack.connect import open_slack
from slackmq.slack.polling import NoEvents

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
    from datetime import timedelta

    from slackmq.integrations.payload import Payload
    from slackmq.integrations.plan import Plan
    from slackmq.integrations.posts import Post
    from slackmq.message import Claim, Message
    from slackmq.policy import Verdict
    from slackmq.queue import Lease
    from slackmq.slack.api import Channel, Identity
    from slackmq.slack.client import Client
    from slackmq.slack.connect import Settings

__all__ = ["Framework", "Guard"]

_log = logging.getLogger("slackmq.guard")
_COURTESY = 10.0
"""So many seconds a post that nobody has begun is left to whoever got its event, at least."""
_ENDING = 10.0
"""Seconds that may pass at the end until what is done has been marked."""
_QUICK = 0.5
"""A listener that ends so many seconds after its acknowledgement leaves no record: it has only opened a modal, say."""


class Framework(Protocol):
    """What the guard needs of the framework whose bot it guards. It is called on the loop's thread, and never waits."""

    def takes(self, message: Message, identity: Identity) -> bool:
        """Whether the bot may have a listener for a post; to be asked for each post that a read shows."""
        ...

    async def deliver(self, raw: Mapping[str, Any], channel: str, identity: Identity) -> bool:
        """Give the bot a post as if its event had come; False if none of its listeners wanted it."""
        ...

    async def repeat(self, payload: Payload, record: Message) -> bool:
        """Give the bot a payload once more; False if none of its listeners wanted it, as with all that leave no record.

        Args:
            payload: what Slack sent.
            record: what is to be claimed for it.
        """
        del payload, record
        return False


class Guard:
    """Claims posts for the listeners of a bot. It lives on one event loop.

    Args:
        settings: which Slack, and as whom.
        plan: how.
        framework: the bot.
    """

    def __init__(self, settings: Settings, plan: Plan, framework: Framework) -> None:
        self._settings = settings
        self._plan = plan
        self._options = Options(within=plan.within, attempts=max(Options().attempts, plan.retries + 1))
        self._framework = framework
        self._safe = Safe(settings.token or "") if plan.work else None
        self._queues: dict[str, AsyncQueue] = {}
        self._guarded: set[str] = set()
        self._work = ""
        self._replies = Recent(keep=plan.timing.window.total_seconds())
        self._found: set[str] = set()
        self._behind = 0.0
        self._working = 0
        self._loop: asyncio.AbstractEventLoop
        self._slack: Client
        self._identity: Identity

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Guard]:
        """Connect, agree with the others on how each channel is worked, and sweep until leaving.

        Raises:
            SlackError: the token is refused, a scope is missing, or the bot is in no such channel.
            ConfigurationError: a channel is worked in another way.
        """
        self._loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            self._slack = await stack.enter_async_context(open_slack(self._settings))
            self._identity = await self._slack.identity()
            for name in self._plan.channels:  # before the group of tasks, which would wrap what is refused
                self._guarded.add(await self._open(name, stack))
            if self._plan.work:
                self._work = await self._open(self._plan.work, stack)
            tasks = await stack.enter_async_context(anyio.create_task_group())
            stack.callback(tasks.cancel_scope.cancel)
            for queue in list(self._queues.values()):
                tasks.start_soon(self._sweep, queue)
            yield self
            with anyio.move_on_after(_ENDING):
                while self._working:
                    await SYSTEM.sleep(0.05)

    async def _open(self, name: str, stack: AsyncExitStack) -> str:
        """Open a channel's queue, once; returns the channel's id."""
        channel = await self._slack.channel(name)
        if channel.id not in self._queues:
            self._queues[channel.id] = await stack.enter_async_context(await self._queue(channel))
        return channel.id

    async def _queue(self, channel: Channel) -> AsyncQueue:
        plan = self._plan
        await self._try_scopes(channel.id)
        setting = await agreed(self._slack, channel.id, plan.claim, timing=plan.timing, marks=plan.marks, socket=True)
        return AsyncQueue(
            self._slack,
            channel.id,
            events=NoEvents(plan.replicas),
            select=self._select,
            claim="reaction" if setting.way == "native" else setting.way,
            bots=True,
            marks=plan.marks,
            timing=plan.timing,
            hooks=plan.hooks,
            setting=setting,
        )

    async def _try_scopes(self, channel: str) -> None:
        """Ask for what every claim asks, of a message that does not exist: a scope that is missing is told now."""
        await self._slack.row(channel, "1.000000")
        try:
            await self._slack.unreact(channel, "1.000000", self._plan.marks.generations[0])
        except MessageGone:
            return
        except Refused as error:
            if error.code not in {"message_not_found", "no_reaction", "bad_timestamp"}:
                raise

    def _select(self, message: Message) -> Verdict:
        if message.kind == PAYLOAD:
            takes = message.channel == self._work
        elif message.kind is not None or message.ts in self._replies:
            takes = False
        else:
            takes = message.channel in self._guarded and self._framework.takes(message, self._identity)
        return Accept(options=self._options) if takes else Ignore()

    def guards(self, channel: str) -> bool:
        """Whether posts of a channel are claimed."""
        return channel in self._guarded

    @property
    def records(self) -> bool:
        """Whether payloads leave a record."""
        return self._safe is not None

    @property
    def identity(self) -> Identity:
        """Who the bot is."""
        return self._identity

    async def work(self, post: Post, run: Callable[[Turn], Awaitable[None]]) -> None:
        """Claim a post, let a listener run, and settle the claim; nothing happens if somebody else has it.

        A claim that cannot be made is no claim: the post stays as it is, and a sweep finds it.

        Args:
            post: what was posted.
            run: starts the listener, and returns at once; whoever runs it ends the turn.
        """
        message = post.message
        if post.reply:
            self._replies.add(message.ts, now=self._slack.now())
        self._working += 1
        try:
            queue = self._worked(message.channel)
            claim = await queue.claim_once(message).claim()
            if message.ts not in self._found:
                self._behind = self._slack.now() - seconds(message.ts)
            if claim is not None:
                lease = queue.hold(claim)
                async with lease:
                    await self._run(lease, run)
        except LeaseLost as error:
            _log.warning("lost %s while a listener was at work on it: %s", message.ts, error)
        except (SlackError, ConfigurationError) as error:
            _log.warning("could not claim %s, it is left for later: %s", message.ts, error)
        finally:
            self._working -= 1
            self._found.discard(message.ts)

    async def _run(self, lease: Lease, run: Callable[[Turn], Awaitable[None]]) -> None:
        turn = Turn(_context(lease.claim), self._loop)
        try:
            await run(turn)
        except RuntimeError as error:  # the bot is about to end, and starts nothing more
            _log.warning("gave %s back, its listener cannot run here: %s", lease.claim.message.ts, error)
            await lease.release()
            return
        await turn.wait()
        await self._settle(lease, turn.error)

    def turn(self, payload: Payload) -> Turn:
        """The first execution of a listener for a payload: no token is lower than its."""
        return Turn({"key": payload.key, "token": 0, "attempt": 1}, self._loop)

    async def keep(self, payload: Payload, turn: Turn, standing: Callable[[], None]) -> None:
        """See to it that a payload whose listener has acknowledged is worked on to the end, here or elsewhere.

        Args:
            payload: what Slack sent.
            turn: what the listener is at.
            standing: called as soon as nothing is lost if this process dies, or if nothing can be done about it.
        """
        self._working += 1
        try:
            with anyio.move_on_after(_QUICK):
                await turn.wait()
            if not turn.over or turn.error is not None:
                await self._record(payload, turn, standing)
        except (EnvelopeTooLarge, ConfigurationError) as error:
            _log.warning("%s leaves no record, and is lost if this replica dies: %s", payload.what, error)
        except LeaseLost as error:
            _log.warning("lost %s while its listener was at work on it: %s", payload.what, error)
        except SlackError as error:
            _log.warning("the record of %s is not as it should be: %s", payload.what, error)
        finally:
            self._working -= 1
            standing()

    async def _record(self, payload: Payload, turn: Turn, standing: Callable[[], None]) -> None:
        if self._safe is None:
            raise RuntimeError("there is no channel for records")
        queue = self._worked(self._work)
        record = await queue.post(PAYLOAD, self._safe.lock(payload), expires=self._plan.within)
        standing()
        claim = await queue.claim_once(record).claim()
        if claim is None:
            raise LeaseLost("Its record could not be claimed.", remedy="It may be done once more.")
        lease = queue.hold(claim)
        async with lease:
            await turn.wait()
            await self._settle(lease, turn.error)

    async def _settle(self, lease: Lease, error: BaseException | None) -> None:
        retries = self._plan.retries
        match error:
            case None:
                await lease.ack()
            case BaseException() if not isinstance(error, Exception | SystemExit):
                await lease.release()  # an interruption: somebody else may start at once
            case Reject():
                await lease.fail(error.cause)
            case Retry(after=after) if lease.claim.attempt < self._options.attempts:
                await lease.fail(error.cause, retry_in=after or self._backoff(lease))
            case Retry():  # nobody would be heard of who began it once more
                await lease.fail(error.cause)
            case _ if lease.claim.attempt <= retries:
                await lease.fail(told(error), retry_in=self._backoff(lease))
            case _:
                await lease.fail(told(error))

    def _backoff(self, lease: Lease) -> timedelta:
        return self._options.backoff.delay(lease.claim.attempt, SYSTEM.random())

    def _courtesy(self, message: Message) -> float:
        """Seconds for which a message that nobody has begun is left to whoever is to begin it.

        Where claims wait for their turn among the 50 a minute that Slack takes, they wait elsewhere as they do here:
        who looked after ten seconds would only spend more of them. Whoever posts a record is at work on it already.
        """
        timing = self._plan.timing
        lease = timing.lease.total_seconds()
        if message.kind == PAYLOAD:
            return lease + timing.margin.total_seconds()
        return max(_COURTESY, min(2 * self._behind, lease))

    async def _sweep(self, queue: AsyncQueue) -> None:
        """Look for what was left. Where that ends, nothing is claimed until the channel can be worked as it was."""
        channel = queue.channel
        await self._look(queue)
        while True:
            self._queues.pop(channel.id, None)
            await SYSTEM.sleep(self._plan.timing.lease.total_seconds())
            try:
                async with await self._queue(channel) as again:
                    self._queues[channel.id] = again
                    _log.warning("#%s is worked again", channel.name)
                    await self._look(again)
            except (SlackError, ConfigurationError) as error:
                _log.warning("#%s is still not worked here: %s", channel.name, error)

    async def _look(self, queue: AsyncQueue) -> None:
        """Look for what was left until Slack refuses, or the channel is worked in another way."""
        sweep = queue.sweep(courtesy=self._courtesy)
        try:
            async for message in sweep.messages():
                await self._deliver(message, sweep.decline)
        except (SlackError, ConfigurationError) as error:
            _log.error("#%s is worked no more: %s", queue.channel.name, error)  # the sentence says it

    def _worked(self, channel: str) -> AsyncQueue:
        """The queue of a channel that is worked at present."""
        if channel not in self._queues:
            remedy = "The log says why; it is tried again every now and then."
            raise ConfigurationError("The channel is not worked at present.", remedy=remedy)
        return self._queues[channel]

    async def _deliver(self, message: Message, decline: Callable[[Message], None]) -> None:
        self._found.add(message.ts)
        try:
            taken = await (self._repeat(message) if message.kind == PAYLOAD else self._show(message))
        except SlackError as error:
            _log.warning("could not read %s again, it is left for later: %s", message.ts, error)
            return
        except RuntimeError as error:  # the bot is about to end, and starts nothing more
            _log.warning("left %s to others, nothing can run here: %s", message.ts, error)
            return
        except Exception as error:  # noqa: BLE001  # matchers and middleware are strangers' code
            _log.error("left %s to others, what decides whether the bot wants it raised", message.ts, exc_info=error)
            return
        if not taken:
            self._found.discard(message.ts)
            decline(message)

    async def _show(self, message: Message) -> bool:
        raw = await self._raw(message)
        return raw is not None and await self._framework.deliver(raw, message.channel, self._identity)

    async def _repeat(self, record: Message) -> bool:
        if self._safe is None:
            return False
        try:
            payload = self._safe.unlock(record.body)
        except ValueError as error:
            _log.warning("the record %s is left to other replicas, for it cannot be read here: %s", record.ts, error)
            return False
        return await self._framework.repeat(payload, record)

    async def _raw(self, message: Message) -> Mapping[str, Any] | None:
        """A post as Slack shows it, with all that listeners may look at."""
        args = {"channel": message.channel, "oldest": message.ts, "latest": message.ts, "inclusive": True, "limit": 1}
        found = await self._slack.caller.read("conversations.history", args, urgency=Urgency.SCAN)
        rows = (row for row in found.get("messages") or () if row["ts"] == message.ts)
        return next(rows, None)


def _context(claim: Claim) -> dict[str, Any]:
    """What a listener may want to know: the idempotency key, the fencing token, the attempt."""
    key, attempt = claim.message.key, claim.attempt
    if claim.message.kind == PAYLOAD:  # whoever posted the record had begun before, claimed or not
        key, attempt = str(claim.message.body["key"]), max(2, attempt)
    return {"key": key, "token": claim.token, "attempt": attempt}
