"""The pytest plug-in: a fixture `slack_workspace`, and a mark of the same name that says what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slackmq.testing.blocking import Workspace

__all__ = ["pytest_configure", "slack_workspace"]

_MARK = "slack_workspace(**options): what the fixture slack_workspace starts, as arguments of slackmq.testing.workspace"


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", _MARK)


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
