"""Signpost: a message that leads from one channel of a store to another, for whoever opens it by any of their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from slackmq.kv.errors import RecordDamaged, RecordRejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.kv.seal import Seal

__all__ = ["ORIGIN", "SUCCESSOR", "Signpost", "read_signpost", "written_signpost"]

ORIGIN = "slackmq_kv_origin"
"""The type of the metadata of a message in a channel to which a store is about to move: it names the old one."""
SUCCESSOR = "slackmq_kv_successor"
"""The type of the metadata of a message in a channel that a store has left: it names the new one, and is posted again
each month, for the record that led there is gone when Slack's retention has passed."""
_VERSION = 1


class Signpost(msgspec.Struct, frozen=True, kw_only=True):
    """Where a store was, or goes on.

    Attributes:
        channel: id of the other channel.
        since: of a successor, from when on, in microseconds by Slack's clock.
    """

    channel: str
    since: int = 0


def written_signpost(kind: str, signpost: Signpost, *, seal: Seal) -> Mapping[str, Any]:
    """The payload of a signpost, whose type is `kind`."""
    return seal.stamp(f"{kind} ", _VERSION, msgspec.json.encode(signpost).decode())


def read_signpost(kind: str, payload: Mapping[str, Any], *, author: str, seal: Seal) -> Signpost | RecordRejected:
    """The signpost in a payload, or why it counts for nobody."""
    try:
        body, _ = seal.read(f"{kind} ", payload, author=author, newest=_VERSION)
        return msgspec.json.decode(body, type=Signpost)
    except RecordRejected as error:
        return error
    except msgspec.MsgspecError as error:
        return RecordDamaged(f"A signpost cannot be read: {error}")
