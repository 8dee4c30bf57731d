from __future__ import annotations

import math
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slackmq.simulation import linearizable as judge
from slackmq.simulation.linearizable import Call, TooHard, linearizable

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

Op = tuple[str, int]


def step(state: Hashable, op: Op) -> Hashable | None:
    verb, value = op
    if verb == "write":
        return (value,)
    return state if state == (value,) else None


def call(began: float, ended: float, verb: str, value: int) -> Call[Op]:
    return Call(began=began, ended=ended, op=(verb, value))


def test_what_happened_one_after_the_other_is_judged_in_its_order() -> None:
    assert linearizable([call(0, 1, "write", 1), call(2, 3, "read", 1)], step, (0,))
    assert not linearizable([call(0, 1, "write", 1), call(2, 3, "read", 0)], step, (0,))


def test_what_overlaps_may_have_either_order() -> None:
    for seen in (0, 1):
        assert linearizable([call(0, 5, "write", 1), call(1, 2, "read", seen)], step, (0,))


def test_two_readers_must_agree_on_one_order() -> None:
    writes = [call(0, 1, "write", 1), call(0, 1, "write", 2)]
    assert not linearizable([*writes, call(2, 3, "read", 1), call(4, 5, "read", 2)], step, (0,))


def test_what_nobody_knows_of_may_have_happened_at_any_time_or_never() -> None:
    unknown = call(0, math.inf, "write", 1)
    assert linearizable([unknown, call(5, 6, "read", 0), call(7, 8, "read", 1)], step, (0,))
    assert linearizable([unknown, call(5, 6, "read", 0)], step, (0,))
    assert not linearizable([unknown, call(5, 6, "read", 1), call(7, 8, "read", 0)], step, (0,))


def test_a_search_that_takes_too_long_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "BUDGET", 5)
    calls = [call(0, 10, "write", number) for number in range(8)]
    with pytest.raises(TooHard):
        linearizable([*calls, call(11, 12, "read", 99)], step, (0,))


def slow(calls: Sequence[Call[Op]], initial: Hashable) -> bool:
    """The definition: some order of all known calls, and some of the others, contradicts nothing."""
    known = [each for each in calls if each.known]
    unknown = [each for each in calls if not each.known]
    for count in range(1 << len(unknown)):
        chosen = known + [each for number, each in enumerate(unknown) if count >> number & 1]
        for order in permutations(chosen):
            if any(late.ended < early.began for place, early in enumerate(order) for late in order[place + 1 :]):
                continue
            state: Hashable | None = initial
            for each in order:
                state = step(state, each.op) if state is not None else None
            if state is not None:
                return True
    return False


CALLS = st.builds(
    lambda began, lasts, verb, value: call(began, began + lasts, verb, value),
    st.integers(0, 6),
    st.sampled_from([1, 2, 4, math.inf]),
    st.sampled_from(["read", "write"]),
    st.integers(0, 2),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(CALLS, max_size=5))
def test_it_says_what_the_definition_says(calls: list[Call[Op]]) -> None:
    judged = [each for each in calls if each.known or each.op[0] == "write"]
    assert linearizable(judged, step, (0,)) == slow(judged, (0,))
