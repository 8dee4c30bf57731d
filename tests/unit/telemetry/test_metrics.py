"""What Prometheus is told."""

from __future__ import annotations

from random import Random

import pytest
from prometheus_client import CollectorRegistry

from slackmq.hooks import Claimed, Extended, Failed, Finished, Lost, Posted, Rejected
from slackmq.message import Claim, Message, Outcome
from slackmq.simulation.clock import SimClock
from slackmq.simulation.loop import run
from slackmq.telemetry.prometheus import Metrics


def claim(number: int = 1, *, kind: str | None = "work") -> Claim:
    message = Message(channel="C1", ts=f"{number}.000000", author="U1", kind=kind, key=str(number))
    return Claim(message=message, token=1, attempt=1, deadline=60.0)


def test_claims_are_counted_by_kind_and_outcome_and_timed_from_claim_to_end() -> None:
    registry = CollectorRegistry()

    async def main() -> None:
        clock = SimClock(Random(0))  # noqa: S311  # a simulation's dice must be repeatable
        metrics = Metrics(registry, clock=clock)
        for held in (claim(1), claim(2), claim(3, kind=None)):
            metrics(Posted(message=held.message))
            metrics(Claimed(claim=held))
        assert registry.get_sample_value("slackmq_held") == 3
        await clock.sleep(4)
        metrics(Extended(claim=claim(1)))
        metrics(Failed(claim=claim(2), reason="no"))
        metrics(Finished(claim=claim(2), outcome=Outcome.RELEASED, effective=True))
        metrics(Finished(claim=claim(1), outcome=Outcome.DONE, effective=False))
        metrics(Lost(claim=claim(3, kind=None), reason="late"))
        metrics(Rejected(message=claim(4).message, reason="edited"))

    run(main)
    told = registry.get_sample_value
    work = {"kind": "work"}
    assert told("slackmq_held") == 0
    assert told("slackmq_posted_total", work) == told("slackmq_claimed_total", work) == 2
    assert told("slackmq_claimed_total", {"kind": "typed"}) == 1
    assert told("slackmq_finished_total", {**work, "outcome": "done"}) == 1
    assert told("slackmq_finished_total", {**work, "outcome": "released"}) == 1
    assert told("slackmq_failed_total", work) == told("slackmq_repeated_total", work) == 1
    assert told("slackmq_lost_total") == told("slackmq_rejected_total") == told("slackmq_extended_total", work) == 1
    assert told("slackmq_held_seconds_sum", work) == pytest.approx(8, abs=0.1)


def test_two_programs_in_one_registry_are_refused_and_two_registries_are_not() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    Metrics(CollectorRegistry())
    with pytest.raises(ValueError, match="Duplicated"):
        Metrics(registry)
