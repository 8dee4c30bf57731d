"""How late a channel's reads and events are, as one process sees it, and the skew that follows from that."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from slackmq.hooks import Lagged

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from slackmq.hooks import Hook

__all__ = ["Lag"]

_FACTOR = 3.0
"""What was seen within an hour is not the worst there is: the same factor with which `doctor --probe` recommends."""
_HOUR = 3600.0
"""Seconds that an observation counts at least; after twice as long it is forgotten."""
_BELIEVED = 300.0
"""Seconds; a message that appears later than that was not late, it was imported or brought back."""
_READS = 100
"""So many reads are remembered: those of ten minutes at the usual pace, for a read goes no further back than that."""
_FEW = 1000
_WORTH_TELLING = 1.0
"""Seconds: Slack's clock is not known better than that."""


class _Worst:
    """The largest of the values of the last hour or two."""

    def __init__(self) -> None:
        self.value = 0.0
        self._former = 0.0
        self._latest = 0.0
        self._since: float | None = None

    def note(self, value: float, at: float) -> None:
        if self._since is None:
            self._since = at
        elif at - self._since >= _HOUR:
            self._former, self._latest, self._since = self._latest, 0.0, at
        self._latest = max(self._latest, value)
        self.value = max(self._former, self._latest)


class Lag:
    """What was seen of the lag of a channel. All times are seconds by Slack's clock, since 1970.

    A read is late by as much as the message that it missed was older than the read: each later read that shows a
    message for the first time tells how far the read before it was behind. That is a lower bound, never more than
    what really was; so is the age of an event, for Slack's clock is known from below.

    Args:
        skew: the skew that was configured.
        longest: the skew is widened no further than this.
    """

    def __init__(self, *, skew: float, longest: float) -> None:
        self._configured = skew
        self._longest = longest
        self._reads: list[tuple[float, float]] = []
        self._shown: set[float] = set()
        self._prune_at = _FEW
        self._late_reads = _Worst()
        self._late_events = _Worst()
        self._told = (0.0, 0.0, skew)

    @property
    def reads(self) -> float:
        """By how many seconds a read of the last hour was late at worst, as far as that can be told."""
        return self._late_reads.value

    @property
    def events(self) -> float:
        """How many seconds old the event of a new message was at worst within the last hour, at least."""
        return self._late_events.value

    @property
    def needed(self) -> float:
        """The skew that what was seen asks for, in seconds: the configured one or three times the worst."""
        return max(self._configured, _FACTOR * self.reads)

    @property
    def skew(self) -> float:
        """The skew to reckon with now, in seconds: the needed one, as far as leases allow."""
        return max(self._configured, min(self._longest, self.needed))

    def read(self, *, read_at: float, oldest: float, shown: AbstractSet[float]) -> None:
        """Take note of a read of the channel.

        Args:
            read_at: it began no earlier.
            oldest: it showed nothing that is older, nor what is exactly as old.
            shown: when what it showed was posted.
        """
        fresh = shown - self._shown
        missed = max((self._missed(posted) for posted in fresh), default=0.0)
        self._late_reads.note(missed, read_at)
        self._shown |= fresh
        self._reads.append((read_at, oldest))
        del self._reads[:-_READS]
        if len(self._shown) > self._prune_at:
            self._prune()

    def heard(self, posted: float, now: float) -> None:
        """Take note of the event of a new message.

        Args:
            posted: when the message was posted.
            now: a moment that was over when the event came.
        """
        late = now - posted
        self._late_events.note(max(0.0, late) if late <= _BELIEVED else 0.0, now)

    def news(self) -> Lagged | None:
        """What is to be told: None if it is about what was told last."""
        now = (self.reads, self.events, self.skew)
        if all(abs(new - old) < _WORTH_TELLING for new, old in zip(now, self._told, strict=True)):
            return None
        self._told = now
        reads, events, skew, needed = (timedelta(seconds=number) for number in (*now, self.needed))
        return Lagged(reads=reads, events=events, skew=skew, needed=needed)

    def tell(self, hook: Hook) -> None:
        """Tell what is to be told, if anything is."""
        if news := self.news():
            hook(news)

    def _missed(self, posted: float) -> float:
        """By how much an earlier read was late that must have shown a message, and did not."""
        late = max((read_at - posted for read_at, oldest in self._reads if oldest < posted), default=0.0)
        return late if 0.0 < late <= _BELIEVED else 0.0

    def _prune(self) -> None:
        """Forget what no remembered read could have shown: seen again, it says nothing."""
        floor = min(oldest for _, oldest in self._reads)
        self._shown = {posted for posted in self._shown if posted > floor}
        self._prune_at = max(_FEW, 2 * len(self._shown))
