"""Progress: what a handler says of its work, as one reply with a bar, edited as often as Slack's limits allow."""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio

from slackmq.errors import Ambiguous, SlackError
from slackmq.notes import Note
from slackmq.redaction import redacted
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from collections.abc import Callable

    from slackmq.claiming.thread import Thread
    from slackmq.clock import Clock
    from slackmq.message import Claim
    from slackmq.notes import Record
    from slackmq.slack.api import Slack

__all__ = ["Progress", "bar"]

_log = logging.getLogger("slackmq.progress")
_FIRST = 2.0
"""Seconds from the first report to the reply: what is over sooner costs no call."""
_PERIOD = 3.0
"""Seconds between two edits at least: twenty a minute, of the 50 that all of the app's processes have
(docs.slack.dev/apis/web-api/rate-limits, chat.update is Tier 3)."""
_SPARE = 2.0
"""With fewer edits to spare than this nothing is shown: a job's end may be one."""
_LONGEST = 300
_CELLS = 10


@dataclass(frozen=True, slots=True)
class _Report:
    fraction: float
    text: str


class Progress:
    """What is reported of one attempt. Only the newest report is shown, and nobody waits for Slack.

    Args:
        slack: the workspace.
        thread: where the reply stands.
        record: what the thread says; the reply of an earlier attempt is edited further.
        claim: gives the current claim.
        clock: the time of this process.
        worker: the name under which it writes.
        signed: whether people are told that name: several report in one thread.

    Attributes:
        heard_at: when the handler last reported, or was begun, on the monotonic clock.
    """

    def __init__(
        self,
        slack: Slack,
        thread: Thread,
        record: Record,
        *,
        claim: Callable[[], Claim],
        clock: Clock,
        worker: str,
        signed: bool = False,
    ) -> None:
        self._slack = slack
        self._thread = thread
        self._record = record
        self._claim = claim
        self._clock = clock
        self._worker = worker
        self._said_by = f"{worker}: " if signed else ""
        self._loop = asyncio.get_running_loop()
        self._news = anyio.Event()
        self._newest: _Report | None = None
        self._shown: _Report | None = None
        self._reply: str | None = None
        self._over = False
        self.heard_at = clock.monotonic()

    def report(self, fraction: float, text: str) -> None:
        """Take a report in, from any thread."""
        fraction = 0.0 if math.isnan(fraction) else min(max(fraction, 0.0), 1.0)
        self.heard_at = self._clock.monotonic()
        self._newest = _Report(fraction, text)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    def touch(self) -> None:
        """The handler waits for somebody, and is not silent."""
        self.heard_at = self._clock.monotonic()

    def silence(self) -> timedelta:
        """How long ago the handler last reported, or was begun."""
        return timedelta(seconds=self._clock.monotonic() - self.heard_at)

    async def run(self) -> None:
        """Show what is reported, until cancelled."""
        await self._news.wait()
        await self._clock.sleep(_FIRST)
        while not self._over:
            self._news = anyio.Event()
            if self._slack.spare("edit") >= _SPARE:
                await self._show()
            await self._clock.sleep(_PERIOD)
            await self._news.wait()

    async def end(self) -> None:
        """Show the last report if an earlier one was shown; the work is over, so nothing comes after it."""
        if self._reply is not None and not self._over and self._slack.spare("edit") >= _SPARE:
            await self._show()

    async def _show(self) -> None:
        report = self._newest
        if report is None or report == self._shown:
            return
        try:
            await self._write(f"{self._said_by}{bar(report.fraction, report.text)}")
        except Ambiguous as error:
            _log.debug("progress was not shown: %s", error)
        except SlackError as error:
            _log.warning("progress is shown no more: %s", error)  # the reply was deleted, or may not be edited
            self._over = True
        else:
            self._shown = report

    async def _write(self, text: str) -> None:
        message = self._claim().message
        if self._reply is None:
            self._reply = await self._earlier()
        if self._reply is not None:
            await self._slack.edit(message.channel, self._reply, text, urgency=Urgency.SCAN)
            return
        claim = self._claim()
        op = self._clock.new_id()
        note = Note(note="progress", op=op, token=claim.token, attempt=claim.attempt, worker=self._worker)
        await self._thread.write(message, note, text, self._record, urgency=Urgency.SCAN)
        written = self._record.entries.get(op)
        self._reply, self._over = (written[0], False) if written else (None, True)

    async def _earlier(self) -> str | None:
        """The reply of an earlier attempt, if it is ours to edit."""
        me = (await self._slack.identity()).user
        ours = [ts for ts, user, note in self._record.entries.values() if note.note == "progress" and user == me]
        return max(ours, default=None)


def bar(fraction: float, text: str) -> str:
    """A report as people read it: `▓▓▓▓░░░░░░ 40 % · resizing`."""
    full = int(fraction * _CELLS)
    words = " ".join(redacted(text).split())
    words = words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
    return f"{'▓' * full}{'░' * (_CELLS - full)} {int(fraction * 100)} %{f' · {words}' if words else ''}"
