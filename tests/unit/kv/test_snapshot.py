from __future__ import annotations

import pytest

from slackmq.kv.entry import encode
from slackmq.kv.errors import SnapshotDamaged
from slackmq.kv.log import State
from slackmq.kv.record import Chain, Group, Operation, Record, Verb, plain_tag
from slackmq.kv.snapshot import CHUNK, Manifest, packed, read_manifest, unpacked, written

T = 1_700_000_000_000_000


def filled(keys: int) -> State:
    state = State()
    for number in range(keys):
        put = Operation(verb=Verb.PUT, key=f"k{number}", value=encode(f"{number * 7919:x}" * 9))
        group = Group(number=number, operations=(put,))
        record = Record(writer="w", born=T, groups=(group,), chain=Chain(0, 0, ""), digest=str(number))
        state.apply(T + number, "U1", record)
    state.advance(T + keys + 5)
    return state


def test_a_state_comes_back_from_its_parts() -> None:
    state = filled(1_000)
    sha256, parts = packed(state)
    assert len(parts) > 2
    assert all(len(part) <= CHUNK for part in parts)
    assert unpacked(parts, sha256).dump() == state.dump()


def test_two_replicas_pack_the_same_parts() -> None:
    assert packed(filled(50)) == packed(State.load(filled(50).dump()))


def test_parts_that_are_missing_changed_or_of_another_snapshot_are_refused() -> None:
    sha256, parts = packed(filled(1_000))
    changed = ("A" + parts[0][1:], *parts[1:])
    for wrong in (parts[:-1], parts[1:], changed, (*parts, "0"), (), ("ä",), ("é" * 50,)):
        with pytest.raises(SnapshotDamaged):
            unpacked(wrong, sha256)
    with pytest.raises(SnapshotDamaged):
        unpacked(parts, packed(filled(3))[0])


def test_a_manifest_counts_only_as_it_was_written_and_where() -> None:
    manifest = Manifest(upto=T, count=3, thread="1.000002", parts=2, sha256="0" * 64)
    payload = dict(written(manifest, channel="C1", tag=plain_tag))
    assert read_manifest(payload, channel="C1", tag=plain_tag) == manifest
    assert read_manifest(payload, channel="C2", tag=plain_tag) is None
    assert read_manifest({**payload, "v": 2}, channel="C1", tag=plain_tag) is None
    assert (
        read_manifest({**payload, "manifest": {**payload["manifest"], "parts": 3}}, channel="C1", tag=plain_tag) is None
    )
    assert read_manifest({}, channel="C1", tag=plain_tag) is None
