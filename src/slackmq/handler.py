"""A registered function, and the same with its arguments, ready to run."""

from __future__ import annotations

import functools
import inspect
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slackmq.answer import answer_of
from slackmq.middleware import wrapped
from slackmq.threads import on_thread

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping, Sequence

    from slackmq.answer import Answer
    from slackmq.job import Job
    from slackmq.middleware import Middleware, PlainMiddleware
    from slackmq.options import Options
    from slackmq.parameters import Parameters

__all__ = ["Bound", "Handler"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A registered function.

    Attributes:
        name: the kind it handles, or the function's name if it listens to a pattern.
        function: what is called.
        parameters: what the function wants.
        options: how its messages are treated.
        pattern: what a person's text must match from end to end; None if it handles a kind.
    """

    name: str
    function: Callable[..., object]
    parameters: Parameters
    options: Options
    pattern: re.Pattern[str] | None = None

    @property
    def takes_job(self) -> bool:
        """True if the function asks for the `Job`."""
        return self.parameters.job is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A handler with its arguments, ready to run.

    Attributes:
        handler: what will run.
        arguments: its arguments by name, converted.
        middleware: what runs around it, the first outermost.
    """

    handler: Handler
    arguments: Mapping[str, object]
    middleware: Sequence[Middleware | PlainMiddleware] = ()

    async def __call__(self, job: Job) -> Answer:
        """Run it and return its answer; what it raises goes through unchanged.

        A function that is not `async` runs on a thread of its own. Threads cannot be stopped: when this call is
        cancelled, `job.cancelled` becomes true at once, and the call still waits for the function to end. The
        job does not: see `slackmq.policy.Options`.
        """
        job.handler = self.handler.name
        return answer_of(await wrapped(self.middleware, job, functools.partial(self._run, job))())

    async def _run(self, job: Job) -> object:
        if not inspect.iscoroutinefunction(self.handler.function):
            result = await on_thread(functools.partial(self._run_plainly, job), job)
            return await result if inspect.isawaitable(result) else result
        async with AsyncExitStack() as stack:
            return await self._call(await self.handler.parameters.needs.awaited(stack), job)

    def _run_plainly(self, job: Job) -> object:
        with ExitStack() as stack:
            return self._call(self.handler.parameters.needs.plain(stack), job)

    def _call(self, opened: Mapping[str, object], job: Job) -> Any:
        return self.handler.parameters.call(self.handler.function, {**self.arguments, **opened}, job)
