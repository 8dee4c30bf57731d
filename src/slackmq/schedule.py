"""Schedule: when a task is posted by itself, and what becomes of the times that were missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

from slackmq.cron import Cron
from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from slackmq.task import Task

__all__ = ["PREFIX", "PUNCTUAL", "Interval", "Missed", "Schedule", "Ticks", "schedule_of"]

Missed = Literal["skip", "latest", "all"]
"""What becomes of the ticks for which no process was there: none is posted, the latest, or all of them."""
PUNCTUAL = timedelta(minutes=1)
"""A tick that is posted no later than that was not missed."""
_SHORTEST = timedelta(seconds=10)
_LONGEST = timedelta(days=3660)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PREFIX = "every/"
"""How the keys of all ticks begin."""


class Ticks(Protocol):
    """The times at which something is due, the same in every process."""

    def after(self, moment: datetime) -> datetime:
        """The first one after a moment, in UTC."""
        ...

    def before(self, moment: datetime) -> datetime | None:
        """The last one before a moment, in UTC; None if there was none."""
        ...


class Interval:
    """Every so often, counted from 1970 in UTC, so that all processes mean the same times.

    Args:
        span: how often; 10 seconds at least, in whole seconds.

    Raises:
        ConfigurationError: it is shorter, or has a fraction of a second.
    """

    def __init__(self, span: timedelta) -> None:
        if span < _SHORTEST or span.microseconds:
            raise ConfigurationError(
                f"Nothing can be posted every {span}.", remedy="Give it whole seconds, at least ten: a post costs one."
            )
        if span > _LONGEST:
            raise ConfigurationError(f"Nobody will wait for {span}.", remedy="Give it ten years at most.")
        self._span = span

    def after(self, moment: datetime) -> datetime:
        """The first one after a moment, in UTC."""
        return _EPOCH + ((moment - _EPOCH) // self._span + 1) * self._span

    def before(self, moment: datetime) -> datetime | None:
        """The last one before a moment, in UTC."""
        return _EPOCH + -((_EPOCH - moment) // self._span + 1) * self._span


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a task is posted by itself.

    Attributes:
        task: what is posted.
        ticks: when.
        missed: what becomes of ticks for which no process was there.
        within: ticks that were missed longer ago than this are not made up for.
    """

    task: Task[Any, Any, Any]
    ticks: Ticks
    missed: Missed = "latest"
    within: timedelta = timedelta(days=1)

    @property
    def prefix(self) -> str:
        """How the keys of its posts begin."""
        return f"{PREFIX}{self.task.name}/"

    def key(self, tick: datetime) -> str:
        """The idempotency key of a tick: the same in every process."""
        return f"{self.prefix}{tick.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def tick_of(self, key: str) -> datetime | None:
        """The tick that a key names; None if it is another schedule's, or none."""
        if not key.startswith(self.prefix):
            return None
        try:
            tick = datetime.fromisoformat(key.removeprefix(self.prefix))
        except ValueError:
            return None
        if tick.tzinfo is None or self.ticks.after(tick - timedelta(seconds=1)) != tick:
            return None
        return tick

    def due(self, *, since: datetime, now: datetime) -> list[datetime]:
        """The ticks that are to be posted now: those that are on time, and what the policy says of the others.

        Args:
            since: the last tick that was posted, or when anybody began to look.
            now: this moment, by Slack's clock.
        """
        ticks: list[datetime] = []
        tick = self.ticks.after(max(since, now - max(self.within, PUNCTUAL)))
        while tick <= now:
            ticks.append(tick)
            tick = self.ticks.after(tick)
        punctual = [tick for tick in ticks if now - tick <= PUNCTUAL]
        match self.missed:
            case "skip":
                return punctual
            case "latest":
                return punctual or ticks[-1:]
            case "all":
                return ticks


def schedule_of(
    task: Task[Any, Any, Any], when: str | timedelta, *, tz: str, missed: Missed, within: timedelta
) -> Schedule:
    """A schedule, once it is sure that it can be kept.

    Raises:
        ConfigurationError: it is never due, or the task cannot be called without arguments.
    """
    ticks: Ticks = Cron(when, tz) if isinstance(when, str) else Interval(when)
    if missed not in {"skip", "latest", "all"}:
        raise ConfigurationError(f"There is no policy {missed!r}.", remedy='Write missed="latest", "skip" or "all".')
    if not timedelta(0) < within <= _LONGEST:
        raise ConfigurationError(f"within is {within}.", remedy="Give it more than 0 s, and ten years at most.")
    if missing := sorted(task.required - {"tick"}):
        raise ConfigurationError(
            f"{task!r} is posted by itself, and nobody gives it {', '.join(missing)}.",
            remedy="Give each parameter a default; one called `tick` gets the time for which it is posted.",
        )
    return Schedule(task=task, ticks=ticks, missed=missed, within=within)
