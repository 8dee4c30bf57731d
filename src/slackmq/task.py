"""A function that programs post: its own arguments go in, checked, and a message comes out."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from slackmq.job import Job
    from slackmq.message import Json, Message
    from slackmq.parameters import Parameters

__all__ = ["Decorate", "Poster", "Task"]

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R_co = TypeVar("_R_co", covariant=True)
_R = TypeVar("_R")


class Poster(Protocol):
    """Whoever can post a job: a queue."""

    async def post(
        self, kind: str, body: Mapping[str, Json], *, key: str | None = None, lease: timedelta | None = None
    ) -> Message:
        """Post a job and return it as it stands in the channel."""
        ...


class Task(Generic[_Q, _P, _R_co]):
    """A function that programs post: `await resize.post("cat.png", width=300)`.

    Calling it runs the function here and now, as if it had never been decorated.

    Attributes:
        name: the kind of its messages.
        key: the idempotency key of its posts, None for a new one each time.
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
    ) -> None:
        functools.update_wrapper(self, function)
        self._parameters = parameters
        self._lease = lease
        self._door = door
        self.name = name
        self.key = key

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

    def keyed(self, key: str) -> Task[_Q, _P, _R_co]:
        """The same task, whose posts carry this idempotency key: of all jobs with one key, one is worked on."""
        return Task(
            self.__wrapped__, name=self.name, parameters=self._parameters, lease=self._lease, door=self._door, key=key
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
