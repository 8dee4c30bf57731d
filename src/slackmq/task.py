"""A function that programs post: its own arguments go in, checked, and a message comes out."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

import anyio.from_thread
import msgspec
from anyio import NoEventLoopError

from slackmq.batch import Jobs
from slackmq.errors import ArgumentsRejected, ConfigurationError, ResultUntold
from slackmq.nameplate import ALL, address

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
    from typing import Any

    from slackmq.answer import Answer
    from slackmq.job import Job
    from slackmq.message import Json, Message
    from slackmq.parameters import Parameters

__all__ = ["BlockingTask", "Decorate", "Poster", "Run", "Task", "Terms"]

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R_co = TypeVar("_R_co", covariant=True)
_R = TypeVar("_R")
_A = TypeVar("_A")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms a task is posted.

    Attributes:
        key: the idempotency key; None for a new one each time.
        lease: how long a claim lasts unless it is extended; None leaves it to the worker.
        priority: of what waits, that with the higher number is begun first.
        expires: what nobody has begun after so long is dropped, counted from when it is due; None: never.
        patience: how long `ask` waits.
        after: what must be done before it is begun: messages of the channel, or their ts.
        on: the process that shall do it, by name or label; "": any that has the handler.
    """

    key: str | None = None
    lease: timedelta | None = None
    priority: int = 0
    expires: timedelta | None = None
    patience: timedelta = timedelta(minutes=1)
    after: tuple[Message | str, ...] = ()
    on: str = ""


class Poster(Protocol):
    """Whoever can post a job: a queue."""

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
        """Post a job and return it as it stands in the channel."""
        ...

    async def answer(self, message: Message, *, within: timedelta) -> Answer:
        """Wait until a job has ended, and return what its handler answered."""
        ...


