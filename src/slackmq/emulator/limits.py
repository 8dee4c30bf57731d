"""Slack's published rate limits as token buckets, one per method, app and workspace; pure: the caller brings the time.

The numbers are those of Slack's own client-side limiter (java-slack-sdk, MethodsRateLimitTier) and the floors in
docs.slack.dev, "Rate limits". Slack does not publish how large a burst may be: a bucket holds one minute's budget.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from slackmq.emulator.methods import METHODS
from slackmq.emulator.registry import Tier

if TYPE_CHECKING:
    from collections.abc import Mapping

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


@dataclass(slots=True, kw_only=True)
class Limits:
    """The buckets of all apps of all workspaces.

    Attributes:
        tiers: budget of each tier; a tier that is missing is not limited.
        posting: chat.postMessage to one channel: one a second; others measured bursts of 25 to 30 some years ago.
        posting_anywhere: all of an app's posts in a workspace: "several hundred" a minute.
    """

    tiers: Mapping[Tier, Rate] = field(default_factory=lambda: dict(PER_MINUTE))
    posting: Rate | None = field(default_factory=lambda: Rate(per_minute=60, burst=25))
    posting_anywhere: Rate | None = field(default_factory=lambda: Rate(per_minute=300))
    _full_at: dict[tuple[str, ...], int] = field(default_factory=dict[tuple[str, ...], int])
    """Per bucket, when it will be full again: a bucket that was never used is full."""

    @classmethod
    def off(cls) -> Limits:
        """No limits at all."""
        return cls(tiers={}, posting=None, posting_anywhere=None)

    def take(self, now: int, *, team: str, app: str, method: str, channel: str | None) -> int | None:
        """Admit a call, or say when to come back; a call that is not admitted uses nothing up.

        Args:
            now: microseconds, never less than in an earlier call.
            team: id of the workspace.
            app: id of the app: all of its tokens share the budget.
            method: as "reactions.add".
            channel: the channel that chat.postMessage posts to.

        Returns:
            None if the call may go on, else whole seconds (at least 1) for the Retry-After header.
        """
        buckets = self._buckets(team, app, method, channel)
        wait = max((self._wait(now, key, rate) for key, rate in buckets), default=0)
        if wait > 0:
            return -(-wait // _SECOND)
        for key, rate in buckets:
            self._full_at[key] = max(now, self._full_at.get(key, now)) + rate.interval
        return None

    def _buckets(self, team: str, app: str, method: str, channel: str | None) -> list[tuple[tuple[str, ...], Rate]]:
        declared = METHODS.get(method)
        if declared is None:
            return []
        if declared.tier is Tier.POSTING:
            both = [((team, app, method, channel or ""), self.posting), ((team, app, method), self.posting_anywhere)]
            return [(key, rate) for key, rate in both if rate is not None]
        rate = self.tiers.get(declared.tier)
        return [] if rate is None else [((team, app, method), rate)]

    def _wait(self, now: int, key: tuple[str, ...], rate: Rate) -> int:
        return self._full_at.get(key, now) - rate.slack - now
