"""A claim that is kept alive while somebody works on it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import anyio
from anyio import CancelScope

from slackmq.errors import LeaseLost, SlackError, told, trace_of
from slackmq.points import pause

if TYPE_CHECKING:
    from types import TracebackType

    from anyio.abc import TaskGroup

    from slackmq.answer import Answer
    from slackmq.clock import Clock
    from slackmq.message import Claim, Message, Receipt

__all__ = ["Keeper", "Lease"]

_AT_ONCE = timedelta(0)
_GIVING_BACK = 10.0
"""Seconds that giving a claim back may take when the work on it was cancelled."""


_SOON = 5.0
"""Seconds after which a claim of which only its holder heard is extended for the first time: a quiet channel is seldom
read, and whoever takes over must have known of the claim for a whole lease."""
_REPEATS = 2
"""So many such extensions at most: each event goes to one socket of the app, and may go to ours again."""


class Keeper(Protocol):
    """What a lease needs of its queue."""

    async def extend(self, claim: Claim) -> Claim:
        """Prolong a claim."""
        ...

    async def ack(self, claim: Claim, answer: str | Answer | None = None) -> Receipt:
        """End a claim: the work is done."""
        ...

    async def fail(self, claim: Claim, reason: str, *, retry_in: timedelta | None = None, trace: str = "") -> Receipt:
        """End a claim: the attempt failed."""
        ...

    async def release(self, claim: Claim, *, retry_in: timedelta = ...) -> Receipt:
        """End a claim: somebody else may start in `retry_in`."""
        ...

    def is_cancelled(self, claim: Claim) -> bool:
        """Whether somebody wants a claimed job cancelled, as far as this process has heard."""
        ...

    async def drop(self, claim: Claim) -> Receipt:
        """End a claim: somebody wants the job cancelled."""
        ...

    async def put_back(self, claim: Claim, *, within: float) -> bool:
        """Wait until a person takes the claim away, `within` seconds at most; whether one did."""
        ...

    def is_unheard(self, claim: Claim) -> bool:
        """Whether nobody else can have been told of the claim as it stands."""
        ...

    def let_go(self, claim: Claim, reason: LeaseLost) -> None:
        """Take note that a claim is lost."""
        ...


class Lease:
    """A claim, extended every half lease while inside `async with`.

    Leaving acknowledges the message; leaving with an exception fails it for good; being cancelled releases it. Who
    wants it otherwise calls `ack`, `fail` or `release` inside. If the claim is lost, the body is cancelled and
    `LeaseLost` is raised on leaving.
    """

    def __init__(self, keeper: Keeper, claim: Claim, *, period: float, clock: Clock) -> None:
        self.claim = claim
        """The claim as it stands: token and deadline change with every extension."""
        self.receipt: Receipt | None = None
        """How it ended, once it did."""
        self.lost: LeaseLost | None = None
        """Why it was lost, if it was."""
        self._keeper = keeper
        self._period = period
        self._clock = clock
        self._extending = anyio.Lock()
        self._frozen = False
        self._repeats = _REPEATS
        self._put_back = False
        self._settling = False
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> Message:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._keep, self._tasks.cancel_scope)
        return self.claim.message

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        tasks = self._tasks
        if tasks is None:
            raise RuntimeError("a lease was left that was never entered")
        try:
            await self._settle(error)
        finally:
            tasks.cancel_scope.cancel()
            # Only a cancellation is shown to the group: it tells its own from the outside's, and would wrap the rest.
            cancelled = error is not None and not isinstance(error, Exception)
            swallowed = await (tasks.__aexit__(kind, error, trace) if cancelled else tasks.__aexit__(None, None, None))
            if self._put_back:
                await self._keeper.release(self.claim)
            if self.receipt is None:
                self._keeper.let_go(self.claim, self.lost or LeaseLost("The claim was left without an end."))
        if self.lost is not None and self.receipt is None:
            raise self.lost from error
        return bool(cancelled and swallowed)

    async def _settle(self, error: BaseException | None) -> None:
        if self._settling or self.lost is not None:
            return
        if error is None:
            await self.ack()
        elif isinstance(error, Exception):
            await self.fail(told(error), trace=trace_of(error))
        else:
            # Cancelled from outside: somebody else shall have it soon, but nobody waits for Slack forever.
            with CancelScope(shield=True), anyio.move_on_after(_GIVING_BACK):
                await self.release()

    async def ack(self, answer: str | Answer | None = None) -> Receipt:
        """The work is done: answer in the thread, then mark. Goes on even if the claim lapses meanwhile."""
        self._settling = True
        self.receipt = await self._keeper.ack(self.claim, answer)
        return self.receipt

    async def fail(self, reason: str, *, retry_in: timedelta | None = None, trace: str = "") -> Receipt:
        """The attempt failed: try again in `retry_in`, or never if None; `trace` goes into the dead letter."""
        self._settling = True
        if retry_in is not None:
            await self._freeze()
        self.receipt = await self._keeper.fail(self.claim, reason, retry_in=retry_in, trace=trace)
        return self.receipt

    async def release(self, *, retry_in: timedelta = _AT_ONCE) -> Receipt:
        """Give it back for somebody else to start in `retry_in`."""
        self._settling = True
        await self._freeze()
        self.receipt = await self._keeper.release(self.claim, retry_in=retry_in)
        return self.receipt

    @property
    def cancelled(self) -> bool:
        """Whether somebody wants the job cancelled, as far as this process has heard."""
        return self._keeper.is_cancelled(self.claim)

    async def drop(self) -> Receipt:
        """End it because somebody wants the job cancelled."""
        self._settling = True
        self.receipt = await self._keeper.drop(self.claim)
        return self.receipt

    async def _freeze(self) -> None:
        """Extend no more: a note that gives back this generation must not be overtaken by the next one."""
        async with self._extending:
            self._frozen = True

    async def _keep(self, scope: CancelScope) -> None:
        while self.lost is None:
            left = self.claim.deadline - self._period - self._clock.monotonic()
            soon = min(_SOON, self._period / 4)
            early = self._repeats > 0 and left > soon
            if await self._keeper.put_back(self.claim, within=soon if early else left):
                if not self._settling:
                    self._put_back = True
                    self.lost = LeaseLost("Somebody took the pin off the message: it was put back.")
                    scope.cancel()
                return
            if early:
                self._repeats -= 1
                if not self._keeper.is_unheard(self.claim):
                    self._repeats = 0
                    continue
            async with self._extending:
                if self._frozen or self.receipt is not None:
                    return
                await pause("before_renew")
                try:
                    self.claim = await self._keeper.extend(self.claim)
                    await pause("after_renew_ok")
                except LeaseLost as error:
                    self.lost = error
                except SlackError as error:
                    self.lost = LeaseLost(f"The claim cannot be extended: {error.cause}", remedy=error.remedy)
        if not self._settling:
            scope.cancel()
