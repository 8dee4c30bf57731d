from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackmq.kv.entry import encode
from slackmq.kv.errors import RecordDamaged, RecordForged, RecordTooNew, ValueRejected
from slackmq.kv.record import (
    BODY_LIMIT,
    NOTICE,
    VERSION,
    Chain,
    Group,
    Operation,
    Record,
    Verb,
    micros,
    opened,
    revision,
    sealed,
    shown,
    weight,
)
from slackmq.kv.seal import Seal

if TYPE_CHECKING:
    from collections.abc import Mapping

NOBODY = Chain(0, 0, "")
HERE = Seal("C1")


def put(key: str, value: object, **more: Any) -> Operation:
    return Operation(verb=Verb.PUT, key=key, value=encode(value), **more)


def record(*operations: Operation) -> Record:
    groups = tuple(Group(number=number, operations=(each,)) for number, each in enumerate(operations))
    return Record(writer="w" * 32, born=1_700_000_000_000_000, groups=groups, chain=NOBODY)


def read(payload: Mapping[str, Any], **more: Any) -> object:
    return opened(payload, author="U1", seal=more.pop("seal", HERE), **more)


@given(
    st.lists(
        st.tuples(st.text("abcä", min_size=1), st.integers() | st.text(), st.integers(-1, 2**62)),
        min_size=1,
        max_size=20,
    )
)
def test_a_record_comes_back_as_it_was(given_: list[tuple[str, object, int]]) -> None:
    wrote = record(
        *(put(key, value if not isinstance(value, int) else value % 2**60, prev=prev) for key, value, prev in given_)
    )
    got = read(sealed(wrote, seal=HERE))
    assert isinstance(got, Record)
    assert got.groups == wrote.groups
    assert (got.writer, got.born, got.chain) == (wrote.writer, wrote.born, wrote.chain)
    assert got.digest


@pytest.mark.parametrize("verb", [Verb.DELETE, Verb.PURGE, Verb.CHECK])
def test_operations_without_a_value_come_back(verb: str) -> None:
    wrote = record(Operation(verb=verb, key="k", prev=3), put("b", b"\x00\xff", ttl=5))
    got = read(sealed(wrote, seal=HERE))
    assert isinstance(got, Record)
    assert got.groups == wrote.groups


def test_a_record_that_names_the_next_channel_comes_back_and_people_read_it() -> None:
    wrote = record(Operation(verb=Verb.MOVE, key="C2", prev=0, ttl=NOTICE))
    got = read(sealed(wrote, seal=HERE))
    assert isinstance(got, Record)
    assert got.groups == wrote.groups
    assert shown(wrote) == "the store goes on in C2"


def test_a_record_that_is_too_large_is_refused_and_says_how_large_it_may_be() -> None:
    with pytest.raises(ValueRejected, match=f"{BODY_LIMIT:,}"):
        sealed(record(put("k", "x" * BODY_LIMIT)), seal=HERE)


def test_the_weight_of_groups_is_what_they_take() -> None:
    one, two = record(put("k", 'a"b')), record(put("k", 'a"b'), put("l", "ä"))
    longer = len(json.dumps(sealed(two, seal=HERE)["body"])) - len(json.dumps(sealed(one, seal=HERE)["body"]))
    assert abs(weight(two.groups[1]) - longer) <= 2


def test_a_newer_record_is_named_so() -> None:
    assert isinstance(read(HERE.stamp("", VERSION + 1, "whatever")), RecordTooNew)


def test_nobody_can_pretend_that_a_record_is_newer() -> None:
    payload = {**sealed(record(put("k", 1)), seal=HERE), "v": VERSION + 1}
    assert isinstance(read(payload), RecordDamaged)


def test_an_edited_record_is_damaged() -> None:
    payload = sealed(record(put("k", 1)), seal=HERE)
    assert isinstance(read({**payload, "body": payload["body"].replace("k", "j")}), RecordDamaged)


def test_a_record_copied_into_another_channel_is_damaged() -> None:
    assert isinstance(read(sealed(record(put("k", 1)), seal=Seal("C2"))), RecordDamaged)


def test_only_listed_authors_may_write() -> None:
    payload = sealed(record(put("k", 1)), seal=HERE)
    assert isinstance(read(payload, authors=frozenset({"U2"})), RecordForged)
    assert isinstance(read(payload, authors=frozenset({"U1"})), Record)


def signed(body: str) -> Mapping[str, Any]:
    return HERE.stamp("", VERSION, body)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"v": "1", "body": 3, "tag": None},
        signed("[]"),
        signed("["),
        signed("[" * 100_000),
        signed('["w",1,[0,0,""],[]]'),
        signed('["w",1,[0,0,""],[[0,[]]]]'),
        signed('["w",1,[0,0,""],[[0,[["w","k",-1]]]]]'),
        signed('["w",1,[0,0,""],[[0,[["w","k",-1,"b","!"]]]]]'),
        signed('["w",1,[0,0,""],[[0,[["x","k",-1]]]]]'),
        signed('["w",1,[0,0,""],[[0,[["d","a\\nb",-1]]]]]'),
        signed('["w",1,[0,0,""],[[0,[["d","k",-2]]]]]'),
        signed('["w",1,[0,0,""],[[0,[["d","k",0],["d","k",1]]]]]'),
        signed('["w",1,[0,0,""],[[0,[["m","C2",0]]]]]'),
        signed(f'["w",1,[0,0,""],[[0,[["m","C2",-1,null,null,{NOTICE}]]]]]'),
        signed(f'["w",1,[0,0,""],[[0,[["m","C2",0,null,null,{NOTICE - 1}]]]]]'),
        signed(f'["w",1,[0,0,""],[[0,[["m","C2",0,null,null,{100 * NOTICE}]]]]]'),
        signed(f'["w",1,[0,0,""],[[0,[["w","k",-1,"j",0,{10**20}]]]]]'),
        signed(f'["w",1,[0,0,""],[[0,[["w","k",-1,"j",{"[" * 101}{"]" * 101}]]]]]'),
    ],
    ids=range(19),
)
def test_what_is_no_record_is_damaged_and_breaks_nothing(payload: dict[str, object]) -> None:
    assert isinstance(read(payload), RecordDamaged)


def test_people_read_what_a_record_does() -> None:
    said = shown(record(put("lamp", {"on": True}), put("b", b"x"), Operation(verb=Verb.DELETE, key="old")))
    assert said == 'lamp = {"on":true}, b = …, old deleted'
    assert len(shown(record(put("k", "x" * 1_000)))) <= 300


def test_timestamps_become_microseconds_and_revisions_exactly() -> None:
    assert micros("1700000000.000001") == 1_700_000_000_000_001
    assert revision(micros("1700000000.000001"), 7) == 1_700_000_000_000_001_007
