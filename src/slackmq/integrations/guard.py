"""Guard: claims posts for a bot of another framework, keeps the claims alive, and finds what was left."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

import anyio

from slackmq.claiming.marks import Marks
from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError, LeaseLost, MessageGone, Refused, Reject, Retry, SlackError, told
from slackmq.policy import Accept, Ignore, Options, Timing
from slackmq.queue import AsyncQueue
from slackmq.queue.setting import agree, setting_of
from slackmq.slack.api import Connected, Urgency
from slackmq.slack.connect import open_slack

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from slackmq.hooks import Hook
    from slackmq.integrations.posts import Post
    from slackmq.message import Claim, Message
    from slackmq.policy import Verdict
    from slackmq.queue import Lease
    from slackmq.queue.setting import Choice
    from slackmq.slack.api import Event, Identity
    from slackmq.slack.client import Client
    from slackmq.slack.connect import Settings

__all__ = ["Framework", "Guard", "How", "Plan", "Turn"]

_log = logging.getLogger("slackmq.guard")
_COURTESY = timedelta(seconds=10)
"""So long a post that nobody has begun is left to whoever got its event: a claim may have to wait for its budget."""
_ENDING = 10.0
"""Seconds that may pass at the end until what is done has been marked."""


class Plan:
    """How a bot is guarded; the arguments of `exactly_one`.

    Raises:
        ConfigurationError: no channel is named.
    """

    def __init__(
        self,
        channels: Sequence[str],
        *,
        claim: Choice = "auto",
        replicas: int = 4,
        retries: int = 0,
        within: timedelta = timedelta(hours=1),
        timing: Timing | None = None,
        marks: Marks | None = None,
        hooks: Sequence[Hook] = (),
    ) -> None:
        if not channels:
            raise ConfigurationError("No channel is named.", remedy='Name those to guard: exactly_one(…, "#ops").')
        self.channels = tuple(channels)
        self.claim: Choice = claim
        self.replicas = replicas
        self.retries = retries
        # All replicas together read a quiet channel four times a minute: what a dead one left is found that soon.
        self.timing = timing or Timing(quiet=timedelta(seconds=15))
        self.marks = marks or Marks()
        self.hooks = tuple(hooks)
        self.options = Options(within=within)


class How(TypedDict, total=False):
    """How a bot is guarded, where the door to its framework takes options; each may be left out.

    Attributes:
        claim: how claims are made, as in `slackmq.App`: "auto" or "reaction" for replicas of one app, "pin" where apps
            with different tokens share the work.
        replicas: about how many processes run this bot (4): they share the 50 reads of history a minute.
        retries: how often a post is handled again after a function raised (0); one cut off by a crash always is.
        within: a post that nobody has begun by then (an hour) is left alone: nobody expects an answer any more.
        timing: the time constants; the same in all replicas.
        marks: which emoji stand for what; the same in all replicas.
        hooks: told of everything that happens, on a thread of its own.
    """

    claim: Choice
    replicas: int
    retries: int
    within: timedelta
    timing: Timing | None
    marks: Marks | None
    hooks: Sequence[Hook]


class Framework(Protocol):
    """What the guard needs of the framework whose bot it guards. It is called on the loop's thread, and never waits."""

    def takes(self, message: Message, identity: Identity) -> bool:
        """Whether the bot may have a listener for a post; to be asked for each post that a read shows."""
        ...

    async def deliver(self, raw: Mapping[str, Any], channel: str, identity: Identity) -> bool:
        """Give the bot a post as if its event had come; False if none of its listeners wanted it."""
        ...


