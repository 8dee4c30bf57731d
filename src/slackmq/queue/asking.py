"""Asking: waits for the end of a message, and reads its answer in the thread."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import anyio
import msgspec

from slackmq.answer import Answer, result_in
from slackmq.errors import (
    Ambiguous,
    AnswerLate,
    BodyLost,
    JobFailed,
    JobVanished,
    MessageGone,
    Refused,
    ResultUntold,
)
from slackmq.message import Outcome
from slackmq.notes import Record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from slackmq.claiming.thread import Thread
    from slackmq.clock import Clock
    from slackmq.message import Json, Message
    from slackmq.notes import Note
    from slackmq.queue.parcels import Parcels
    from slackmq.queue.sightings import Sighting, Sightings
    from slackmq.queue.watch import Watch
    from slackmq.slack.api import Slack

__all__ = ["Asking"]

_FIRST = 1.0
"""Seconds until the channel is read for the first time by a process that does not watch it; then twice as many, and
again, up to the period of the workers: the budget of reads is theirs too."""


class Asking:
    """Waits for answers.

    Args:
        slack: the workspace.
        watch: what reads the channel.
        sightings: what is known of it.
        thread: where answers stand.
        parcels: where those stand that are too long for a note.
        clock: the time of this process.
        longest: seconds between two reads of the channel by a process that does not watch it.
    """

    def __init__(
        self,
        slack: Slack,
        watch: Watch,
        sightings: Sightings,
        thread: Thread,
        parcels: Parcels,
        *,
        clock: Clock,
        longest: float,
    ) -> None:
        self._slack = slack
        self._watch = watch
        self._sightings = sightings
        self._thread = thread
        self._parcels = parcels
        self._clock = clock
        self._longest = longest
        self._reading = anyio.Lock()

    async def answer(self, message: Message, *, within: timedelta, watching: bool) -> Answer:
        """Wait until a message has ended, and return its answer.

        Args:
            message: what was posted; of several with one key, whichever is worked on is waited for.
            within: how long.
            watching: whether this process reads the channel anyway, and hears of it.

        Raises:
            JobFailed: it is dead.
            JobVanished: somebody deleted it.
            AnswerLate: it has not ended by then; it goes on.
        """
        with anyio.move_on_after(within.total_seconds()):
            return await self._read(await self._ended(message, watching=watching))
        raise AnswerLate(message.ts, within)

    async def _ended(self, message: Message, *, watching: bool) -> Sighting:
        pause = _FIRST
        while True:
            found = self._sightings.first(message)
            if found is not None and not found.open:
                return found
            if watching:
                await self._news(found)
            else:
                await self._look(pause)
                await self._miss(found)
                pause = min(2 * pause, self._longest)

    async def _news(self, found: Sighting | None) -> None:
        """Wait for news; of what only others do, too, the channel is read as often as while something is unfinished."""
        if found is not None:
            found.awaited += 1
        try:
            await self._watch.news(self._longest)
        finally:
            if found is not None:
                found.awaited -= 1

    async def _look(self, pause: float) -> None:
        """Read the channel after a while, unless somebody else who waits has read it meanwhile."""
        seen = self._watch.seen
        await self._clock.sleep(pause)
        async with self._reading:
            if seen == self._watch.seen:
                try:
                    await self._watch.scan()
                except Ambiguous:
                    return

    async def _miss(self, sighting: Sighting | None) -> None:
        """Notice that a message was deleted, which only an event would tell."""
        if sighting is None or not sighting.open or sighting.message.ts in self._watch.shown:
            return
        await self._clock.sleep(self._watch.lag.skew)
        try:
            sighting.gone = await self._slack.row(sighting.message.channel, sighting.message.ts) is None
        except Ambiguous:
            return

    async def _read(self, sighting: Sighting) -> Answer:
        message = sighting.message
        if sighting.gone:
            raise JobVanished(message.ts)
        note = await self._note(sighting)
        if sighting.ended is Outcome.DEAD:
            raise JobFailed(message.ts, note.why if note else "")
        return await self._told(note) if note else Answer(text=None)

    async def _told(self, note: Note) -> Answer:
        """What an answer says to a program."""
        if note.expires is not None and note.expires <= self._slack.now():
            return Answer(text=None, why=f"it expired at {datetime.fromtimestamp(note.expires, UTC):%F %T} UTC")
        if not note.form:
            return Answer(text=None, result=note.result, why=note.why)
        try:
            return Answer(text=None, result=result_in(await self._parcels.fetch(note.file), note.form))
        except (BodyLost, Refused) as error:
            return Answer(text=None, why=error.cause.rstrip("."))
        except UnicodeDecodeError as error:
            return Answer(text=None, why=f"its file holds no text ({error})")

    async def results(self, message: Message) -> tuple[Json, ...]:
        """What those returned that a message named: of copies, that which was worked on.

        Raises:
            ResultUntold: the result of one cannot be told.
        """
        sighting = self._sightings.get(message.ts)
        done = message.after if sighting is None else sighting.cleared or message.after
        notes = {ts: await self._answered(message, ts) for ts in done}
        if not all(notes.values()):  # it returned None, or the answer is not to be seen yet
            await self._clock.sleep(self._watch.lag.skew)
            notes = {ts: note or await self._answered(message, ts) for ts, note in notes.items()}
        results = {ts: await self._result(ts, note) for ts, note in notes.items()}
        return tuple(results[ts] for ts in done)

    async def _answered(self, message: Message, ts: str) -> Note | None:
        """The answer to one of those that a message named."""
        record = Record()
        await self._thread.read(replace(message, ts=ts), record)
        return _newest("answer", record.entries.values())

    async def _result(self, ts: str, note: Note | None) -> Json:
        told = Answer(text=None) if note is None else await self._told(note)
        if told.why:
            raise ResultUntold(ts, told.why)
        result: Json = msgspec.json.decode(told.result) if told.result else None
        return result

    async def _note(self, sighting: Sighting) -> Note | None:
        """What the thread says of the end; read once more, later, where nothing is to be seen yet."""
        kind = "refusal" if sighting.ended is Outcome.DEAD else "answer"
        for again in (True, False):
            try:
                await self._thread.read(sighting.message, sighting.record)
            except MessageGone as error:
                raise JobVanished(sighting.message.ts) from error
            if note := _newest(kind, sighting.record.entries.values()):
                return note
            if again:
                await self._clock.sleep(self._watch.lag.skew)
        return None


def _newest(kind: str, entries: Iterable[tuple[str, str, Note]]) -> Note | None:
    """The last note of a kind: whoever was late says nothing."""
    notes = [(ts, note) for ts, _, note in entries if note.note == kind]
    return max(notes, key=lambda entry: entry[0])[1] if notes else None
