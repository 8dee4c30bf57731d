"""Seal: makes sure that what stands in a channel was written by whoever has the key, and, if asked to, hides it."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b85decode, b85encode
from typing import TYPE_CHECKING, Any

import msgspec

from slackmq.kv.cipher import Cipher
from slackmq.kv.errors import RecordDamaged, RecordForeign, RecordForged, RecordTooNew, SecretMismatch
from slackmq.kv.secret import KEY, Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slackmq.kv.errors import RecordRejected

__all__ = ["Seal", "digest"]

_NONCE = 12
"""Bytes: docs of AES-GCM (NIST SP 800-38D, 8.2.2); drawn at random, so a key is good for 2^32 messages."""
_ID = 4
"""Bytes of a key's id."""
_ROOM = 4, 5
"""Of five characters of what is hidden four bytes are its own."""
_OVERHEAD = 64
"""Characters that hiding adds besides: the key's id, the nonce and the tag."""


class _Stamp(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    v: int
    body: str
    tag: str
    key: str = ""
    by: str = ""
    hidden: bool = False
    kin: dict[str, str] = {}


class _Key:
    """What is made of one key for one channel: each use has a key of its own."""

    def __init__(self, key: bytes, channel: str) -> None:
        def derived(use: str) -> bytes:
            return hmac.digest(key, f"slackmq kv 1\n{use}\n{channel}".encode(), "sha256")

        self.id = derived("id")[:_ID]
        self._body = derived("body")
        self._tag = derived("tag")
        self._cipher: Cipher | None = None

    @property
    def cipher(self) -> Cipher:
        if self._cipher is None:
            self._cipher = Cipher(self._body)
        return self._cipher

    def tag(self, text: str) -> str:
        return hmac.digest(self._tag, text.encode(errors="replace"), "sha256").hex()

    def vouch(self, other: str) -> str:
        """What only who has this key can say of another one: that it is the store's, too."""
        return self.tag(f"kin\n{other}")[:32]


class Seal:
    """Stamps and reads what stands in one channel.

    A tag is made of the channel, the version, the author and the body, so what is copied to another place, edited,
    or posted by somebody else has none.

    Args:
        channel: id of the channel.
        author: user id of who writes here; "" where nothing is written.
        secret: the keys; without one tags are plain digests.
        new_id: draws 32 hexadecimal digits, for nonces.

    Attributes:
        channel: id of the channel.
        hides: whether it encrypts.
        signs: whether nothing counts that was not signed.
    """

    def __init__(
        self, channel: str, *, author: str = "", secret: Secret | None = None, new_id: Callable[[], str] | None = None
    ) -> None:
        secret = secret or Secret()
        self.hides = secret.encrypt
        self.signs = bool(secret.keys) and not secret.unsigned
        self.channel = channel
        self.author = author
        self._unsigned = secret.unsigned or not secret.keys
        self._keys = {each.id.hex(): each for each in (_Key(key, channel) for key in secret.keys)}
        self._key = next(iter(self._keys.values()), None)
        self._new_id = new_id

    @property
    def id(self) -> str:
        """Names the key that signs, and betrays nothing of it; "" without one."""
        return self._key.id.hex() if self._key else ""

    @property
    def ids(self) -> frozenset[str]:
        """Names all keys that this process has; "" where records count that nobody signed."""
        return frozenset([*self._keys, ""] if self._unsigned else self._keys)

    def room(self, limit: int) -> int:
        """How many characters a body may have so that it takes no more than `limit` as it is posted."""
        return limit * _ROOM[0] // _ROOM[1] - _OVERHEAD if self.hides else limit

    def stamp(self, kind: str, version: int, body: str) -> Mapping[str, Any]:
        """The payload that holds a body, and proves where it comes from."""
        key, by = self._key, self.author
        if key is None:
            return {"v": version, "body": body, "tag": digest(self._plain(kind, version, body))}
        if self.hides:
            body = b85encode(self.hide(body.encode(), f"{kind}{version}\n{by}")).decode()
        tag = key.tag(self._said(kind, version, body, by=by, hidden=self.hides))
        kin = {ident: other.vouch(key.id.hex()) for ident, other in self._keys.items() if other is not key}
        stamp = _Stamp(v=version, body=body, tag=tag, key=key.id.hex(), by=by, hidden=self.hides, kin=kin)
        payload: dict[str, Any] = msgspec.to_builtins(stamp)
        return payload

    def read(self, kind: str, payload: Mapping[str, Any], *, author: str, newest: int) -> tuple[str, str]:
        """The body of a payload, and the digest of it as it was posted.

        Args:
            kind: what it should be.
            payload: the metadata's payload.
            author: user id of who posted it; "" where Slack does not tell.
            newest: the newest version that can be read.

        Raises:
            RecordRejected: it counts for nobody.
            SecretMismatch: it is the store's, and cannot be read with what this process has.
        """
        try:
            stamp = msgspec.convert(payload, _Stamp)
        except msgspec.ValidationError as error:
            raise RecordDamaged(f"A record of version {payload.get('v')!r} cannot be read: {error}") from error
        key = self._verify(kind, stamp, author)
        if stamp.v > newest:
            raise _too_new(stamp.v, newest)
        if key is None or not stamp.hidden:
            return stamp.body, digest(stamp.body)
        if key is self._key and not self.hides:
            raise SecretMismatch(
                "The store is encrypted, and this process would write what all can read.",
                remedy="Give it Secret(…, encrypt=True), or SLACKMQ_KV_ENCRYPT=1.",
            )
        try:
            body = self.reveal(b85decode(stamp.body), f"{kind}{stamp.v}\n{stamp.by}").decode()
        except ValueError as error:
            raise RecordDamaged(f"A record cannot be decrypted: {error}") from error
        return body, digest(stamp.body)

    def hide(self, data: bytes, about: str) -> bytes:
        """Encrypt data; what it is about must be named again to get it back."""
        if self._key is None or self._new_id is None:
            raise AssertionError("unreachable: a seal that hides has a key, and is given ids")
        drawn = self._new_id()
        # The digits of a random UUID that are random: the version and the variant stand between them.
        nonce = bytes.fromhex(drawn[:12] + drawn[20:])
        return self._key.id + nonce + self._key.cipher.encrypt(nonce, data, self._about(about))

    def reveal(self, data: bytes, about: str) -> bytes:
        """What was hidden.

        Raises:
            ValueError: it was changed, is about something else, or its key is not here.
        """
        key = self._keys.get(data[:_ID].hex())
        if key is None:
            raise ValueError("its key is not known here")
        nonce = data[_ID : _ID + _NONCE]
        return key.cipher.decrypt(nonce, data[_ID + _NONCE :], self._about(about))

    def sign(self, text: str) -> str:
        """What only who has the key can make of a text; a digest without one."""
        return self._key.tag(text) if self._key else digest(text)

    def _verify(self, kind: str, stamp: _Stamp, author: str) -> _Key | None:
        """The key with which a payload was signed."""
        if not stamp.key:
            if not self._unsigned:
                raise RecordForeign("It is not signed, and this store has a key.", remedy=_REMEDY)
            if not _same(stamp.tag, digest(self._plain(kind, stamp.v, stamp.body))):
                raise RecordDamaged("Its digest does not fit: it was changed after it was posted.")
            return None
        key = self._keys.get(stamp.key)
        if key is None:
            raise self._unknown(stamp)
        said = self._said(kind, stamp.v, stamp.body, by=stamp.by, hidden=stamp.hidden)
        if not _same(stamp.tag, key.tag(said)) or author not in {"", stamp.by}:
            raise RecordForged("It was not signed with the store's key by who posted it, or changed later.")
        return key

    def _unknown(self, stamp: _Stamp) -> RecordRejected:
        if not self._keys:
            return SecretMismatch(
                "The store has a key, and this process has none.",
                remedy=f"Set {KEY} as for the other processes, or give the store a Secret.",
            )
        if any(_same(stamp.kin.get(ident, ""), key.vouch(stamp.key)) for ident, key in self._keys.items()):
            return SecretMismatch(
                "The store is written with a key that this process does not have: its key was changed.",
                remedy=f"Give every process the same keys in {KEY} or in the Secret, and start this one again.",
            )
        return RecordForeign("It is signed with a key that is not known here.", remedy=_REMEDY)

    def _plain(self, kind: str, version: int, body: str) -> str:
        return f"{kind}{version}\n{self.channel}\n{body}"

    def _said(self, kind: str, version: int, body: str, *, by: str, hidden: bool) -> str:
        return f"{kind}{version}\n{self.channel}\n{by}\n{hidden:d}\n{body}"

    def _about(self, about: str) -> bytes:
        return f"{about}\n{self.channel}".encode()


def digest(text: str) -> str:
    """The digest of a text: it shows damage, and stops nobody."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


_REMEDY = f"If it was written by one of your processes, give all of them the same {KEY}."


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode())


def _too_new(version: int, newest: int) -> RecordTooNew:
    return RecordTooNew(
        f"A record is written in version {version}; here records are read up to version {newest}.",
        remedy="Upgrade slackmq here: what the record did cannot be known otherwise.",
    )
