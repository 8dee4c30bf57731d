"""A guard on an event loop of its own, so that code on any thread and any loop can have a post claimed."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol

from slackmq.integrations.guard import Guard
from slackmq.portal import standing_portal, wait_for
from slackmq.slack.connect import resolve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Self

    from anyio.from_thread import BlockingPortal

    from slackmq.integrations.guard import Framework
    from slackmq.integrations.payload import Payload
    from slackmq.integrations.plan import Plan
    from slackmq.integrations.posts import Post
    from slackmq.integrations.turn import Turn

__all__ = ["GuardThread", "Guarded"]


class GuardThread:
    """A guard, on a thread of its own: a function that blocks does not keep its claim from being extended.

    Args:
        token: the bot's.
        url: base of the Web API.
        plan: how.
        framework: the bot.
    """

    def __init__(self, token: str, url: str, plan: Plan, framework: Framework) -> None:
        self.guard = Guard(resolve({}, token=token, url=url), plan, framework)
        self._portal: BlockingPortal = standing_portal("slackmq")
        self._inside: AbstractContextManager[Guard] | None = None

    def open(self) -> None:
        """Connect; from now on what was left is looked for."""
        inside = self._portal.wrap_async_context_manager(self.guard.open())
        try:
            inside.__enter__()
        except BaseException:
            self._portal.call(self._portal.stop)
            raise
        self._inside = inside

    def close(self) -> None:
        """Stop: what runs is waited for, ten seconds at most."""
        inside, self._inside = self._inside, None
        if inside is not None:
            inside.__exit__(None, None, None)
            self._portal.call(self._portal.stop)

    def work(self, post: Post, run: Callable[[Turn], Awaitable[None]]) -> Future[None]:
        """Have a post claimed, and run for it; as `Guard.work`, and nobody waits."""
        return self._portal.start_task_soon(self.guard.work, post, run)

    def keep(self, payload: Payload, turn: Turn, standing: Callable[[], None]) -> None:
        """Have a payload worked on to the end, here or elsewhere; as `Guard.keep`, and nobody waits."""
        self._portal.start_task_soon(self.guard.keep, payload, turn, standing)

    def begin(self, post: Post) -> tuple[Future[Turn | None], Future[None]]:
        """Have a post claimed for the caller, who ends the turn.

        Returns:
            The turn, or None if somebody else has the post; and what ends when the claim is settled.
        """
        begun: Future[Turn | None] = Future()

        async def start(turn: Turn) -> None:
            if not begun.set_running_or_notify_cancel():
                raise RuntimeError("nobody waits for it any more")
            begun.set_result(turn)

        async def work() -> None:
            try:
                await self.guard.work(post, start)
            finally:
                if not begun.done():
                    begun.set_result(None)

        return begun, self._portal.start_task_soon(work)

    def settled(self, working: Future[None]) -> None:
        """Wait until the claim of a turn that has ended is settled."""
        wait_for(self._portal, partial(asyncio.wrap_future, working))

    @contextmanager
    def turn(self, post: Post) -> Generator[Turn | None]:
        """A post that is claimed while inside, and settled on leaving; None if somebody else has it."""
        begun, working = self.begin(post)
        turn = begun.result()
        if turn is None:
            yield None
            return
        try:
            with turn:
                yield turn
        finally:
            self.settled(working)

    @asynccontextmanager
    async def turn_here(self, post: Post) -> AsyncGenerator[Turn | None]:
        """As `turn`, for code that runs on a loop."""
        begun, working = self.begin(post)
        turn = await asyncio.wrap_future(begun)
        if turn is None:
            yield None
            return
        try:
            with turn:
                yield turn
        finally:
            await asyncio.shield(asyncio.wrap_future(working))


class Closable(Protocol):
    """What a guarded bot is from within."""

    def close(self) -> None:
        """Stop claiming."""
        ...


class Guarded:
    """A guarded bot, as `exactly_one` returns it; also a context manager, which closes on leaving."""

    def __init__(self, door: Closable) -> None:
        self._door = door

    def close(self) -> None:
        """Stop claiming: listeners that run are waited for, ten seconds at most."""
        self._door.close()

    async def close_async(self) -> None:
        """The same where a loop runs, which goes on meanwhile: the listeners may run on it."""
        await asyncio.to_thread(self._door.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
