"""Poster: puts jobs into a channel, again where no answer came."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from slackmq.envelope import EVERYBODY, JOB, seal, unseal
from slackmq.errors import Ambiguous, ConfigurationError, SlackError
from slackmq.hooks import Posted
from slackmq.points import pause
from slackmq.policy import REPOST_AFTER
from slackmq.queue.far import LONGEST, note_far
from slackmq.queue.parcels import packed, parcel_name
from slackmq.slack.api import Metadata

if TYPE_CHECKING:
    from slackmq.clock import Clock
    from slackmq.hooks import Hook
    from slackmq.message import Message, Post
    from slackmq.queue.parcels import Parcels
    from slackmq.slack.api import Slack

__all__ = ["Poster"]

_REPOSTS = 5
"""So often an unanswered post is repeated before the caller is told."""
_SPARE = 86_400.0
"""Seconds for which a file is kept beyond the time in which a worker can find its job, or somebody redrive it."""


class Poster:
    """Posts jobs.

    Args:
        slack: the workspace.
        channel: id of the channel.
        me: user id of this bot.
        shared: whether bots of other apps may do the jobs.
        parcels: where bodies go that are too long for a message.
        clock: the time of this process.
        hook: told of every post.
        reach: what is due later than half of that after its posting needs a bookmark, or it is not found.
    """

    def __init__(
        self,
        slack: Slack,
        *,
        channel: str,
        me: str,
        shared: bool,
        parcels: Parcels,
        clock: Clock,
        hook: Hook,
        reach: timedelta,
    ) -> None:
        self._reach = reach
        self._noted = False
        self._slack = slack
        self._channel = channel
        self._me = me
        self._to = EVERYBODY if shared else me
        self._clock = clock
        self._hook = hook
        self._parcels = parcels

    async def post(self, post: Post) -> Message:
        """Post a job until Slack says that it stands.

        Raises:
            ConfigurationError: its kind is no word, its time is over before it is there, or it would wait too long;
                nothing was sent.
            EnvelopeTooLarge: the body is too long, even for a file; nothing was sent.
            SlackError: Slack refuses the post, or a file for its body; nothing is left there.
            Ambiguous: no answer came to any of several tries.
        """
        if not post.kind or post.kind.split() != [post.kind]:
            remedy = "Name the handler that shall do it."
            raise ConfigurationError(f"A job's kind is one word, not {post.kind!r}.", remedy=remedy)
        if post.expires is not None and post.expires <= self._slack.now():
            raise ConfigurationError("The job would have expired before it is posted.", remedy="Give it more time.")
        _check_delay(post.delay)
        if post.delay is not None and post.delay > self._reach / 2 and not self._noted:
            await note_far(self._slack, self._channel)
            self._noted = True
        filed = await self._filed(post)
        try:
            return await self._until_it_stands(filed)
        except Ambiguous:
            raise  # it may stand there, and need its file
        except SlackError:
            if filed is not post:
                await self._parcels.remove(filed.file)
            raise

    async def _filed(self, post: Post) -> Post:
        """The same post, its body in a file if it is too long for a message; the file comes first, or it would lack."""
        body = None if post.file else packed(post)
        if body is None:
            return post
        wait = self._reach + (post.delay or timedelta(0))
        name = parcel_name("body", self._slack.now() + wait.total_seconds() + _SPARE)
        said = f"The arguments of {post.kind}, {len(body):,} bytes. The job follows."
        return replace(post, file=await self._parcels.put(self._channel, name, body, comment=said))

    async def _until_it_stands(self, post: Post) -> Message:
        for repost in range(_REPOSTS + 1):
            sent = self._clock.monotonic()
            try:
                return await self._send(post, repost)
            except Ambiguous:
                if repost == _REPOSTS:
                    raise
                await self._clock.sleep(REPOST_AFTER - (self._clock.monotonic() - sent))
        raise AssertionError("unreachable: the last try returns or raises")

    async def _send(self, post: Post, repost: int) -> Message:
        me, channel = self._me, self._channel
        link = partial((await self._slack.identity()).link, channel)
        sealed = seal(post, to=self._to, sent_at=self._slack.now(), repost=repost, link=link)
        await pause("before_post")
        ts = await self._slack.post(channel, sealed.text, metadata=Metadata(type=JOB, payload=sealed.payload))
        letter = unseal(sealed.payload, channel=channel, ts=ts, author=me, me=me, text=sealed.text, shared=True)
        if letter is None or letter.error is not None:
            raise AssertionError(f"an envelope just sealed cannot be read: {letter}")
        await pause("producer_before_ack")
        self._hook(Posted(message=letter.message))
        return letter.message


def _check_delay(delay: timedelta | None) -> None:
    longest = timedelta(seconds=LONGEST)
    if delay is not None and not timedelta(0) <= delay <= longest:
        raise ConfigurationError(
            f"A delay of {delay} is {'negative' if delay < timedelta(0) else 'too long'}; nothing was sent.",
            remedy=f"Give it at most {longest.days} days; a job that is done then can post the next one.",
        )