class Turn:
    """One execution of a listener for a post that was claimed; of one part, unless more are added.

    Args:
        claim: the claim.
        loop: the loop on which somebody waits for its end.
    """

    def __init__(self, claim: Claim, loop: asyncio.AbstractEventLoop) -> None:
        self.claim = claim
        self._loop = loop
        self._lock = threading.Lock()
        self._left = 1
        self._ended = asyncio.Event()
        self.error: BaseException | None = None

    def add(self, parts: int = 1) -> None:
        """It has so many parts more; may be called from any thread, before the last one has ended."""
        with self._lock:
            self._left += parts

    def end(self, error: BaseException | None) -> None:
        """One part has ended, and the turn with the last; may be called from any thread."""
        with self._lock:
            self.error = self.error or error
            self._left -= 1
            over = self._left == 0
        if over:
            self._loop.call_soon_threadsafe(self._ended.set)

    async def wait(self) -> None:
        """Wait for its end."""
        await self._ended.wait()

    @property
    def context(self) -> dict[str, Any]:
        """What a listener may want to know: the idempotency key, the fencing token, the attempt."""
        claim = self.claim
        return {"key": claim.message.key, "token": claim.token, "attempt": claim.attempt}


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
        self._framework = framework
        self._queues: dict[str, AsyncQueue] = {}
        self._replies: set[str] = set()
        self._working = 0
        self._slack: Client
        self._identity: Identity

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Guard]:
        """Connect, agree with the others on how each channel is worked, and sweep until leaving.

        Raises:
            SlackError: the token is refused, a scope is missing, or the bot is in no such channel.
            ConfigurationError: a channel is worked in another way.
        """
        async with AsyncExitStack() as stack:
            self._slack = await stack.enter_async_context(open_slack(self._settings))
            self._identity = await self._slack.identity()
            for name in self._plan.channels:  # before the group of tasks, which would wrap what is refused
                queue = await stack.enter_async_context(await self._queue(name))
                self._queues[queue.channel.id] = queue
            tasks = await stack.enter_async_context(anyio.create_task_group())
            stack.callback(tasks.cancel_scope.cancel)
            for queue in self._queues.values():
                tasks.start_soon(self._sweep, queue)
            yield self
            with anyio.move_on_after(_ENDING):
                while self._working:
                    await SYSTEM.sleep(0.05)

    async def _queue(self, name: str) -> AsyncQueue:
        plan = self._plan
        channel = await self._slack.channel(name)
        await self._try_scopes(channel.id)
        mine = setting_of(plan.claim, timing=plan.timing, marks=plan.marks, socket=True, peers=False)
        setting = await agree(self._slack, channel, mine, choice=plan.claim)
        return AsyncQueue(
            self._slack,
            channel.id,
            events=_Hello(plan.replicas),
            select=self._select,
            claim="reaction" if setting.way == "native" else setting.way,
            bots=True,
            marks=plan.marks,
            timing=plan.timing,
            hooks=plan.hooks,
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
        if message.kind is not None or message.ts in self._replies:
            return Ignore()
        takes = self._framework.takes(message, self._identity)
        return Accept(options=self._plan.options) if takes else Ignore()

    def guards(self, channel: str) -> bool:
        """Whether posts of a channel are claimed."""
        return channel in self._queues

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
        queue = self._queues[post.message.channel]
        if post.reply:
            self._replies.add(post.message.ts)
        self._working += 1
        try:
            claim = await queue.claim_once(post.message).claim()
            if claim is not None:
                lease = queue.hold(claim)
                async with lease:
                    await self._run(lease, run)
        except LeaseLost as error:
            _log.warning("lost %s while a listener was at work on it: %s", post.message.ts, error)
        except SlackError as error:
            _log.warning("could not claim %s, it is left for later: %s", post.message.ts, error)
        finally:
            self._working -= 1

    async def _run(self, lease: Lease, run: Callable[[Turn], Awaitable[None]]) -> None:
        turn = Turn(lease.claim, asyncio.get_running_loop())
        try:
            await run(turn)
        except RuntimeError as error:  # the bot is about to end, and starts nothing more
            _log.warning("gave %s back, its listener cannot run here: %s", lease.claim.message.ts, error)
            await lease.release()
            return
        await turn.wait()
        await self._settle(lease, turn.error)

    async def _settle(self, lease: Lease, error: BaseException | None) -> None:
        retries = self._plan.retries
        match error:
            case None:
                await lease.ack()
            case BaseException() if not isinstance(error, Exception):
                await lease.release()  # an interruption: somebody else may start at once
            case Reject():
                await lease.fail(error.cause)
            case Retry(after=after) if after is not None or lease.claim.attempt < self._plan.options.attempts:
                await lease.fail(error.cause, retry_in=after or self._backoff(lease))
            case _ if lease.claim.attempt <= retries:
                await lease.fail(told(error), retry_in=self._backoff(lease))
            case _:
                await lease.fail(told(error))

    def _backoff(self, lease: Lease) -> timedelta:
        return self._plan.options.backoff.delay(lease.claim.attempt, SYSTEM.random())

    async def _sweep(self, queue: AsyncQueue) -> None:
        sweep = queue.sweep(courtesy=_COURTESY)
        try:
            async for message in sweep.messages():
                await self._deliver(message, sweep.decline)
        except SlackError as error:
            _log.error("stopped looking for what was left in %s: %s", queue.channel.name, error)  # the sentence says it

    async def _deliver(self, message: Message, decline: Callable[[Message], None]) -> None:
        try:
            raw = await self._raw(message)
        except SlackError as error:
            _log.warning("could not read %s again, it is left for later: %s", message.ts, error)
            return
        try:
            taken = raw is not None and await self._framework.deliver(raw, message.channel, self._identity)
        except RuntimeError as error:  # the bot is about to end, and starts nothing more
            _log.warning("left %s to others, nothing can run here: %s", message.ts, error)
            return
        if not taken:
            decline(message)

    async def _raw(self, message: Message) -> Mapping[str, Any] | None:
        """A post as Slack shows it, with all that listeners may look at."""
        args = {"channel": message.channel, "oldest": message.ts, "latest": message.ts, "inclusive": True, "limit": 1}
        found = await self._slack.caller.read("conversations.history", args, urgency=Urgency.SCAN)
        rows = (row for row in found.get("messages") or () if row["ts"] == message.ts)
        return next(rows, None)


class _Hello:
    """Events of a bot whose sockets are another framework's: only how many there are, about."""

    def __init__(self, connections: int) -> None:
        self._connections = connections

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator[AsyncIterator[Event]]:
        """Say hello, and nothing more."""

        async def events() -> AsyncIterator[Event]:
            yield Connected(connections=self._connections)
            await anyio.sleep_forever()

        yield events()
