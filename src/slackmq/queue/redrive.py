"""Redrive: a dead job is posted again where it was, once, however often and by whomever it is asked."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from slackmq.batch import rest_of
from slackmq.claiming.thread import Thread
from slackmq.envelope import JOB, unseal
from slackmq.errors import AlreadyReacted, Ambiguous, BodyLost, ConfigurationError, MessageGone, Refused
from slackmq.message import Message, Mrkdwn, Outcome, Post, seconds
from slackmq.notes import Record
from slackmq.points import pause
from slackmq.queue.dead_letters import REDRIVEN
from slackmq.queue.parcels import Parcels
from slackmq.queue.poster import Poster

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slackmq.clock import Clock
    from slackmq.dead import DeadLetter
    from slackmq.hooks import Hook
    from slackmq.policy import Timing
    from slackmq.queue.dead_letters import DeadLetters
    from slackmq.slack.api import Slack

__all__ = ["Redrive"]

_log = logging.getLogger("slackmq.dead")


class Redrive:
    """Posts dead jobs again.

    The first one to ask puts an emoji on the dead job, which Slack takes from one bot once, and posts. All others look
    for what was posted. Whatever comes of it, all posts have one key, so one of them is worked on.

    Args:
        slack: the workspace.
        clock: the time of this process.
        timing: the time constants.
        hook: told of what is posted.
        shared: whether bots of several apps work the channel.
        letters: where letters about what is dead stand, if anywhere.
    """

    def __init__(
        self,
        slack: Slack,
        *,
        clock: Clock,
        timing: Timing,
        hook: Hook,
        shared: bool = False,
        letters: DeadLetters | None = None,
    ) -> None:
        self._slack = slack
        self._clock = clock
        self._timing = timing
        self._hook = hook
        self._shared = shared
        self._letters = letters

    async def letters(self, *, since: float) -> tuple[DeadLetter, ...]:
        """The letters that were written since a moment, in seconds since 1970 by Slack's clock.

        Raises:
            ConfigurationError: there is no channel for them.
        """
        if self._letters is None:
            remedy = 'Name one: AsyncQueue(slack, "#jobs", dead_letters="#jobs-dead").'
            raise ConfigurationError("The queue has no channel for dead letters.", remedy=remedy)
        return await self._letters.all(since=since)

    async def redrive(
        self, dead: Message | DeadLetter, *, ended: Callable[[Message], Awaitable[Outcome | None]]
    ) -> Message:
        """Post a job again, by its letter, or once it is sure that it is dead.

        Args:
            dead: the letter, or the job.
            ended: how a job ended.

        Raises:
            ConfigurationError: it is not dead, a person typed it, or its arguments are gone; nothing was posted.
        """
        if not isinstance(dead, Message):
            return await self.again(dead.job, shared=dead.shared, letter=dead)
        if await ended(dead) is not Outcome.DEAD:
            remedy = "Only what is marked dead can be posted again."
            raise ConfigurationError(f"The job {dead.ts} is not dead; nothing was posted.", remedy=remedy)
        letter = None if self._letters is None else await self._letters.about(dead)
        return await self.again(dead, shared=self._shared, letter=letter)

    async def again(self, job: Message, *, shared: bool, letter: DeadLetter | None = None) -> Message:
        """Post a dead job again, with a fresh count of attempts, the same key for its handler and the same trace.

        Args:
            job: the job, which is dead.
            shared: whether bots of several apps work its channel.
            letter: the letter about it, if there is one.

        Returns:
            The new job; of a job that was posted again before, that one.

        Raises:
            ConfigurationError: a person typed it, or its arguments are gone; nothing was posted.
        """
        if job.kind is None:
            raise ConfigurationError(
                "This was typed by a person, and nobody else can say it for them; nothing was posted.",
                remedy="Whoever wants it again types it again.",
            )
        key = f"redrive/{job.channel}/{job.ts}"
        # What may go unanswered comes before the mark: after it, nobody else would try.
        rest = await self._rest(job, shared=shared)
        after = tuple([await self._again_of(ts, job.channel, shared=shared) for ts in job.after])
        first = rest is not None and await self._first(job)
        if not first and (known := await self._posted(job, key, shared=shared)):
            if letter is not None and not letter.redriven:
                await self._mark(letter)  # whoever posted it did not live to mark it, or had no letter
            return known
        if rest is None:
            raise ConfigurationError(
                f"The file with the arguments of the job {job.ts} is gone, or was changed; nothing was posted.",
                remedy="Whoever has its arguments posts it anew.",
            )
        identity = await self._slack.identity()
        source = (job.channel, job.ts) if letter is None else (letter.channel, letter.ts)
        post = _anew(rest, job.kind, key=key, after=after, link=identity.link(*source))
        await pause("before_redrive")
        message = await self._poster(job.channel, me=identity.user, shared=shared).post(post)
        await self._tell(job, letter, link=identity.link(message.channel, message.ts))
        return message

    async def _rest(self, job: Message, *, shared: bool) -> Message | None:
        """What of a dead job is to be done again: of a batch, the jobs that its thread does not call done.

        None if nobody can tell, because the file that has them is gone.
        """
        if not job.batch:
            return job
        record, skew = Record(), self._timing.skew.total_seconds()
        with suppress(MessageGone):
            await Thread(self._slack, clock=self._clock, skew=skew, shared=shared).read(job, record)
        try:
            whole = replace(job, body=await Parcels(self._slack, clock=self._clock).body(job))
        except BodyLost as error:
            _log.warning("cannot post %s again: %s", job.ts, error)
            return None
        rest = rest_of(whole, record.settled.done)
        return job if rest is whole else replace(rest, file="")

    def _poster(self, channel: str, *, me: str, shared: bool) -> Poster:
        """Who posts into the channel of the dead job."""
        return Poster(
            self._slack,
            channel=channel,
            me=me,
            shared=shared,
            parcels=Parcels(self._slack, clock=self._clock),
            clock=self._clock,
            hook=self._hook,
            reach=self._timing.reach,
        )

    async def _first(self, job: Message) -> bool:
        """Whether nobody has posted it again before; where Slack will not tell, that is looked up."""
        try:
            await self._slack.react(job.channel, job.ts, REDRIVEN)
        except AlreadyReacted:
            await self._clock.sleep(self._timing.skew.total_seconds())
            return False
        except (Ambiguous, Refused) as error:
            _log.warning("cannot mark %s as posted again: %s", job.ts, error)
            return False
        return True

    async def _again_of(self, ts: str, channel: str, *, shared: bool) -> str:
        """What a job waits for that named a message: that one, or what was posted in its place since it died."""
        row = await self._slack.row(channel, ts)
        me = (await self._slack.identity()).user
        while row is not None and me in row.reactions.get(REDRIVEN, ()):
            job = Message(channel=channel, ts=ts, author=row.user, key="")
            again = await self._posted(job, f"redrive/{channel}/{ts}", shared=shared)
            if again is None:
                break
            ts = again.ts
            row = await self._slack.row(channel, ts)
        return ts

    async def _posted(self, job: Message, key: str, *, shared: bool) -> Message | None:
        """The earliest job that was posted for a dead one."""
        me = (await self._slack.identity()).user
        page = await self._slack.history(job.channel, oldest=seconds(job.ts))
        for row in page.rows:
            if row.metadata is None or row.metadata.type != JOB or row.metadata.payload.get("key") != key:
                continue
            payload = row.metadata.payload
            letter = unseal(
                payload, channel=job.channel, ts=row.ts, author=row.user, me=me, text=row.text, shared=shared
            )
            if letter is not None and letter.error is None:
                return letter.message
        return None

    async def _tell(self, job: Message, letter: DeadLetter | None, *, link: str) -> None:
        """Say in the threads of the dead job and of its letter where it goes on; that is for people only."""
        text = Mrkdwn(f":{REDRIVEN}: posted again: <{link}|the new job>")
        places = [(job.channel, job.ts)]
        if letter is not None:
            places.append((letter.channel, letter.ts))
            await self._mark(letter)
        for channel, ts in places:
            try:
                await self._slack.post(channel, text, thread=ts)
            except (Ambiguous, Refused) as error:
                _log.warning("cannot say in the thread of %s that it was posted again: %s", ts, error)

    async def _mark(self, letter: DeadLetter) -> None:
        """Let the letter say that it was posted again."""
        try:
            await self._slack.react(letter.channel, letter.ts, REDRIVEN)
        except (Ambiguous, Refused) as error:
            _log.debug("cannot mark the letter %s: %s", letter.ts, error)


def _anew(job: Message, kind: str, *, key: str, after: tuple[str, ...], link: str) -> Post:
    """A dead job as it is posted again."""
    return Post(
        kind=kind,
        body=job.body,
        key=key,
        keyed=True,
        lease=job.lease,
        priority=job.priority,
        origin=job.origin or job.key,
        on=job.on,
        trace=job.trace,
        link=link,
        after=after,
        batch=job.batch,
        file=job.file,
    )