class Task(Generic[_Q, _P, _R_co]):
    """A function that programs post: `await resize.post("cat.png", width=300)`.

    Calling it runs the function here and now, as if it had never been decorated.

    Attributes:
        name: the kind of its messages.
        terms: on what terms it is posted.
    """

    __name__: str
    __wrapped__: Callable[_Q, _R_co]

    def __init__(
        self,
        function: Callable[_Q, _R_co],
        *,
        name: str,
        parameters: Parameters,
        terms: Terms,
        door: Callable[[], Poster],
    ) -> None:
        functools.update_wrapper(self, function)
        self._parameters = parameters
        self._door = door
        self.name = name
        self.terms = terms

    def __call__(self, *args: _Q.args, **kwargs: _Q.kwargs) -> _R_co:
        """Run the function itself, without Slack."""
        return self.__wrapped__(*args, **kwargs)

    async def post(self, *args: _P.args, **kwargs: _P.kwargs) -> Message:
        """Post a job for this task, with the function's own arguments except the `Job`.

        Raises:
            ArgumentsRejected: the arguments do not fit the function; nothing was sent.
            ConfigurationError: no connection is open to post through; nothing was sent.
        """
        return await self._post(self._parameters.body(args, kwargs), None)

    async def post_later(self, delay: timedelta, /, *args: _P.args, **kwargs: _P.kwargs) -> Message:
        """Post a job that nobody begins before `delay` is over, by Slack's clock; it waits in the channel.

        Raises:
            ArgumentsRejected: the arguments do not fit the function; nothing was sent.
            ConfigurationError: no connection is open, or the delay is longer than 120 days; nothing was sent.
        """
        return await self._post(self._parameters.body(args, kwargs), delay)

    async def post_batch(self, jobs: Iterable[Mapping[str, object]]) -> Message:
        """Post many jobs for this task in one message: one claim for all, and the function runs once for each.

        Args:
            jobs: the function's own arguments by name, for each job; 1,000 jobs at most.

        Raises:
            ArgumentsRejected: the arguments of a job do not fit the function; nothing was sent.
            ConfigurationError: the task is for every bot, there are no jobs or too many, or no connection is open;
                nothing was sent.
            EnvelopeTooLarge: the arguments are too long together; nothing was sent.
        """
        if ALL in self.terms.on.split():
            cause = (
                f"{self.name} is for every bot: nobody claims it, so there is no claim for a batch; nothing was sent."
            )
            raise ConfigurationError(cause, remedy="Post its jobs one by one, or give it one argument that lists them.")
        return await self._post(Jobs.of([self._numbered(number, job) for number, job in enumerate(jobs, 1)]), None)

    def _numbered(self, number: int, job: Mapping[str, object]) -> Mapping[str, Json]:
        """The body of one job of a batch."""
        try:
            return self._parameters.body((), job)
        except ArgumentsRejected as error:
            raise ArgumentsRejected(f"Job {number} of the batch: {error.cause}", remedy=error.remedy) from error

    async def _post(self, body: Mapping[str, Json], delay: timedelta | None) -> Message:
        terms = self.terms
        return await self._door().post(
            self.name,
            body,
            key=terms.key,
            lease=terms.lease,
            priority=terms.priority,
            expires=terms.expires,
            delay=delay,
            after=terms.after,
            on=terms.on,
        )

    @overload
    async def ask(self: Task[_Q, _P, Awaitable[_A]], *args: _P.args, **kwargs: _P.kwargs) -> _A: ...
    @overload
    async def ask(self: Task[_Q, _P, _A], *args: _P.args, **kwargs: _P.kwargs) -> _A: ...
    async def ask(self, *args: _P.args, **kwargs: _P.kwargs) -> object:
        """Post a job and wait for its result, a minute unless `within` says otherwise.

        Returns:
            What the function returned, wherever it ran, converted to the type that it says it returns.

        Raises:
            ArgumentsRejected: the arguments do not fit the function; nothing was sent.
            JobFailed: the job is dead.
            JobVanished: somebody deleted it.
            ResultUntold: it is done, but its result is too long, no JSON, or of another type.
            AnswerLate: it has not ended in time; it goes on.
        """
        message = await self.post(*args, **kwargs)
        told = await self._told(message)
        return self._result(message, told)

    @overload
    async def ask_batch(self: Task[_Q, _P, Awaitable[_A]], jobs: Iterable[Mapping[str, object]]) -> tuple[_A, ...]: ...
    @overload
    async def ask_batch(self: Task[_Q, _P, _A], jobs: Iterable[Mapping[str, object]]) -> tuple[_A, ...]: ...
    async def ask_batch(self, jobs: Iterable[Mapping[str, object]]) -> tuple[object, ...]:
        """Post many jobs in one message, and wait for the results of all, a minute unless `within` says otherwise.

        Returns:
            What the function returned for each, in the order of the jobs.

        Raises:
            JobFailed: some of them failed for good; it names them.
            ArgumentsRejected, JobVanished, ResultUntold, AnswerLate: as `ask`, of the whole batch.
        """
        message = await self.post_batch(jobs)
        told = await self._told(message)
        results = msgspec.json.decode(told, type=list[msgspec.Raw]) if told else [msgspec.Raw()] * message.batch
        return tuple(self._result(message, "" if result == b"null" else bytes(result).decode()) for result in results)

    async def _told(self, message: Message) -> str:
        """The result of a job as JSON."""
        answer = await self._door().answer(message, within=self.terms.patience)
        if answer.why:
            raise ResultUntold(message.ts, answer.why)
        return answer.result

    def _result(self, message: Message, told: str) -> object:
        """A result from JSON, as the type that the function says it returns."""
        try:
            return self._parameters.result(self.__wrapped__, told)
        except ValueError as error:
            raise ResultUntold(message.ts, str(error)) from error

    @property
    def required(self) -> frozenset[str]:
        """The names of the arguments without which it cannot be posted."""
        return self._parameters.required

    def takes(self, name: str) -> bool:
        """Whether it can be posted with an argument of this name."""
        return name in self._parameters.posted.parameters

    def keyed(self, key: str) -> Task[_Q, _P, _R_co]:
        """The same task, whose posts carry this idempotency key: of all jobs with one key, one is worked on."""
        return self._with(replace(self.terms, key=key))

    def within(self, patience: timedelta) -> Task[_Q, _P, _R_co]:
        """The same task, whose `ask` waits so long for an answer."""
        return self._with(replace(self.terms, patience=patience))

    def ranked(self, priority: int) -> Task[_Q, _P, _R_co]:
        """The same task, whose posts are begun before those with a lower number: 0 where nothing is said."""
        return self._with(replace(self.terms, priority=priority))

    def expiring(self, after: timedelta) -> Task[_Q, _P, _R_co]:
        """The same task, whose posts are dropped if nobody has begun them after so long."""
        return self._with(replace(self.terms, expires=after))

    def after(self, *messages: Message | str) -> Task[_Q, _P, _R_co]:
        """The same task, whose posts are begun when all these are done: messages of the channel, or their ts.

        If one of them is dead, cancelled or deleted, the posts are dead too. 100 at most.
        """
        return self._with(replace(self.terms, after=messages))

    def on(self, where: str) -> Task[_Q, _P, _R_co]:
        """The same task, whose posts are for one process by name, `blink.on("pi-1")`, or for those with a label.

        Where it is for some only already, whoever does it must fit both; of a task for every bot, each that fits does.

        Raises:
            ConfigurationError: this is no name or label.
        """
        return self._with(replace(self.terms, on=f"{self.terms.on} {address(where)}".strip()))

    def to(self, poster: Poster) -> Task[_Q, _P, _R_co]:
        """The same task, posted to this queue, whatever its app is connected to."""
        return self._with(self.terms, lambda: poster)

    @property
    def blocking(self) -> BlockingTask[_Q, _P, _R_co]:
        """The same task for a plain handler, which runs on a thread of the worker: `resize.blocking.post("cat.png")`.

        Outside handlers ask the queue for it, see `slackmq.Queue.task`.
        """
        return BlockingTask(self, _on_the_loop)

    def _with(self, terms: Terms, door: Callable[[], Poster] | None = None) -> Task[_Q, _P, _R_co]:
        door = door or self._door
        return Task(self.__wrapped__, name=self.name, parameters=self._parameters, terms=terms, door=door)

    def __repr__(self) -> str:
        return f"<Task {self._parameters}>"


