"""The fixtures of the pytest plug-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import slackmq
from slackmq.testing import QUICK

if TYPE_CHECKING:
    from slackmq.testing import Workspace

home = slackmq.App("#homeops", timing=QUICK)


@home.listen(r"toggle (?P<light>\w+) light")
def toggle(light: str) -> str:
    return f"{light} light toggled"


@pytest.mark.slack_workspace(channels=["general", "homeops"])
@pytest.mark.slackmq_app(home, concurrency=1)
def test_the_app_that_the_mark_names_is_at_work(slackmq_app: slackmq.App, slack_workspace: Workspace) -> None:
    assert slackmq_app is home
    ts = slack_workspace.post("toggle dining light", channel="#homeops")
    slack_workspace.until("#homeops", lambda rows: rows[-1]["text"] == "dining light toggled", thread=ts, within=60)


def test_without_a_mark_a_new_app_takes_functions_while_it_works(
    slackmq_app: slackmq.App, slack_workspace: Workspace
) -> None:
    @slackmq_app.task
    def double(number: int) -> int:
        return 2 * number

    @slackmq_app.listen("ping")
    async def ping() -> str:
        return "pong"

    assert slack_workspace.run(double.ask, 21) == 42
    ts = slack_workspace.post("ping", channel="#jobs")
    slack_workspace.until("#jobs", lambda rows: rows[-1]["text"] == "pong", thread=ts, within=60)


def test_an_app_is_at_work_only_inside(slack_workspace: Workspace) -> None:
    app = slackmq.App("#jobs", timing=QUICK)

    @app.listen("ping")
    def ping() -> str:
        return "pong"

    with slack_workspace.working(app) as queue:
        assert queue.channel.id == slack_workspace.channel("#jobs")
    slack_workspace.post("ping", channel="#jobs")
    assert slack_workspace.connections() == []
