"""A guarded `slack_bolt.async_app.AsyncApp`, whose listeners run on the app's own loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from slack_bolt.listener.async_listener_completion_handler import AsyncListenerCompletionHandler
from slack_bolt.request.async_request import AsyncBoltRequest

from slackmq.clock import SYSTEM
from slackmq.integrations.bolt.door import FAILED, PATIENCE, Door

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp
    from slack_bolt.response import BoltResponse

    from slackmq.integrations.payload import Payload
    from slackmq.integrations.plan import Plan
    from slackmq.integrations.posts import Post
    from slackmq.integrations.turn import Turn
    from slackmq.message import Message

__all__ = ["Loops"]


class Loops(Door):
    """A guarded app.

    The guard has a loop of its own, on a thread of its own: a listener that blocks the app's loop does not keep its
    claim from being extended.

    Args:
        app: the app.
        plan: how it is guarded.
    """

    def __init__(self, app: AsyncApp, plan: Plan) -> None:
        there: Any = app
        listeners, middleware = there._async_listeners, there._async_middleware_list  # noqa: SLF001  # as in Threads
        super().__init__(app, app.listener_runner, listeners=listeners, middleware=middleware, plan=plan)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        with suppress(RuntimeError):  # then the first event tells
            self._loop = asyncio.get_running_loop()

    async def _dispatch(self, body: dict[str, Any], *, record: Message | None = None, declined: bool = False) -> bool:
        if self._loop is None or not self._loop.is_running():
            return True  # nobody is at home yet; it comes again
        request = AsyncBoltRequest(body=body, mode="socket_mode")
        self._sent_again(request, record, declined=declined)
        dispatched = asyncio.run_coroutine_threadsafe(self._app.async_dispatch(request), self._loop)
        await asyncio.wrap_future(dispatched)
        return request in self._reached

    async def _run(
        self,
        request: AsyncBoltRequest,
        response: BoltResponse,
        listener_name: str,
        listener: Any,
        starting_time: float | None = None,
    ) -> BoltResponse | None:
        self._loop = asyncio.get_running_loop()
        run = partial(self._original, request, response, listener_name, starting_time=starting_time)
        if self._superfluous(request, listener) or self._too_late(request):
            return await request.context.ack()
        post = self._claimable(request, listener)
        payload = self._payload(request) if post is None else None
        if not isinstance(self._runner.listener_completion_handler, _Completion):
            self._runner.listener_completion_handler = _Completion(self, self._runner.listener_completion_handler)
        if payload is not None:
            return await self._run_recorded(request, listener, payload, run)
        if post is None:
            return await run(listener=listener)  # type: ignore[no-any-return]
        if self._runner.process_before_response:
            return await self._run_inline(request, listener, post, run)

        async def start(turn: Turn) -> None:
            self._soon(partial(run, listener=self._begin(request, listener, turn)))

        self._thread.work(post, start)
        return await request.context.ack()

    def _soon(self, run: Any) -> None:
        """Run it on the app's loop; raises RuntimeError if that is closed."""
        loop = self._loop
        if loop is None:
            raise RuntimeError("the app's loop is not known")

        def begin() -> None:
            task = loop.create_task(run())
            self._tasks.add(task)  # the loop itself keeps a weak reference only
            task.add_done_callback(self._tasks.discard)

        loop.call_soon_threadsafe(begin)

    async def _run_recorded(
        self, request: AsyncBoltRequest, listener: Any, payload: Payload, run: Any
    ) -> BoltResponse | None:
        """Run at once; hold the answer back until nothing is lost any more if this process dies."""
        until = SYSTEM.monotonic() + PATIENCE
        here, standing = asyncio.get_running_loop(), asyncio.Event()
        turn = self._guard.turn(payload)
        answer: BoltResponse | None = await run(listener=self._begin(request, listener, turn))
        if answer is None or answer.status >= FAILED:
            return answer

        def tell() -> None:
            here.call_soon_threadsafe(standing.set)

        self._thread.keep(payload, turn, tell)
        try:
            await asyncio.wait_for(standing.wait(), until - SYSTEM.monotonic())
        except TimeoutError:
            self._late(payload)
        return answer

    async def _run_inline(self, request: AsyncBoltRequest, listener: Any, post: Post, run: Any) -> BoltResponse | None:
        """Claim, run and settle before the answer, after which this process may be put to sleep."""
        begun, working = self._thread.begin(post)
        turn = await asyncio.wrap_future(begun)
        if turn is None:
            return await request.context.ack()
        answer: BoltResponse | None = await run(listener=self._begin(request, listener, turn))
        await asyncio.wrap_future(working)
        return answer


class _Completion(AsyncListenerCompletionHandler):
    """Tells the door that a listener's function is over, after whoever wanted to know it before."""

    def __init__(self, door: Loops, before: AsyncListenerCompletionHandler) -> None:
        self._door = door
        self._before = before

    async def handle(self, request: AsyncBoltRequest, response: BoltResponse | None) -> None:
        """Called by Bolt when a function has returned or raised."""
        try:
            await self._before.handle(request, response)
        finally:
            self._door.over(request)
