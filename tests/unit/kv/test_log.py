from __future__ import annotations

from itertools import permutations

import pytest

from slackmq.kv.entry import Kind, encode
from slackmq.kv.errors import LogBroken, SnapshotDamaged
from slackmq.kv.log import WINDOW, State
from slackmq.kv.record import ANY, NOTICE, Chain, Group, Operation, Record, Verb, revision

T = 1_700_000_000_000_000
NOBODY = Chain(0, 0, "")


def put(key: str, value: object = 1, prev: int = ANY, ttl: int = 0) -> Operation:
    return Operation(verb=Verb.PUT, key=key, prev=prev, value=encode(value), ttl=ttl)


def record(number: int, *operations: Operation, born: int = T, chain: Chain = NOBODY, writer: str = "w") -> Record:
    group = Group(number=number, operations=operations)
    return Record(writer=writer, born=born, groups=(group,), chain=chain, digest=f"{writer}{number}")


def test_the_first_record_that_names_the_head_wins() -> None:
    state = State()
    state.apply(T, "U1", record(0, put("k", "old")))
    head = revision(T, 0)
    (first,), _ = state.apply(T + 1, "U1", record(1, put("k", "a", prev=head)))
    (second,), changes = state.apply(T + 2, "U2", record(2, put("k", "b", prev=head)))
    assert first.applied
    assert (second.applied, second.key, second.found) == (False, "k", first.revision)
    assert changes == ()
    kept = state.get("k")
    assert kept is not None
    assert kept.entry("k").value == "a"


def test_a_copy_of_a_record_changes_nothing_and_has_the_outcome_of_the_first() -> None:
    state = State()
    outcomes, _ = state.apply(T, "U1", record(0, put("k", "a")))
    state.apply(T + 1, "U2", record(1, put("k", "b")))
    again, changes = state.apply(T + 2, "U1", record(0, put("k", "a")))
    assert again == outcomes
    assert changes == ()
    kept = state.get("k")
    assert kept is not None
    assert kept.value == encode("b")


def test_a_record_that_arrives_later_than_the_window_is_void() -> None:
    state = State()
    (outcome,), changes = state.apply(T + WINDOW + 1, "U1", record(0, put("k")))
    assert outcome.void
    assert not outcome.applied
    assert changes == ()
    (outcome,), _ = state.apply(T + WINDOW + 2, "U1", record(1, put("k"), born=T + 3 * WINDOW))
    assert outcome.void


def test_a_copy_is_known_for_as_long_as_it_is_not_void() -> None:
    state = State()
    state.apply(T, "U1", record(0, put("k", "a")))
    state.advance(T + WINDOW - 1)
    _, changes = state.apply(T + WINDOW, "U1", record(0, put("k", "a")))
    assert changes == ()
    assert state.outcome("w/0") is not None
    state.advance(T + WINDOW + 1)
    assert state.outcome("w/0") is None
    (outcome,), changes = state.apply(T + WINDOW + 2, "U1", record(0, put("k", "a")))
    assert outcome.void
    assert changes == ()


def test_operations_of_one_group_happen_together_or_not_at_all() -> None:
    state = State()
    state.apply(T, "U1", record(0, put("a", 1)))
    (outcome,), changes = state.apply(T + 1, "U1", record(1, put("b", 1), put("a", 2, prev=0)))
    assert (outcome.applied, outcome.key) == (False, "a")
    assert changes == ()
    assert "b" not in state
    (outcome,), changes = state.apply(T + 2, "U1", record(2, put("b", 1, prev=0), put("a", 2, prev=revision(T, 0))))
    assert outcome.applied
    assert {change.revision for change in changes} == {outcome.revision}


def test_a_check_must_hold_and_changes_nothing() -> None:
    state = State()
    state.apply(T, "U1", record(0, put("lock")))
    check = Operation(verb=Verb.CHECK, key="lock", prev=revision(T, 0))
    _, changes = state.apply(T + 1, "U1", record(1, check, put("a")))
    assert [change.key for change in changes] == ["a"]
    state.apply(T + 2, "U1", record(2, put("lock", 2)))
    (outcome,), changes = state.apply(T + 3, "U1", record(3, check, put("a", 2)))
    assert (outcome.applied, changes) == (False, ())


