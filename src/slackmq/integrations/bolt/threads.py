"""A guarded `slack_bolt.App`, whose listeners run on threads."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from slack_bolt.listener.listener_completion_handler import ListenerCompletionHandler
from slack_bolt.request import BoltRequest

from slackmq.integrations.bolt.door import Door
from slackmq.integrations.bolt.turned import Turned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt import App
    from slack_bolt.response import BoltResponse

    from slackmq.integrations.guard import Plan, Turn
    from slackmq.integrations.posts import Post
    from slackmq.slack.api import Identity

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

    async def deliver(self, raw: Mapping[str, Any], channel: str, identity: Identity) -> bool:
        """Dispatch a post as if its event had come."""
        request = BoltRequest(body=self._event(raw, channel, identity), mode="socket_mode")
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
        if self._superfluous(request, listener):
            return request.context.ack()
        post = self._claimable(request, listener)
        if post is None:
            return run(listener=listener)  # type: ignore[no-any-return]
        if not isinstance(self._runner.listener_completion_handler, _Completion):
            self._runner.listener_completion_handler = _Completion(self, self._runner.listener_completion_handler)
        if self._runner.process_before_response:
            return self._run_inline(request, listener, post, run)

        async def start(turn: Turn) -> None:
            turned = Turned(listener, turn)
            self._begin(request, turned, turn.context)
            self._runner.listener_executor.submit(run, listener=turned)

        self._thread.work(post, start)
        return request.context.ack()

    def _run_inline(self, request: BoltRequest, listener: Any, post: Post, run: Any) -> BoltResponse | None:
        """Claim, run and settle before the answer, after which this process may be put to sleep."""
        begun, working = self._thread.begin(post)
        turn = begun.result()
        if turn is None:
            return request.context.ack()
        turned = Turned(listener, turn)
        self._begin(request, turned, turn.context)
        answer: BoltResponse | None = run(listener=turned)
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
