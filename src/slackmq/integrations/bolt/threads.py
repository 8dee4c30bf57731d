"""A guarded `slack_bolt.App`, whose listeners run on threads."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from slack_bolt.listener.listener_completion_handler import ListenerCompletionHandler
from slack_bolt.request import BoltRequest

from slackmq.clock import SYSTEM
from slackmq.integrations.bolt.door import FAILED, PATIENCE, Door

if TYPE_CHECKING:
    from slack_bolt import App
    from slack_bolt.response import BoltResponse

    from slackmq.integrations.payload import Payload
    from slackmq.integrations.plan import Plan
    from slackmq.integrations.posts import Post
    from slackmq.integrations.turn import Turn
    from slackmq.message import Message

__all__ = ["Threads"]


class Threads(Door):
    """A guarded app.

    Args:
        app: the app.
        plan: how it is guarded.
    """

    def __init__(self, app: App, plan: Plan) -> None:
        there: Any = app
        listeners, middleware = there._listeners, there._middleware_list  # noqa: SLF001  # Bolt has no other way to ask
        super().__init__(app, app.listener_runner, listeners=listeners, middleware=middleware, plan=plan)

    async def _dispatch(self, body: dict[str, Any], *, record: Message | None = None, declined: bool = False) -> bool:
        request = BoltRequest(body=body, mode="socket_mode")
        self._sent_again(request, record, declined=declined)
        await asyncio.wrap_future(self._runner.listener_executor.submit(self._app.dispatch, request))
        return request in self._reached

    def _run(
        self,
        request: BoltRequest,
        response: BoltResponse,
        listener_name: str,
        listener: Any,
        starting_time: float | None = None,
    ) -> BoltResponse | None:
        run = partial(self._original, request, response, listener_name, starting_time=starting_time)
        if self._superfluous(request, listener) or self._too_late(request):
            return request.context.ack()
        post = self._claimable(request, listener)
        payload = self._payload(request) if post is None else None
        if not isinstance(self._runner.listener_completion_handler, _Completion):
            self._runner.listener_completion_handler = _Completion(self, self._runner.listener_completion_handler)
        if payload is not None:
            return self._run_recorded(request, listener, payload, run)
        if post is None:
            return run(listener=listener)  # type: ignore[no-any-return]
        if self._runner.process_before_response:
            return self._run_inline(request, listener, post, run)

        async def start(turn: Turn) -> None:
            turned = self._begin(request, listener, turn)
            self._runner.listener_executor.submit(run, listener=turned)

        self._thread.work(post, start)
        return request.context.ack()

    def _run_recorded(self, request: BoltRequest, listener: Any, payload: Payload, run: Any) -> BoltResponse | None:
        """Run at once; hold the answer back until nothing is lost any more if this process dies."""
        until = SYSTEM.monotonic() + PATIENCE
        turn = self._guard.turn(payload)
        answer: BoltResponse | None = run(listener=self._begin(request, listener, turn))
        if answer is None or answer.status >= FAILED:
            return answer
        standing = threading.Event()
        self._thread.keep(payload, turn, standing.set)
        if not standing.wait(until - SYSTEM.monotonic()):
            self._late(payload)
        return answer

    def _run_inline(self, request: BoltRequest, listener: Any, post: Post, run: Any) -> BoltResponse | None:
        """Claim, run and settle before the answer, after which this process may be put to sleep."""
        begun, working = self._thread.begin(post)
        turn = begun.result()
        if turn is None:
            return request.context.ack()
        answer: BoltResponse | None = run(listener=self._begin(request, listener, turn))
        self._thread.settled(working)
        return answer


class _Completion(ListenerCompletionHandler):
    """Tells the door that a listener's function is over, after whoever wanted to know it before."""

    def __init__(self, door: Threads, before: ListenerCompletionHandler) -> None:
        self._door = door
        self._before = before

    def handle(self, request: BoltRequest, response: BoltResponse | None) -> None:
        """Called by Bolt when a function has returned or raised."""
        try:
            self._before.handle(request, response)
        finally:
            self._door.over(request)
