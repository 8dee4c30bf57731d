from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from slackmq.slack.server_time import ServerTime


def test_before_any_observation_it_is_1970() -> None:
    assert ServerTime().now(5.0) == 0.0


def test_the_latest_bound_of_several_counts() -> None:
    time = ServerTime()
    time.observe(1000.0, 10.0)  # a Date header, up to a second and a journey old
    time.observe(1003.0, 12.2)
    time.observe(1003.0, 12.9)
    assert 1003.0 <= time.now(12.9) < 1003.71
    assert time.now(12.9) > 1003.6


def test_time_goes_on_between_observations_a_little_slower_than_here() -> None:
    time = ServerTime()
    time.observe(1000.0, 0.0)
    assert 1009.98 <= time.now(10.0) < 1010.0


def test_a_lying_host_is_forgotten() -> None:
    time = ServerTime()
    time.observe(5000.0, 0.0)
    for second in range(1, 700):
        time.observe(1000.0 + second, float(second))
    assert time.now(699.0) < 1699.5


def test_a_bound_outlives_a_silence() -> None:
    time = ServerTime()
    time.observe(1000.0, 0.0)
    assert time.now(5000.0) > 5900.0


@given(
    offset=st.floats(1e9, 2e9),
    rate=st.floats(0.9995, 1.0005),
    gaps=st.lists(st.tuples(st.floats(0, 400), st.floats(0, 5)), min_size=1, max_size=40),
)
def test_it_is_never_ahead_of_slack(offset: float, rate: float, gaps: list[tuple[float, float]]) -> None:
    def server(mono: float) -> float:
        return offset + mono * rate

    time, mono = ServerTime(), 0.0
    for gap, journey in gaps:
        mono += gap
        time.observe(math.floor(server(mono - journey)), mono)
        assert time.now(mono) <= server(mono) + 1e-6
        assert time.now(mono + 50) <= server(mono + 50) + 1e-6
        assert time.now(mono) >= server(mono) - journey - 1.01
