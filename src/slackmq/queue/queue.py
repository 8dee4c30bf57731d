"""AsyncQueue: post, claim, extend, ack, fail, release, inspect."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import anyio

from slackmq.batch import Jobs
from slackmq.claiming.marks import Marks
from slackmq.claiming.pin import SETTLING
from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError
from slackmq.hooks import carried
from slackmq.message import Post
from slackmq.nameplate import Nameplate
from slackmq.policy import Timing, accept_jobs, check_lease
from slackmq.queue.batching import Batching
from slackmq.queue.lease import Lease
from slackmq.queue.once import Once
from slackmq.queue.parts import Parts
from slackmq.queue.standing import standings
from slackmq.queue.sweep import Sweep
from slackmq.slack.polling import NoEvents

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
    from types import TracebackType

    from slackmq.answer import Answer
    from slackmq.claiming.way import Way
    from slackmq.clock import Clock
    from slackmq.dead import DeadLetter
    from slackmq.hooks import Happening, Hook
    from slackmq.message import Claim, Json, Message, Receipt
    from slackmq.options import Rate
    from slackmq.policy import Verdict
    from slackmq.queue.opened import Opened
    from slackmq.queue.progress import Progress
    from slackmq.queue.setting import Setting
    from slackmq.queue.show import Decor
    from slackmq.queue.standing import Standing
    from slackmq.queue.turnstile import Turnstile
    from slackmq.slack.api import Channel, Events, Slack

__all__ = ["AsyncQueue"]

_log = logging.getLogger("slackmq.queue")
_AT_ONCE = timedelta(0)


class AsyncQueue(Batching):
    """A channel as a queue of jobs.

    Everything works inside `async with queue:`. Posting needs nothing else; claiming starts to watch the channel.

    Args:
        slack: the workspace, as `slackmq.connect()` yields it.
        channel: "#name" or id.
        events: hints of what happens; without them the channel is only read every `timing.scan`.
        select: says of each message whether it shall be claimed here; by default every job and nothing typed.
        claim: how to be the only one; the same in all processes that work the channel.
        peers: user ids of the bots of other apps whose jobs are taken and whose claims count, with claim="pin";
            None: of every bot in the channel.
        bots: whether what bots say, and what comes with a file, is selected from as if a person had typed it.
        show: what is put on a message while it is worked on, for people; never read back.
        marks: which emoji stand for what.
        timing: the time constants; the same in all processes that work the channel.
        clock: the time of this process.
        hooks: told of everything that happens.
        worker: the name of this process, for people and for jobs that are meant for it; drawn at random if None.
        labels: what can be said of this process, as "gpu" or "room=attic"; jobs may be meant for those with a label.
        dead_letters: "#name" or id of a channel in which each job that died has a message; None: its thread says it.
        setting: what `slackmq.queue.setting.agree` found for this channel: once another one stands there, `claims()`
            raises; None: nobody sees to it that all processes use the same.
    """

    def __init__(
        self,
        slack: Slack,
        channel: str,
        *,
        events: Events | None = None,
        select: Callable[[Message], Verdict] = accept_jobs,
        claim: Way = "reaction",
        peers: Collection[str] | None = None,
        bots: bool = False,
        show: Decor | None = None,
        marks: Marks | None = None,
        timing: Timing | None = None,
        clock: Clock = SYSTEM,
        hooks: Sequence[Hook] = (),
        worker: str | Nameplate | None = None,
        labels: Collection[str] = (),
        dead_letters: str | None = None,
        setting: Setting | None = None,
    ) -> None:
        if show == "pin" and claim == "pin":
            raise ConfigurationError("Claims by pins show pins already.", remedy='Leave show="pin" out.')
        self.timing = timing or Timing()
        self._settling = SETTLING if claim == "pin" else _AT_ONCE
        check_lease(self.timing.lease, self.timing, settling=self._settling)
        self.here = Nameplate.made(worker, labels, draw=clock.new_id)
        self.worker = self.here.name
        self._slack = slack
        self._name = channel
        self._clock = clock
        self._hooks = hooks
        self._parts = Parts.made(
            slack,
            events=events or NoEvents(),
            select=select,
            claim=claim,
            peers=peers,
            bots=bots,
            show=show,
            marks=marks or Marks(),
            timing=self.timing,
            clock=clock,
            here=self.here,
            hook=self._tell,
            dead_letters=dead_letters,
            setting=setting,
        )
        self._sightings = self._parts.sightings
        self._stack = AsyncExitStack()
        self._stopping = False
        self.opened: Opened | None = None
        """What the open queue is made of, for the other rooms of this library."""

    async def __aenter__(self) -> Self:
        tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(tasks.cancel_scope.cancel)
        try:
            self.opened = await self._parts.open(self._name, tasks)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.opened = None
        await self._stack.aclose()

    @property
    def channel(self) -> Channel:
        """The channel, once the queue is open."""
        return self._inside.channel

    @property
    def received_at(self) -> float | None:
        """When the channel was last read or heard of, on the process's monotonic clock; None before the first time."""
        return self._inside.watch.received_at

    async def post(
        self,
        kind: str,
        body: Mapping[str, Json] | None = None,
        *,
        key: str | None = None,
        lease: timedelta | None = None,
        priority: int = 0,
        expires: timedelta | None = None,
        delay: timedelta | None = None,
        after: Sequence[Message | str] = (),
        on: str = "",
    ) -> Message:
        """Post a job.

        Args:
            kind: the name of the handler that shall do it.
            body: the handler's arguments by name; more than 8,000 bytes of JSON go as a file.
            key: of all jobs posted with one key within `timing.window`, one is done. A chosen key costs the time
                `timing.skew` before the work starts, because another program may have posted it a moment before.
            lease: how long a claim lasts unless it is extended; None leaves it to the worker.
            priority: of what waits, the highest number is begun first.
            expires: what nobody has begun so long after it was due is marked dead, with a sentence that says so.
            delay: nobody begins it sooner, by Slack's clock; 120 days at most. It waits in the channel.
            after: up to 100 messages of the channel, or their ts, to be done first; if one is dead or gone, so is it.
            on: the worker for which it waits, by name ("pi-1") or label ("room=attic"); "": any.

        Returns:
            The message as it stands in the channel.

        Raises:
            ConfigurationError: the kind is no word, a time too short, or it cannot wait for these; nothing was sent.
            EnvelopeTooLarge: the body has more than 16 MiB as JSON; nothing was sent.
            Ambiguous: no answer came to several tries: the job may stand there. Post it again with the same key.
        """
        check_lease(lease or self.timing.lease, self.timing, settling=self._settling)
        new = Post(
            kind=kind,
            body=body or {},
            key=key or self._clock.new_id(),
            keyed=key is not None,
            lease=lease,
            priority=priority,
            expires=None if expires is None else self._slack.now() + (expires + (delay or _AT_ONCE)).total_seconds(),
            delay=delay or None,
            after=await self._inside.naming.taken(after),
            batch=body.size if isinstance(body, Jobs) else 0,
            on=on,
        )
        return await self._inside.poster.post(replace(new, trace=carried(self._hooks, new)))

    async def claims(self) -> AsyncGenerator[Lease]:
        """Claims, one after the other, for as long as the queue is open and not stopped.

        Several tasks may iterate at once, each over its own `claims()`; no message is given to two of them.

        Raises:
            ConfigurationError: the channel is worked with another setting by now.
            SlackError: Slack refuses to show the channel: the token was revoked, a scope is missing, the bot was
                removed from the channel.
        """
        if self._stopping:
            return
        self._inside.start()
        while (claim := await self._inside.next(lambda: self._stopping)) is not None:
            yield self.hold(claim)

    def sweep(self, *, courtesy: Callable[[Message], float] = lambda _: 0.0) -> Sweep:
        """What may be claimed now, for whoever claims it by name: nobody began it, or its holder was not heard of.

        Args:
            courtesy: for how many seconds a message that nobody has begun is left to whoever got its event.
        """
        self._inside.start()
        return Sweep(self._inside, lambda: self._stopping, clock=self._clock, slack=self._slack, courtesy=courtesy)

    @property
    def turnstile(self) -> Turnstile:
        """Lets one of all processes post what each of them would."""
        return self._inside.turnstile

    def hold(self, claim: Claim) -> Lease:
        """A lease that keeps a claim alive inside `async with`."""
        period = self._inside.keeping.lease_of(claim.message) / 2
        return Lease(self._inside.keeper(claim), claim, period=period, clock=self._clock)

    def limit(self, rate: Rate | None) -> None:
        """Let `claims()` claim no more messages in a time than that from now on; None: as many as there are."""
        self._parts.gate.rate = rate

    def stop(self) -> None:
        """Let every `claims()` end once its current contest is decided; claims that are held stay held."""
        self._stopping = True
        if self.opened is not None:
            self.opened.watch.wake()

    async def claim(self, message: Message) -> Claim | None:
        """Claim one message, if nobody has it and it has not ended; None if it cannot be had now.

        A message whose key was chosen by its poster is claimed `timing.skew` after it was posted, no sooner.
        """
        return await self._inside.pick.claim(message)

    def claim_once(self, message: Message | str | None = None, *, key: str | None = None, wait: bool = False) -> Once:
        """A claim for whoever asks first: `async with queue.claim_once(ts) as claim:` and then `if claim:`.

        Inside, `claim` is a `Lease`, or None where somebody else was first; how one leaves is how it ends.

        Args:
            message: what to claim, or its ts: any message that stands in the channel, whoever posted it.
            key: instead of a message, a name of what shall happen once, as "backup/2026-11-27": who finds no message of
                this name posts one, and the earliest is claimed, after the time `timing.skew`.
            wait: wait while somebody else has it, and take over if their claim lapses; None comes once it has ended.

        Raises:
            ConfigurationError: neither or both are given; on entering, the channel has no such message.
        """
        return Once(lambda: self._inside.pick, self.hold, message=message, key=key, wait=wait)

    async def extend(self, claim: Claim) -> Claim:
        """Prolong a claim by its lease, under the next token.

        Raises:
            LeaseLost: it had lapsed, or the message cannot be claimed further.
        """
        return await self._inside.keeper(claim).extend(claim)

    async def answer(self, message: Message, *, within: timedelta) -> Answer:
        """Wait until a job that was posted here has ended, and return what its handler answered.

        A process that claims hears of the end; any other reads the channel every `timing.scan`.

        Raises:
            JobFailed: it is dead.
            JobVanished: somebody deleted it.
            AnswerLate: it has not ended by then; it goes on.
        """
        return await self._inside.asking.answer(message, within=within, watching=self._inside.watching)

    async def body(self, message: Message) -> Mapping[str, Json]:
        """The arguments of a job, from its file where they were too long for the message.

        Raises:
            BodyLost: the file is gone, or is not what was posted.
            SlackError: Slack does not give it now.
        """
        return await self._parts.parcels.body(message)

    async def ack(self, claim: Claim, answer: str | Answer | None = None) -> Receipt:
        """The work is done: answer in the thread, mark the message done.

        Args:
            claim: the claim under which it was done.
            answer: for the thread, in Slack's mark-up, and for a program that asked; None for no answer.
        """
        return await self._inside.keeper(claim).ack(claim, answer)

    async def fail(self, claim: Claim, reason: str, *, retry_in: timedelta | None = None, trace: str = "") -> Receipt:
        """The attempt failed: the thread says why; the next attempt may begin in `retry_in`, or never if None.

        Args:
            claim: the claim under which it failed.
            reason: why; what looks like a secret in it is made unreadable.
            retry_in: when it may be tried again; None: it is dead.
            trace: the traceback, for the dead letter.
        """
        return await self._inside.keeper(claim).fail(claim, reason, retry_in=retry_in, trace=trace)

    async def release(self, claim: Claim) -> Receipt:
        """Give a claim back: anybody may take the message at once, and the attempt does not count."""
        return await self._inside.keeper(claim).release(claim)

    async def cancel(self, message: Message | str, *, by: str = "", running: bool = True) -> bool:
        """Let a job not be done: what nobody has begun ends here and now; who works on it is told to stop.

        Args:
            message: the job, or its ts.
            by: who wants it, for people; the name of this process if empty.
            running: whether who works on it shall stop; False leaves alone what somebody has.

        Returns:
            Whether it has ended; False where a worker may hold it, who stops and ends it.

        Raises:
            AlreadyEnded, ConfigurationError: it has ended, or repeats another; the channel has no such message.
        """
        return await self._inside.cancelling.cancel(message, by=by or self.worker, running=running)

    def progress(self, claim: Callable[[], Claim]) -> Progress:
        """What shows how far the work on a claim is; `claim` gives it as it stands."""
        return self._inside.keeper(claim()).progress(claim)

    async def dead_letters(self) -> tuple[DeadLetter, ...]:
        """The letters of the last `timing.reach` about jobs that died, one a job, oldest first.

        Raises:
            ConfigurationError: the queue was given no channel for them.
        """
        return await self._inside.redrive.letters(since=self._slack.now() - self.timing.reach.total_seconds())

    async def redrive(self, dead: Message | DeadLetter) -> Message:
        """Post a dead job again where it was, with a fresh count of attempts; its handler is told the same key.

        Args:
            dead: a dead job of this channel, or a letter from `dead_letters()`.

        Returns:
            The new job. Of all who ask, at once or later, all get the same one.

        Raises:
            ConfigurationError: it is not dead, or a person typed it; nothing was posted.
        """
        return await self._inside.redrive.redrive(dead, ended=self._inside.pick.ended)

    async def inspect(self, *, threads: bool = True, past: bool = False) -> tuple[Standing, ...]:
        """Read the window and say how each message stands, oldest first.

        Args:
            threads: whether to read those that begun messages have, a call each: only they tell what was given back.
            past: whether to look once for what waits from before the window, as far back as workers do.
        """
        watch = self._inside.watch
        await watch.scan()
        if past:
            await watch.past.known(lambda: watch.running and watch.failure is None)
        if threads:
            await self._inside.contest.read_threads()
        return standings(self._sightings, now=self._slack.now())

    def _tell(self, happening: Happening) -> None:
        if self._parts.show is not None:
            self._parts.show.tell(happening)
        for hook in self._hooks:
            try:
                hook(happening)
            except Exception:  # noqa: BLE001  # a hook is a stranger's code, and no reason to lose a job
                _log.exception("a hook raised on %s", type(happening).__name__)