class Run(Protocol):
    """Runs on the event loop's thread what is to be awaited, and waits for it."""

    def __call__(self, start: Callable[[], Coroutine[Any, Any, _R]], /) -> _R:
        """The result of what `start` begins."""
        ...


class BlockingTask(Generic[_Q, _P, _R_co]):
    """A task for code that does not await; each method does what that of `Task` does.

    Args:
        task: what is posted.
        run: how what awaits is waited for.
    """

    def __init__(self, task: Task[_Q, _P, _R_co], run: Run) -> None:
        self._task = task
        self._run = run

    def post(self, *args: _P.args, **kwargs: _P.kwargs) -> Message:
        """Post a job, see `Task.post`."""
        return self._run(lambda: self._task.post(*args, **kwargs))

    def post_later(self, delay: timedelta, /, *args: _P.args, **kwargs: _P.kwargs) -> Message:
        """Post a job that nobody begins before `delay` is over, see `Task.post_later`."""
        return self._run(lambda: self._task.post_later(delay, *args, **kwargs))

    @overload
    def ask(self: BlockingTask[_Q, _P, Awaitable[_A]], *args: _P.args, **kwargs: _P.kwargs) -> _A: ...
    @overload
    def ask(self: BlockingTask[_Q, _P, _A], *args: _P.args, **kwargs: _P.kwargs) -> _A: ...
    def ask(self, *args: _P.args, **kwargs: _P.kwargs) -> object:
        """Post a job and wait for its result, see `Task.ask`. A handler that waits so keeps a hand of its worker."""
        return self._run(lambda: self._task.ask(*args, **kwargs))

    def post_batch(self, jobs: Iterable[Mapping[str, object]]) -> Message:
        """Post many jobs in one message, see `Task.post_batch`."""
        return self._run(lambda: self._task.post_batch(jobs))

    @overload
    def ask_batch(
        self: BlockingTask[_Q, _P, Awaitable[_A]], jobs: Iterable[Mapping[str, object]]
    ) -> tuple[_A, ...]: ...
    @overload
    def ask_batch(self: BlockingTask[_Q, _P, _A], jobs: Iterable[Mapping[str, object]]) -> tuple[_A, ...]: ...
    def ask_batch(self, jobs: Iterable[Mapping[str, object]]) -> tuple[object, ...]:
        """Post many jobs in one message and wait for the results of all, see `Task.ask_batch`."""
        return self._run(lambda: self._task.ask_batch(jobs))

    def keyed(self, key: str) -> BlockingTask[_Q, _P, _R_co]:
        """The same task, whose posts carry this idempotency key."""
        return BlockingTask(self._task.keyed(key), self._run)

    def after(self, *messages: Message | str) -> BlockingTask[_Q, _P, _R_co]:
        """The same task, whose posts are begun when all these are done, see `Task.after`."""
        return BlockingTask(self._task.after(*messages), self._run)

    def within(self, patience: timedelta) -> BlockingTask[_Q, _P, _R_co]:
        """The same task, whose `ask` waits so long for an answer."""
        return BlockingTask(self._task.within(patience), self._run)

    def ranked(self, priority: int) -> BlockingTask[_Q, _P, _R_co]:
        """The same task, whose posts are begun before those with a lower number."""
        return BlockingTask(self._task.ranked(priority), self._run)

    def expiring(self, after: timedelta) -> BlockingTask[_Q, _P, _R_co]:
        """The same task, whose posts are dropped if nobody has begun them after so long."""
        return BlockingTask(self._task.expiring(after), self._run)

    def on(self, where: str) -> BlockingTask[_Q, _P, _R_co]:
        """The same task, whose posts are for one process by name, or for those with a label."""
        return BlockingTask(self._task.on(where), self._run)


def _on_the_loop(start: Callable[[], Coroutine[Any, Any, _R]]) -> _R:
    """Wait, on a thread of the worker, for what runs on the worker's loop."""
    try:
        return anyio.from_thread.run(start)
    except NoEventLoopError as error:
        raise ConfigurationError(
            "This thread belongs to no worker; nothing was sent.",
            remedy="Ask a queue that is open: `with slackmq.Queue(…) as queue: queue.task(task).post(…)`.",
        ) from error


class Decorate(Protocol):
    """What `task(...)` with options returns: a decorator that makes a `Task`."""

    @overload
    def __call__(self, function: Callable[Concatenate[Job, _P], _R], /) -> Task[Concatenate[Job, _P], _P, _R]: ...
    @overload
    def __call__(self, function: Callable[_P, _R], /) -> Task[_P, _P, _R]: ...
    def __call__(self, function: Callable[..., object], /) -> Task[..., ..., object]:
        """Register the function."""
        ...
