"""Eager mode: a job is done where it is posted, here and now, through the door that workers use, without any Slack."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import anyio
import anyio.lowlevel
import msgspec
from anyio import get_cancelled_exc_class

from slackmq.answer import answer_of_batch
from slackmq.batch import Jobs, Settled, jobs_of, one_of, why_failed
from slackmq.clock import SYSTEM
from slackmq.envelope import seal, unseal
from slackmq.errors import AnswerLate, JobFailed, MessageRejected, Reject, Retry, told
from slackmq.handlers import Handlers
from slackmq.job import Job
from slackmq.message import Claim, Message, Post, seconds
from slackmq.policy import Ignore, Timing
from slackmq.queue.parcels import packed
from slackmq.task import BlockingTask

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
    from typing import Any

    from slackmq.answer import Answer
    from slackmq.app import App
    from slackmq.handler import Bound
    from slackmq.message import Json
    from slackmq.task import Task

__all__ = ["Eager", "eager"]

_CHANNEL, _BOT, _PERSON = "C00000000", "U0000000B", "U0000000P"
_FILE = "F00000000/eager"
_BEGAN = 1_700_000_000
"""The time of the first post, in seconds since 1970; each later one has a second of its own."""
_AT_ONCE = timedelta(0)

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R")


@contextmanager
def eager(app: App | Handlers) -> Generator[Eager]:
    """While inside, tasks of this app are done where they are posted, and nothing touches Slack.

    Arguments and results go through the envelope and back, middleware runs, a handler gets its `Job`, and an attempt
    that fails is followed by the next as the task's options say, without a wait. Nobody waits for delays either, and
    every address fits.

    Args:
        app: whose tasks.
    """
    handlers = app if isinstance(app, Handlers) else app.handlers
    jobs = Eager(handlers)
    with handlers.posting_to(jobs):
        yield jobs


class _Run:
    """A job that was begun, and how it ended."""

    def __init__(self) -> None:
        self.ended = anyio.Event()
        self.end: Answer | JobFailed | None = None


class Eager:
    """Does what is posted; `eager` makes one.

    Attributes:
        posted: all that was posted so far, in order.
    """

    def __init__(self, handlers: Handlers) -> None:
        self.posted: list[Message] = []
        self._handlers = handlers
        self._runs: dict[str, _Run] = {}

    def task(self, task: Task[_Q, _P, _R]) -> BlockingTask[_Q, _P, _R]:
        """A task for tests that do not await: `jobs.task(resize).ask("cat.png", width=300)`."""
        return BlockingTask(task.to(self), _run)

    async def say(self, text: str) -> str | None:
        """What is answered to a person who types this; None if no handler listens, or it has nothing to say.

        Raises:
            JobFailed: the last attempt failed.
        """
        ts = self._ts()
        message = Message(channel=_CHANNEL, ts=ts, author=_PERSON, text=text, key=f"{_CHANNEL}/{ts}")
        if isinstance(self._handlers.select(message), Ignore):
            return None
        return (await self._done(message)).text

    async def post(
        self,
        kind: str,
        body: Mapping[str, Json],
        *,
        key: str | None = None,
        lease: timedelta | None = None,
        priority: int = 0,
        expires: timedelta | None = None,
        delay: timedelta | None = None,
        after: Sequence[Message | str] = (),
        on: str = "",
    ) -> Message:
        """Do a job; of all jobs with one key the first. What it names was done when it was posted.

        Raises:
            JobFailed: its last attempt failed; `__cause__` is what the handler raised.
            EnvelopeTooLarge: the body is too long; nothing was done.
        """
        ts = self._ts()
        post = Post(
            kind=kind,
            body=body,
            key=key or SYSTEM.new_id(),
            keyed=key is not None,
            lease=lease,
            priority=priority,
            expires=None if expires is None else seconds(ts) + (expires + (delay or _AT_ONCE)).total_seconds(),
            delay=delay or None,
            after=tuple(each if isinstance(each, str) else each.ts for each in after),
            on=on,
            batch=body.size if isinstance(body, Jobs) else 0,
        )
        message = _through_the_envelope(post, ts)
        self.posted.append(message)
        if message.key not in self._runs:
            await self._done(message)
        return message

    async def answer(self, message: Message, *, within: timedelta) -> Answer:
        """What the handler of a job answered.

        Raises:
            JobFailed: its last attempt failed.
            AnswerLate: it was begun by another task of the program, and has not ended by then.
        """
        run = self._runs[message.key]
        with anyio.move_on_after(within.total_seconds()):
            await run.ended.wait()
        if run.end is None:
            raise AnswerLate(message.ts, within)
        return _told(run.end)

    async def _done(self, message: Message) -> Answer:
        run = self._runs[message.key] = _Run()
        try:
            run.end = await (self._batch(message) if message.batch else self._attempts(message))
        except JobFailed as error:
            run.end = error
            raise
        finally:
            run.ended.set()
        return run.end

    async def _batch(self, message: Message) -> Answer:
        """Do the jobs of a batch one after the other; one that fails keeps none from being done."""
        jobs, settled, cause = jobs_of(message), Settled(), None
        for number, body in jobs.items():
            try:
                answer = await self._attempts(one_of(message, number, body), number)
            except JobFailed as error:
                settled.give_up(number, error.reason)
                cause = cause or error.__cause__
            else:
                settled.finish(number, answer.result, answer.why)
        if settled.dead:
            raise JobFailed(message.ts, why_failed(settled.dead, len(jobs))) from cause
        return answer_of_batch(jobs, settled)

    async def _attempts(self, message: Message, number: int = 0) -> Answer:
        try:
            bound = self._handlers.bind(message)
        except MessageRejected as error:
            raise JobFailed(message.ts, str(error)) from error
        options = bound.handler.options
        attempt = 0
        while True:
            attempt += 1
            try:
                return await _attempt(bound, message, attempt, number)
            except (KeyboardInterrupt, GeneratorExit, get_cancelled_exc_class()):
                raise  # the test's own affair
            except BaseException as error:  # what handlers may raise, a worker outlives
                worth_it = isinstance(error, Retry) or (not isinstance(error, Reject) and options.retries(type(error)))
                if not worth_it or attempt >= options.attempts:
                    raise JobFailed(message.ts, told(error)) from error

    def _ts(self) -> str:
        return f"{_BEGAN + len(self._runs) + len(self.posted)}.000000"


async def _attempt(bound: Bound, message: Message, attempt: int, number: int) -> Answer:
    options = bound.handler.options
    lease = message.lease or options.lease or Timing().lease
    deadline = SYSTEM.monotonic() + lease.total_seconds()
    claim = Claim(message=message, token=attempt, attempt=attempt, deadline=deadline)
    job = Job(claim=lambda: claim, clock=SYSTEM, number=number)
    with anyio.move_on_after(options.timeout.total_seconds() if options.timeout else None):
        answer = await bound(job)
        # A function on a thread that was told to stop returns like one that has done its work.
        await anyio.lowlevel.checkpoint_if_cancelled()
        return answer
    raise TimeoutError(f"it took longer than {options.timeout}")


def _through_the_envelope(post: Post, ts: str) -> Message:
    """The message as workers would read it in a channel, with its arguments if a file would have them."""
    body = packed(post)
    sealed = seal(post if body is None else replace(post, file=_FILE), to=_BOT, sent_at=seconds(ts))
    letter = unseal(sealed.payload, channel=_CHANNEL, ts=ts, author=_BOT, me=_BOT, text=sealed.text)
    if letter is None or letter.error is not None:
        raise AssertionError(f"an envelope that its own writer cannot read: {sealed.payload}")
    return letter.message if body is None else replace(letter.message, body=msgspec.json.decode(body), file="")


def _told(end: Answer | JobFailed) -> Answer:
    if isinstance(end, JobFailed):
        raise end
    return end


def _run(start: Callable[[], Coroutine[Any, Any, _R]]) -> _R:
    return anyio.run(start)
