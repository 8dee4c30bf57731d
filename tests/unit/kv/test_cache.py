"""A cache gives back what was saved, or says that it cannot; it shows nothing of an encrypted store."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from slackmq.clock import SYSTEM
from slackmq.kv.cache import Cache, Since
from slackmq.kv.entry import encode
from slackmq.kv.errors import CacheUnusable
from slackmq.kv.log import State
from slackmq.kv.record import Chain, Group, Operation, Record, Verb
from slackmq.kv.seal import Seal
from slackmq.kv.secret import Secret
from slackmq.kv.snapshot import Manifest

if TYPE_CHECKING:
    from pathlib import Path

T = 1_700_000_000_000_000
KEY = "key" * 12
SINCE = Since(oldest=T - 5, archived=Manifest(upto=T, count=1, thread="1.000002", parts=2, sha256="0" * 64))
SEALS = {
    "plain": Seal("C1"),
    "signed": Seal("C1", secret=Secret(KEY)),
    "encrypted": Seal("C1", secret=Secret(KEY, encrypt=True), new_id=SYSTEM.new_id),
}


AUTHOR, WRITER = "U0AUTHOR01", "0123456789abcdef"


@pytest.fixture(params=list(SEALS))
def seal(request: pytest.FixtureRequest) -> Seal:
    return SEALS[request.param]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.db"


def step(state: State, number: int, *operations: Operation) -> set[str]:
    group = Group(number=number, operations=operations)
    record = Record(writer=WRITER, born=T + number, groups=(group,), chain=Chain(0, 0, ""), digest=str(number))
    _, changes = state.apply(T + number, AUTHOR, record)
    return {change.key for change in changes}


def put(key: str, value: object, ttl: int = 0) -> Operation:
    return Operation(verb=Verb.PUT, key=key, value=encode(value), ttl=ttl)


def state_of(keys: int) -> State:
    state = State()
    for number in range(keys):
        step(state, number, put(f"lamp{number}", f"glaring{number}", ttl=10**9 if number % 2 else 0))
    return state


def save(cache: Cache, state: State, keys: set[str] | None = None) -> None:
    changed = list(state.items()) if keys is None else [(key, state.get(key)) for key in sorted(keys)]
    cache.save((state.dump(keys=False), changed), SINCE, anew=keys is None)


@pytest.fixture
def saved(path: Path, seal: Seal) -> State:
    state, cache = state_of(9), Cache(path, "T1 C1", seal)
    save(cache, state)
    cache.close()
    return state


def loaded(path: Path, seal: Seal, owner: str = "T1 C1") -> State | None:
    cache = Cache(path, owner, seal)
    try:
        found = cache.load()
        assert found is None or found[1] == SINCE
        return found and found[0]
    finally:
        cache.close()


def test_a_new_file_holds_nothing(path: Path, seal: Seal) -> None:
    assert loaded(path, seal) is None
    assert loaded(path, seal) is None
    assert path.stat().st_mode & 0o077 == 0


def test_a_state_comes_back_as_it_was_saved_bit_by_bit(path: Path, seal: Seal, saved: State) -> None:
    found = loaded(path, seal)
    assert found is not None
    assert found.dump() == saved.dump()
    cache = Cache(path, "T1 C1", seal)
    moved = step(saved, 100, put("lamp3", "dim"), Operation(verb=Verb.DELETE, key="lamp4"), put("new", 1))
    save(cache, saved, moved)
    save(cache, saved, step(saved, 101, put("lamp3", "off"), put("lamp4", "back")))
    cache.close()
    found = loaded(path, seal)
    assert found is not None
    assert found.dump() == saved.dump()
    assert [change.key for change in found.advance(T + 2 * 10**9)] == [
        change.key for change in saved.advance(T + 2 * 10**9)
    ]


def test_what_is_saved_anew_forgets_what_was_there(path: Path, seal: Seal, saved: State) -> None:
    cache, fewer = Cache(path, "T1 C1", seal), state_of(2)
    save(cache, fewer)
    found = cache.load()
    assert found is not None
    assert found[0].dump() == fewer.dump() != saved.dump()
    cache.close()


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM heads WHERE id = (SELECT max(id) FROM heads)",
        "UPDATE heads SET body = x'00' WHERE id = (SELECT max(id) FROM heads)",
        "UPDATE heads SET id = 'x' WHERE id = (SELECT max(id) FROM heads)",
        "UPDATE about SET rest = x'00'",
        "UPDATE about SET total = '0'",
        "UPDATE about SET tag = ''",
        "DROP TABLE heads",
        "DROP TABLE about",
    ],
)
def test_a_damaged_file_is_not_believed(path: Path, seal: Seal, saved: State, damage: str) -> None:
    assert len(saved) == 9
    base = sqlite3.connect(path)
    base.execute(damage)
    base.commit()
    base.close()
    with pytest.raises(CacheUnusable):
        loaded(path, seal)


def test_what_was_damaged_is_made_anew(path: Path, seal: Seal, saved: State) -> None:
    base = sqlite3.connect(path)
    base.execute("DELETE FROM heads WHERE id = (SELECT max(id) FROM heads)")
    base.commit()
    base.close()
    cache = Cache(path, "T1 C1", seal)
    with pytest.raises(CacheUnusable):
        cache.load()
    save(cache, saved)
    found = cache.load()
    assert found is not None
    assert found[0].dump() == saved.dump()
    cache.close()


def test_a_file_that_is_cut_off_is_not_believed(path: Path, seal: Seal, saved: State) -> None:
    assert len(saved) == 9
    path.write_bytes(path.read_bytes()[:5_000])
    with pytest.raises(CacheUnusable):
        loaded(path, seal)


def test_a_newer_file_and_one_of_somebody_else_are_left_as_they_are(tmp_path: Path, path: Path) -> None:
    cache = Cache(path, "T1 C1", SEALS["plain"])
    save(cache, state_of(9))
    cache.close()
    for pragma in ("PRAGMA user_version = 2", "PRAGMA application_id = 7"):
        base = sqlite3.connect(path)
        base.execute(pragma)
        base.commit()
        base.close()
        before = path.read_bytes()
        with pytest.raises(CacheUnusable, match=r"version 2|no cache"):
            loaded(path, SEALS["plain"])
        assert path.read_bytes() == before
    text = tmp_path / "letter.txt"
    text.write_text("Dear all, this is no database, and long enough to be taken for something.")
    with pytest.raises(CacheUnusable):
        loaded(text, SEALS["plain"])
    assert text.read_text().startswith("Dear")
    with pytest.raises(CacheUnusable, match="cannot be opened"):
        loaded(tmp_path / "nowhere" / "cache.db", SEALS["plain"])


def test_the_cache_of_another_store_or_key_is_not_used(path: Path) -> None:
    cache = Cache(path, "T1 C1", SEALS["signed"])
    save(cache, state_of(2))
    cache.close()
    for owner, other in (
        ("T1 C2", SEALS["signed"]),
        ("T1 C1", SEALS["plain"]),
        ("T1 C1", SEALS["encrypted"]),
        ("T1 C1", Seal("C1", secret=Secret("other" * 12))),
    ):
        with pytest.raises(CacheUnusable, match="another"):
            loaded(path, other, owner)
    assert loaded(path, SEALS["signed"]) is not None


def test_a_file_has_one_process_at_a_time(path: Path, seal: Seal, saved: State) -> None:
    assert len(saved) == 9
    cache = Cache(path, "T1 C1", seal)
    with pytest.raises(CacheUnusable, match="of its own"):
        Cache(path, "T1 C1", seal)
    cache.close()
    Cache(path, "T1 C1", seal).close()


def test_the_cache_of_an_encrypted_store_holds_neither_keys_nor_values(path: Path) -> None:
    cache = Cache(path, "T1 C1", SEALS["encrypted"])
    state = state_of(9)
    save(cache, state)
    save(cache, state, step(state, 100, put("lamp1", "glaring again")))
    names = [file.name for file in path.parent.iterdir()]
    shown = b"".join(file.read_bytes() for file in path.parent.iterdir())
    cache.close()
    shown += path.read_bytes()
    for word in (
        b"lamp0",
        b"lamp1",
        b"glaring",
        AUTHOR.encode(),
        WRITER.encode(),
        KEY.encode(),
    ):  # long enough not to come by chance
        assert word not in shown, names
