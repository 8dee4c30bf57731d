"""Keeps every method within Slack's published limits, and serves the most urgent call first."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.clock import Clock
    from slackmq.slack.api import Urgency

__all__ = ["LIMITS", "Pacing"]

_TIER_1, _TIER_2, _TIER_3, _TIER_4 = 1, 20, 50, 100
"""Calls a minute: docs.slack.dev/apis/web-api/rate-limits. They are floors, and Slack tolerates short bursts."""

LIMITS: Mapping[str, int] = {
    # "hundreds of requests per minute"; the number is that of Slack's own limiter, java-slack-sdk MethodsRateLimitTier.
    "auth.test": 600,
    "apps.connections.open": _TIER_3,
    "bookmarks.add": _TIER_2,
    "bookmarks.list": _TIER_3,
    "bookmarks.remove": _TIER_2,
    "bots.info": _TIER_3,
    "chat.delete": _TIER_3,
    # "no more than one message per second per channel": docs.slack.dev/apis/web-api/rate-limits
    "chat.postMessage": 60,
    "chat.postEphemeral": _TIER_4,
    "chat.update": _TIER_3,
    "conversations.history": _TIER_3,
    "conversations.info": _TIER_3,
    "conversations.join": _TIER_3,
    "conversations.list": _TIER_2,
    "conversations.members": _TIER_4,
    "conversations.replies": _TIER_3,
    "files.completeUploadExternal": _TIER_4,
    "files.delete": _TIER_3,
    "files.getUploadURLExternal": _TIER_4,
    "files.info": _TIER_4,
    "files.list": _TIER_3,
    "pins.add": _TIER_2,
    "pins.list": _TIER_2,
    "pins.remove": _TIER_2,
    "reactions.add": _TIER_3,
    "reactions.get": _TIER_3,
    "reactions.remove": _TIER_2,
    "rtm.connect": _TIER_1,
    "team.info": _TIER_3,
    "usergroups.users.list": _TIER_2,
    "users.info": _TIER_4,
    "users.list": _TIER_2,
    "views.publish": _TIER_4,
}
"""Calls a minute of one app in one workspace, by method; a method that is not named gets 20."""

_BURST = 0.1
"""The part of a minute's budget that may be spent at once after a rest."""

_LEAST_SHARE = 1 / 16
_RECOVERY = 120.0
"""Seconds in which the share grows by the whole budget: from the half to the whole in a minute."""

_RETRY_AFTER = 3.0
"""Seconds to wait where Slack names none. `rate_limited` of chat.postMessage may come without the header."""

_SHORTEST_NAP = 0.001


@dataclass(slots=True, kw_only=True, order=True)
class _Waiter:
    urgency: int
    number: int
    turn: anyio.Event = field(default_factory=anyio.Event, compare=False)


class _Budget:
    """A token bucket of which this process believes to own a share, and the line before it."""

    def __init__(self, limit: int, mono: float) -> None:
        self.line: list[_Waiter] = []
        self._limit = limit
        self._share = 1.0
        self._tokens = max(1.0, limit * _BURST)
        self._stamp = mono
        self._blocked_until = mono

    def left(self, mono: float) -> float:
        """How many calls may be sent at once."""
        self._refill(mono)
        return 0.0 if mono < self._blocked_until else self._tokens

    def wait(self, mono: float) -> float:
        """Seconds until the next call may be sent; 0: now."""
        self._refill(mono)
        missing = (1.0 - self._tokens) * 60 / (self._limit * self._share)
        # Rounding must not keep a waiter of a whole token waiting for the last billionth.
        return max(self._blocked_until - mono, missing if missing > _SHORTEST_NAP / 2 else 0.0, 0.0)

    def take(self) -> None:
        self._tokens -= 1.0

    def block(self, mono: float, until: float) -> None:
        """Stop until then. Several refusals of calls that were under way together halve the share once."""
        self._refill(mono)
        if mono >= self._blocked_until:
            self._share = max(_LEAST_SHARE, self._share / 2)
        self._blocked_until = max(self._blocked_until, until)
        # Nothing is saved up meanwhile: all processes of the app start again at about the same moment.
        self._tokens, self._stamp = 1.0, self._blocked_until

    def _refill(self, mono: float) -> None:
        elapsed = mono - self._stamp
        if elapsed > 0:
            full = max(1.0, self._limit * self._share * _BURST)
            self._tokens = min(full, self._tokens + elapsed * self._limit * self._share / 60)
            self._share = min(1.0, self._share + elapsed / _RECOVERY)
            self._stamp = mono


class Pacing:
    """Lets calls through at the rate that Slack publishes, the more urgent first, in the order of asking otherwise.

    Slack counts per method for all tokens of an app in a workspace together, and chat.postMessage per channel
    besides (docs.slack.dev/apis/web-api/rate-limits). The app's processes do not know of each other, so each
    starts with the whole budget, halves its share when Slack says "too many", and takes it back bit by bit.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._budgets: dict[tuple[str, str | None], _Budget] = {}
        self._numbers = count()

    async def admit(self, method: str, urgency: Urgency, channel: str | None = None) -> None:
        """Wait until the method may be called once.

        A caller that is cancelled meanwhile takes nothing from the budget and holds up nobody.
        """
        budget = self._budget(method, channel)
        waiter = _Waiter(urgency=urgency, number=next(self._numbers))
        heappush(budget.line, waiter)
        try:
            while True:
                if budget.line[0] is not waiter:
                    await waiter.turn.wait()
                    waiter.turn = anyio.Event()
                elif wait := budget.wait(self._clock.monotonic()):
                    await self._clock.sleep(max(wait, _SHORTEST_NAP))
                else:
                    budget.take()
                    return
        finally:
            _leave(budget.line, waiter)

    def limited(self, method: str, retry_after: float | None, channel: str | None = None) -> None:
        """Take note that Slack refused a call as one too many.

        Args:
            method: the method that was refused; it rests for everybody here.
            retry_after: seconds, from Slack's Retry-After header; None if there was none.
            channel: where chat.postMessage would have posted to.
        """
        mono = self._clock.monotonic()
        rest = _RETRY_AFTER if retry_after is None else retry_after
        # The dice keep the app's processes from coming back in the same instant.
        self._budget(method, channel).block(mono, mono + rest + self._clock.random() * (0.5 + rest / 10))

    def left(self, method: str, channel: str | None = None) -> float:
        """How many calls of a method may be sent at once, as far as this process can tell."""
        return self._budget(method, channel).left(self._clock.monotonic())

    def _budget(self, method: str, channel: str | None) -> _Budget:
        key = (method, channel if method == "chat.postMessage" else None)
        if key not in self._budgets:
            self._budgets[key] = _Budget(LIMITS.get(method, _TIER_2), self._clock.monotonic())
        return self._budgets[key]


def _leave(line: list[_Waiter], waiter: _Waiter) -> None:
    """Step out of the line and tell whoever is first now: nobody else would."""
    if line[0] is waiter:
        heappop(line)
    else:
        line.remove(waiter)
        heapify(line)
    if line:
        line[0].turn.set()