def test_a_key_runs_out_by_the_time_of_the_log_alone() -> None:
    state = State()
    state.apply(T, "U1", record(0, put("k", 1, ttl=10)))
    (outcome,), _ = state.apply(T + 10, "U1", record(1, put("k", 2, prev=0)))
    assert not outcome.applied
    (outcome,), changes = state.apply(T + 11, "U1", record(2, put("k", 2, prev=0)))
    assert outcome.applied
    assert [change.kind for change in changes] == [Kind.EXPIRE, Kind.PUT]
    kept = state.get("k")
    assert kept is not None
    assert kept.first == kept.revision == outcome.revision


def test_a_key_that_was_put_again_does_not_run_out_by_its_former_time() -> None:
    state = State()
    state.apply(T, "U1", record(0, put("k", 1, ttl=10)))
    state.apply(T + 5, "U1", record(1, put("k", 2, ttl=10, prev=revision(T, 0))))
    assert state.advance(T + 12) == ()
    kept = state.get("k")
    assert kept is not None
    assert kept.first == revision(T, 0)
    assert [change.kind for change in state.advance(T + 16)] == [Kind.EXPIRE]


def test_a_deleted_key_is_created_anew_and_its_former_revision_never_comes_back() -> None:
    state = State()
    state.apply(T, "U1", record(0, put("k")))
    state.apply(T + 1, "U1", record(1, Operation(verb=Verb.DELETE, key="k")))
    (outcome,), _ = state.apply(T + 2, "U1", record(2, put("k", 2, prev=revision(T, 0))))
    assert (outcome.applied, outcome.found) == (False, 0)
    (outcome,), _ = state.apply(T + 3, "U1", record(3, put("k", 2, prev=0)))
    assert outcome.applied


def test_a_record_out_of_order_is_refused_and_changes_nothing() -> None:
    state = State()
    state.apply(T + 5, "U1", record(0, put("k")))
    before = state.dump()
    for at in (T + 5, T):
        with pytest.raises(ValueError, match="not after"):
            state.apply(at, "U1", record(1, put("k")))
    assert state.dump() == before


def replayed(log: list[tuple[int, Record]]) -> State:
    state = State()
    for at, each in log:
        state.apply(at, "U1", each)
    return state


def chained() -> list[tuple[int, Record]]:
    """Three records, each of whose writers knew all before."""
    state, log = State(), list[tuple[int, Record]]()
    for number in range(3):
        new = record(number, put(f"k{number}"), chain=state.chain())
        state.apply(T + number, "U1", new)
        log.append((T + number, new))
    return log


@pytest.mark.parametrize("gone", [0, 1])
def test_a_record_that_was_deleted_is_missed_by_the_next_one(gone: int) -> None:
    log = chained()
    del log[gone]
    with pytest.raises(LogBroken, match="changed by hand"):
        replayed(log)


def test_a_record_that_was_replaced_is_missed_by_the_next_one() -> None:
    log = chained()
    log[1] = (log[1][0], record(7, put("k1", "forged"), chain=log[1][1].chain))
    with pytest.raises(LogBroken):
        replayed(log)
    assert replayed(log[:2]).count == 2


def test_a_record_whose_writer_missed_another_one_counts() -> None:
    state = State()
    state.apply(T, "U1", record(0, put("a")))
    early = state.chain()
    state.apply(T + 1, "U2", record(1, put("b"), writer="v"))
    state.apply(T + 2, "U1", record(2, put("c"), chain=early))
    late = State()
    late.apply(T, "U1", record(0, put("a")))
    late.apply(T + 2, "U1", record(2, put("c"), chain=early))
    state.apply(T + 3, "U3", record(3, put("d"), chain=late.chain()))
    assert state.count == 4


