"""A state as chunks of text, and back: compressed, with a digest of the whole."""

from __future__ import annotations

import re
import zlib
from base64 import b85decode, b85encode
from typing import TYPE_CHECKING, Any

import msgspec

from slackmq.kv.errors import RecordDamaged, RecordRejected, SnapshotDamaged
from slackmq.kv.log import State
from slackmq.kv.seal import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slackmq.kv.seal import Seal

__all__ = ["CHUNK", "PART", "SNAPSHOT", "Manifest", "packed", "read_manifest", "unpacked", "written"]

SNAPSHOT = "slackmq_kv_snapshot"
"""The type of the metadata of a message that says where a snapshot is."""
PART = "slackmq_kv_part"
"""The type of the metadata of a reply that holds a part of one."""
VERSION = 1
_KIND = "snapshot "
CHUNK = 7_500
"""Characters of a part: what a record's body may have, less its frame."""
_TS = re.compile(r"[0-9]{1,12}\.[0-9]{6}")
_LARGEST = 256 * 1024 * 1024
"""Bytes that a snapshot may unpack to: more is no snapshot of a store, it is meant to fill a memory."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Where a snapshot is, and what it must be.

    Attributes:
        upto: everything up to this moment is in it, in microseconds by Slack's clock.
        count: how many records that were.
        thread: ts of the message under which its parts stand.
        parts: how many.
        sha256: digest of the parts, one after the other, as they were posted.
        hidden: whether they are encrypted.
    """

    upto: int
    count: int
    thread: str
    parts: int
    sha256: str
    hidden: bool = False


def packed(state: State, seal: Seal) -> tuple[str, tuple[str, ...]]:
    """A state's digest and its parts: not encrypted, the same for everybody who has taken in the same records."""
    data = zlib.compress(state.dump(), 6)
    text = b85encode(seal.hide(data, _about(state.now)) if seal.hides else data).decode()
    return digest(text), tuple(text[at : at + CHUNK] for at in range(0, len(text), CHUNK))


def unpacked(parts: Sequence[str], manifest: Manifest, seal: Seal) -> State:
    """The state that was packed.

    Raises:
        SnapshotDamaged: parts are missing, or were changed.
    """
    text = "".join(parts)
    if digest(text) != manifest.sha256:
        raise SnapshotDamaged("A snapshot's digest does not fit.")
    try:
        data = b85decode(text)
        stream = zlib.decompressobj()
        data = stream.decompress(seal.reveal(data, _about(manifest.upto)) if manifest.hidden else data, _LARGEST)
    except (ValueError, zlib.error) as error:
        raise SnapshotDamaged(f"A snapshot cannot be unpacked: {error}") from error
    if not stream.eof:
        raise SnapshotDamaged("A snapshot is too large, or not whole.")
    state = State.load(data)
    if (state.now, state.count) != (manifest.upto, manifest.count):
        raise SnapshotDamaged("A snapshot is not of the moment that its manifest names.")
    return state


def written(manifest: Manifest, *, seal: Seal) -> Mapping[str, Any]:
    """The payload of a manifest."""
    return seal.stamp(_KIND, VERSION, msgspec.json.encode(manifest).decode())


def read_manifest(payload: Mapping[str, Any], *, author: str, seal: Seal) -> Manifest | RecordRejected:
    """The manifest in a payload, or why it counts for nobody."""
    try:
        body, _ = seal.read(_KIND, payload, author=author, newest=VERSION)
        return _manifest(body)
    except RecordRejected as error:
        return error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return RecordDamaged(f"A manifest cannot be read: {error}")


def _manifest(body: str) -> Manifest:
    manifest = msgspec.json.decode(body, type=Manifest)
    if not _TS.fullmatch(manifest.thread):
        raise ValueError(f"{manifest.thread!r} is no message")
    return manifest


def _about(upto: int) -> str:
    return f"{_KIND}{upto}"
