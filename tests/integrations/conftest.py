"""Bolt apps as replicas of one bot, in one process."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from tests.clients.manifests import manifest

from slackmq.clock import SYSTEM
from slackmq.integrations.bolt import exactly_one
from slackmq.policy import Timing
from slackmq.testing import workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from slackmq.testing import TestApp, Workspace

FAST = Timing(
    scan=timedelta(seconds=0.5),
    quiet=timedelta(seconds=0.5),
    skew=timedelta(seconds=0.3),
    lease=timedelta(seconds=60),
    margin=timedelta(seconds=0.5),
)
"""Quick in all but the lease: no machine stands still for so long that a claim would be extended, or lapse."""
SHORT = replace(FAST, lease=timedelta(seconds=3))
"""Where a claim is to be extended, or to lapse."""

SCOPES = [
    *("chat:write", "channels:history", "channels:read", "groups:history", "groups:read", "commands"),
    *("reactions:read", "reactions:write", "bookmarks:read", "bookmarks:write"),
]


class Troupe:
    """A workspace, and the replicas of a bot that works in it.

    Attributes:
        slack: the workspace.
        ran: what the listeners wrote down: replica and text.
    """

    def __init__(self, slack: Workspace) -> None:
        self.slack = slack
        self.ran: list[tuple[int, str]] = []
        self._stack = ExitStack()
        self._lock = threading.Lock()

    def app(self, of: TestApp | None = None, **options: Any) -> Any:
        """A Bolt app without listeners."""
        token = (of or self.slack.app).bot_token
        return App(client=WebClient(token, base_url=self.slack.url), **options)

    def noted(self, replica: int, text: str) -> None:
        with self._lock:
            self.ran.append((replica, text))

    def guard(self, app: Any, *channels: str, timing: Timing = FAST, **options: Any) -> None:
        self._stack.enter_context(exactly_one(app, *(channels or ("#jobs",)), timing=timing, **options))

    def listen(self, app: Any, of: TestApp | None = None) -> None:
        """Let it listen on a socket."""
        handler: Any = SocketModeHandler(app, (of or self.slack.app).app_token, ping_interval=1)  # closing waits for it
        self._stack.callback(handler.close)
        before = len(self.slack.connections())
        handler.connect()
        self.until(lambda: len(self.slack.connections()) > before)

    def say(self, text: str, **options: Any) -> str:
        return self.slack.post(text, channel="#jobs", **options)

    def marks(self, ts: str) -> set[str]:
        [row] = [row for row in self.slack.messages("#jobs") if row["ts"] == ts]
        return {reaction["name"] for reaction in row.get("reactions", [])}

    def done(self, *posts: str) -> None:
        """Wait until all of them are marked done."""
        self.until(lambda: all("white_check_mark" in self.marks(ts) for ts in posts))

    def until(self, holds: Callable[[], object], within: float = 60.0) -> None:
        """Look again and again until it holds."""
        never, deadline = threading.Event(), SYSTEM.monotonic() + within
        while not holds():
            assert SYSTEM.monotonic() < deadline, f"not within {within:g} s; ran: {self.ran}"
            never.wait(0.02)

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def troupe(request: pytest.FixtureRequest) -> Iterator[Troupe]:
    mark = request.node.get_closest_marker("slack_workspace")
    with workspace(**(mark.kwargs if mark else {})) as slack:
        troupe = Troupe(slack)
        try:
            yield troupe
        finally:
            troupe.close()


def install_deployer(troupe: Troupe) -> TestApp:
    """An app with a command and shortcuts, and a channel for its records."""
    troupe.slack.create_channel("ops-work")
    given = manifest()
    given["oauth_config"] = {"scopes": {"bot": SCOPES}}
    return troupe.slack.install(given, channels=["#jobs", "#ops-work"])


@pytest.fixture
def deployer(troupe: Troupe) -> TestApp:
    return install_deployer(troupe)
