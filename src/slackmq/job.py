"""What a handler may know about the work in hand: who claims it, for how long, and whether to stop."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import anyio.from_thread
import anyio.lowlevel

from slackmq.errors import ConfigurationError, LeaseLost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Generator

    from slackmq.approval import Approval
    from slackmq.clock import Clock
    from slackmq.message import Claim, Json, Message

__all__ = ["Ask", "Job", "Pending"]


class Ask(Protocol):
    """What asks people on behalf of a job, and waits."""

    async def __call__(self, question: str, *, by: Collection[str], within: timedelta) -> Approval:
        """The approval."""
        ...


class Job:
    """The attempt in hand; a handler gets it by a parameter annotated `Job`, whatever the parameter's name.

    All attributes may be read from any thread.

    Args:
        claim: gives the current claim; its token and deadline change with every extension.
        clock: the clock that the claim's deadline was read from.
        report: takes what is reported of the work, from any thread; None: nobody wants to know.
        results: reads what those returned that the message named; None: it named none.
        number: which of a batch it is.
        ask: asks people; None: nobody can be asked.

    Attributes:
        handler: the name of the function that does the work, "" before it is known.
        number: which job of its batch it is, 1 for the first; 0 if it was posted alone.
    """

    __slots__ = ("_ask", "_claim", "_clock", "_reason", "_report", "_results", "_stopped", "handler", "number")

    def __init__(
        self,
        *,
        claim: Callable[[], Claim],
        clock: Clock,
        report: Callable[[float, str], None] | None = None,
        results: Callable[[], Awaitable[tuple[Json, ...]]] | None = None,
        number: int = 0,
        ask: Ask | None = None,
    ) -> None:
        self.number = number
        self._claim = claim
        self._clock = clock
        self._report = report
        self._results = results
        self._ask = ask
        self.handler = ""
        self._reason: str | None = None
        self._stopped = anyio.Event()

    @property
    def claim(self) -> Claim:
        """The claim as it stands at this moment."""
        return self._claim()

    @property
    def message(self) -> Message:
        """The message that is worked on."""
        return self._claim().message

    @property
    def key(self) -> str:
        """The idempotency key: store it with the effect, and a repetition can be told from a new job.

        A dead job that was posted again has the key of the first one. A job of a batch has one of its own: that of the
        batch, and its number, as "cats/14".
        """
        message = self._claim().message
        return message.origin or message.key

    @property
    def token(self) -> int:
        """The fencing token of this moment: it rises with every extension, so read it when you write."""
        return self._claim().token

    @property
    def attempt(self) -> int:
        """Which execution this is, 1 for the first."""
        return self._claim().attempt

    def remaining(self) -> timedelta:
        """How long the claim still holds unless it is extended; zero or less once it has lapsed."""
        return timedelta(seconds=self._claim().deadline - self._clock.monotonic())

    def progress(self, fraction: float, text: str = "") -> Awaitable[None]:
        """Say how far the work is: `await job.progress(0.4, "resizing")`, without `await` in a plain function.

        It is shown in the thread as one reply with a bar, edited every few seconds as Slack's limits allow; nobody
        waits for that. With `silence=…` the job fails if nothing is reported for so long.

        Args:
            fraction: from 0 to 1.
            text: what is being done, shown character by character.
        """
        if self._report is not None:
            self._report(fraction, text)
        return _Reported()

    async def results(self) -> tuple[Json, ...]:
        """What the jobs returned that this one was to be begun after, in the order in which it names them, as JSON.

        It is read from their threads, a call each.

        Raises:
            ResultUntold: one of them returned what is too long, or no JSON.
            Ambiguous: Slack gave no answer.
        """
        return () if self._results is None else await self._results()

    def read_results(self) -> tuple[Json, ...]:
        """The same as `results`, for a plain function, which does not await."""
        return anyio.from_thread.run(self.results)

    def approve(self, question: str, *, by: Collection[str], within: timedelta = timedelta(minutes=30)) -> Pending:
        """Ask people in the job's thread, and wait: `await job.approve("Deploy 1.4?", by=["U012AB3CD"])`.

        In a plain function: `job.approve(…).wait()`. They get two buttons; the first press of somebody who may counts.
        One question is asked once in a job's life: a later attempt that asks the same of the same finds the decision.

        Args:
            question: what to decide, shown character by character; 2,000 characters at most.
            by: who may, by ids of users ("U…") and user groups ("S…"). Whoever posted the job never may.
            within: how long they have: up to an hour, or a hundred times the handler's lease, and seven days at most.

        Returns:
            What gives the `Approval`, and raises where there is none:
            `Denied` and `ApprovalLate`, which are a `Reject`: where they are let pass, the job is dead;
            `ConfigurationError`: without Socket Mode, or where nobody is named.
        """
        if self.number:
            cause = "A job of a batch can ask nobody: its message is that of all of them."
            raise ConfigurationError(cause, remedy="Post alone what somebody must approve.")
        if self._ask is None:
            raise ConfigurationError("This job can ask nobody.", remedy="Let a worker run it.")
        return Pending(partial(self._ask, question, by=by, within=within), self)

    @property
    def cancelled(self) -> bool:
        """True once the handler should stop: its result will not count. Functions on threads must look at it."""
        return self._reason is not None

    @property
    def reason(self) -> str | None:
        """Why the handler should stop; None while it should go on."""
        return self._reason

    async def wait_cancelled(self) -> str:
        """Wait until the handler should stop, and return why."""
        await self._stopped.wait()
        return self._reason or ""

    def cancel(self, reason: str) -> None:
        """Tell the handler to stop; for the worker, in its event loop. Only the first reason counts."""
        if self._reason is None:
            self._reason = reason
            self._stopped.set()


class Pending:
    """What people were asked and have not decided; `await` it, or `wait()` in a plain function on its thread."""

    def __init__(self, ask: Callable[[], Awaitable[Approval]], job: Job) -> None:
        self._ask = ask
        self._job = job

    def __await__(self) -> Generator[Any, Any, Approval]:
        return self._ask().__await__()

    def wait(self) -> Approval:
        """The approval, for a plain function.

        Raises:
            LeaseLost: the job was told to stop meanwhile.
        """
        return anyio.from_thread.run(self._asked)

    async def _asked(self) -> Approval:
        """The approval, unless the job is told to stop: a thread is not stopped by a cancellation."""
        answer: Approval | None = None
        error: Exception | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._stop, tasks.cancel_scope)
            try:
                answer = await self._ask()
            except Exception as raised:  # noqa: BLE001  # raised again below, outside the group, which would wrap it
                error = raised
            tasks.cancel_scope.cancel()
        if error is not None:
            raise error
        if answer is None:
            raise LeaseLost(f"The job was told to stop while people were asked: {self._job.reason}.")
        return answer

    async def _stop(self, scope: anyio.CancelScope) -> None:
        await self._job.wait_cancelled()
        scope.cancel()


class _Reported:
    """A report that was taken in: whoever awaits it lets others run, and is stopped here if it shall stop."""

    def __await__(self) -> Generator[Any, Any, None]:
        return anyio.lowlevel.checkpoint().__await__()
