"""Election: of all processes that want it, one leads; when it stops, another one does, under a higher token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from slackmq.kv.entry import moment
from slackmq.kv.errors import LockLost
from slackmq.kv.lock import Lock
from slackmq.kv.record import GROUPS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime
    from types import TracebackType

    from slackmq.kv.lock import Place

__all__ = ["LEADER", "TERM", "Election", "Leader", "Term"]

TERM = timedelta(seconds=60)
"""How long a leader leads unless it renews, and so how long nobody may lead after one was killed."""
LEADER = "leader/"
"""What the name of a leadership's lock begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """Who leads.

    Attributes:
        name: what its process calls itself.
        author: user id of its bot.
        token: the fencing token of its term: higher than those of all terms before.
        since: when its term began, by Slack's clock.
        until: when it ends unless it is renewed, by Slack's clock.
    """

    name: str
    author: str
    token: int
    since: datetime
    until: datetime


class Term:
    """One leadership of this process: `async with term:`; waits until it is elected, and gives it up on leaving.

    What runs inside is cancelled if the leadership is lost, before another process may be elected; then `lost` says
    why, and leaving raises it only where the term is not one of a loop.

    Attributes:
        lost: why it ended, if it was not given up.
    """

    def __init__(self, lock: Lock, *, again: bool) -> None:
        self.lost: LockLost | None = None
        self._lock = lock
        self._again = again

    @property
    def token(self) -> int:
        """The fencing token; 0 while this process does not lead."""
        return self._lock.token

    @property
    def key(self) -> str:
        """The key that stands for the leadership, for `Batch.held`."""
        return self._lock.key

    def remaining(self) -> timedelta:
        """How long this process leads still, if it is not renewed; zero or less: not any more."""
        return self._lock.remaining()

    async def __aenter__(self) -> Self:
        self.lost = None
        await self._lock.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        try:
            return await self._lock.__aexit__(kind, error, trace)
        except LockLost as lost:
            self.lost = lost
            if not self._again:
                raise
            return True


class Election:
    """One leadership that several processes, of several apps, want: `store.elect("reports")`.

    `async with election as term:` leads once. `async for term in election:` with `async with term:` inside leads again
    and again: after a leadership that was lost the loop goes on, and waits to be elected again.

    A process that stands still does not know that it leads no more. Hand `term.token` to whatever the leader acts
    upon, and let it refuse a token lower than one it has seen; or write with `Batch.held(term.key, token=term.token)`.

    Args:
        store: where.
        name: of the leadership.
        ttl: how long a leader leads unless it renews; at least five times the store's skew.
    """

    def __init__(self, store: Place, name: str, *, ttl: timedelta = TERM) -> None:
        self._store = store
        self._name = LEADER + name
        self._ttl = ttl
        self._one = Term(self._lock(), again=False)

    def _lock(self) -> Lock:
        return Lock(self._store, self._name, ttl=self._ttl)

    async def __aenter__(self) -> Term:
        return await self._one.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return await self._one.__aexit__(kind, error, trace)

    async def __aiter__(self) -> AsyncGenerator[Term]:
        while True:
            yield Term(self._lock(), again=True)

    async def leader(self, *, fresh: bool = False) -> Leader | None:
        """Who leads, as far as is known here, None if nobody does.

        Args:
            fresh: whether to ask Slack first; without, it is as old as any read.
        """
        head = await self._store.head(self._one.key, fresh=fresh)
        if head is None:
            return None
        return Leader(
            name=str(head.value.decode()),
            author=head.author,
            token=head.first,
            since=moment(head.first // GROUPS),
            until=moment(head.expires),
        )
