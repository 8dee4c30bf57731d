"""Tally: what of a batch is done, noted in its thread for whoever takes over, and shown to people on the message."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from slackmq.batch import counted, shown
from slackmq.errors import Ambiguous, SlackError
from slackmq.notes import Note
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from slackmq.batch import Settled
    from slackmq.claiming.thread import Thread
    from slackmq.clock import Clock
    from slackmq.message import Claim
    from slackmq.notes import Record
    from slackmq.slack.api import Slack

__all__ = ["Tally"]

_log = logging.getLogger("slackmq.batch")
_PERIOD = 5.0
"""Seconds between two notes, and from the first job that ends to the first note: what is over sooner costs none. Both
calls of a period together are 24 edits a minute, of the 50 that all of the app's processes have
(docs.slack.dev/apis/web-api/rate-limits, chat.update is Tier 3)."""
_SPARE = 2.0
"""With fewer edits to spare than this nothing is shown: a job's end may be one, and a note is."""
_FULL = 6_000
"""Characters that one note says of a batch; what is settled later goes into another one."""


class Tally:
    """What of one batch is settled.

    The note in the thread is what counts. It is edited by who wrote it, and only ever says more; an edit that went
    unanswered may take effect at any time, so after that a new note is begun. What the last note does not say yet goes
    into the one that ends the claim: see `slackmq.queue.ending`.

    Args:
        slack: the workspace.
        thread: where notes stand.
        record: what the thread says.
        claim: gives the current claim.
        numbers: those of its jobs.
        clock: the time of this process.
        worker: the name under which it writes.
        width: how many jobs may run at once; None: the worker decides.
        turn: waits until one more job may be begun.
    """

    def __init__(
        self,
        slack: Slack,
        thread: Thread,
        record: Record,
        *,
        claim: Callable[[], Claim],
        numbers: Sequence[int],
        clock: Clock,
        worker: str,
        width: int | None,
        turn: Callable[[], Awaitable[None]],
    ) -> None:
        self._slack = slack
        self._thread = thread
        self._record = record
        self._claim = claim
        self._numbers = numbers
        self._clock = clock
        self._worker = worker
        self._news = anyio.Event()
        self._failed: set[int] = set()
        self._note: str | None = None
        self._said: frozenset[int] = frozenset()
        self._shown = ""
        self._showing = True
        self.width = width
        self.turn = turn

    @property
    def settled(self) -> Settled:
        """What is not to be executed again."""
        return self._record.settled

    def finish(self, number: int, result: str, why: str) -> None:
        """A job is done: with a result as JSON, "" for None, or with why it is not told."""
        self.settled.finish(number, result, why)
        self._failed.discard(number)
        self._news.set()

    def give_up(self, number: int, why: str) -> None:
        """A job failed, and will not be tried again."""
        self.settled.give_up(number, why)
        self._news.set()

    def fail(self, number: int) -> None:
        """A job failed, and may be tried again."""
        self._failed.add(number)
        self._news.set()

    async def run(self) -> None:
        """Write down what is settled, and show it, until cancelled."""
        while True:
            await self._news.wait()
            await self._clock.sleep(_PERIOD)
            self._news = anyio.Event()
            try:
                await self._write()
            except SlackError as error:
                _log.warning("what is done of %s is not noted: %s", self._claim().message.ts, error)
            await self._show()

    async def end(self) -> None:
        """Show how the attempt ended; nothing comes after it."""
        await self._show()

    async def _write(self) -> None:
        fresh = self.settled.unnoted()
        if not fresh:
            return
        if self._note is not None and len(str(self._fields(self._said | fresh))) <= _FULL:
            if await self._edit(self._note, self._said | fresh):
                self._said |= fresh
                return
            self._note = None
        op = self._clock.new_id()
        await self._thread.write(
            self._claim().message, self._made(op, fresh), self._text(), self._record, urgency=Urgency.SCAN
        )
        self._note, self._said = (op, fresh) if op in self._record.entries else (None, frozenset())

    async def _edit(self, op: str, numbers: frozenset[int]) -> bool:
        """Whether the note says these numbers now."""
        note = self._made(op, numbers)
        try:
            await self._thread.rewrite(self._claim().message, note, self._text(), self._record)
        except Ambiguous as error:
            _log.debug("the note about %s may say more by now: %s", self._claim().message.ts, error)
        except SlackError as error:
            _log.warning("the note about %s cannot be edited: %s", self._claim().message.ts, error)
        else:
            return True
        return False

    def _made(self, op: str, numbers: Collection[int]) -> Note:
        claim, fields = self._claim(), self._fields(numbers)
        return Note(
            note="batch",
            op=op,
            token=claim.token,
            attempt=claim.attempt,
            worker=self._worker,
            done=fields.get("done", ""),
            lost=fields.get("lost", ""),
            results=fields.get("results", ""),
            untold=fields.get("untold", ""),
        )

    def _fields(self, numbers: Collection[int]) -> dict[str, str]:
        return self.settled.fields(numbers)

    def _text(self) -> str:
        return f":ballot_box_with_check: {counted(self._numbers, self.settled, self._failed)}, by {self._worker}"

    async def _show(self) -> None:
        """Put the marks into the message itself, if it is ours; they are for people only, and never waited for."""
        message = self._claim().message
        text = shown(message.kind or "", self._numbers, self.settled, self._failed)
        ours = message.author == (await self._slack.identity()).user
        if not self._showing or not ours or text == self._shown or self._slack.spare("edit") < _SPARE:
            return
        try:
            await self._slack.edit(message.channel, message.ts, text, urgency=Urgency.SCAN)
        except Ambiguous as error:
            _log.debug("the marks of %s are not shown: %s", message.ts, error)
        except SlackError as error:
            _log.warning("the marks of %s are shown no more: %s", message.ts, error)
            self._showing = False
        else:
            self._shown = text
