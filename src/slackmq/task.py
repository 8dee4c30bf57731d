"""A function that programs post: its own arguments go in, checked, and a message comes out."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from slackmq.errors import ResultUntold

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from slackmq.answer import Answer
    from slackmq.job import Job
    from slackmq.message import Json, Message
    from slackmq.parameters import Parameters

__all__ = ["Decorate", "Poster", "Task"]

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R_co = TypeVar("_R_co", covariant=True)
_R = TypeVar("_R")
_A = TypeVar("_A")
_PATIENCE = timedelta(minutes=1)


class Poster(Protocol):
    """Whoever can post a job: a queue."""

    async def post(
        self, kind: str, body: Mapping[str, Json], *, key: str | None = None, lease: timedelta | None = None
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
        key: the idempotency key of its posts, None for a new one each time.
        patience: how long `ask` waits.
    """

    __name__: str
    __wrapped__: Callable[_Q, _R_co]

    def __init__(
        self,
        function: Callable[_Q, _R_co],
        *,
        name: str,
        parameters: Parameters,
        lease: timedelta | None,
        door: Callable[[], Poster],
        key: str | None = None,
        patience: timedelta = _PATIENCE,
    ) -> None:
        functools.update_wrapper(self, function)
        self._parameters = parameters
        self._lease = lease
        self._door = door
        self.name = name
        self.key = key
        self.patience = patience

    def __call__(self, *args: _Q.args, **kwargs: _Q.kwargs) -> _R_co:
        """Run the function itself, without Slack."""
        return self.__wrapped__(*args, **kwargs)

    async def post(self, *args: _P.args, **kwargs: _P.kwargs) -> Message:
        """Post a job for this task, with the function's own arguments except the `Job`.

        Raises:
            ArgumentsRejected: the arguments do not fit the function; nothing was sent.
            ConfigurationError: no connection is open to post through; nothing was sent.
        """
        body = self._parameters.body(args, kwargs)
        return await self._door().post(self.name, body, key=self.key, lease=self._lease)

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
        answer = await self._door().answer(message, within=self.patience)
        if answer.why:
            raise ResultUntold(message.ts, answer.why)
        try:
            return self._parameters.result(self.__wrapped__, answer.result)
        except ValueError as error:
            raise ResultUntold(message.ts, str(error)) from error

    def keyed(self, key: str) -> Task[_Q, _P, _R_co]:
        """The same task, whose posts carry this idempotency key: of all jobs with one key, one is worked on."""
        return self._but(key=key, patience=self.patience)

    def within(self, patience: timedelta) -> Task[_Q, _P, _R_co]:
        """The same task, whose `ask` waits so long for an answer."""
        return self._but(key=self.key, patience=patience)

    def _but(self, *, key: str | None, patience: timedelta) -> Task[_Q, _P, _R_co]:
        return Task(
            self.__wrapped__,
            name=self.name,
            parameters=self._parameters,
            lease=self._lease,
            door=self._door,
            key=key,
            patience=patience,
        )

    def __repr__(self) -> str:
        return f"<Task {self._parameters}>"


class Decorate(Protocol):
    """What `task(...)` with options returns: a decorator that makes a `Task`."""

    @overload
    def __call__(self, function: Callable[Concatenate[Job, _P], _R], /) -> Task[Concatenate[Job, _P], _P, _R]: ...
    @overload
    def __call__(self, function: Callable[_P, _R], /) -> Task[_P, _P, _R]: ...
    def __call__(self, function: Callable[..., object], /) -> Task[..., ..., object]:
        """Register the function."""
        ...
