"""Nothing is tried out where it must not be, or where it could not be; what an earlier try left is removed."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from slackmq.envelope import JOB
from slackmq.errors import ConfigurationError, MissingScope, NotInChannel
from slackmq.probe.bench import SIGNATURE
from slackmq.probe.entry import enter
from slackmq.probe.examination import examine
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import EPOCH
from slackmq.slack.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.errors import SlackMQError
    from slackmq.probe.examination import Report

    Place = Any  # the fixture's class stands in conftest.py, which is no module to import from


class Line:
    """An app's line, with answers that a test puts in place of Slack's."""

    def __init__(self, place: Place, app: int, **instead: Mapping[str, Any]) -> None:
        self._wire = SimWire(place.world, f"w{app + 1}", str(place.world.apps[app]["bot_token"]))
        self._instead = {method.replace("_", "."): body for method, body in instead.items()}
        self.calls: list[str] = []

    async def call(self, method: str, args: Mapping[str, object]) -> Reply:
        self.calls.append(method)
        if method in self._instead:
            return Reply(status=200, body=self._instead[method], date=float(EPOCH))
        return await self._wire.call(method, args)

    async def aclose(self) -> None:
        return


def probe(*lines: Line, channel: str = "#jobs", calls: int = 100) -> Report:
    async def main() -> Report:
        clock = SimClock(Random(3))  # noqa: S311  # a simulation's dice must be repeatable
        entry = await enter(lines, channel, clock=clock, calls=calls, paced=False, dial=None)
        return await examine(entry.bench, entry.plan, skew=4.0)

    return run(main)


def post(place: Place, text: str, *, app: int = 0, **more: object) -> None:
    world = place.world
    caller = world.authorize(world.apps[app]["bot_token"])
    args = {"channel": world.channel, "text": text, **more}
    assert world.workspace.apply(EPOCH * 1_000_000, caller, "chat.postMessage", args).reply["ok"]


@pytest.mark.parametrize("calls", [100, 300])
def test_the_way_in_counts_into_the_budget(place: Place, calls: int) -> None:
    lines = [Line(place, 0), Line(place, 1)]
    report = probe(*lines, calls=calls)
    assert report.broken == ()
    assert sum(len(line.calls) for line in lines) <= calls


def test_what_an_earlier_examination_left_is_removed_within_the_budget(place: Place) -> None:
    for number in range(120):
        post(place, f"{SIGNATURE}0123: {number}", app=number % 2)
    post(place, "what somebody else posted")
    lines = [Line(place, 0), Line(place, 1)]
    report = probe(*lines, calls=250)
    assert sum(len(line.calls) for line in lines) <= 250
    assert report.left == 0
    assert [row["text"] for row in place.standing()] == ["what somebody else posted"]


def refused(error: type[SlackMQError], *lines: Line, **settings: Any) -> str:
    with pytest.raises(error) as caught:
        probe(*lines, **settings)
    posts = [method for line in lines for method in line.calls if method == "chat.postMessage"]
    assert posts == []
    return str(caught.value)


def test_a_channel_with_fresh_jobs_is_refused(place: Place) -> None:
    post(place, "resize()", metadata={"event_type": JOB, "event_payload": {"v": 1}})
    assert "jobs of the last 24 hours" in refused(ConfigurationError, Line(place, 0))


def test_a_channel_without_the_bot_is_refused(place: Place) -> None:
    row = {"id": place.world.channel, "name": "jobs", "is_member": False}
    line = Line(place, 0, conversations_info={"ok": True, "channel": row})
    assert "/invite" in refused(NotInChannel, line, channel=place.world.channel)


def test_all_scopes_that_every_probe_needs_are_asked_for_in_one_sentence(place: Place) -> None:
    line = Line(
        place,
        0,
        chat_update={"ok": False, "error": "missing_scope", "needed": "chat:write"},
        reactions_add={"ok": False, "error": "missing_scope", "needed": "reactions:write"},
    )
    assert "the app lacks chat:write, reactions:write" in refused(MissingScope, line)


def test_a_second_token_of_the_same_app_is_refused(place: Place) -> None:
    assert "same app" in refused(ConfigurationError, Line(place, 0), Line(place, 0))


def test_a_second_token_of_another_workspace_is_refused(place: Place) -> None:
    stranger = {"ok": True, "team_id": "T2", "user_id": "U2", "bot_id": "B2"}
    assert "another workspace" in refused(ConfigurationError, Line(place, 0), Line(place, 1, auth_test=stranger))


def test_a_second_app_that_is_no_member_is_refused(place: Place) -> None:
    row = {"id": place.world.channel, "name": "jobs", "is_member": False}
    other = Line(place, 1, conversations_info={"ok": True, "channel": row})
    assert "no member" in refused(ConfigurationError, Line(place, 0), other)
