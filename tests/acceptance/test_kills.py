"""Real processes that die at named points: a short version of `nox -s kills`."""

from __future__ import annotations

import pytest
from tests.kills.run import main


@pytest.mark.timeout(360)
def test_who_dies_at_a_named_point_loses_nothing_and_shares_nothing() -> None:
    points = "before_claim,after_claim_effect,after_effect,after_done_effect,producer_before_ack"
    assert main(["--minutes", "0", "--seed", "1", "--way", "reaction", "--points", points]) == 0
