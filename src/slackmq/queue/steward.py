"""Steward: does what people ask by emoji, once among all workers, and says in the thread who asked."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

import anyio

from slackmq.errors import AlreadyEnded, AlreadyReacted, Ambiguous, ConfigurationError, Refused
from slackmq.message import Mrkdwn, Outcome
from slackmq.policy import Ignore
from slackmq.slack.api import Urgency
from slackmq.slack.markup import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.claiming.marks import Marks
    from slackmq.clock import Clock
    from slackmq.queue.controls import Control, Controls
    from slackmq.queue.opened import Opened
    from slackmq.queue.queue import AsyncQueue
    from slackmq.queue.roles import Roles
    from slackmq.queue.sightings import Sighting
    from slackmq.slack.api import Slack

__all__ = ["Steward"]

_log = logging.getLogger("slackmq.steward")
_TRIES = 5
_PAUSE = 10.0
"""Seconds between two tries of what went unanswered."""
_REMEMBERED = 10_000
"""So many wishes are remembered as done with; of more the oldest are looked at again, and found done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    control: Control
    channel: str
    ts: str


class Steward:
    """Heeds people's emoji.

    An own emoji beside theirs is the register that decides which worker acts: Slack takes it from one bot once.

    Args:
        slack: the workspace.
        queue: the open queue.
        inside: its parts.
        controls: which emoji ask for what, and who may.
        roles: who is in which user group.
        marks: which emoji of ours stand for what.
        clock: the time of this process.
    """

    def __init__(
        self,
        slack: Slack,
        queue: AsyncQueue,
        inside: Opened,
        controls: Controls,
        *,
        roles: Roles,
        marks: Marks,
        clock: Clock,
    ) -> None:
        self._slack = slack
        self._queue = queue
        self._inside = inside
        self._controls = controls
        self._roles = roles
        self._clock = clock
        self._registers: dict[Control, str] = {"cancel": marks.cancel, "again": "repeat", "first": marks.first}
        self._seen: dict[_Wish, str] = {}
        self._shown: dict[tuple[str, str], Mapping[str, frozenset[str]]] = {}
        """Emoji on messages that were not looked at yet."""
        self._mine: _Wish | None = None
        """What this worker does at the moment: the register is its own."""
        self._news = anyio.Event()

    async def run(self) -> None:
        """Heed and act until cancelled."""
        self._inside.watch.wish = self.notice
        while True:
            while self._shown:
                place = next(iter(self._shown))
                await self._look(*place, self._shown.pop(place))
            self._news = anyio.Event()
            await self._news.wait()

    def notice(self, channel: str, ts: str, reactions: Mapping[str, frozenset[str]]) -> None:
        """Somebody put an emoji on a message, as an event or a read shows."""
        me = self._inside.identity.user
        asked: set[Control] = {
            control
            for control, users in self._controls.asked(reactions).items()
            if users - {me} and me not in reactions.get(self._registers[control], ())
        }
        if any(_Wish(control=control, channel=channel, ts=ts) not in self._seen for control in asked):
            known = self._shown.get((channel, ts), {})
            emoji = known.keys() | reactions.keys()
            self._shown[channel, ts] = {
                each: known.get(each, frozenset()) | reactions.get(each, frozenset()) for each in emoji
            }
            self._news.set()

    async def _look(self, channel: str, ts: str, reactions: Mapping[str, frozenset[str]]) -> None:
        among, me = await self._roles.among(self._controls.allowed), self._inside.identity.user
        for control, user in self._controls.wanted(reactions, among).items():
            wish = _Wish(control=control, channel=channel, ts=ts)
            if wish in self._seen or me in reactions.get(self._registers[control], ()):
                continue
            self._seen[wish] = user
            if len(self._seen) > _REMEMBERED:
                del self._seen[next(iter(self._seen))]
            await self._try(wish)

    async def _try(self, wish: _Wish) -> None:
        """Do it; again where no answer came, for nobody else will: the register is taken, or may be."""
        self._mine = None
        for left in reversed(range(_TRIES)):
            try:
                await self._heed(wish, self._seen.get(wish, ""))
            except Ambiguous as error:
                _log.warning("cannot do what an emoji on %s asks for: %s", wish.ts, error)
                if left:
                    await self._clock.sleep(_PAUSE)
            except Refused as error:
                _log.warning("Slack refuses what an emoji on %s asks for: %s", wish.ts, error)
                return
            else:
                return

    async def _heed(self, wish: _Wish, user: str) -> None:
        if wish.channel == self._inside.channel.id:
            await self._act(wish, user)
        elif wish.control == "again":
            await self._again_by_letter(wish, user)

    async def _act(self, wish: _Wish, user: str) -> None:
        sighting = await self._inside.pick.noticed(wish.ts)
        if sighting is None or not _is_job(sighting):
            return  # people talk
        match wish.control:
            case "cancel" if sighting.ended is not Outcome.DEAD:
                await self._cancel(wish, user)
            case "again" if sighting.ended is Outcome.DEAD:
                await self._again(wish, user, sighting)
            case "first" if sighting.open and not sighting.busy and sighting.generation == 0:
                await self._put_first(wish, user, sighting)
            case "cancel" | "again" | "first":
                return
            case _ as unreachable:
                assert_never(unreachable)

    async def _cancel(self, wish: _Wish, user: str) -> None:
        if not await self._ours(wish):
            return
        try:
            ended = await self._queue.cancel(wish.ts, by=user)
        except AlreadyEnded as error:
            await self._say(wish, f":no_entry_sign: <@{user}>, too late: {escape(str(error))}")
        else:
            if not ended:
                await self._say(wish, f":no_entry_sign: <@{user}> cancels it: whoever works on it is told to stop")

    async def _again(self, wish: _Wish, user: str, sighting: Sighting) -> None:
        if not await self._ours(wish):
            return
        try:
            await self._queue.redrive(sighting.message)
        except ConfigurationError as error:
            await self._say(wish, f":repeat: <@{user}>, that cannot be: {escape(str(error))}")
        else:
            await self._say(wish, f":repeat: <@{user}> had it posted again")

    async def _again_by_letter(self, wish: _Wish, user: str) -> None:
        try:
            letters = await self._queue.dead_letters()
        except ConfigurationError:
            return  # this queue has none, so it is another's business
        letter = next((letter for letter in letters if (letter.channel, letter.ts) == (wish.channel, wish.ts)), None)
        if letter is None or letter.job.channel != self._inside.channel.id or not await self._ours(wish):
            return
        try:
            await self._queue.redrive(letter)
        except ConfigurationError as error:
            await self._say(wish, f":repeat: <@{user}>, that cannot be: {escape(str(error))}")
        else:
            await self._say(wish, f":repeat: <@{user}> had it posted again")

    async def _put_first(self, wish: _Wish, user: str, sighting: Sighting) -> None:
        if not await self._ours(wish):
            return
        sighting.first = True
        self._inside.watch.wake()
        await self._say(wish, f":arrow_up: <@{user}> put it before all others that wait")

    async def _ours(self, wish: _Wish) -> bool:
        """Whether it is this worker that acts. Where a try went unanswered it does: two that act do no harm."""
        unanswered = False
        while self._mine != wish:
            try:
                await self._slack.react(wish.channel, wish.ts, self._registers[wish.control], urgency=Urgency.CLAIM)
            except AlreadyReacted:
                if not unanswered:
                    return False
            except Ambiguous:
                unanswered = True
                await self._clock.sleep(_PAUSE)
                continue
            self._mine = wish
        return True

    async def _say(self, wish: _Wish, text: str) -> None:
        await self._slack.post(wish.channel, Mrkdwn(text), thread=wish.ts)


def _is_job(sighting: Sighting) -> bool:
    return sighting.message.kind is not None or sighting.begun or not isinstance(sighting.verdict, Ignore)
