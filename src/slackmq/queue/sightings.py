"""What one process has seen of a channel, and when it saw it: the memory on which claims are decided."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from slackmq.claiming.traces import Traces
from slackmq.message import Outcome, seconds
from slackmq.nameplate import ALL
from slackmq.policy import ONCE, Accept, Elsewhere, Ignore
from slackmq.queue.awaited import Awaited, Undone
from slackmq.queue.held import FAR, Held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slackmq.envelope import Letter
    from slackmq.message import Message
    from slackmq.policy import Verdict

__all__ = ["Sighting", "Sightings"]


@dataclass(slots=True, kw_only=True, eq=False)
class Sighting(Traces):
    """What is known of one message. Everything in it only grows: an old read never takes a newer one back.

    Attributes:
        letter: the message, and what is wrong with it.
        verdict: whether a handler here takes it.
        lease: seconds that a claim on it lasts, decided when it was first seen: an edit must not shorten it.
        seen_at: when this process first saw it, on its monotonic clock.
        settled_at: when a read that began long enough after it was posted had shown every earlier copy of its key, on
            the monotonic clock.
        heard: its event came to this process.
        echoed: the highest generation whose event came to this process.
        busy: a task of this process is working on it.
        awaited: so many tasks of this process wait for its end.
        not_before: this process tries it no earlier, on its monotonic clock.
        cleared: the messages that it named and that were done, as they were worked on; None until all are known to be.
        failed: one that it named and that will not be done.
    """

    letter: Letter
    verdict: Verdict
    lease: float = 60.0
    seen_at: float = 0.0
    settled_at: float | None = None
    heard: bool = False
    echoed: int = 0
    busy: bool = False
    awaited: int = 0
    not_before: float = 0.0
    cleared: tuple[str, ...] | None = None
    failed: Undone | None = None

    @property
    def uncleared(self) -> bool:
        """It waits for others, and nobody may begin it; to end it is another thing."""
        return bool(self.message.after) and self.cleared is None

    @property
    def settled(self) -> bool:
        """Every earlier copy of its key has been seen."""
        return self.settled_at is not None

    @property
    def message(self) -> Message:
        """The message."""
        return self.letter.message

    @property
    def rank(self) -> tuple[bool, int]:
        """Its place among what waits: the lowest goes first."""
        return not self.first, -self.message.priority

    @property
    def for_every_bot(self) -> bool:
        """Each process that has its handler does it: nobody claims it, and its end here is none elsewhere."""
        return isinstance(self.verdict, Accept) and self.verdict.options.every_bot

    @property
    def open(self) -> bool:
        """There may still be something to do for it."""
        return self.ended is None and not self.gone

    @property
    def state(self) -> Literal["done", "dead", "cancelled"]:
        """How it ended."""
        if self.ended is Outcome.DONE:
            return "done"
        return "cancelled" if self.cancelled else "dead"

    @property
    def begun(self) -> bool:
        """Somebody worked on it, as far as marks and notes say: the first native claim leaves none of them."""
        return self.generation > 0 or bool(self.record.releases)

    @property
    def dropped_at(self) -> float:
        """When anybody may say that nobody came for it, seconds since 1970; infinity: never."""
        if self.cancelled:
            return 0.0
        return math.inf if self.message.expires is None else self.message.expires

    @property
    def withdrawn(self) -> bool:
        """It was deleted before anybody began it."""
        return self.gone and self.generation == 0

    def close(self) -> None:
        """Keep no results of a batch that has ended, unless a task of this process still works on it."""
        if self.ended is not None and not self.busy:
            self.record.settled.close()

    def correct(self, letter: Letter, verdict: Verdict) -> None:
        """Take note that the message was changed. It keeps its key: under that its copies are known."""
        self.letter = replace(letter, message=replace(letter.message, key=self.message.key))
        self.verdict = verdict


class Sightings:
    """The messages of one channel that concern a queue, by timestamp and by key.

    Args:
        window: seconds for which a key keeps later messages with it from being worked on.
    """

    def __init__(self, *, window: float = 86_400.0) -> None:
        self._window = window
        self._by_ts: dict[str, Sighting] = {}
        self._open: dict[str, Sighting] = {}
        self.for_every_bot: dict[str, Sighting] = {}
        """What each process does and this one has not done, by timestamp."""
        self._copies: dict[tuple[bool, str], set[str]] = {}
        self.held = Held()
        """What waits for its time, or for others; its keys count."""
        self.awaited = Awaited()
        """What others wait for."""
        self.ranked = False
        """Whether a message was seen whose priority is another than that of most."""

    def get(self, ts: str) -> Sighting | None:
        """What is known of a message, None if nothing is."""
        return self._by_ts.get(ts)

    def waits(self, message: Message, *, now: float) -> bool:
        """Whether nobody may begin a message yet, nor end it; `now` in seconds since 1970 by Slack's clock."""
        if message.expires is not None and message.expires <= now:
            return False
        outcome = self.awaited.outcome(message.after)
        if isinstance(outcome, Undone):
            return False
        return outcome is None or (message.delay is not None and message.due > now + FAR)

    def hold(self, message: Message) -> None:
        """Remember a message that waits for its time or for others, as little of it as possible."""
        self.held.add(message)
        self.awaited.add(message)
        self._copies.setdefault(_name(message), set()).add(message.ts)

    def let_go(self, ts: str) -> None:
        """Hold a message no longer: it waits for nothing, or it is not there any more."""
        message = self.held.drop(ts)
        if message is not None and ts not in self._by_ts:
            self.awaited.drop(ts)
            self._forget_copy(message)

    def clear(self, sighting: Sighting) -> None:
        """Take note of what became of those that a message waits for, if it is known."""
        if not sighting.uncleared or sighting.failed is not None:
            return
        outcome = self.awaited.outcome(sighting.message.after)
        if isinstance(outcome, Undone):
            sighting.failed = outcome
        else:
            sighting.cleared = outcome
        if outcome is not None:
            self.awaited.drop(sighting.message.ts)

    def elder(self, ts: str) -> str | None:
        """The message that is worked on in place of one, its copy; None if none is known."""
        message = self._by_ts[ts].message if ts in self._by_ts else self.held.get(ts)
        if message is None or len(self._copies.get(_name(message), ())) <= 1:
            return None
        leader = self._leader(message)
        return None if leader == ts else leader

    def add(self, sighting: Sighting) -> Sighting:
        """Remember a message seen for the first time; of one known before, the earlier memory stays."""
        known = self._by_ts.setdefault(sighting.message.ts, sighting)
        if known is sighting:
            self.held.drop(sighting.message.ts)
            (self.for_every_bot if sighting.for_every_bot else self._open)[sighting.message.ts] = sighting
            self._copies.setdefault(_name(sighting.message), set()).add(sighting.message.ts)
            self.ranked = self.ranked or sighting.message.priority != 0
            self.awaited.add(sighting.message)
            self.clear(sighting)
        return known

    def reopen(self, sighting: Sighting) -> None:
        """Take note that what was for every bot is so no more: somebody edited it, and one answer says so."""
        self._open[sighting.message.ts] = sighting

    def canonical(self, message: Message) -> bool:
        """Whether it is the earliest of all messages with its key within the window: only that one is worked on.

        One that was deleted before anybody began it does not count: whoever posts it again means it.
        """
        copies = self._copies.get(_name(message), ())
        if len(copies) <= 1:
            return True
        return message.ts == self._leader(message)

    def _leader(self, message: Message) -> str:
        """Which of the messages with its key is worked on in place of this one: posted up to the window before it."""
        leader: str | None = None
        for ts in sorted(self._copies.get(_name(message), ())):
            if ts > message.ts:
                break
            if ts in self._by_ts and self._by_ts[ts].withdrawn:
                continue
            if leader is None or seconds(ts) - seconds(leader) > self._window:
                leader = ts
        late = leader is None or seconds(message.ts) - seconds(leader) > self._window
        return message.ts if late or leader is None else leader

    def first(self, message: Message) -> Sighting | None:
        """The message that is worked on in place of this one, perhaps itself; None if it was not seen."""
        leader = self._by_ts.get(self._leader(message))
        if leader is None or not leader.withdrawn:
            return leader
        later = (ts for ts in sorted(self._copies.get(_name(message), ())) if ts > message.ts and ts in self._by_ts)
        return next((self._by_ts[ts] for ts in later if not self._by_ts[ts].withdrawn), leader)

    def with_key(self, key: str) -> Message | None:
        """The earliest job with a key; None if none was seen."""
        ts = min((ts for ts in self._copies.get((False, key), ()) if ts in self._by_ts), default=None)
        return None if ts is None else self._by_ts[ts].message

    def open(self) -> Iterator[Sighting]:
        """The messages for which there may be something to do: by priority, then as they were first seen."""
        waiting = list(self._open.items())
        if self.ranked:
            waiting.sort(key=lambda item: item[1].rank)
        for ts, sighting in waiting:
            if sighting.open:
                yield sighting
            else:
                sighting.close()
                del self._open[ts]

    def with_threads(self) -> Iterator[Sighting]:
        """The messages whose threads say how they stand: what is open, and what every process does for itself."""
        yield from self.open()
        yield from (sighting for sighting in self.all() if not sighting.open and ALL in sighting.message.on.split())

    def all(self) -> Iterator[Sighting]:
        """Every message that is remembered now, oldest first; whoever takes his time misses none that is forgotten."""
        yield from [self._by_ts[ts] for ts in sorted(self._by_ts)]

    def unfinished(self, *, typed_since: float) -> bool:
        """Whether something may still be learnt of any message; see `oldest_unfinished`."""
        return next(self._unfinished(typed_since), None) is not None

    def oldest_unfinished(self, *, typed_since: float) -> float | None:
        """When the oldest message was posted of which something may still be learnt, seconds since 1970.

        Args:
            typed_since: what a person typed before that moment and nobody began is left out.

        Returns:
            None if nothing is unfinished. Deferred messages do not count, see `overdue`: they may be months old.
        """
        return min(self._unfinished(typed_since, deferred=False), default=None)

    def _unfinished(self, typed_since: float, *, deferred: bool = True) -> Iterator[float]:
        # Asked at every event, so nothing is copied: the caller must not await between two of them.
        for sighting in self._open.values():
            posted = seconds(sighting.message.ts)
            if deferred is False and sighting.message.deferred:
                continue
            ours = sighting.busy or sighting.awaited or not isinstance(sighting.verdict, Ignore | Elsewhere)
            wanted = sighting.message.kind is not None or sighting.begun or posted > typed_since
            if sighting.open and ours and wanted and self.canonical(sighting.message):
                yield posted

    def overdue(self, *, before: float) -> list[str]:
        """The deferred messages that wait for their end and stand before a moment, seconds since 1970."""
        return [
            ts
            for ts, sighting in self._open.items()
            if sighting.message.deferred and sighting.open and seconds(ts) <= before and not _rests(sighting)
        ]

    def settle(self, *, read_at: float, skew: float, now: float, since: float = 0.0) -> None:
        """Take note of a complete read that began at `read_at`: all posted `skew` before that has been seen.

        Args:
            read_at: when the read began, seconds since 1970.
            skew: how late it may have been.
            now: this moment, on the monotonic clock.
            since: how far back everything was read by now, in seconds since 1970; a copy whose poster chose the key, or
                of a deferred message, may stand the whole window before it.
        """
        for sighting in [*self.open(), *self.for_every_bot.values()]:
            message, posted = sighting.message, seconds(sighting.message.ts)
            far = message.keyed or message.deferred
            if posted + skew <= read_at and not sighting.settled and not (far and posted - self._window < since):
                sighting.settled_at = now

    def forget(self, *, before: float) -> None:
        """Drop what has ended and was posted before a moment, seconds since 1970: keys are remembered as long."""
        old = {ts for ts, sighting in self._by_ts.items() if seconds(ts) < before and self._is_over(sighting)}
        # What keeps younger copies from running is remembered as long as they are.
        needed = {
            self._leader(self._by_ts[ts].message)
            for name in {_name(self._by_ts[ts].message) for ts in old}
            for ts in self._copies.get(name, ())
            if ts in self._by_ts and ts not in old
        }
        for ts in old - needed:
            sighting = self._by_ts.pop(ts)
            self._open.pop(ts, None)
            self.awaited.drop(ts)
            self._forget_copy(sighting.message)

    def _is_over(self, sighting: Sighting) -> bool:
        """Nobody will work on it any more, as far as is known."""
        wanted = (sighting.message.kind is not None or sighting.begun) and not isinstance(sighting.verdict, Ignore)
        if isinstance(sighting.verdict, Elsewhere):
            wanted = sighting.message.expires is not None  # if nobody comes, anybody says that it has expired
        if sighting.message.ts in self.for_every_bot:
            return False
        unfinished = sighting.open and wanted and self.canonical(sighting.message)
        return not sighting.busy and not unfinished

    def _forget_copy(self, message: Message) -> None:
        copies = self._copies.get(_name(message), set())
        copies.discard(message.ts)
        if not copies:
            self._copies.pop(_name(message), None)


def _name(message: Message) -> tuple[bool, str]:
    """Under which its copies are known: what shall happen once has names of its own, and no job is its copy."""
    return message.kind == ONCE, message.key


def _rests(sighting: Sighting) -> bool:
    """Nobody does anything about it as long as those are not done that it waits for."""
    return sighting.uncleared and sighting.failed is None and not sighting.cancelled
