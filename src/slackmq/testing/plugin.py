"""The pytest plug-in: fixtures `slack_workspace`, `slackmq_app` and `replicas`, and marks that say what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slackmq.app import App
    from slackmq.testing.blocking import Workspace
    from slackmq.testing.fleet import Replicas

__all__ = ["pytest_configure", "replicas", "slack_workspace", "slackmq_app"]

_MARKS = (
    "slack_workspace(**options): what the fixture slack_workspace starts, as arguments of slackmq.testing.workspace",
    "slackmq_app(app, *, concurrency=4): the slackmq.App that the fixture slackmq_app lets work",
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known."""
    for mark in _MARKS:
        config.addinivalue_line("markers", mark)


@pytest.fixture
def slack_workspace(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A Slack workspace of this test alone.

    The environment names it as well (SLACK_BOT_TOKEN, SLACK_APP_TOKEN and SLACKMQ_URL, of its first app), so that
    code that reads the environment finds this workspace, and never a real one.
    """
    from slackmq.testing.blocking import workspace  # noqa: PLC0415  # who does not use the fixture pays nothing

    mark = request.node.get_closest_marker("slack_workspace")
    options: dict[str, Any] = {} if mark is None else dict(mark.kwargs)
    with workspace(**options) as slack:
        for name, value in (slack.app.environment if slack.apps else {}).items():
            monkeypatch.setenv(name, value)
        yield slack


@pytest.fixture
def slackmq_app(request: pytest.FixtureRequest, slack_workspace: Workspace) -> Iterator[App]:
    """A `slackmq.App` that is at work in `slack_workspace`, in this process, until the test is over.

    The mark `slackmq_app(app)` says which one; without it, it is a new one in #jobs, to which the test adds functions.
    That one has the times of `slackmq.testing.QUICK`.
    """
    mark = request.node.get_closest_marker("slackmq_app")
    app = _new_app() if mark is None else mark.args[0]
    options: dict[str, Any] = {} if mark is None else dict(mark.kwargs)
    with slack_workspace.working(app, **options):
        yield app


@pytest.fixture
def replicas(slack_workspace: Workspace) -> Replicas:
    """What runs a bot of any framework in several processes.

    As in `with replicas(3, [sys.executable, "bot.py"]) as fleet:`.
    """
    from slackmq.testing.fleet import Replicas  # noqa: PLC0415  # as for the workspace

    return Replicas(slack_workspace)


def _new_app() -> App:
    from slackmq.app import App  # noqa: PLC0415  # as for the workspace
    from slackmq.testing.pace import QUICK  # noqa: PLC0415

    return App("#jobs", timing=QUICK)
