"""Deliberately broken variants of claims by pins: if no checker sees one, the checkers are broken."""

# A saboteur works inside.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.claiming import log
from slackmq.claiming.logged import Logged
from slackmq.claiming.pin import PinClaiming
from slackmq.errors import AlreadyPinned, AlreadyReacted
from slackmq.policy import Take
from slackmq.slack.api import Urgency
from slackmq.slack.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from slackmq.claiming.traces import Traces
    from slackmq.message import Message
    from slackmq.policy import Action, Facts

__all__ = ["PIN_CANARIES"]


def _unsettled(patch: pytest.MonkeyPatch) -> None:
    async def settle(self: Logged, message: Message, traces: Traces, op: str) -> None:  # noqa: ARG001  # it reads at once
        await self._thread.read(message, traces.record)

    patch.setattr(Logged, "_settle", settle)


def _markless(patch: pytest.MonkeyPatch) -> None:
    original = PinClaiming.decide

    def decide(self: PinClaiming, message: Message, traces: Traces, facts: Facts) -> Action:
        if traces.pin is None and not traces.ended:
            traces.used = False
            return Take(generation=1) if facts.age > 1 else original(self, message, traces, facts)
        return original(self, message, traces, facts)

    async def watch(self: PinClaiming, message: Message, until: float) -> int | None:  # noqa: ARG001  # it marks nothing
        return 1

    async def alone(self: PinClaiming, message: Message, traces: Traces) -> bool:  # noqa: ARG001  # it does not look
        return True

    patch.setattr(PinClaiming, "decide", decide)
    patch.setattr(PinClaiming, "_watch", watch)
    patch.setattr(PinClaiming, "_alone", alone)


def _deaf(patch: pytest.MonkeyPatch) -> None:
    def due_at(*_: object) -> float:
        return 0.0

    patch.setattr(PinClaiming, "_due_at", due_at)
    patch.setattr(log, "_valid", lambda *_: True)


def _brazen(patch: pytest.MonkeyPatch) -> None:
    async def watch(self: PinClaiming, message: Message, until: float) -> int | None:  # noqa: ARG001  # as the original
        try:
            await self._slack.react(message.channel, message.ts, self._marks.watched, urgency=Urgency.CLAIM)
        except AlreadyReacted:
            return 1
        return 1

    async def pin(self: Client, channel: str, ts: str, *, urgency: Urgency = Urgency.CLAIM) -> float:
        try:
            return await honest(self, channel, ts, urgency=urgency)
        except AlreadyPinned:
            return self.caller._clock.monotonic()

    honest = Client.pin
    patch.setattr(Client, "pin", pin)
    patch.setattr(PinClaiming, "_watch", watch)


PIN_CANARIES: tuple[tuple[str, str, str, Callable[[pytest.MonkeyPatch], None]], ...] = (
    ("a claim in the thread counts before it is settled", "V2", "I3 I4 I6 I7", _unsettled),
    ("a pin that is gone is pinned again", "M3", "I3 I4 I6 I7", _markless),
    ("a claim is taken over before it has lapsed", "none", "I4 I7", _deaf),
    ("whoever finds it pinned works all the same", "none", "I3 I4 I7", _brazen),
)
"""The mistake, the cell in which it shows, the promises of which one must be found broken, and what makes it."""
