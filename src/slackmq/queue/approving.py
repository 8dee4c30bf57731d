"""Approving: asks people about a job in its thread, and waits until one of them decides."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from slackmq.approval import Approval, asked, first_press, question_of
from slackmq.errors import Ambiguous, ApprovalLate, ConfigurationError, Denied, SlackError
from slackmq.message import seconds
from slackmq.notes import Note, Record
from slackmq.queue.ballot import LONGEST, ballot, headline, verdict
from slackmq.queue.roles import checked
from slackmq.redaction import redacted
from slackmq.slack.api import Urgency

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from slackmq.approval import Press, Question
    from slackmq.message import Claim
    from slackmq.queue.parts import Parts
    from slackmq.queue.watch import Watch

__all__ = ["Approving"]

_log = logging.getLogger("slackmq.approval")
_HOUR, _LONGEST = timedelta(hours=1), timedelta(days=7)
_LEASES = 100
"""So many leases a question stands at most, if that is more than an hour: a claim is extended twice in each, by a reply
once its emoji are used up, and whoever waits reads all replies anew."""
_REMEDY = 'Name people by the id in their profile, groups by theirs: by=["U012AB3CD", "S0614TZR7"].'


class Approving:
    """Asks and waits.

    A question stands once in the thread, whoever asks it and how often: an attempt that follows one that died finds it,
    and the decision if there is one. Presses are replies in that thread, written by whichever process Slack told, and
    the first one counts, as with claims in a log.

    Args:
        parts: what the queue is made of.
        watch: what reads the channel.
    """

    def __init__(self, parts: Parts, watch: Watch) -> None:
        self._parts = parts
        self._watch = watch

    async def ask(
        self,
        claim: Claim,
        question: str,
        *,
        by: Collection[str],
        within: timedelta,
        alive: Callable[[], None] = lambda: None,
    ) -> Approval:
        """Ask, and wait for the decision; `alive` is called now and then meanwhile.

        Raises:
            Denied: somebody said no.
            ApprovalLate: nobody decided in time.
            ConfigurationError: it cannot be asked so, or no press would ever be heard of; nothing was asked.
        """
        self._check(claim, question, by, within)
        record = self._record(claim)
        ts, standing = await self._asked(claim, question, by, within, record)
        press = await self._wait(claim, standing, record, alive)
        await self._close(claim, ts, standing, press)
        if press is None:
            raise ApprovalLate(standing.text, within)
        if press.choice == "deny":
            raise Denied(press.by)
        return Approval(by=press.by, at=seconds(press.ts))

    def _check(self, claim: Claim, question: str, by: Collection[str], within: timedelta) -> None:
        if not self._parts.events.rings:
            raise ConfigurationError(
                "Nobody can be asked: without Socket Mode no press of a button is heard of.",
                remedy="Set SLACK_APP_TOKEN, and switch Interactivity on: slackmq manifest --approvals.",
            )
        if not checked(by, remedy=_REMEDY):
            raise ConfigurationError("Nobody may approve it.", remedy=_REMEDY)
        if not question.strip() or len(question) > LONGEST:
            raise ConfigurationError(
                f"A question has 1 to {LONGEST:,} characters, and this one has {len(question):,}.",
                remedy="Ask shortly, and put the rest into the thread.",
            )
        sighting = self._parts.sightings.get(claim.message.ts)
        lease = self._parts.timing.lease if sighting is None else timedelta(seconds=sighting.lease)
        longest = min(_LONGEST, max(_HOUR, _LEASES * lease))
        more = "" if longest == _LONGEST else ", or the handler a longer `lease`"
        if not timedelta(0) < within <= longest:
            raise ConfigurationError(
                f"Nobody can decide within {within}.",
                remedy=f"Give them {longest} at most{more}.",
            )

    async def _asked(
        self, claim: Claim, text: str, by: Collection[str], within: timedelta, record: Record
    ) -> tuple[str, Question]:
        """The question as it stands in the thread, asked now if nobody asked it before."""
        slack, message = self._parts.slack, claim.message
        bot, job = (await slack.identity()).user, f"{message.channel}/{message.ts}"
        question = question_of(message, redacted(text), bot=bot, by=by, until=slack.now() + within.total_seconds())
        await self._parts.thread.read(message, record)
        if (found := asked(record, question.ident, bot=bot, job=job)) is not None:
            return found
        note = Note(
            note="question",
            op=question.ident,
            token=claim.token,
            attempt=claim.attempt,
            worker=self._parts.worker,
            result=question.written(),
        )
        await self._parts.thread.write(
            message, note, headline(question), record, urgency=Urgency.CLAIM, blocks=ballot(question)
        )
        if (found := asked(record, question.ident, bot=bot, job=job)) is None:
            raise ConfigurationError("Slack does not let the question be asked.", remedy="Look at the worker's log.")
        return found

    async def _wait(self, claim: Claim, question: Question, record: Record, alive: Callable[[], None]) -> Press | None:
        """The press that counts; the thread is read when the channel shows that it has a newer reply."""
        read: str | None = None
        while True:
            alive()
            newest, late = self._newest(claim), self._parts.slack.now() > question.until
            if (newest != read or late) and await self._read(claim, record, settled=late):
                read = newest
                if late and first_press(record, question) is None:
                    return None
            if first_press(record, question) is not None:
                if await self._read(claim, record, settled=True):
                    return first_press(record, question)
            else:
                left = max(0.0, question.until - self._parts.slack.now())
                await self._watch.news(min(left + 1, self._parts.timing.scan.total_seconds()))

    def _newest(self, claim: Claim) -> str | None:
        """The newest reply in the thread, as far as the channel shows."""
        sighting = self._parts.sightings.get(claim.message.ts)
        return None if sighting is None else sighting.latest_reply

    async def _read(self, claim: Claim, record: Record, *, settled: bool) -> bool:
        """Whether the thread could be read; `settled`: so late that nothing is missed that stood there before."""
        if settled:
            await self._parts.clock.sleep(self._watch.lag.skew)
        try:
            await self._parts.thread.read(claim.message, record)
        except Ambiguous as error:
            _log.info("cannot see whether anybody decided: %s", error)
            return False
        return True

    async def _close(self, claim: Claim, ts: str, question: Question, press: Press | None) -> None:
        """Take the buttons away; whoever presses them all the same is told that it is over."""
        try:
            await self._parts.slack.edit(claim.message.channel, ts, verdict(question, press), blocks=())
        except SlackError as error:
            _log.info("the buttons of a question stay: %s", error)

    def _record(self, claim: Claim) -> Record:
        sighting = self._parts.sightings.get(claim.message.ts)
        return Record() if sighting is None else sighting.record
