"""An examination keeps to its calls, to Slack's limits, and leaves nothing behind, whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackmq.errors import ConfigurationError
from slackmq.probe.examination import examine
from slackmq.probe.finding import Verdict
from slackmq.probe.plan import FEWEST, planned
from slackmq.simulation.faults import Faults
from slackmq.simulation.loop import run
from slackmq.slack.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Forward = Callable[[str, Mapping[str, object]], Awaitable[Reply]]
    Place = Any  # the fixture's class stands in conftest.py, which is no module to import from


@given(calls=st.integers(FEWEST, 3000), second=st.booleans(), sockets=st.booleans())
def test_a_plan_never_exceeds_its_budget_and_tries_everything_that_can_be_tried(
    *, calls: int, second: bool, sockets: bool
) -> None:
    plan = planned(calls, second=second, sockets=sockets)
    assert plan.calls <= calls
    assert plan.emoji.rounds >= 1
    assert plan.pins.rounds >= 1
    assert plan.posts >= 2
    assert plan.marks >= 1
    assert (plan.pairs > 0) is second
    assert (plan.events > 0) is sockets


def test_a_budget_that_cannot_try_everything_once_is_refused() -> None:
    with pytest.raises(ConfigurationError) as refused:
        planned(FEWEST - 1, second=True, sockets=True)
    assert f"--calls {FEWEST}" in refused.value.remedy


@pytest.mark.parametrize("calls", [FEWEST, 137, 300, 1000])
@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("sockets", [True, False])
def test_an_examination_spends_no_more_than_its_budget(
    place: Place, *, calls: int, second: bool, sockets: bool
) -> None:
    report = place.report(calls=calls, second=second, sockets=sockets)
    assert report.calls == len(place.calls) <= calls
    assert report.left == 0
    assert place.standing() == []
    assert {finding.probe for finding in report.findings if finding.verdict is Verdict.NOT_PROBED} == {
        *(set() if second else {"P5"}),
        *(set() if sockets else {"P7"}),
    }


def test_what_one_app_cannot_tell_counts_as_not_probed(place: Place) -> None:
    partly = {finding.probe: finding.unprobed for finding in place.report(second=False).findings if finding.unprobed}
    assert set(partly) == {"P2", "P3"}
    assert all("SLACKMQ_SECOND_TOKEN" in said for said in partly.values())


@pytest.mark.parametrize("calls", [FEWEST, 300])
@pytest.mark.parametrize("paced", [True, False])
def test_where_slack_says_too_many_it_waits_and_still_cleans_up(place_with: Any, *, calls: int, paced: bool) -> None:
    place = place_with(Faults(limits=True))
    report = place.report(calls=calls, paced=paced)
    assert report.broken == ()
    if paced:  # in a hurry most of a race is refused, which is no race
        assert {finding.verdict for finding in report.findings} == {Verdict.HOLDS, Verdict.NOTED}
    assert any("one too many" in str(line) for line in place.world.record.lines)
    assert report.left == 0
    assert place.standing() == []


@pytest.mark.parametrize(
    "faults",
    [
        Faults(until=10_000.0, lost_request=0.1),
        Faults(until=10_000.0, lost_response=0.1),
        Faults(until=10_000.0, error_after=0.1),
        Faults(until=10_000.0, slow=0.3),
    ],
)
def test_lost_calls_and_answers_break_no_axiom(place_with: Any, faults: Faults) -> None:
    report = place_with(faults).report()
    assert report.broken == ()
    assert report.calls <= 300


def test_a_message_whose_answer_was_lost_is_removed_too(place: Place) -> None:
    async def lost(_place: Place, _app: int, method: str, args: Mapping[str, object], forward: Forward) -> Reply:
        reply = await forward(method, args)
        if method == "chat.postMessage" and "race for a pin" in str(args["text"]):
            return Reply(status=503)
        return reply

    place.twist = lost
    report = place.report()
    assert {finding.probe: finding.verdict for finding in report.findings}["P2"] is Verdict.NOT_PROBED
    assert report.left == 0
    assert place.standing() == []


@pytest.mark.parametrize("after", [1.0, 60.0, 150.0])
def test_interrupted_at_any_time_it_removes_what_it_posted(place: Place, after: float) -> None:
    async def main() -> bool:
        bench = place.bench()
        with anyio.move_on_after(after) as scope:
            await examine(bench, planned(300, second=True, sockets=True), skew=4.0)
        return scope.cancelled_caught

    assert run(main)
    assert "chat.postMessage" in place.calls
    assert place.standing() == []


def test_a_scope_that_is_missing_leaves_its_axiom_not_probed_and_the_others_as_they_are(place: Place) -> None:
    async def no_pins(_place: Place, _app: int, method: str, args: Mapping[str, object], forward: Forward) -> Reply:
        if method == "pins.add":
            return Reply(status=200, body={"ok": False, "error": "missing_scope", "needed": "pins:write"})
        return await forward(method, args)

    place.twist = no_pins
    report = place.report()
    found = {finding.probe: finding for finding in report.findings}
    assert found["P2"].verdict is Verdict.NOT_PROBED
    assert "pins:write" in found["P2"].remedy
    assert "pins:write" in found["P9"].unprobed
    assert {probe for probe, finding in found.items() if finding.verdict is Verdict.HOLDS} == {
        *("P1", "P3", "P4", "P5", "P7", "P8", "P9")
    }


def test_what_cannot_be_removed_is_counted(place: Place) -> None:
    async def kept(_place: Place, _app: int, method: str, args: Mapping[str, object], forward: Forward) -> Reply:
        if method == "chat.delete":
            return Reply(status=200, body={"ok": False, "error": "compliance_exports_prevent_deletion"})
        return await forward(method, args)

    place.twist = kept
    assert place.report().left == len(place.standing()) > 0
