"""Parcels: what is too large for a message lies in a file of the channel, and the message names it with its digest."""

from __future__ import annotations

import hashlib
import logging
import re
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from slackmq.envelope import BODY_LIMIT
from slackmq.errors import Ambiguous, BodyLost, ConfigurationError, EnvelopeTooLarge, SlackError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.clock import Clock
    from slackmq.message import Json, Message, Post
    from slackmq.slack.api import Slack

__all__ = ["PARCEL_LIMIT", "Parcels", "kept_until", "packed", "parcel_name"]

_log = logging.getLogger("slackmq.parcels")
PARCEL_LIMIT = 16 * 1024 * 1024
"""Bytes of a body in a file: it is held in memory several times on its way."""
_TRIES = 4
_NAP = 0.5
"""Seconds before a file is asked for again that is not shown yet; twice as many each time."""
_REMOVING = 5.0
"""Seconds that whoever ends a job spends on the removal of its file; what is left then is swept."""
_NAME = re.compile(r"slackmq-(?:body|answer)-(\d{9,11})\.(?:json|txt)")


def parcel_name(what: str, until: float) -> str:
    """The name of a file that may go at a moment, in seconds since 1970: whoever lists files sees when.

    Args:
        what: "body" or "answer".
        until: until when it is wanted.
    """
    return f"slackmq-{what}-{until:.0f}.{'json' if what == 'body' else 'txt'}"


def kept_until(name: str) -> float | None:
    """Until when a file of this name is wanted, in seconds since 1970; None if it is none of these."""
    found = _NAME.fullmatch(name)
    return None if found is None else float(found[1])


def packed(post: Post) -> bytes | None:
    """The arguments of a job as they go into a file; None if they fit into its message.

    Raises:
        EnvelopeTooLarge: they are too long, even for a file.
    """
    body = msgspec.json.encode(dict(post.body))
    if len(body) > PARCEL_LIMIT:
        raise EnvelopeTooLarge(
            f"The arguments of {post.kind!r} are {len(body):,} bytes of JSON, "
            f"and a file has {PARCEL_LIMIT:,} at most; nothing was posted.",
            remedy="Put the data where both sides can reach it, and post its address.",
        )
    return None if len(body) <= BODY_LIMIT else body


class Parcels:
    """Files with the bodies and the results of jobs.

    Args:
        slack: the workspace.
        clock: the time of this process.

    Attributes:
        soonest: when the first of the files that this process put there may go, in seconds since 1970; None: none may.
    """

    def __init__(self, slack: Slack, *, clock: Clock) -> None:
        self._slack = slack
        self._clock = clock
        self.soonest: float | None = None

    async def put(self, channel: str, name: str, content: bytes, *, comment: str, thread: str | None = None) -> str:
        """Put bytes into a file of a channel, or of a thread there; returns "<file id>/<sha256>".

        Raises:
            SlackError: Slack refuses it, or gave no answer to several tries.
        """
        until = kept_until(name)
        if until is not None:
            self.soonest = min(until, self.soonest or until)
        for tried in range(1, _TRIES + 1):
            try:
                ident = await self._slack.files.upload(channel, name, content, comment=comment, thread=thread)
            except Ambiguous as error:
                # What became of it nobody knows. No message names it, so nobody needs to: it is swept.
                if tried == _TRIES:
                    raise
                _log.warning("a file is put there again: %s", error)
            else:
                return f"{ident}/{hashlib.sha256(content).hexdigest()}"
        raise AssertionError("unreachable: the last try returns or raises")

    async def fetch(self, named: str) -> bytes:
        """What is in a file.

        Args:
            named: as `put` names it.

        Raises:
            BodyLost: it is gone, or was changed.
            SlackError: Slack does not give it now.
        """
        ident, _, digest = named.partition("/")
        for tried in range(_TRIES):
            if tried:
                await self._clock.sleep(_NAP * 2**tried)
            content = await self._slack.files.download(ident)
            if content is None:
                continue
            if hashlib.sha256(content).hexdigest() != digest:
                raise BodyLost(f"The file {ident} is not what was put there.", remedy="Post the job again.")
            return content
        raise BodyLost(f"The file {ident} is gone, or Slack does not show it.", remedy="Post the job again.")

    async def body(self, message: Message) -> Mapping[str, Json]:
        """The arguments of a job, from its file if that has them.

        Raises:
            BodyLost: the file is gone, or is not what was posted.
            SlackError: Slack does not give it now.
        """
        if not message.file:
            return message.body
        try:
            return msgspec.json.decode(await self.fetch(message.file), type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise BodyLost(f"The file of this job holds no arguments: {error}.", remedy="Post it again.") from error

    async def remove(self, named: str) -> None:
        """Delete a file that nobody needs any more, if that takes no long time; otherwise it is swept."""
        with anyio.move_on_after(_REMOVING, shield=True):
            try:
                await self._slack.files.discard(named.partition("/")[0])
            except (SlackError, ConfigurationError) as error:
                _log.info("the file %s is left to be swept: %s", named, error)
