"""Survey: a queue looked at again and again: what there is to do, how fast it is done, what Slack still allows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.clock import SYSTEM
from slackmq.errors import Ambiguous, Refused
from slackmq.message import seconds
from slackmq.notes import NOTE
from slackmq.operating.figures import figures_of
from slackmq.queue.pausing import pause_of
from slackmq.slack.pacing import LIMITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.clock import Clock
    from slackmq.operating.figures import Figures
    from slackmq.operating.look import Look
    from slackmq.queue import Standing
    from slackmq.queue.pausing import Pause
    from slackmq.slack.api import Row

__all__ = ["Budget", "Pace", "Survey", "View"]

_SPAN = 300.0
"""Seconds over which the pace of workers is measured."""
_BACK = 600.0
"""Seconds of the channel that are read again at each look."""
_THREADS = 8
"""So many threads are read at each look, to learn who did a job: it takes a call each."""
_UNNAMED = "(not told)"
_ENDED = {"done", "dead"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many jobs a worker ends a minute, by what it wrote into their threads in the last five minutes."""

    worker: str
    per_minute: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is left of a method's published limit.

    Attributes:
        method: of Slack's Web API.
        limit: calls a minute of one app.
        used: calls a minute that this channel shows between two looks; None at the first look.
    """

    method: str
    limit: int
    used: float | None

    @property
    def left(self) -> float | None:
        """Calls a minute that are left, as far as this channel tells: other channels of the app use the same."""
        return None if self.used is None else max(0.0, self.limit - self.used)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A queue at one moment.

    Attributes:
        figures: how much there is to do.
        pause: who paused it, if anybody did.
        paces: who works, and how fast.
        budgets: what Slack's limits leave.
        rows: how each message stands, oldest first.
    """

    figures: Figures
    pause: Pause | None
    paces: tuple[Pace, ...]
    budgets: tuple[Budget, ...]
    rows: tuple[Standing, ...] = ()


class Survey:
    """Looks at a channel; one read of it for each look, and a few of threads.

    Args:
        look: the channel.
        clock: the time of this process.
    """

    def __init__(self, look: Look, *, clock: Clock = SYSTEM) -> None:
        self._look = look
        self._clock = clock
        self._sizes: dict[str, int] = {}
        self._ended: dict[str, tuple[float, str]] = {}
        """ts of what has ended -> when, in seconds since 1970, and by whom."""
        self._counts: Counter[str] | None = None
        self._counted_at = 0.0

    async def view(self) -> View:
        """The queue at this moment."""
        queue, slack = self._look.queue, self._look.slack
        standings = await queue.inspect(threads=self._counts is None, past=True)
        page = await slack.history(queue.channel.id, oldest=max(0.0, slack.now() - _BACK))
        await self._name(standings, {row.ts: row for row in page.rows})
        return View(
            figures=figures_of(standings, window=queue.timing.window),
            pause=await self._pause(),
            paces=self._paces(),
            budgets=await self._budgets(page.rows),
            rows=standings,
        )

    async def _pause(self) -> Pause | None:
        try:
            return await pause_of(self._look.slack, self._look.queue.channel.id, shared=self._look.shared)
        except (Refused, Ambiguous):
            return None

    async def _name(self, standings: Sequence[Standing], rows: dict[str, Row]) -> None:
        """Learn who ended what, and when: the thread tells, if the handler said anything."""
        now, left, first = self._look.slack.now(), _THREADS, self._counts is None
        ended = [row.message.ts for row in standings if row.state in _ENDED]
        self._sizes = {row.message.ts: row.message.size for row in standings}
        known, self._ended = self._ended, {}
        for ts in reversed(ended):
            self._ended[ts] = known.get(ts) or (seconds(ts) if first else now, _UNNAMED)
            shown = rows.get(ts)
            answered = not first if shown is None else shown.latest_reply is not None
            if left and answered and ts not in known:
                left -= 1
                self._ended[ts] = await self._end(ts, otherwise=self._ended[ts])

    async def _end(self, ts: str, *, otherwise: tuple[float, str]) -> tuple[float, str]:
        me = (await self._look.slack.identity()).user
        try:
            replies = await self._look.slack.replies(self._look.queue.channel.id, ts)
        except (Refused, Ambiguous):
            return otherwise
        for reply in reversed(replies):
            if reply.metadata is None or reply.metadata.type != NOTE:
                continue
            note = reply.metadata.payload
            ours = reply.user == me or (self._look.shared and reply.bot is not None)
            if ours and note.get("note") in {"answer", "refusal"}:
                return seconds(reply.ts), str(note.get("worker") or _UNNAMED)
        return otherwise

    def _paces(self) -> tuple[Pace, ...]:
        since = self._look.slack.now() - _SPAN
        workers: Counter[str] = Counter()
        for ts, (at, worker) in self._ended.items():
            workers[worker] += self._sizes[ts] if at > since else 0
        return tuple(
            Pace(worker=worker, per_minute=count * 60 / _SPAN)
            for worker, count in sorted(workers.items(), key=_order)
            if count
        )

    async def _budgets(self, rows: Sequence[Row]) -> tuple[Budget, ...]:
        me = (await self._look.slack.identity()).user
        counts = Counter(
            {
                "chat.postMessage": sum((row.user == me) + row.replies for row in rows),
                "reactions.add": sum(me in users for row in rows for users in row.reactions.values()),
                "pins.add": sum(row.pin is not None and row.pin.by == me for row in rows),
            }
        )
        now, before = self._clock.monotonic(), self._counts
        elapsed, self._counted_at, self._counts = now - self._counted_at, now, counts
        return tuple(
            Budget(method=method, limit=LIMITS[method], used=_rate(counts[method], before, method, elapsed))
            for method in counts
        )


def _order(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _rate(count: int, before: Counter[str] | None, method: str, elapsed: float) -> float | None:
    """Calls a minute by what was added; what has left the part that is read takes its calls with it."""
    if before is None or elapsed <= 0:
        return None
    return max(0, count - before[method]) * 60 / elapsed
