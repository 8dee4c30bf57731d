"""Reading: what a message of a store's channel is to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.kv.record import RECORD, opened
from slackmq.slack.api import TOMBSTONE

if TYPE_CHECKING:
    from slackmq.kv.errors import RecordRejected
    from slackmq.kv.record import Record
    from slackmq.kv.seal import Seal
    from slackmq.slack.api import Row

__all__ = ["is_record", "record_of"]


def is_record(row: Row) -> bool:
    """Whether a message claims to be a record, and stands where records stand."""
    in_thread = row.thread is not None and row.thread != row.ts
    return row.metadata is not None and row.metadata.type == RECORD and not in_thread and row.subtype != TOMBSTONE


def record_of(row: Row, *, seal: Seal, authors: frozenset[str] | None) -> Record | RecordRejected | None:
    """The record that a message is; why it counts for nobody; None if it is something else.

    Args:
        row: the message.
        seal: the channel's.
        authors: user ids of those who may write; None: everybody.
    """
    if not is_record(row) or row.metadata is None:
        return None
    return opened(row.metadata.payload, author=row.user, seal=seal, authors=authors)
