"""Deliberately broken variants of the product: if no checker sees one, the checkers are broken."""

# A saboteur works inside.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import anyio

from slackmq import policy
from slackmq.batch import Settled
from slackmq.claiming.reaction import ReactionClaiming
from slackmq.claiming.way import Held
from slackmq.errors import AlreadyReacted, Ambiguous
from slackmq.message import Outcome, seconds
from slackmq.queue.awaited import Awaited
from slackmq.queue.contest import Contest
from slackmq.queue.ending import Ending
from slackmq.queue.lease import Lease
from slackmq.queue.sightings import Sightings
from slackmq.queue.watch import Watch
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pytest

    from slackmq.claiming.traces import Traces
    from slackmq.claiming.way import Way
    from slackmq.message import Claim, Message, Receipt
    from slackmq.policy import Facts
    from slackmq.queue.sightings import Sighting
    from slackmq.slack.api import Arrived

__all__ = ["CANARIES", "Canary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """A mistake, where it shows, and the promise that it breaks.

    Attributes:
        name: the mistake.
        cell: the faults under which it shows.
        rules: the promises of which at least one must be found broken.
        spoil: makes the mistake.
        way: how claims are made.
    """

    name: str
    cell: str
    rules: frozenset[str]
    spoil: Callable[[pytest.MonkeyPatch], None]
    way: Way = "reaction"


def _always(*_: object) -> bool:
    return True


def _never(*_: object) -> bool:
    return False


def _greedy(patch: pytest.MonkeyPatch) -> None:
    async def take(
        self: ReactionClaiming,
        message: Message,
        traces: Traces,  # noqa: ARG001  # as the original
        generation: int,
        *,
        lease: float,
    ) -> Held | None:
        emoji = self._marks.generations[generation - 1]
        begun, tried = self._clock.monotonic(), False
        while True:
            try:
                await self._slack.react(message.channel, message.ts, emoji, urgency=Urgency.CLAIM)
            except Ambiguous:
                tried = True
            except AlreadyReacted:
                if not tried:
                    raise
                return Held(token=generation, deadline=begun + lease)
            else:
                return Held(token=generation, deadline=begun + lease)

    patch.setattr(ReactionClaiming, "take", take)


def _cursor(patch: pytest.MonkeyPatch) -> None:
    async def scan(self: Watch) -> None:
        latest = max((seconds(sighting.message.ts) for sighting in self._sightings.all()), default=0.0)
        self.take_in(await self._slack.history(self._channel, oldest=latest))

    patch.setattr(Watch, "scan", scan)


def _hasty(patch: pytest.MonkeyPatch) -> None:
    original = Contest._facts

    def facts(self: Contest, sighting: Sighting, now: float, server: float) -> Facts:
        honest = original(self, sighting, now, server)
        return replace(honest, idle=honest.age)

    patch.setattr(Contest, "_facts", facts)


def _trusting(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(policy, "doubtful", _never)


def _blind(patch: pytest.MonkeyPatch) -> None:
    async def look_again(self: Contest, sighting: Sighting, claim: Claim) -> bool:  # noqa: ARG001  # it does not look
        return True

    patch.setattr(Contest, "_look_again", look_again)
    patch.setattr(Contest, "_heed", _never)


def _lazy(patch: pytest.MonkeyPatch) -> None:
    async def keep(self: Lease, scope: anyio.CancelScope) -> None:  # noqa: ARG001  # it keeps nothing
        await anyio.sleep_forever()

    patch.setattr(Lease, "_keep", keep)


def _doubled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Sightings, "canonical", _always)


def _loud(patch: pytest.MonkeyPatch) -> None:
    original = Contest._refused

    async def refused(self: Contest, sighting: Sighting, claim: Claim) -> bool:
        await self._claiming.finish(claim, sighting, Outcome.DONE)
        return await original(self, sighting, claim)

    patch.setattr(Contest, "_refused", refused)


def _shared(patch: pytest.MonkeyPatch) -> None:
    original = ReactionClaiming.take

    async def take(
        self: ReactionClaiming, message: Message, traces: Traces, generation: int, *, lease: float
    ) -> Held | None:
        try:
            return await original(self, message, traces, generation, lease=lease)
        except AlreadyReacted:
            return Held(token=generation, deadline=self._clock.monotonic() + lease)

    patch.setattr(ReactionClaiming, "take", take)


def _silent(patch: pytest.MonkeyPatch) -> None:
    async def done(self: Ending, sighting: Sighting, claim: Claim, answer: str | None) -> Receipt:  # noqa: ARG001
        sighting.ended = Outcome.DONE
        return self._receipt(sighting, claim, Outcome.DONE, effective=True)

    patch.setattr(Ending, "done", done)


def _patient(patch: pytest.MonkeyPatch) -> None:
    original = Contest._facts

    def facts(self: Contest, sighting: Sighting, now: float, server: float) -> Facts:
        honest = original(self, sighting, now, server)
        return replace(honest, idle=honest.idle / 2)

    patch.setattr(Contest, "_facts", facts)


def _eager(patch: pytest.MonkeyPatch) -> None:
    original = Watch._hear_of

    def hear_of(self: Watch, event: Arrived) -> None:
        original(self, event)
        if sighting := self._sightings.get(event.row.ts):
            sighting.fresh_event = True

    patch.setattr(Watch, "_hear_of", hear_of)


def _impatient(patch: pytest.MonkeyPatch) -> None:
    def outcome(_: Awaited, after: Iterable[str]) -> tuple[str, ...]:
        return tuple(after)

    patch.setattr(Awaited, "outcome", outcome)


def _literal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Sightings, "elder", _nobody)


def _nobody(*_: object) -> None:
    return None


def _canary(
    name: str, cell: str, rules: str, spoil: Callable[[pytest.MonkeyPatch], None], way: Way = "reaction"
) -> Canary:
    return Canary(name=name, cell=cell, rules=frozenset(rules.split()), spoil=spoil, way=way)


def _heedless(patch: pytest.MonkeyPatch) -> None:
    def heed(self: Settled, **_: str) -> None:
        self._noted |= self.done | self.dead.keys()

    patch.setattr(Settled, "heed", heed)


CANARIES = (
    _canary("already_reacted after a timeout is taken for our own", "H2", "I3 I4", _greedy),
    _canary("the cursor is the newest timestamp seen", "everything", "I1 I5 I7", _cursor),
    _canary("expiry counts from the post, not from the first observation", "everything", "I4", _hasty),
    _canary("a copy that arrived late is trusted", "H3", "I5 I7", _trusting),
    _canary("who takes over neither looks again nor listens", "C2", "I5 I7", _blind),
    _canary("nobody extends a claim", "none", "I7", _lazy),
    _canary("every copy of a key is worked on", "H2", "I5 I7", _doubled),
    _canary("the done mark stands before the work is done", "none", "I6", _loud),
    _canary("whoever loses the race works all the same", "none", "I3", _shared),
    _canary("nobody marks what is done", "none", "I1 I7", _silent),
    _canary("a lapsed claim is left alone for a second lease", "C1", "I8", _patient),
    _canary("who takes over a batch does not heed what is noted as done", "batch", "I17", _heedless),
    _canary("an event that comes again begins its message again", "E2", "I3 I6 I7", _eager, "native"),
    _canary("what waits for others is begun at once", "after", "I17", _impatient),
    _canary("a copy is waited for, and nobody works on it", "after+H2", "I1", _literal),
)
"""The mistakes that somebody who changes the product could make."""
