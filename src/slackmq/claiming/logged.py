"""Claims written into a message's thread: who wrote the lowest valid line holds it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import anyio

from slackmq.claiming.log import Entry, replay
from slackmq.errors import Ambiguous, LeaseLost
from slackmq.message import Outcome, seconds
from slackmq.notes import Note
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from slackmq.claiming.log import Hold, Log
    from slackmq.claiming.thread import Thread
    from slackmq.claiming.traces import Traces
    from slackmq.clock import Clock
    from slackmq.message import Claim, Message
    from slackmq.notes import Record
    from slackmq.slack.api import Slack

__all__ = ["Logged", "Taken", "ended_by", "log_of"]

_SPARE = 3.0
"""With fewer posts to spare than this no claim is written. A channel takes one post a second, and who holds a claim of
the log needs some for its notes and extensions: with a backlog of lapsed claims and many hands free, nothing would ever
be finished within its lease, and all would begin anew."""
_LEAST = 0.05
"""Seconds between two looks at Slack's clock: it is only estimated, and may stand still for a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A claim in the log that is ours, and when its first try was sent, on this process's monotonic clock."""

    hold: Hold
    sent: float


def log_of(record: Record) -> Log:
    """What a thread's notes amount to."""
    return replay(Entry(ts=ts, user=user, note=note) for ts, user, note in record.entries.values())


def ended_by(record: Record) -> Outcome | None:
    """How a message ended according to its thread, where no mark says it; None if the thread does not say so either."""
    log = log_of(record)
    ended = record.entries[log.finished][2].note if log.finished else record.ended
    return None if ended is None else Outcome(ended)


class Logged:
    """Writes and settles claims.

    Args:
        slack: the workspace, for its clock.
        thread: where notes go.
        clock: the time of this process.
        skew: seconds after which no read may miss a write.
        worker: the name under which it writes.
    """

    def __init__(self, slack: Slack, thread: Thread, *, clock: Clock, skew: float, worker: str) -> None:
        self._slack = slack
        self._thread = thread
        self._clock = clock
        self._skew = skew
        self._worker = worker

    async def take(
        self,
        message: Message,
        traces: Traces,
        generation: int,
        *,
        lease: float,
        base: str = "",
        since: float = 0.0,
        settle: bool = True,
    ) -> Taken | None:
        """Write a claim, and read late enough to know whether it is the one that counts.

        Args:
            message: what to claim.
            traces: what is known of it.
            generation: the number of the claim.
            lease: seconds that it lasts.
            base: the user whose pin it follows, "" if it follows none.
            since: when that pin was put there.
            settle: False only for a holder who goes on in the log while nobody else may write there.

        Returns:
            None if it is not ours, or if posts are short: those of claims that are held go first.
        """
        if settle and self._slack.spare("post", message.channel) < _SPARE:
            return None
        note = self._claim(generation, lease=lease, base=base, since=since)
        sent = self._clock.monotonic()
        with anyio.move_on_after(lease / 2):
            try:
                await self._write(message, traces, note, f":lock: claim {generation}, by {self._worker}")
                if settle:
                    await self._settle(message, traces, note.op)
            except Ambiguous:
                return None
            hold = log_of(traces.record).hold
            return Taken(hold=hold, sent=sent) if hold is not None and hold.op == note.op else None
        return None

    def _claim(self, generation: int, *, lease: float, base: str, since: float) -> Note:
        return Note(
            note="claim",
            op=self._clock.new_id(),
            token=generation,
            generation=generation,
            lease=lease,
            base=base,
            since=since,
            worker=self._worker,
        )

    async def _settle(self, message: Message, traces: Traces, op: str) -> None:
        entry = traces.record.entries.get(op)
        if entry is None:
            return
        while (left := seconds(entry[0]) + self._skew - self._slack.now()) > 0:
            await self._clock.sleep(max(left, _LEAST))
        await self._thread.read(message, traces.record, urgency=Urgency.CLAIM)

    async def withdraw(self, message: Message, traces: Traces, hold: Hold) -> None:
        """Write that a claim counts as never made."""
        note = Note(note="withdraw", op=self._clock.new_id(), token=hold.generation, about=hold.op, worker=self._worker)
        await self._write(message, traces, note, f":leftwards_arrow_with_hook: withdrawn by {self._worker}")

    async def extend(self, claim: Claim, traces: Traces, *, lease: float, about: str = "", base: str = "") -> Claim:
        """Prolong a claim of the log, or the one behind our own pin.

        Raises:
            LeaseLost: it was not written in time.
        """
        note = Note(
            note="renew",
            op=self._clock.new_id(),
            token=claim.token,
            lease=lease,
            about=about,
            base=base,
            worker=self._worker,
        )
        sent = self._clock.monotonic()
        with anyio.move_on_after(claim.deadline - sent):
            await self._write(claim.message, traces, note, f":hourglass_flowing_sand: goes on, by {self._worker}")
            # Answered before our deadline, so it was written before the log's own, which is never earlier.
            if note.op in traces.record.entries:
                return replace(claim, deadline=sent + lease)
        raise LeaseLost("The claim ran out before Slack confirmed its extension.")

    async def _write(self, message: Message, traces: Traces, note: Note, text: str) -> None:
        await self._thread.write(message, note, text, traces.record, urgency=Urgency.BEAT)
