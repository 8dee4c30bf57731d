"""Decisions as plain functions of what is known: how long, how often, whether."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from slackmq.errors import ConfigurationError, EnvelopeTooNew, MeantForOthers, MessageEdited
from slackmq.options import Backoff, Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from slackmq.envelope import Letter
    from slackmq.errors import MessageRejected
    from slackmq.message import Message
    from slackmq.nameplate import Nameplate

__all__ = [
    "ONCE",
    "REPOST_AFTER",
    "Accept",
    "Action",
    "Backoff",
    "Elsewhere",
    "Facts",
    "Ignore",
    "Later",
    "Options",
    "Read",
    "Refuse",
    "Take",
    "Timing",
    "Verdict",
    "Wait",
    "accept_jobs",
    "check_lease",
    "decide",
    "doubtful",
    "lease_of",
    "patience",
    "placed",
    "scan_period",
    "verdict_on",
]

_PROMPT = 8.0
"""A first try that reached the channel later than this after it was sent may be overtaken by its own repetition."""
REPOST_AFTER = 10.0
"""Seconds before an unanswered post is repeated: longer than `_PROMPT`, so that a repetition never precedes a prompt
first try, whatever the clocks' resolution (Slack's Date header counts whole seconds)."""
ONCE = "slackmq_once"
"""The kind of a message that only names what shall happen once: no handler gets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The time constants of claims; every process that works a channel must use the same.

    Attributes:
        lease: how long a claim lasts unless it is extended (SQS calls it visibility timeout).
        margin: how long others wait beyond a lapsed lease: covers clocks that run at different rates.
        scan: how often the channel is read while something in it is unfinished; events are only hints.
        quiet: how often all processes of the app together read it while nothing is, as long as their sockets are open.
        skew: no read made this long after a write may miss it.
        window: how far back the channel is read on start and once an hour; keys are remembered as long.
        reach: how far back it is read once, after the start, a day at a time: what waits for a worker longer than that
            is not found.
        unknown: how long a job that only workers of another version can do is left to them.
        rescan: how far back every scan reads.
    """

    lease: timedelta = timedelta(seconds=60)
    margin: timedelta = timedelta(seconds=5)
    scan: timedelta = timedelta(seconds=6)
    quiet: timedelta = timedelta(seconds=60)
    skew: timedelta = timedelta(seconds=4)
    window: timedelta = timedelta(hours=24)
    reach: timedelta = timedelta(days=7)
    unknown: timedelta = timedelta(minutes=10)
    rescan: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """A handler here takes this message.

    Attributes:
        options: its options; where it is for processes that these do not fit, it is not here.
        handler: its name, if it counts what it begins.
        otherwise: whether another one takes it where this one is not; None if none does.
    """

    options: Options
    handler: str = ""
    otherwise: Accept | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """Nothing for us: people talking to each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Addressed to us, and no worker could ever do it: it is answered with the error and marked dead."""

    error: MessageRejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Addressed to us, but only a worker of another version can do it: refused if none came within a while."""

    error: MessageRejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Addressed to us, and meant for another process than this one; here it is only dropped once it has expired."""

    error: MessageRejected


Verdict = Accept | Ignore | Refuse | Later | Elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Take this generation now."""

    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Read the thread first: it may say that the claim was given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing now; look again in `delay` seconds, or when something is seen. None: only when something is seen."""

    delay: float | None = None


Action = Take | Read | Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a process knows of a message when it decides.

    Attributes:
        verdict: whether a handler here takes it.
        age: seconds since it was posted, at least.
        known: seconds since this process first saw it.
        canonical: no earlier message with its key is known.
        doubtful: another copy of it may be about to appear before it.
        settled: that has been excluded by a late enough read.
        settled_for: seconds since this process knew that.
        generation: the highest generation that was taken.
        idle: seconds since this process first knew that generation to be taken.
        lease: seconds that a claim on it lasts.
        unread: its thread has replies that were not read.
        retry_in: seconds until the released claim may be taken again, None if it was not released.
        typed: a person typed it.
        replied: its thread has replies.
        due_in: seconds until its delay is over.
        waits: others must be done before it, and are not known to be.
        dropped_in: seconds until anybody may say that nobody came for it; infinity: never.
    """

    verdict: Verdict
    age: float
    known: float
    canonical: bool
    doubtful: bool
    settled: bool
    generation: int
    idle: float
    lease: float
    unread: bool
    retry_in: float | None
    typed: bool = False
    replied: bool = False
    settled_for: float = 0.0
    due_in: float = 0.0
    waits: bool = False
    dropped_in: float = math.inf

    @property
    def begun(self) -> bool:
        """Somebody has worked on it; the first native claim leaves no generation."""
        return self.generation > 0 or self.retry_in is not None

    def stale(self, options: Options) -> bool:
        """A person typed it so long ago, and nobody began it, that an answer would only surprise."""
        return self.typed and not self.begun and self.age > options.within.total_seconds()


def decide(facts: Facts, timing: Timing) -> Action:
    """What to do about a message that has not ended and that nobody in this process is working on."""
    wait = patience(facts, timing)
    if wait is not None:
        return wait
    if facts.generation == 0:
        return Take(generation=1)
    if facts.unread:
        return Read()
    # Others may not take a generation before its holder's deadline, and the holder counts from before its call:
    # whoever has known of it for a whole lease and the margin is later than that, whatever the clocks say.
    lapsed_in = facts.lease + timing.margin.total_seconds() - facts.idle
    due = lapsed_in if facts.retry_in is None else facts.retry_in
    if due > 0:
        return Wait(delay=due)
    return Take(generation=facts.generation + 1)