def test_places_are_forgotten_only_when_no_writer_can_name_them() -> None:
    state = State()
    for number in range(50):
        at = T + number * WINDOW // 5
        state.apply(at, "U1", record(number, put("k"), born=at, chain=state.chain()))
    assert len(state._places) < 15
    old = Chain(T, 1, "something else")
    state.check(old)


def test_the_same_records_make_the_same_bytes_and_the_bytes_the_same_state() -> None:
    log = [(T + 3 * number, record(number, put(f"k{number % 4}", number, ttl=number))) for number in range(20)]
    one, two = State(), State()
    for at, each in log:
        one.apply(at, "U1", each)
        two.advance(at - 1)
        two.apply(at, "U1", each)
    one.advance(T + 100)
    two.advance(T + 100)
    loaded = State.load(one.dump())
    assert one.dump() == two.dump() == one.copy().dump() == loaded.dump()
    new = record(99, put("k", 1, ttl=4), chain=one.chain())
    assert one.apply(T + 101, "U2", new) == loaded.apply(T + 101, "U2", new)
    assert one.dump() == loaded.dump()


@pytest.mark.parametrize("data", [b"", b"[]", b"[1,2,[1,2,3]]", b"[" * 100_000, "ä".encode("latin-1")])
def test_bytes_that_are_no_state_are_refused(data: bytes) -> None:
    with pytest.raises(SnapshotDamaged):
        State.load(data)


def test_copies_of_one_write_in_whatever_order_count_once() -> None:
    writes = [record(number, put("k", number)) for number in range(3)]
    for order in permutations([*writes, *writes[:1]]):
        state = State()
        for place, each in enumerate(order):
            state.apply(T + place, "U1", each)
        assert state.count == 4
        assert len([1 for number in range(3) if state.outcome(f"w/{number}")]) == 3


def move(channel: str) -> Operation:
    return Operation(verb=Verb.MOVE, key=channel, prev=0, ttl=NOTICE)


def moved() -> State:
    """A store with one key, whose channel says where it goes on."""
    state = State()
    state.apply(T, "U1", record(0, put("k", "a", ttl=2 * NOTICE)))
    state.apply(T + 1, "U1", record(1, move("C2")))
    return state


def test_the_first_record_that_names_a_successor_is_right() -> None:
    state = moved()
    (outcome,), _ = state.apply(T + 2, "U2", record(2, move("C3")))
    assert not outcome.applied
    assert (state.successor, state.closes) == ("C2", T + 1 + NOTICE)


def test_records_count_in_the_channel_until_the_store_leaves_it_and_not_from_then_on() -> None:
    state = moved()
    assert state.counts(T + NOTICE)
    assert not state.counts(T + 1 + NOTICE)
    state.apply(T + NOTICE, "U1", record(2, put("last"), born=T + NOTICE))
    with pytest.raises(ValueError, match="not before"):
        state.apply(T + 1 + NOTICE, "U1", record(3, put("late"), born=T + NOTICE))
    assert state.now < state.closes
    state.advance(T + 10 * NOTICE)
    assert state.closed
    assert state.now == T + 1 + NOTICE  # what runs out later runs out in the next channel
    assert state.keys() == ["k", "last"]


def test_the_state_goes_on_in_the_next_channel_with_its_keys_and_the_ids_of_groups() -> None:
    state = moved()
    state.advance(T + 10 * NOTICE)
    there = state.onward("C1")
    assert (there.successor, there.closed, there.trail) == ("", False, (("C1", T + 1 + NOTICE),))
    (again,), changes = there.apply(T + 2 + NOTICE, "U1", record(0, put("k", "b")))
    assert (again.revision, changes) == (revision(T, 0), ())
    assert [change.key for change in there.advance(T + 3 * NOTICE)] == ["k"]
    assert State.load(there.dump()).dump() == there.dump()


def test_a_state_goes_nowhere_before_its_channel_is_closed() -> None:
    with pytest.raises(ValueError, match="still"):
        moved().onward("C1")


def test_a_snapshot_of_a_store_that_is_about_to_leave_says_where_it_goes() -> None:
    state = State.load(moved().dump())
    assert (state.successor, state.closes) == ("C2", T + 1 + NOTICE)
