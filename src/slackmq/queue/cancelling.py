"""Cancelling: a job that nobody has begun is ended here and now, and whoever works on one is told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.errors import AlreadyEnded, AlreadyReacted, ConfigurationError, MessageGone
from slackmq.message import Outcome
from slackmq.notes import Note
from slackmq.policy import Accept, Elsewhere, Ignore, Options, Wait
from slackmq.queue.contest import Chosen
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from slackmq.claiming.marks import Marks
    from slackmq.claiming.thread import Thread
    from slackmq.clock import Clock
    from slackmq.message import Message
    from slackmq.queue.contest import Contest
    from slackmq.queue.pick import Pick
    from slackmq.queue.sightings import Sighting, Sightings
    from slackmq.slack.api import Slack

__all__ = ["Cancelling"]

_PATIENCE = 8.0
"""Seconds for which a claim is waited for, as where bots of several apps take turns; longer waits are for a holder."""


class Cancelling:
    """Cancels jobs.

    Args:
        slack: the workspace.
        pick: finds a message by its ts.
        contest: what wins a claim; it ends what is cancelled.
        sightings: what is known of the channel.
        thread: where it is written who wants it.
        marks: which emoji says so.
        clock: the time of this process.
        channel: id of the channel.
        worker: the name under which it writes.
    """

    def __init__(
        self,
        slack: Slack,
        pick: Pick,
        contest: Contest,
        *,
        sightings: Sightings,
        thread: Thread,
        marks: Marks,
        clock: Clock,
        channel: str,
        worker: str,
    ) -> None:
        self._slack = slack
        self._pick = pick
        self._contest = contest
        self._sightings = sightings
        self._thread = thread
        self._emoji = marks.cancel
        self._clock = clock
        self._channel = channel
        self._worker = worker

    async def cancel(self, message: Message | str, *, by: str, running: bool) -> bool:
        """Mark a job so that nobody begins it, then end it if nobody has it.

        The mark comes first: from then on whoever gets the job ends it, should this process die. Without `running`
        there is none, and the job ends only if it can be claimed now.

        Returns:
            Whether it has ended; False where a worker may hold it, who is told to stop.

        Raises:
            AlreadyEnded: it is done, dead, cancelled or a duplicate.
            ConfigurationError: the channel has no such message.
        """
        ts = message if isinstance(message, str) else message.ts
        sighting = await self._found(ts)
        asked = running and await self._mark(ts)
        marked, sighting.cancelled, sighting.cancelled_by = sighting.cancelled, True, by
        try:
            await self._end(sighting)
        finally:
            if sighting.open:
                sighting.cancelled = marked or running
        if sighting.open and asked:
            await self._tell(sighting, by)
        elif sighting.ended is Outcome.DONE:
            raise _late(ts, "done")
        return not sighting.open

    async def _found(self, ts: str) -> Sighting:
        sighting = await self._pick.noticed(ts)
        if sighting is None or sighting.gone:
            raise ConfigurationError(
                f"There is no message {ts} in this channel, or it was deleted.",
                remedy="Take the ts of a job that stands in the channel itself, not in a thread.",
            )
        if sighting.ended is not None:
            raise _late(ts, sighting.state)
        await self._pick.settle(sighting)
        first = self._sightings.first(sighting.message)
        if first is not None and first is not sighting:
            raise AlreadyEnded(
                ts, f"repeats the job {first.message.ts}, so nobody works on it.", remedy="Cancel that one."
            )
        return sighting

    async def _mark(self, ts: str) -> bool:
        """Whether nobody had asked for it before."""
        try:
            await self._slack.react(self._channel, ts, self._emoji, urgency=Urgency.DONE)
        except AlreadyReacted:
            return False
        except MessageGone as error:
            raise AlreadyEnded(ts, "was deleted.") from error
        return True

    async def _end(self, sighting: Sighting) -> None:
        """Claim it if it can be had now: what is claimed and cancelled ends at once."""
        verdict = sighting.verdict
        if sighting.busy:
            return
        if isinstance(verdict, Ignore | Elsewhere) or sighting.for_every_bot:
            sighting.verdict = Accept(options=Options())  # to end it anybody may claim it
        try:
            until = self._clock.monotonic() + _PATIENCE
            while sighting.open:
                action = self._contest.consider(sighting)
                if not isinstance(action, Wait):  # its thread is read first: it may have been given back
                    await self._contest.act(Chosen(sighting=sighting, action=action))
                elif sighting.begun or action.delay is None or self._clock.monotonic() + action.delay > until:
                    return
                else:
                    await self._clock.sleep(action.delay)
                if self._clock.monotonic() > until:
                    return
        finally:
            sighting.verdict = verdict

    async def _tell(self, sighting: Sighting, by: str) -> None:
        note = Note(note="cancel", op=self._clock.new_id(), token=sighting.generation, worker=self._worker, why=by)
        text = f":no_entry_sign: {by} wants it cancelled: whoever works on it is told to stop"
        await self._thread.write(sighting.message, note, text, sighting.record, urgency=Urgency.DONE)


def _late(ts: str, state: str) -> AlreadyEnded:
    remedy = "What it did stands: undo it by hand." if state == "done" else "There is nothing left to stop."
    return AlreadyEnded(ts, f"is {state} already.", remedy=remedy)