def patience(facts: Facts, timing: Timing) -> Wait | None:
    """Why a message must not be touched yet, or ever, None if it may."""
    grace = 0.0
    options = Options()
    match facts.verdict:
        case Ignore():
            return Wait()
        case Later() if facts.generation:
            return Wait()  # somebody has begun it, so somebody can do it
        case Later():
            grace = timing.unknown.total_seconds()
        case Elsewhere():
            grace = math.inf if facts.begun else facts.known + facts.dropped_in
        case Accept(options=options):
            pass
        case Refuse():
            pass
        case _ as unreachable:
            assert_never(unreachable)
    doubtful = facts.doubtful and not facts.settled
    if not facts.canonical or facts.waits or facts.stale(options) or doubtful or options.every_bot:
        return Wait()
    if facts.due_in > 0:
        return Wait(delay=facts.due_in)
    return Wait(delay=grace - facts.known) if facts.known < grace else None


def doubtful(message: Message) -> bool:
    """Whether an earlier copy of a message may still be on its way into view.

    A first try that arrived promptly is the earliest of its copies: its repetitions are sent `REPOST_AFTER` seconds
    after it. Not so a repetition, a first try that arrived late, and a key that other programs may post too.
    """
    if message.kind is None:
        return False
    prompt = message.sent_at is not None and float(message.ts) - message.sent_at <= _PROMPT
    return message.keyed or message.repost > 0 or not prompt


def accept_jobs(message: Message) -> Verdict:
    """Take every job that a program posted, and nothing that a person typed."""
    return Ignore() if message.kind in {None, ONCE} else Accept(options=Options())


def placed(verdict: Verdict, message: Message, here: Nameplate) -> Verdict:
    """What the handlers say of a message, for this process: it may be meant for another one, and so may handlers."""
    while isinstance(verdict, Accept) and not here.fits(verdict.options.on) and verdict.otherwise is not None:
        verdict = verdict.otherwise
    if isinstance(verdict, Accept) and not here.fits(verdict.options.on):
        return Ignore() if message.kind is None else _elsewhere(verdict.options.on)
    return _elsewhere(message.on) if isinstance(verdict, Accept | Later) and not here.fits(message.on) else verdict


def _elsewhere(on: str) -> Elsewhere:
    remedy = "Start a worker that has this name or label: `slackmq worker --name … --label …`."
    return Elsewhere(error=MeantForOthers(f"This job is for {on}, and no such worker began it in time.", remedy=remedy))


def verdict_on(letter: Letter, select: Callable[[Message], Verdict], *, begun: bool = False) -> Verdict:
    """Whether a message shall be handled, given what is wrong with it and what the handlers say of it.

    One that was begun and then reworded beyond recognition is ended, not left.
    """
    match letter.error:
        case None if letter.message.kind == ONCE:
            return Ignore()
        case None:
            return select(letter.message)
        case EnvelopeTooNew() as error:
            return Later(error=error)
        case MessageEdited() as error:
            wanted = begun or isinstance(select(letter.message), Accept | Refuse)
            return Refuse(error=error) if wanted else Ignore()
        case error:
            return Refuse(error=error)


def lease_of(message: Message, verdict: Verdict, timing: Timing, generations: int) -> float:
    """Seconds that a claim on a message lasts unless it is extended.

    An extension uses up a generation and there are only so many, so a handler that may run long gets a longer lease:
    two executions of full length must fit.
    """
    options = verdict.options if isinstance(verdict, Accept) else Options()
    if message.lease is not None:
        return message.lease.total_seconds()
    lease = (options.lease or timing.lease).total_seconds()
    if options.timeout is None:
        return lease
    extensions = max(1, generations - options.attempts)
    return max(lease, 4 * options.timeout.total_seconds() / extensions)


def check_lease(lease: timedelta, timing: Timing, *, settling: timedelta = timedelta(0)) -> None:
    """A claim must outlast the second look of whoever takes it over, or it is used up before it is used.

    Args:
        lease: how long it lasts.
        timing: the time constants.
        settling: how long the first claim on a message takes, besides the skew, until its holder may trust it.

    Raises:
        ConfigurationError: this one would not.
    """
    least = max(2 * timing.skew, timing.skew + settling)
    if lease < least:
        raise ConfigurationError(
            f"A lease of {lease.total_seconds():g} s is too short.",
            remedy=f"Make it at least {least.total_seconds():g} s, twice the skew or more.",
        )


def scan_period(timing: Timing, connections: int | None, *, busy: bool) -> float:
    """Seconds between two scans of one process.

    Args:
        timing: the time constants.
        connections: how many sockets the app has open, None if this process has none: then nobody tells it anything.
        busy: whether this process knows of a message that may still need somebody.

    Returns:
        A period with which all processes of the app stay within its 50 reads of history a minute
        (docs.slack.dev/apis/web-api/rate-limits, Tier 3). Where nothing is to be done, all together make one a minute
        if each knows of all; of those that start one after the other each knows its elders: three make 1.8, ten 2.9.
    """
    shared = max(timing.scan.total_seconds(), 1.5 * (connections or 1))
    if busy or connections is None:
        return shared
    return max(shared, timing.quiet.total_seconds() * connections)
