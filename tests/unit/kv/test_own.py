from __future__ import annotations

from slackmq.kv.entry import encode
from slackmq.kv.log import State
from slackmq.kv.own import Own
from slackmq.kv.record import Operation, Verb, revision

T = 1_700_000_000_000_000


def test_what_is_settled_is_not_kept_twice_even_if_nobody_reads_it() -> None:
    own, state = Own("U1"), State()
    for number in range(1_000):
        state.advance(T + number - 5)
        put = Operation(verb=Verb.PUT, key=f"k{number}", value=encode(number))
        own.remember((put,), revision(T + number, 0), state)
        assert len(own) <= 6
    assert own.keys("", state) == [f"k{number}" for number in range(995, 1_000)]


def test_a_key_that_was_written_again_is_shown_as_it_was_written_last() -> None:
    own, state = Own("U1"), State()
    for number in range(4):
        put = Operation(verb=Verb.PUT, key="k", value=encode(number))
        own.remember((put,), revision(T + number, 0), state)
    head = own.known("k", state)
    assert head is not None
    assert head.value.decode() == 3
    state.advance(T + 3)
    assert own.known("k", state) is None
