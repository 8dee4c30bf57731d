"""Who has not the key can neither write, nor change, nor, where it is encrypted, read what stands in the channel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError
from slackmq.kv import cipher
from slackmq.kv.entry import encode
from slackmq.kv.errors import RecordDamaged, RecordForeign, RecordForged, SecretMismatch, ValueRejected
from slackmq.kv.record import BODY_LIMIT, Chain, Group, Operation, Record, Verb, opened, sealed, shown
from slackmq.kv.seal import Seal
from slackmq.kv.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

OLD, NEW, OTHER = "old" * 12, "new" * 12, "other" * 12


def seal(*keys: str, channel: str = "C1", author: str = "U1", **more: bool) -> Seal:
    return Seal(channel, author=author, secret=Secret(*keys, **more), new_id=SYSTEM.new_id)


def record(value: object = 1) -> Record:
    put = Operation(verb=Verb.PUT, key="lamp", value=encode(value))
    group = Group(number=0, operations=(put,))
    return Record(writer="w" * 32, born=1_700_000_000_000_000, groups=(group,), chain=Chain(0, 0, ""))


def read(payload: Mapping[str, Any], by: Seal, author: str = "U1") -> object:
    return opened(payload, author=author, seal=by)


@pytest.mark.parametrize("encrypt", [False, True])
@settings(deadline=None)  # the first one imports what encrypts
@given(value=st.text() | st.binary() | st.integers(-(2**53), 2**53))
def test_a_record_comes_back_to_who_has_the_key(encrypt: bool, value: object) -> None:  # noqa: FBT001
    got = read(sealed(record(value), seal=seal(NEW, encrypt=encrypt)), seal(NEW, encrypt=encrypt))
    assert isinstance(got, Record)
    assert got.groups == record(value).groups


@pytest.mark.parametrize("encrypt", [False, True])
def test_a_record_that_was_changed_or_copied_is_forged(encrypt: bool) -> None:  # noqa: FBT001
    here = seal(NEW, encrypt=encrypt)
    payload = sealed(record(), seal=here)
    body = payload["body"]
    for wrong in (
        {**payload, "body": body[:-1] + ("0" if body[-1] != "0" else "1")},
        {**payload, "v": 2},
        {**payload, "by": "U2"},
        {**payload, "hidden": not encrypt},
        {**payload, "tag": "0" * 64},
        {**payload, "tag": "ä"},
    ):
        assert isinstance(read(wrong, here), RecordForged), wrong
    assert isinstance(read(payload, here, author="U2"), RecordForged)
    assert isinstance(read(payload, here, author=""), Record)
    assert isinstance(read(payload, seal(NEW, encrypt=encrypt, channel="C2")), RecordForged)


def test_without_the_key_nobody_writes() -> None:
    here = seal(NEW)
    assert isinstance(read(sealed(record(), seal=seal()), here), RecordForeign)
    assert isinstance(read(sealed(record(), seal=seal(OTHER)), here), RecordForeign)
    stolen = {**sealed(record(), seal=seal(OTHER)), "key": here.id}
    assert isinstance(read(stolen, here), RecordForged)


def test_a_process_without_the_key_of_a_store_stops_and_is_told_what_to_do() -> None:
    payload = sealed(record(), seal=seal(NEW))
    found = read(payload, seal())
    assert isinstance(found, SecretMismatch)
    assert "SLACKMQ_KV_KEY" in found.remedy


def test_a_key_is_changed_without_a_stop() -> None:
    before, meanwhile, after = seal(OLD, NEW), seal(NEW, OLD), seal(NEW)
    for reader in (before, meanwhile):
        for writer in (seal(OLD), before, meanwhile, after):
            assert isinstance(read(sealed(record(), seal=writer), reader), Record)
    assert isinstance(read(sealed(record(), seal=meanwhile), after), Record)
    assert isinstance(read(sealed(record(), seal=before), after), SecretMismatch)
    assert isinstance(read(sealed(record(), seal=seal(OLD)), after), RecordForeign)


def test_a_process_that_was_forgotten_when_the_key_was_changed_stops_and_says_so() -> None:
    found = read(sealed(record(), seal=seal(NEW, OLD)), seal(OLD))
    assert isinstance(found, SecretMismatch)
    assert "changed" in str(found)


def test_nobody_can_pretend_that_the_key_was_changed() -> None:
    real = sealed(record(), seal=seal(NEW, OLD))
    forged = {**sealed(record(), seal=seal(OTHER)), "kin": real["kin"]}
    assert isinstance(read(forged, seal(OLD)), RecordForeign)


def test_a_store_that_was_begun_without_a_key_can_be_given_one() -> None:
    unsigned = sealed(record(), seal=seal())
    assert isinstance(read(unsigned, seal(NEW, unsigned=True)), Record)
    assert isinstance(read({**unsigned, "body": "[]"}, seal(NEW, unsigned=True)), RecordDamaged)


def test_an_encrypted_record_shows_neither_keys_nor_values_nor_who_holds_what() -> None:
    here = seal(NEW, encrypt=True)
    said = json.dumps(sealed(record("secret value"), seal=here)) + shown(record("secret value"), hides=True)
    for word in ("lamp", "secret", "w" * 32, "1700000000"):
        assert word not in said
    assert shown(record(), hides=True) == "1 encrypted change"
    assert sealed(record(), seal=here)["body"] != sealed(record(), seal=here)["body"]


def test_a_process_that_does_not_encrypt_writes_nothing_into_an_encrypted_store() -> None:
    payload = sealed(record(), seal=seal(NEW, encrypt=True))
    found = read(payload, seal(NEW))
    assert isinstance(found, SecretMismatch)
    assert "SLACKMQ_KV_ENCRYPT" in found.remedy
    assert isinstance(read(sealed(record(), seal=seal(NEW)), seal(NEW, encrypt=True)), Record)
    assert isinstance(read(sealed(record(), seal=seal(OLD, encrypt=True)), seal(NEW, OLD)), Record)


def test_what_is_encrypted_fits_into_a_record_too() -> None:
    here = seal(NEW, encrypt=True)
    room = here.room(BODY_LIMIT)
    fits = record("x" * (room - 200))
    assert len(json.dumps(sealed(fits, seal=here)["body"])) <= BODY_LIMIT
    with pytest.raises(ValueRejected, match=f"{room:,}"):
        sealed(record("x" * room), seal=here)


def test_what_is_hidden_is_found_only_under_what_it_is_about() -> None:
    here = seal(NEW, encrypt=True)
    data = here.hide(b"value", "file 1")
    assert here.reveal(data, "file 1") == b"value"
    for wrong, about, by in (
        (data, "file 2", here),
        (data[:-1], "file 1", here),
        (b"", "file 1", here),
        (data, "file 1", seal(OTHER, encrypt=True)),
        (data, "file 1", seal(NEW, encrypt=True, channel="C2")),
    ):
        with pytest.raises(ValueError, match="key"):
            by.reveal(wrong, about)


# the secret


def test_the_secret_stands_in_the_environment() -> None:
    assert Secret.resolve({}).keys == ()
    found = Secret.resolve({"SLACKMQ_KV_KEY": f" {NEW} unsigned\n{OLD} ", "SLACKMQ_KV_ENCRYPT": "1"})
    assert found.keys == (NEW.encode(), OLD.encode())
    assert (found.encrypt, found.unsigned) == (True, True)
    assert not Secret.resolve({"SLACKMQ_KV_KEY": NEW, "SLACKMQ_KV_ENCRYPT": "no"}).encrypt


def test_a_secret_is_never_printed() -> None:
    said = f"{Secret(NEW, OLD, encrypt=True)!r}{seal(NEW)!r}"
    assert NEW not in said
    assert "2 keys" in said


def test_a_key_that_could_be_guessed_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigurationError, match="guessed") as caught:
        Secret("hunter2")
    assert "hunter2" not in str(caught.value)
    assert Secret(Secret.new_key()).keys
    with pytest.raises(ConfigurationError, match="needs a key"):
        Secret.resolve({"SLACKMQ_KV_ENCRYPT": "1"})


def test_encryption_says_which_package_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slackmq.kv.secret.available", lambda: False)
    with pytest.raises(ConfigurationError, match=r"slackmq\[crypto\]"):
        Secret(NEW, encrypt=True)
    assert Secret(NEW).keys
    monkeypatch.setitem(__import__("sys").modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    with pytest.raises(ConfigurationError, match=r"slackmq\[crypto\]"):
        cipher.Cipher(b"")
