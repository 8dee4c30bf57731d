"""One call to Slack until it is settled: paced, repeated where that is safe, and refused in our own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slackmq.errors import Ambiguous, Refused
from slackmq.slack.pacing import Pacing
from slackmq.slack.refusals import refusal
from slackmq.slack.server_time import ServerTime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.clock import Clock
    from slackmq.slack.api import Urgency
    from slackmq.slack.wire import Reply, Wire

__all__ = ["Caller", "is_limited", "settled"]

_LIMITED = frozenset({"ratelimited", "rate_limited"})
"""Two spellings of one thing: docs.slack.dev/reference/methods/chat.postMessage lists both."""

_UNSETTLED = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
"""Codes after which "some aspect of the operation may have succeeded": docs.slack.dev/reference/methods."""

_READS = 4
"""A read is tried so often before its caller hears that Slack does not answer."""


class Caller:
    """Sends calls over a wire, within the limits, and learns Slack's time from the answers.

    Attributes:
        pacing: the budgets, one per method.
        time: the estimate of Slack's clock.
    """

    def __init__(self, wire: Wire, clock: Clock) -> None:
        self.pacing = Pacing(clock)
        self.time = ServerTime()
        self._wire = wire
        self._clock = clock

    async def write(
        self, method: str, args: Mapping[str, object], *, urgency: Urgency, channel: str | None = None
    ) -> Mapping[str, Any]:
        """Change something, at most once.

        A call that Slack limited took no effect and is sent again.

        Raises:
            Refused: it did not take effect and never will.
            Ambiguous: it may have.
        """
        body, _ = await self.write_timed(method, args, urgency=urgency, channel=channel)
        return body

    async def write_timed(
        self, method: str, args: Mapping[str, object], *, urgency: Urgency, channel: str | None = None
    ) -> tuple[Mapping[str, Any], float]:
        """As `write`, with the monotonic time at which the call that took effect was sent."""
        while True:
            await self.pacing.admit(method, urgency, channel)
            sent = self._clock.monotonic()
            reply = await self._wire.call(method, args)
            self._learn(reply)
            if not self._limited(method, reply, channel):
                return settled(method, reply), sent

    async def read(self, method: str, args: Mapping[str, object], *, urgency: Urgency) -> Mapping[str, Any]:
        """Ask for something, several times if no answer comes.

        Raises:
            Refused: Slack does not show it.
            Ambiguous: no answer came, often enough.
        """
        for tried in range(1, _READS):
            try:
                return await self.write(method, args, urgency=urgency)
            except Ambiguous:
                await self._clock.sleep((0.5 + self._clock.random()) * 2.0 ** (tried - 1))
        return await self.write(method, args, urgency=urgency)

    def now(self) -> float:
        """A moment by Slack's clock that is over, in seconds since 1970."""
        return self.time.now(self._clock.monotonic())

    def posted(self, ts: str) -> None:
        """Take note that Slack gave this timestamp to a message of ours: it is more exact than a Date header."""
        self.time.observe(float(ts), self._clock.monotonic())

    async def aclose(self) -> None:
        """Close the wire."""
        await self._wire.aclose()

    def _learn(self, reply: Reply) -> None:
        if reply.date is not None:
            self.time.observe(reply.date, self._clock.monotonic())

    def _limited(self, method: str, reply: Reply, channel: str | None) -> bool:
        limited = is_limited(reply)
        if limited:
            self.pacing.limited(method, reply.retry_after, channel)
        return limited


def is_limited(reply: Reply) -> bool:
    """Whether a call was one too many, and took no effect."""
    return reply.status == 429 or reply.body.get("error") in _LIMITED  # noqa: PLR2004  # HTTP's own number


def settled(method: str, reply: Reply) -> Mapping[str, Any]:
    """The body of an answer that says yes; every other answer becomes an error.

    Raises:
        Refused: it did not take effect and never will.
        Ambiguous: it may have.
    """
    match reply.body.get("ok"):
        case True if reply.status < 400:  # noqa: PLR2004  # HTTP's own number
            return reply.body
        case False if reply.body.get("error") not in _UNSETTLED and reply.status < 500:  # noqa: PLR2004  # as above
            raise refusal(method, reply.body)
        case None if 400 <= reply.status < 500 and reply.status != 408:  # noqa: PLR2004  # as above
            raise Refused(
                f"{method} was answered with HTTP {reply.status} and no word of Slack's.",
                method=method,
                code=f"http_{reply.status}",
                remedy="Check SLACKMQ_URL, and what stands between here and Slack.",
            )
        case _:
            raise Ambiguous(
                f"Slack answered {method} with HTTP {reply.status} ({reply.body.get('error') or 'nothing readable'}): "
                "it may have taken effect.",
                method=method,
            )
