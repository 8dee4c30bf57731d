"""Commands of errbot, in any number of replicas, of which one handles each."""

from __future__ import annotations

import asyncio
import atexit
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slackmq.integrations.guard import Framework
from slackmq.integrations.guard_thread import GuardThread
from slackmq.integrations.plan import How, Plan
from slackmq.integrations.posts import event_of, is_by, post_of
from slackmq.slack.markup import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slackmq.integrations.posts import Post
    from slackmq.integrations.turn import Turn
    from slackmq.message import Message
    from slackmq.slack.api import Identity

__all__ = ["BACKEND_FOLDER", "Counted", "Replicas"]

BACKEND_FOLDER = str(Path(__file__).with_name("backend_plugin"))
"""What BOT_EXTRA_BACKEND_DIR must be, for BACKEND = "SlackMQ"."""
_TURN = "slackmq_turn"
_AT_ONCE = 10
"""Posts that are made good at once: as many as errbot runs commands."""


class Replicas(Framework):
    """A guarded errbot from within.

    Args:
        bot: errbot, with its Slack backend; its config says SLACKMQ_CHANNELS and, if need be, SLACKMQ_OPTIONS.
    """

    def __init__(self, bot: Any) -> None:
        self._bot = bot
        self._opening = threading.Lock()
        self._thread: GuardThread | None = None
        self._asked: dict[str, Future[bool]] = {}
        self._pool = ThreadPoolExecutor(_AT_ONCE, "slackmq-left")

    def open(self) -> GuardThread:
        """Connect, once; from then on what was left is looked for."""
        with self._opening:
            if self._thread is None:
                web, config = self._bot.slack_web, self._bot.bot_config
                how: How = getattr(config, "SLACKMQ_OPTIONS", How())
                plan = Plan(channels=tuple(getattr(config, "SLACKMQ_CHANNELS", ())), **how)
                thread = GuardThread(web.token, web.base_url, plan, self)
                thread.open()
                atexit.register(thread.close)
                self._thread = thread
            return self._thread

    def handle(self, message: Any, dispatch: Callable[[Any], None]) -> None:
        """Dispatch a message, if its post is for this replica.

        Args:
            message: errbot's. `message.extras["slackmq"]` then says the key, the token and the attempt.
            dispatch: gives it to commands and plug-ins; it returns before commands have ended.
        """
        post, thread = self._post(message), self.open()
        if post is None or not thread.guard.guards(post.message.channel):
            dispatch(message)
            return
        taken = not is_by(post.message, thread.guard.identity) and self._is_command(message.body)
        asked = self._asked.pop(post.message.ts, None)
        if asked is not None:
            asked.set_result(taken)
        if taken:
            self._claim(post, thread, message, dispatch)
        elif asked is None:
            dispatch(message)
        else:
            message.extras["slackmq"] = None

    def _claim(self, post: Post, thread: GuardThread, message: Any, dispatch: Callable[[Any], None]) -> None:
        begun, _ = thread.begin(post)
        turn = begun.result()
        message.extras["slackmq"] = turn and turn.context
        if turn is None:
            return
        message.extras[_TURN] = turn
        with turn:
            dispatch(message)

    def is_lost(self, message: Any) -> bool:
        """Whether another replica has a message."""
        return message.extras.get("slackmq", message) is None

    def failed(self, message: Any, error: BaseException | None) -> None:
        """Take note that a command raised, before errbot makes an answer of it; a `CommandError` is an answer."""
        turn: Turn | None = message.extras.get(_TURN)
        if turn is not None and turn.error is None and type(error).__name__ != "CommandError":
            turn.error = error

    def takes(self, message: Message, identity: Identity) -> bool:
        """Whether a post that a read shows is a command."""
        # Patterns see the mark-up, which only a delivery has.
        texts = (message.text, escape(message.text))
        return not is_by(message, identity) and any(self._is_command(text) for text in texts)

    def _is_command(self, text: str) -> bool:
        """Whether errbot would look for a command in a text: it has a prefix, or fits a pattern that needs none."""
        bot = self._bot
        folded = text.lower() if bot.bot_config.BOT_ALT_PREFIX_CASEINSENSITIVE else text
        if text.startswith(bot.bot_config.BOT_PREFIX) or folded.startswith(tuple(bot.bot_alt_prefixes)):
            return True
        patterns = [
            each._err_command_re_pattern  # noqa: SLF001  # errbot's own mark of a command
            for each in dict(bot.re_commands).values()
            if not each._err_command_prefix_required  # noqa: SLF001  # as above
        ]
        return any(pattern.search(text.strip()) for pattern in patterns)

    async def deliver(self, raw: Mapping[str, Any], channel: str, identity: Identity) -> bool:
        """Give errbot a post as if its event had come."""
        event = event_of(raw, channel=channel, team=identity.team, app=identity.app or "")["event"]
        asked: Future[bool] = Future()
        self._asked[event["ts"]] = asked
        self._pool.submit(self._redeliver, event, asked)
        return await asyncio.wrap_future(asked)

    def _redeliver(self, event: Mapping[str, Any], asked: Future[bool]) -> None:
        try:
            self._bot._handle_message(self._bot.slack_web, event)  # noqa: SLF001  # what its socket calls
        finally:
            self._asked.pop(event["ts"], None)
            if not asked.done():
                asked.set_result(False)

    @staticmethod
    def _post(message: Any) -> Post | None:
        event: Mapping[str, Any] = message.extras.get("slack_event") or {}
        return post_of({"type": "event_callback", "event": {**event, "type": "message"}})


class Counted:
    """errbot's pool of threads, which counts the commands of a message.

    Args:
        pool: the pool.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def apply_async(self, function: Callable[..., Any], args: Any = (), kwds: Mapping[str, Any] | None = None) -> Any:
        """Run a command on a thread."""
        given = kwds or {}
        turn: Turn | None = given["msg"].extras.get(_TURN) if "msg" in given else None
        if turn is None:
            return self._pool.apply_async(function, args, given)

        def run(*args: Any, **kwds: Any) -> Any:
            with turn:
                return function(*args, **kwds)

        turn.add()
        try:
            return self._pool.apply_async(run, args, given)
        except BaseException as error:
            turn.end(error)
            raise
