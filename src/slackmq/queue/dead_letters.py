"""Dead letters: a channel in which each job that died has one message, for people and for programs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from slackmq.dead import DEAD, LONGEST_REASON, enclosed, opened
from slackmq.envelope import preview
from slackmq.errors import Ambiguous, ConfigurationError, NotInChannel, Refused
from slackmq.message import Mrkdwn, Post, seconds
from slackmq.points import pause
from slackmq.redaction import redacted
from slackmq.slack.api import Metadata, Urgency
from slackmq.slack.markup import escape

if TYPE_CHECKING:
    from slackmq.clock import Clock
    from slackmq.dead import DeadLetter
    from slackmq.message import Message
    from slackmq.slack.api import Channel, Identity, Row, Slack

__all__ = ["REDRIVEN", "DeadLetters"]

_log = logging.getLogger("slackmq.dead")
REDRIVEN = "recycle"
"""The emoji that our bot puts on a dead job, and on its letter, when it was posted again: a register written once."""
_TRACE = 3_000
"""Characters of a traceback that people are shown: its end, where the error is."""


class DeadLetters:
    """The channel for dead letters.

    A letter is written while the job is claimed, between the note in its thread and the dead mark: whoever takes the
    job over from a worker that died in between finds the note, looks whether the letter stands, and finishes. A letter
    that stands twice all the same, because Slack took the first one long after it gave no answer, counts once.

    Args:
        slack: the workspace.
        name: "#name" or id of the channel.
        clock: the time of this process.
        skew: seconds after which no read may miss a write.
        worker: the name under which it writes.
        shared: whether bots of several apps work the jobs' channel.
    """

    def __init__(
        self, slack: Slack, name: str, *, clock: Clock, skew: float, worker: str = "", shared: bool = False
    ) -> None:
        self._slack = slack
        self._name = name
        self._clock = clock
        self._skew = skew
        self._worker = worker
        self._shared = shared
        self._there: tuple[Identity, Channel] | None = None

    async def open(self) -> None:
        """Find the channel and ourselves.

        Raises:
            ChannelNotFound: there is no such channel.
            NotInChannel: the bot is no member.
        """
        identity, channel = await self._slack.identity(), await self._slack.channel(self._name)
        if not channel.member:
            raise NotInChannel(
                f"The bot is no member of #{channel.name}, where dead letters go.",
                method="conversations.info",
                code="not_in_channel",
                remedy=f"Invite it: /invite in #{channel.name}.",
            )
        self._there = identity, channel

    @property
    def channel(self) -> str:
        """Id of the channel."""
        return self._opened[1].id

    @property
    def _opened(self) -> tuple[Identity, Channel]:
        if self._there is None:
            raise ConfigurationError("The channel for dead letters is not open.", remedy="Await open() first.")
        return self._there

    async def write(self, job: Message, reason: str, *, attempts: int, trace: str = "", look: bool = False) -> None:
        """Write the letter about a job, once.

        Args:
            job: what died, and is claimed by this process.
            reason: why.
            attempts: how many executions had begun.
            trace: the traceback of the last one, if there is one.
            look: whether somebody may have written it before.
        """
        identity, channel = self._opened
        reason = redacted(reason)
        payload = enclosed(job, reason=reason, attempts=attempts, worker=self._worker, shared=self._shared)
        text = _told(job, reason, attempts=attempts, trace=trace, link=identity.link(job.channel, job.ts))
        while True:
            try:
                if look and await self.about(job) is not None:
                    return
                await pause("before_letter")
                await self._slack.post(
                    channel.id, text, metadata=Metadata(type=DEAD, payload=payload), urgency=Urgency.DONE
                )
                await pause("after_letter")
            except Ambiguous:
                look = True
                await self._clock.sleep(self._skew)
            except Refused as error:
                # Its thread says what the letter would: no reason to keep the job, or to stop working.
                _log.error("no dead letter about %s: %s", job.ts, error)  # the sentence says it
                return
            else:
                return

    async def about(self, job: Message) -> DeadLetter | None:
        """The letter about a job; None if there is none yet."""
        found = await self.all(since=seconds(job.ts))
        return next((letter for letter in found if (letter.job.channel, letter.job.ts) == (job.channel, job.ts)), None)

    async def all(self, *, since: float) -> tuple[DeadLetter, ...]:
        """The letters that were written since a moment, in seconds since 1970 by Slack's clock: one a job, in order."""
        page = await self._slack.history(self.channel, oldest=max(0.0, since))
        letters: dict[tuple[str, str], DeadLetter] = {}
        for row in page.rows:
            if letter := self._letter(row):
                letters.setdefault((letter.job.channel, letter.job.ts), letter)
        return tuple(letters.values())

    async def at(self, ts: str) -> DeadLetter:
        """The letter with this timestamp.

        Raises:
            ConfigurationError: there is none.
        """
        row = await self._slack.row(self.channel, ts)
        letter = None if row is None else self._letter(row)
        if letter is None:
            remedy = "`slackmq dlq ls` shows those that stand there."
            raise ConfigurationError(f"No dead letter of this app has the timestamp {ts}.", remedy=remedy)
        return letter

    def _letter(self, row: Row) -> DeadLetter | None:
        """The letter in a message; anybody can write what looks like one, and a redrive would do what it says."""
        me = self._opened[0].user
        if row.metadata is None or row.metadata.type != DEAD or row.user != me:
            return None
        redriven = me in row.reactions.get(REDRIVEN, ())
        return opened(row.metadata.payload, channel=self.channel, ts=row.ts, redriven=redriven)


def _told(job: Message, reason: str, *, attempts: int, trace: str, link: str) -> Mrkdwn:
    """The letter as people read it."""
    what = job.text
    if job.kind is not None:
        what = preview(Post(kind=job.kind, body=job.body, key=job.key, batch=job.batch, file=job.file))
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    lines = [
        f":coffin: {escape(redacted(what[:LONGEST_REASON]))}",
        f"dead after {tries}: {escape(reason[:LONGEST_REASON])} · <{link}|the job>",
    ]
    if trace := redacted(trace)[-_TRACE:].strip():
        block = escape(trace.replace("```", "` ` `"))
        lines.append(f"```{block}```")
    return Mrkdwn("\n".join(lines))
