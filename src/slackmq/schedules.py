"""Schedules: what one program posts by itself, and `every`, which says so."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

from slackmq.schedule import schedule_of
from slackmq.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from slackmq.job import Job
    from slackmq.schedule import Missed, Schedule

__all__ = ["Every", "Schedules"]

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R")


class Every(Protocol):
    """What `every(...)` returns: a decorator for a task, or for a function that becomes one."""

    @overload
    def __call__(self, function: Task[_Q, _P, _R], /) -> Task[_Q, _P, _R]: ...
    @overload
    def __call__(self, function: Callable[Concatenate[Job, _P], _R], /) -> Task[Concatenate[Job, _P], _P, _R]: ...
    @overload
    def __call__(self, function: Callable[_P, _R], /) -> Task[_P, _P, _R]: ...
    def __call__(self, function: Callable[..., object], /) -> Task[..., ..., object]:
        """Have it posted by itself."""
        ...


class Schedules:
    """What is posted by itself.

    Args:
        register: makes a task of a plain function.
    """

    def __init__(self, register: Callable[[Callable[..., object]], Task[..., ..., object]]) -> None:
        self._register = register
        self._all: list[Schedule] = []

    def __iter__(self) -> Iterator[Schedule]:
        """All of them, in the order in which they were registered."""
        yield from self._all

    def __len__(self) -> int:
        return len(self._all)

    def every(
        self,
        when: str | timedelta,
        /,
        *,
        tz: str = "UTC",
        missed: Missed = "latest",
        within: timedelta = timedelta(days=1),
    ) -> Every:
        """Post a task by itself: `@app.every("0 7 * * *", tz="Europe/Berlin")` above the function or its `@app.task`.

        Every worker keeps the time, and one of them posts. A parameter called `tick` gets the time for which it is
        posted; all others need defaults.

        Args:
            when: a cron line, or how often, counted from 1970 in UTC.
            tz: the time zone of the cron line.
            missed: what becomes of ticks for which no worker was there: "latest" posts the last one, "all" each of
                them, "skip" none.
            within: what was missed longer ago than this is not made up for.

        Raises:
            ConfigurationError: the line cannot be read or is never due, the zone is unknown, or the function needs
                arguments that nobody gives it.
        """

        def register(function: Callable[..., object]) -> Any:
            task: Task[..., ..., object] = (
                cast("Task[..., ..., object]", function) if isinstance(function, Task) else self._register(function)
            )
            self._all.append(schedule_of(task, when, tz=tz, missed=missed, within=within))
            return task

        return register
