from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackmq.kv.entry import KEY_LIMIT, Entry, check_key, encode, moment
from slackmq.kv.errors import KeyRejected, ValueRejected

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@dataclass(frozen=True)
class Lamp:
    on: bool
    level: int = 1


@given(JSON | st.binary())
def test_a_value_comes_back_as_it_was(value: object) -> None:
    assert encode(value).decode() == value


def test_a_dataclass_is_stored_as_json_and_comes_back_as_itself() -> None:
    value = encode(Lamp(on=True)).decode()
    assert value == {"on": True, "level": 1}
    entry = Entry(key="lamp", value=value, revision=1, first=1, created=moment(1), modified=moment(1), author="U1")
    assert entry.to(Lamp) == Lamp(on=True)
    with pytest.raises(ValueRejected, match="lamp"):
        entry.to(int)


def test_whoever_changes_a_value_changes_nobody_elses() -> None:
    kept = encode({"on": [1]})
    value = kept.decode()
    assert isinstance(value, dict)
    value["on"] = 2
    assert kept.decode() == {"on": [1]}


@pytest.mark.parametrize("value", [float("nan"), {"a": float("inf")}, object(), {1: object()}, "\ud800", {(1, 2): 3}])
def test_what_is_neither_json_nor_bytes_is_refused_by_name(value: object) -> None:
    with pytest.raises(ValueRejected, match="cannot be stored"):
        encode(value)


@given(JSON, st.integers(0, 120))
def test_a_value_is_as_deep_as_all_can_read(inner: object, levels: int) -> None:
    def wrapped(value: object, times: int) -> object:
        for number in range(times):
            value = [1, value] if number % 2 else {"}[": value, '"': "\\"}
        return value

    assert encode(wrapped(1, 100)).decode() == wrapped(1, 100)
    with pytest.raises(ValueRejected, match="within each other"):
        encode(wrapped([inner], 100))
    assert encode(wrapped("[{" * 200, levels % 100)).decode() == wrapped("[{" * 200, levels % 100)


def test_whatever_holds_bytes_is_stored_as_bytes() -> None:
    assert encode(memoryview(b"ab")).decode() == encode(bytearray(b"ab")).decode() == b"ab"


@pytest.mark.parametrize("key", ["", "a\nb", "a\x00", "k" * (KEY_LIMIT + 1), "\ud800", "a\u2028b"])
def test_what_cannot_be_a_key_is_refused(key: str) -> None:
    with pytest.raises(KeyRejected, match="cannot be a key"):
        check_key(key)


@pytest.mark.parametrize("key", [5, None, b"k", ("a", "b")])
def test_what_is_no_text_is_refused_as_a_key(key: Any) -> None:
    with pytest.raises(KeyRejected, match="cannot be a key"):
        check_key(key)


@pytest.mark.parametrize("key", ["a", "a b", "lock/ä", "k" * KEY_LIMIT, "a.b/c:d"])
def test_other_text_can(key: str) -> None:
    assert check_key(key) == key
