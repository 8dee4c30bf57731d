"""Cron lines, the only door to `cronsim`: without that package intervals work, and lines are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from datetime import tzinfo

    from cronsim import CronSim

__all__ = ["Cron"]

_FIELDS = 5
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Cron:
    """When a cron line is due, in a time zone.

    As Debian's cron does it: what falls into the hour that a clock skips in spring happens when that ends, and what
    falls into the hour that comes twice in autumn happens the first time; lines with a star for the minute or the hour
    follow the clock as it runs.

    Args:
        line: minute, hour, day of the month, month, day of the week.
        zone: the name of a time zone, as "Europe/Berlin".

    Raises:
        ConfigurationError: the line cannot be read or is never due, the zone is unknown, or cronsim is not installed.
    """

    def __init__(self, line: str, zone: str) -> None:
        self.line = line
        self._zone = _zone(zone)
        fields = len(line.split())
        if fields != _FIELDS:
            raise ConfigurationError(
                f"The cron line {line!r} has {fields} fields.",
                remedy='Give it five: minute, hour, day, month and weekday, as "0 7 * * *".',
            )
        if self._next(_EPOCH, reverse=False) is None:
            raise ConfigurationError(f"The cron line {line!r} is never due.", remedy="Choose a date that exists.")

    def after(self, moment: datetime) -> datetime:
        """The first time after a moment, in UTC."""
        found = self._next(moment, reverse=False)
        if found is None:
            raise AssertionError(f"{self.line!r} is due no more")  # it was due once, and dates recur
        return found

    def before(self, moment: datetime) -> datetime | None:
        """The last time before a moment, in UTC; None if there was none."""
        return self._next(moment, reverse=True)

    def _next(self, moment: datetime, *, reverse: bool) -> datetime | None:
        found = next(_simulated(self.line, moment.astimezone(self._zone), reverse=reverse), None)
        return None if found is None else found.astimezone(UTC)


def _simulated(line: str, moment: datetime, *, reverse: bool) -> CronSim:
    try:
        from cronsim import CronSim, CronSimError  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise ConfigurationError(
            "A cron line needs a package that is not installed.",
            remedy="pip install 'slackmq[cron]', or write every(timedelta(…)).",
        ) from error
    try:
        return CronSim(line, moment, reverse=reverse)
    except CronSimError as error:
        raise ConfigurationError(
            f"The cron line {line!r} cannot be, or is never due: {error}.",
            remedy='Write it as minute, hour, day, month and weekday, as "0 7 * * MON-FRI".',
        ) from error


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"There is no time zone {name!r} on this machine.",
            remedy='Write it as "Europe/Berlin"; where the system has no zones: pip install tzdata.',
        ) from error
