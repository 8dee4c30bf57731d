"""An estimate of Slack's clock that is never ahead of it, from the dates and timestamps that Slack sends."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ServerTime"]

DRIFT = 0.001
"""A local clock is trusted to run at most this much faster than Slack's: one second in a quarter of an hour."""

REMEMBERED = 300.0
"""Seconds after which a bound starts to be forgotten; after twice as long it is gone, if newer ones came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bound:
    moment: float
    mono: float

    def at(self, mono: float) -> float:
        elapsed = mono - self.mono
        return self.moment + elapsed * (1 - DRIFT if elapsed > 0 else 1 + DRIFT)


class ServerTime:
    """What Slack's clock shows at least.

    Each observation says that a moment of Slack's clock was over when an answer arrived here. A Date header has
    whole seconds, rounded down, and is old by the time of travel, so each single one lags by up to a second and
    more; the latest bound of several comes close. One lying host must not lead astray for ever, and local clocks
    drift, so bounds age and are forgotten.
    """

    __slots__ = ("_former", "_latest", "_since")

    def __init__(self) -> None:
        self._latest: _Bound | None = None
        self._former: _Bound | None = None
        self._since = 0.0

    def observe(self, moment: float, mono: float) -> None:
        """Take note that `moment` (Slack's clock) was over at `mono` (the local monotonic clock); both in seconds."""
        if self._latest is not None and mono - self._since >= REMEMBERED:
            self._former, self._latest = self._latest, None
        if self._latest is None:
            self._latest, self._since = _Bound(moment=moment, mono=mono), mono
        elif moment > self._latest.at(mono):
            self._latest = _Bound(moment=moment, mono=mono)

    def now(self, mono: float) -> float:
        """A moment by Slack's clock, in seconds since 1970, that is over at `mono`; 0 if nothing was observed yet."""
        bounds = (self._latest, self._former)
        return max((bound.at(mono) for bound in bounds if bound is not None), default=0.0)
