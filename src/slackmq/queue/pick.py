"""Pick: claims one message that somebody names, where `claims()` takes whichever comes next."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from slackmq.envelope import Letter
from slackmq.errors import Ambiguous, ConfigurationError, Refused
from slackmq.message import Message, Post, seconds
from slackmq.policy import ONCE, Accept, Ignore, Options, Read, Take, Wait, doubtful
from slackmq.queue.contest import Chosen
from slackmq.queue.sightings import Sighting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slackmq.claiming.way import Claiming
    from slackmq.clock import Clock
    from slackmq.message import Claim, Outcome
    from slackmq.policy import Timing
    from slackmq.queue.contest import Contest
    from slackmq.queue.poster import Poster
    from slackmq.queue.sightings import Sightings
    from slackmq.queue.watch import Watch
    from slackmq.slack.api import Row, Slack

__all__ = ["Pick"]

_log = logging.getLogger("slackmq.queue")
_FIRST = (Take(generation=0), Take(generation=1))
_LEAST = 0.05
"""Seconds between two looks at a message, at least."""


class Pick:
    """Claims messages by name.

    Args:
        slack: the workspace.
        claiming: the way to be the only one.
        watch: what reads the channel.
        contest: what wins a claim.
        poster: posts what has a name and no message yet.
        sightings: what is known of the channel.
        timing: the time constants.
        clock: the time of this process.
    """

    def __init__(
        self,
        slack: Slack,
        claiming: Claiming,
        watch: Watch,
        contest: Contest,
        poster: Poster,
        *,
        sightings: Sightings,
        timing: Timing,
        clock: Clock,
    ) -> None:
        self._slack = slack
        self._claiming = claiming
        self._watch = watch
        self._channel = watch.channel
        self._contest = contest
        self._poster = poster
        self._sightings = sightings
        self._timing = timing
        self._clock = clock

    async def claim(self, message: Message) -> Claim | None:
        """Claim a message that a function here takes, if nobody has begun it."""
        sighting = self._sightings.get(message.ts)
        if sighting is None:
            row = await self._slack.row(message.channel, message.ts)
            sighting = self._watch.see(row) if row else None
        if sighting is None or sighting.busy or not sighting.open:
            return None
        if doubtful(sighting.message) and not await self.settle(sighting):
            return None
        action = self._contest.consider(sighting)
        return await self._contest.act(Chosen(sighting=sighting, action=action)) if action in _FIRST else None

    async def standing(self, ts: str, *, wait: bool) -> Claim | None:
        """Claim a message that stands in the channel, whoever posted it.

        Args:
            ts: its timestamp.
            wait: whether to wait for the end of somebody else's claim.

        Raises:
            ConfigurationError: no message of this channel has this timestamp.
        """
        row = await self._slack.row(self._channel, ts)
        if row is None:
            raise ConfigurationError(
                f"There is no message {ts} in this channel, or it was deleted.",
                remedy="Take the ts of a message that stands in the channel itself, not in a thread.",
            )
        return await self._win(self._noticed(row), wait=wait)

    async def ended(self, message: Message) -> Outcome | None:
        """How a message ended, by its marks as they stand now and by its thread; None if it did not, or is gone.

        Raises:
            Ambiguous: Slack gave no answer.
        """
        row = await self._slack.row(message.channel, message.ts)
        if row is None:
            return None
        sighting = self._noticed(row)
        if sighting.ended is None and row.replies:
            await self._contest.read_thread(sighting)
        return sighting.ended

    async def shown(self, message: Message, *, wait: bool) -> Claim | None:
        """Claim a message that the caller has in full, without reading it first; as `standing`."""
        return await self._win(self._watch.meet(message), wait=wait)

    async def keyed(self, key: str, *, wait: bool) -> Claim | None:
        """Claim the earliest message of a key, which is posted if there is none; late enough to have seen every copy.

        Args:
            key: the name of what shall happen once.
            wait: whether to wait for the end of somebody else's claim.
        """
        await self._read_copies()
        known = next((copy for copy in self._copies(key) if not copy.withdrawn), None)
        if known is None:
            message = await self._poster.post(Post(kind=ONCE, body={"key": key}, key=key, keyed=True))
            known = self._sightings.add(self._unclaimed(message))
        while known.open and not known.settled:
            due = seconds(known.message.ts) + self._watch.lag.skew
            await self._clock.sleep(due - self._slack.now())
            await self._read_copies()
        first = self._sightings.first(known.message) or known
        return await self._win(first, wait=wait) if known.open else None

    async def tidy(self, claim: Claim) -> None:
        """Take the pin off a message that has ended, late enough that no read can miss its end."""
        sighting = self._sightings.get(claim.message.ts)
        if not self._claiming.revocable or self._watch.running or sighting is None or sighting.ended is None:
            return  # there is no pin, the janitor takes it off, or whoever goes on needs it
        await self._clock.sleep(self._watch.lag.skew)
        try:
            await self._slack.unpin(self._channel, claim.message.ts)
        except (Ambiguous, Refused) as error:
            _log.warning("could not unpin %s: %s", claim.message.ts, error)

    def _copies(self, key: str) -> Iterator[Sighting]:
        """What was posted under a name for as long as names count, oldest first."""
        since = self._slack.now() - self._timing.window.total_seconds()
        for sighting in self._sightings.all():
            message = sighting.message
            if message.kind == ONCE and message.key == key and seconds(message.ts) >= since:
                yield sighting

    async def _read_copies(self) -> None:
        since = self._slack.now() - self._timing.window.total_seconds()
        page = await self._slack.history(self._channel, oldest=max(0.0, since))
        for row in page.rows:
            letter = self._watch.letter(row)
            if letter is not None and letter.message.kind == ONCE and letter.error is None:
                self._noticed(row)
        self._sightings.settle(read_at=page.read_at, skew=self._watch.lag.skew, now=self._clock.monotonic())
        if not self._watch.running:  # else its scans see to that
            self._sightings.forget(before=since)

    def _noticed(self, row: Row) -> Sighting:
        """What is known of a message, with what this read shows; one that no function here takes is left to its caller.

        An edit does not matter: whoever names a message means it as it stands.
        """
        known, letter = self._sightings.get(row.ts), self._watch.letter(row)
        if known is None and letter is not None and letter.error is None and self._watch.running:
            known = self._watch.meet(letter.message)  # who named it may leave it to the loops of this queue
        if known is None:
            bare = Message(
                channel=self._channel, ts=row.ts, author=row.user, text=row.text, key=f"{self._channel}/{row.ts}"
            )
            known = self._sightings.add(self._unclaimed(bare if letter is None else letter.message))
        self._claiming.read(row, known, self._clock.monotonic())
        known.latest_reply = row.latest_reply or known.latest_reply
        return known

    def _unclaimed(self, message: Message) -> Sighting:
        lease = (message.lease or self._timing.lease).total_seconds()
        seen_at = self._clock.monotonic()
        return Sighting(letter=Letter(message=message), verdict=Ignore(), lease=lease, seen_at=seen_at)

    async def _win(self, sighting: Sighting, *, wait: bool) -> Claim | None:
        """Try until it is ours or somebody else's; with `wait`, until it is ours or has ended."""
        claim: Claim | None = None
        while claim is None and sighting.open and (wait or not sighting.busy):
            ours = isinstance(sighting.verdict, Ignore)
            if ours:
                sighting.verdict = Accept(options=Options())
            try:
                claim, delay = await self._try(sighting)
            finally:
                if ours:
                    sighting.verdict = Ignore()  # nobody's but its caller's: the loops of this queue pass it over
            begun = sighting.generation > 0 or sighting.busy
            if claim is not None or (begun and not wait):
                break
            rest = min(max(delay, _LEAST), self._timing.scan.total_seconds())
            if begun and self._watch.running:
                await self._watch.news(rest)  # many may wait: who reads the channel for all sees the end
            else:
                await self._clock.sleep(rest)
                await self._look(sighting)
        return claim

    async def _try(self, sighting: Sighting) -> tuple[Claim | None, float]:
        """The claim if it could be had now; if not, in how many seconds to look again."""
        longest = self._timing.scan.total_seconds()
        if sighting.busy:
            return None, longest
        action = self._contest.consider(sighting)
        while isinstance(action, Read):  # what its thread says may make it free
            await self._contest.act(Chosen(sighting=sighting, action=action))
            if sighting.unread or not sighting.open:
                return None, longest
            action = self._contest.consider(sighting)
        if isinstance(action, Wait):
            return None, longest if action.delay is None else action.delay
        claim = await self._contest.act(Chosen(sighting=sighting, action=action))
        if claim is not None:
            sighting.not_before = 0.0  # given back, it may be found again at once
        return claim, 0.0

    async def _look(self, sighting: Sighting) -> None:
        try:
            row = await self._slack.row(self._channel, sighting.message.ts)
        except Ambiguous:
            return
        if row is None:
            sighting.gone = True
        else:
            self._noticed(row)

    async def noticed(self, ts: str) -> Sighting | None:
        """What is known of a message, looked at anew; None if the channel has none of this timestamp."""
        row = await self._slack.row(self._channel, ts)
        if row is None:
            return None
        letter = self._watch.letter(row) if ts in self._sightings.held else None
        if letter is not None:
            self._watch.meet(letter.message)  # it stays this queue's to work on, and waits as it did
        return self._noticed(row)

    async def settle(self, sighting: Sighting) -> bool:
        """Read the channel late enough to see every copy that was posted before this one; False if it ended by then."""
        if sighting.message.deferred and not self._watch.running:
            return False  # copies of it may stand months back, and who does not watch has not looked there
        while sighting.open and not sighting.settled:
            due = seconds(sighting.message.ts) + self._watch.lag.skew
            await self._clock.sleep(due - self._slack.now())
            await self._watch.scan()
        return sighting.open
