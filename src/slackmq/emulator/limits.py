"""Slack's published rate limits as token buckets, one per method, app and workspace; pure: the caller brings the time.

The numbers are those of Slack's own client-side limiter (java-slack-sdk, MethodsRateLimitTier) and the floors in
docs.slack.dev, "Rate limits". Slack does not publish how large a burst may be: a bucket holds one minute's budget.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from slackmq.emulator.methods import METHODS
from slackmq.emulator.registry import Tier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.model import Toll

__all__ = ["PER_MINUTE", "Limits", "Rate"]

_MINUTE = 60_000_000
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A budget.

    Attributes:
        per_minute: calls a minute in the long run.
        burst: calls at once after a long silence; None: one minute's budget.
    """

    per_minute: int
    burst: int | None = None

    @property
    def interval(self) -> int:
        """Microseconds in which one call's worth flows back."""
        return _MINUTE // self.per_minute

    @property
    def slack(self) -> int:
        """Microseconds by which a burst may run ahead of the long run."""
        return ((self.burst or self.per_minute) - 1) * self.interval


PER_MINUTE: Mapping[Tier, Rate] = {
    Tier.ONE: Rate(per_minute=1),
    Tier.TWO: Rate(per_minute=20),
    Tier.THREE: Rate(per_minute=50),
    Tier.FOUR: Rate(per_minute=100),
    Tier.HUNDREDS: Rate(per_minute=600),
}
"""The tiers' budgets; posting has two of its own, and the operator's methods none."""


_UNLISTED = frozenset({"conversations.history", "conversations.replies"})


@dataclass(slots=True, kw_only=True)
class Limits:
    """The buckets of all apps of all workspaces.

    Attributes:
        tiers: budget of each tier; a tier that is missing is not limited.
        posting: chat.postMessage to one channel: one a second; others measured bursts of 25 to 30 some years ago.
        posting_anywhere: all of an app's posts in a workspace: "several hundred" a minute.
        unlisted: history and replies for apps that are sold outside the Marketplace (docs.slack.dev, May 2025).
        whole: how many calls a call to a paged method without `limit` counts for. "Stricter limits" are documented
            (docs.slack.dev, "Rate limits"), how much stricter is not.
    """

    tiers: Mapping[Tier, Rate] = field(default_factory=lambda: dict(PER_MINUTE))
    posting: Rate | None = field(default_factory=lambda: Rate(per_minute=60, burst=25))
    posting_anywhere: Rate | None = field(default_factory=lambda: Rate(per_minute=300))
    unlisted: Rate | None = field(default_factory=lambda: Rate(per_minute=1, burst=1))
    whole: int = 2
    _full_at: dict[tuple[str, ...], int] = field(default_factory=dict[tuple[str, ...], int])
    """Per bucket, when it will be full again: a bucket that was never used is full."""

    @classmethod
    def off(cls) -> Limits:
        """No limits at all."""
        return cls(tiers={}, posting=None, posting_anywhere=None, unlisted=None)

    def bursting(self, burst: int) -> Limits:
        """The same rates, but at most so many calls at once: Slack does not say how long its bursts may be."""
        posting, anywhere = (rate and replace(rate, burst=burst) for rate in (self.posting, self.posting_anywhere))
        tiers = {tier: replace(rate, burst=burst) for tier, rate in self.tiers.items()}
        return Limits(tiers=tiers, posting=posting, posting_anywhere=anywhere, unlisted=self.unlisted, whole=self.whole)

    def take(self, now: int, toll: Toll) -> int | None:
        """Admit a call, or say when to come back; a call that is not admitted uses nothing up.

        Args:
            now: microseconds, never less than in an earlier call.
            toll: what of the call counts, from `Workspace.toll`.

        Returns:
            None if the call may go on, else whole seconds (at least 1) for the Retry-After header.
        """
        buckets = self._buckets(toll)
        wait = max((self._wait(now, key, rate) for key, rate in buckets), default=0)
        if wait > 0:
            return -(-wait // _SECOND)
        count = self.whole if toll.whole else 1
        for key, rate in buckets:
            self._full_at[key] = max(now, self._full_at.get(key, now)) + rate.interval * count
        return None

    def _buckets(self, toll: Toll) -> list[tuple[tuple[str, ...], Rate]]:
        declared = METHODS.get(toll.method)
        if declared is None:
            return []
        key = (toll.team, toll.app, toll.method)
        if declared.tier is Tier.POSTING:
            both = [((*key, toll.channel), self.posting), (key, self.posting_anywhere)]
            return [(key, rate) for key, rate in both if rate is not None]
        rate = self.tiers.get(declared.tier)
        if toll.unlisted and toll.method in _UNLISTED:
            rate = self.unlisted
        return [] if rate is None else [(key, rate)]

    def _wait(self, now: int, key: tuple[str, ...], rate: Rate) -> int:
        return self._full_at.get(key, now) - rate.slack - now
