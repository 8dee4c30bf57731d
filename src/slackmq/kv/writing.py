"""Writing: from a batch to what became of it, in whatever channel the store is by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.errors import Ambiguous, ConfigurationError
from slackmq.kv.errors import StoreMoved, WriteLost
from slackmq.kv.record import GROUPS, NOTICE
from slackmq.kv.writer import Ack

if TYPE_CHECKING:
    from slackmq.kv.home import Home
    from slackmq.kv.inside import Inside
    from slackmq.kv.ledger import Settled
    from slackmq.kv.log import Outcome
    from slackmq.kv.record import Operation
    from slackmq.slack.api import Urgency

__all__ = ["Writing"]


class Writing:
    """The writes of one store that are under way.

    Args:
        home: where the store is.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._expected: dict[str, Outcome | None] = {}

    def settled(self, settled: Settled) -> None:
        """Take note of what became of groups."""
        for op, outcome in settled.outcomes:
            if op in self._expected:
                self._expected[op] = outcome

    async def write(
        self, operations: tuple[Operation, ...], *, settle: bool, urgency: Urgency, inside: Inside | None = None
    ) -> tuple[Ack, Outcome | None]:
        """Write a group into the log.

        Args:
            operations: what to do.
            settle: whether to wait for what becomes of it.
            urgency: who goes first when the budget is short.
            inside: only there; None: wherever the store is.

        Returns:
            Where it stands, and what became of it; None if that was not waited for, and it stands there for sure.

        Raises:
            WriteLost: it does not count, and never will.
            StoreMoved: the store is not there any more.
        """
        only = inside
        while True:
            inside, ops = only or self._home.inside, list[str]()

            def expect(op: str, ops: list[str] = ops) -> None:
                ops.append(op)
                self._expected[op] = None

            try:
                inside.check()
                if inside.follower.failure is not None:
                    raise inside.follower.failure
                ack = await inside.writer.write(operations, expect, urgency=urgency)
                return await self._became(inside, ack, settle=settle)
            except StoreMoved:
                if done := self._done(inside, ops):
                    return done
                if only is not None:
                    raise
            finally:
                for op in ops:
                    self._expected.pop(op, None)
            await self._home.arrived(inside)

    async def _became(self, inside: Inside, ack: Ack, *, settle: bool) -> tuple[Ack, Outcome | None]:
        try:
            if ack.sure and not settle and await _counts(inside, ack):
                return ack, None
            await inside.follower.settle(ack.at)
        except ConfigurationError as error:
            cause = "The store was closed before it was known what became of it."
            raise Ambiguous(cause, method="conversations.history") from error
        outcome = self._expected[ack.op]
        if outcome is None and ack.sure:
            raise Ambiguous("Slack took the record, and does not show it.", method="chat.postMessage")
        if outcome is None or outcome.void:
            cause = "Slack stored the record too late or never, so it does not count."
            raise WriteLost(cause, remedy="Write it again.")
        return ack, outcome

    def _done(self, left: Inside, ops: list[str]) -> tuple[Ack, Outcome] | None:
        """What became of a group in a channel that the store has left; None: nothing, and nothing can any more."""
        for op in ops:
            outcome = self._expected[op] or left.follower.state.outcome(op)
            if outcome is not None and not outcome.void:
                at, index = divmod(outcome.revision, GROUPS)
                return Ack(op=op, at=at, index=index, sure=False, sent=0.0), outcome
        return None


async def _counts(inside: Inside, ack: Ack) -> bool:
    """Whether a record that stands in the channel counts there, for the store had not left when it was posted."""
    # Whoever leaves says so that long before; who has seen nothing of it up to then knows that nobody did.
    await inside.follower.settle(ack.at - NOTICE)
    return inside.follower.state.counts(ack.at)
