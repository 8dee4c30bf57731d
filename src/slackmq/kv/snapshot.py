"""A state as chunks of text, and back: compressed, with a digest of the whole."""

from __future__ import annotations

import hashlib
import hmac
import zlib
from base64 import b85decode, b85encode
from typing import TYPE_CHECKING, Any

import msgspec

from slackmq.kv.errors import SnapshotDamaged
from slackmq.kv.log import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slackmq.kv.record import Tag

__all__ = ["CHUNK", "PART", "SNAPSHOT", "Manifest", "packed", "read_manifest", "unpacked", "written"]

SNAPSHOT = "slackmq_kv_snapshot"
"""The type of the metadata of a message that says where a snapshot is."""
PART = "slackmq_kv_part"
"""The type of the metadata of a reply that holds a part of one."""
VERSION = 1
CHUNK = 7_500
"""Characters of a part: what a record's body may have, less its frame."""
_LARGEST = 256 * 1024 * 1024
"""Bytes that a snapshot may unpack to: more is no snapshot of a store, it is meant to fill a memory."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Where a snapshot is, and what it must be.

    Attributes:
        upto: everything up to this moment is in it, in microseconds by Slack's clock.
        count: how many records that were.
        thread: ts of the message under which its parts stand.
        parts: how many.
        sha256: digest of the whole.
    """

    upto: int
    count: int
    thread: str
    parts: int
    sha256: str


class _Stamp(msgspec.Struct, frozen=True, kw_only=True):
    v: int
    manifest: Manifest
    tag: str


def packed(state: State) -> tuple[str, tuple[str, ...]]:
    """A state's digest and its parts: the same for everybody who has taken in the same records."""
    data = state.dump()
    text = b85encode(zlib.compress(data, 6)).decode()
    return hashlib.sha256(data).hexdigest(), tuple(text[at : at + CHUNK] for at in range(0, len(text), CHUNK))


def unpacked(parts: Sequence[str], sha256: str) -> State:
    """The state that was packed.

    Raises:
        SnapshotDamaged: parts are missing, or were changed.
    """
    try:
        stream = zlib.decompressobj()
        data = stream.decompress(b85decode("".join(parts)), _LARGEST)
    except (ValueError, zlib.error) as error:
        raise SnapshotDamaged(f"A snapshot cannot be unpacked: {error}") from error
    if not stream.eof or not hmac.compare_digest(hashlib.sha256(data).hexdigest(), sha256):
        raise SnapshotDamaged("A snapshot's digest does not fit.")
    return State.load(data)


def written(manifest: Manifest, *, channel: str, tag: Tag) -> Mapping[str, Any]:
    """The payload of a manifest."""
    return {"v": VERSION, "manifest": msgspec.to_builtins(manifest), "tag": tag(_signed(manifest, channel))}


def read_manifest(payload: Mapping[str, Any], *, channel: str, tag: Tag) -> Manifest | None:
    """The manifest in a payload; None if it is damaged, forged, or of another version: there are others."""
    try:
        stamp = msgspec.convert(payload, _Stamp)
    except msgspec.ValidationError:
        return None
    fits = hmac.compare_digest(stamp.tag.encode(errors="replace"), tag(_signed(stamp.manifest, channel)).encode())
    return stamp.manifest if fits and stamp.v == VERSION else None


def _signed(manifest: Manifest, channel: str) -> str:
    return f"snapshot {VERSION}\n{channel}\n{msgspec.json.encode(manifest).decode()}"
