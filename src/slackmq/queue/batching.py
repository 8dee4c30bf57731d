"""Batching: what a queue does with many jobs in one message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.batch import Jobs
from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta

    from slackmq.message import Claim, Json, Message
    from slackmq.queue.opened import Opened
    from slackmq.queue.tally import Tally
    from slackmq.task import Poster

__all__ = ["Batching"]


class Batching:
    """A queue as far as many jobs in one message are concerned."""

    opened: Opened | None

    @property
    def _inside(self) -> Opened:
        if self.opened is None:
            raise ConfigurationError("The queue is not open.", remedy="Use it inside `async with queue:`.")
        return self.opened

    async def post_batch(
        self: Poster,
        kind: str,
        bodies: Sequence[Mapping[str, Json]],
        *,
        key: str | None = None,
        lease: timedelta | None = None,
        priority: int = 0,
        expires: timedelta | None = None,
        delay: timedelta | None = None,
    ) -> Message:
        """Post many jobs of one kind in one message: one claim for all, and the handler runs once for each.

        A worker gives the handler one job at a time, whose key is that of the batch and its number, as "cats/14". Who
        iterates `claims()` gets the message, and finds the jobs with `slackmq.batch.jobs_of`.

        Args:
            kind: the name of the handler that shall do them.
            bodies: the handler's arguments by name, for each job; 1,000 jobs at most.
            key: as in `post`, of the whole batch.
            lease: as in `post`, of the one claim on all.
            priority: as in `post`.
            expires: as in `post`; a batch that somebody has begun goes on.
            delay: as in `post`.

        Returns:
            The message as it stands in the channel.

        Raises:
            ConfigurationError: there are no jobs or too many, or as in `post`; nothing was sent.
            EnvelopeTooLarge: the bodies are too long together; nothing was sent.
            Ambiguous: as in `post`.
        """
        jobs = Jobs.of(bodies)
        return await self.post(kind, jobs, key=key, lease=lease, priority=priority, expires=expires, delay=delay)

    def tally(self, claim: Callable[[], Claim], numbers: Sequence[int]) -> Tally:
        """What counts what of a claimed batch is done; `claim` gives the claim, `numbers` are those of its jobs."""
        return self._inside.keeping.tally(claim, numbers)
