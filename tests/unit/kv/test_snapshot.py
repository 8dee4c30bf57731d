from __future__ import annotations

import zlib
from base64 import b85decode
from typing import Any

import msgspec
import pytest

from slackmq.clock import SYSTEM
from slackmq.kv.entry import encode
from slackmq.kv.errors import RecordDamaged, RecordTooNew, SnapshotDamaged
from slackmq.kv.log import State
from slackmq.kv.record import Chain, Group, Operation, Record, Verb
from slackmq.kv.seal import Seal
from slackmq.kv.secret import Secret
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


HERE = Seal("C1")
HIDING = Seal("C1", author="U1", secret=Secret("k" * 32, encrypt=True), new_id=SYSTEM.new_id)


def manifest_of(state: State, seal: Seal, **more: Any) -> tuple[Manifest, tuple[str, ...]]:
    sha256, parts = packed(state, seal)
    known: dict[str, Any] = {
        "upto": state.now,
        "count": state.count,
        "parts": len(parts),
        "sha256": sha256,
        "hidden": seal.hides,
    }
    return Manifest(thread="1.000002", **{**known, **more}), parts


@pytest.mark.parametrize("seal", [HERE, HIDING], ids=["plain", "encrypted"])
def test_a_state_comes_back_from_its_parts(seal: Seal) -> None:
    state = filled(1_000)
    manifest, parts = manifest_of(state, seal)
    assert len(parts) > 2
    assert all(len(part) <= CHUNK for part in parts)
    assert unpacked(parts, manifest, seal).dump() == state.dump()


def test_two_replicas_pack_the_same_parts() -> None:
    assert packed(filled(50), HERE) == packed(State.load(filled(50).dump()), HERE)


@pytest.mark.parametrize("seal", [HERE, HIDING], ids=["plain", "encrypted"])
def test_parts_that_are_missing_changed_or_of_another_snapshot_are_refused(seal: Seal) -> None:
    manifest, parts = manifest_of(filled(1_000), seal)
    changed = ("A" + parts[0][1:], *parts[1:])
    for wrong in (parts[:-1], parts[1:], changed, (*parts, "0"), (), ("ä",), ("é" * 50,)):
        with pytest.raises(SnapshotDamaged):
            unpacked(wrong, manifest, seal)
    for other in ({"upto": T}, {"count": 1}, {"sha256": packed(filled(3), seal)[0]}):
        with pytest.raises(SnapshotDamaged):
            unpacked(parts, manifest_of(filled(1_000), seal, **other)[0], seal)


def test_an_encrypted_snapshot_shows_nothing_and_needs_its_key() -> None:
    state = filled(20)
    manifest, parts = manifest_of(state, HIDING)
    shown = b85decode("".join(parts))
    assert not any(b'"k%d"' % number in shown for number in range(20))  # four bytes do not come by chance
    with pytest.raises(zlib.error):
        zlib.decompress(shown)
    for other in (HERE, Seal("C1", secret=Secret("j" * 32)), Seal("C2", secret=Secret("k" * 32))):
        with pytest.raises(SnapshotDamaged):
            unpacked(parts, manifest, other)


def test_a_manifest_counts_only_as_it_was_written_and_where() -> None:
    manifest = Manifest(upto=T, count=3, thread="1.000002", parts=2, sha256="0" * 64)
    payload = dict(written(manifest, seal=HERE))
    assert read_manifest(payload, author="U1", seal=HERE) == manifest
    assert isinstance(read_manifest(payload, author="U1", seal=Seal("C2")), RecordDamaged)
    assert isinstance(read_manifest({**payload, "v": 2}, author="U1", seal=HERE), RecordDamaged)
    other = {**payload, "body": payload["body"].replace('"parts":2', '"parts":3')}
    assert isinstance(read_manifest(other, author="U1", seal=HERE), RecordDamaged)
    nowhere = msgspec.json.encode(Manifest(upto=T, count=3, thread="there", parts=2, sha256="")).decode()
    for body in ("", "[]", "{}", "\ud800", "[" * 100_000, nowhere):
        assert isinstance(read_manifest(HERE.stamp("snapshot ", 1, body), author="U1", seal=HERE), RecordDamaged)
    assert isinstance(read_manifest({}, author="U1", seal=HERE), RecordDamaged)
    assert isinstance(read_manifest(HERE.stamp("snapshot ", 2, "?"), author="U1", seal=HERE), RecordTooNew)
