"""A record of the log to a Slack message and back: versions, operations, digests, size."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from slackmq.kv.entry import TTL_LIMIT, Form, Value, check_key, check_nesting
from slackmq.kv.errors import KeyRejected, RecordDamaged, RecordForged, RecordRejected, ValueRejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.kv.seal import Seal

__all__ = [
    "ANY",
    "BODY_LIMIT",
    "FRAME",
    "GROUPS",
    "NOTICE",
    "RECORD",
    "VERSION",
    "Chain",
    "Group",
    "Operation",
    "Record",
    "Verb",
    "micros",
    "opened",
    "revision",
    "sealed",
    "shown",
    "weight",
]

RECORD = "slackmq_kv"
"""The type of the metadata that makes a message a record."""
VERSION = 1
"""The version of records that this library writes, and the newest that it reads."""
BODY_LIMIT = 8_000
"""Characters of a record's body, counted as JSON escapes them. Slack publishes no limit of metadata
(docs.slack.dev/reference/methods/chat.postMessage), so this stays far below what is known to pass."""
FRAME = 250
"""Characters of a record's body beside its groups, at most."""
GROUPS = 1_000
"""So many groups fit into one record at most: the last three digits of a revision count them."""
ANY = -1
"""The revision that stands for whichever."""
NOTICE = 120 * 1_000_000
"""Microseconds, at least, from the record that names another channel to the moment from which the store goes on there.
Whoever has settled everything up to so long before a moment knows where the store is at that moment."""
_LATEST = 10 * NOTICE
"""No longer may it take, or nobody else could move the store meanwhile."""
_LINE = 300


class Verb:
    """What an operation does, as one letter."""

    PUT = "w"
    DELETE = "d"
    PURGE = "p"
    CHECK = "c"
    HELD = "h"
    MOVE = "m"


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one key.

    Attributes:
        verb: put, delete, purge; or check and held, which change nothing and must hold; or move, which says in which
            channel the store goes on.
        key: which; of move, the id of that channel.
        prev: the revision that must stand there: 0 for none, `ANY` for whichever; of held, the one since which the
            key must have been there without a gap.
        value: what is put.
        ttl: microseconds after which it is gone; 0: never; of move, after which the store goes on there.
    """

    verb: str
    key: str
    prev: int = ANY
    value: Value | None = None
    ttl: int = 0

    @property
    def blind(self) -> bool:
        """Whether it asks for nothing, so that it certainly counts once it stands in the channel."""
        return self.prev == ANY


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Operations that happen all together or not at all. `number` and the record's writer are its identity."""

    number: int
    operations: tuple[Operation, ...]


class Chain(msgspec.Struct, frozen=True, array_like=True):
    """What a writer knew of the log: how many records stood up to `at` (a ts in microseconds), and their digest."""

    at: int
    count: int
    digest: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What one writer posts at once.

    Attributes:
        writer: 32 hexadecimal digits that nobody else draws.
        born: when it was sent first, microseconds by Slack's clock: copies that arrive too late are void.
        groups: each counts for itself.
        chain: what the writer knew of the log.
        digest: of the body as it was posted.
    """

    writer: str
    born: int
    groups: tuple[Group, ...]
    chain: Chain
    digest: str = ""

    def op(self, group: Group) -> str:
        """The identity of a group: the same in all copies of the record."""
        return f"{self.writer}/{group.number}"


_NULL = msgspec.Raw(b"null")


class _Op(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    verb: str
    key: str
    prev: int
    form: str | None = None
    value: msgspec.Raw = _NULL
    ttl: int = 0


class _Body(msgspec.Struct, frozen=True, array_like=True):
    writer: str
    born: int
    chain: Chain
    groups: list[tuple[int, list[_Op]]]


def micros(ts: str) -> int:
    """A Slack timestamp as whole microseconds since 1970."""
    whole, _, part = ts.partition(".")
    return int(whole) * 1_000_000 + int(part.ljust(6, "0")[:6] or "0")


def revision(at: int, index: int) -> int:
    """The revision that a group makes: of its record's ts in microseconds, and its place there."""
    return at * GROUPS + index


def sealed(record: Record, *, seal: Seal) -> Mapping[str, Any]:
    """The payload of a record's metadata.

    Raises:
        ValueRejected: it is larger than `BODY_LIMIT`.
    """
    groups = [(group.number, [_op(each) for each in group.operations]) for group in record.groups]
    body = msgspec.json.encode(_Body(record.writer, record.born, record.chain, groups)).decode()
    room = seal.room(BODY_LIMIT)
    if len(json.dumps(body)) > room or len(groups) > GROUPS:
        raise ValueRejected(
            f"A record of {len(json.dumps(body)):,} characters does not fit into one message, "
            f"which carries {room:,}; nothing was posted.",
            remedy="Write fewer keys at once, or store a file.",
        )
    return seal.stamp("", VERSION, body)


def weight(group: Group) -> int:
    """How many characters of a record's body a group takes."""
    return len(json.dumps(msgspec.json.encode((group.number, [_op(each) for each in group.operations])).decode()))


def opened(
    payload: Mapping[str, Any], *, author: str, seal: Seal, authors: frozenset[str] | None = None
) -> Record | RecordRejected:
    """Read the payload of a record.

    Args:
        payload: the metadata's payload.
        author: user id of who posted it.
        seal: the channel's.
        authors: user ids of those who may write; None: everybody.

    Returns:
        The record, or why it counts for nobody.
    """
    if authors is not None and author not in authors:
        return RecordForged(f"{author} posted a record, and is not one of those who may write here.")
    try:
        # A newer version may have another shape altogether, so only what signs it is looked at before.
        text, posted = seal.read("", payload, author=author, newest=VERSION)
        return _record(msgspec.json.decode(text, type=_Body), posted)
    except RecordRejected as error:
        return error
    except (msgspec.MsgspecError, ValueError, RecursionError, KeyRejected) as error:
        return RecordDamaged(f"A record of version {payload.get('v')!r} cannot be read: {error}")


def shown(record: Record, *, hides: bool = False) -> str:
    """The record as a person reads it in the channel: `lamp = {"on":true}`, cut if it is long; hidden, how much."""
    if hides:
        changes = sum(len(group.operations) for group in record.groups)
        return f"{changes} encrypted {'change' if changes == 1 else 'changes'}"
    line = ", ".join(_said(each) for group in record.groups for each in group.operations)
    return line if len(line) <= _LINE else line[: _LINE - 1] + "…"


def _said(operation: Operation) -> str:
    match operation.verb, operation.value:
        case Verb.PUT, Value(form=Form.JSON, data=data):
            return f"{operation.key} = {data}"
        case Verb.PUT, Value(form=Form.FILE):
            return f"{operation.key} = a file"
        case Verb.PUT, _:
            return f"{operation.key} = …"
        case ((Verb.CHECK | Verb.HELD), _):
            return f"{operation.key}?"
        case Verb.MOVE, _:
            return f"the store goes on in {operation.key}"
        case _:
            return f"{operation.key} deleted"


def _op(operation: Operation) -> _Op:
    value = operation.value
    if value is None:
        return _Op(operation.verb, operation.key, operation.prev, ttl=operation.ttl)
    raw = msgspec.Raw(value.data if value.form is not Form.BYTES else msgspec.json.encode(value.data))
    return _Op(operation.verb, operation.key, operation.prev, value.form.value, raw, operation.ttl)


def _record(body: _Body, digest: str) -> Record:
    groups = tuple(
        Group(number=number, operations=tuple(_operation(each) for each in operations))
        for number, operations in body.groups
    )
    if not 0 < len(groups) <= GROUPS or any(_doubled(group) for group in groups):
        raise ValueError("it has no groups, too many, or one with two operations on one key")
    return Record(writer=body.writer, born=body.born, groups=groups, chain=body.chain, digest=digest)


def _operation(given: _Op) -> Operation:
    check_key(given.key)
    value = None
    if given.verb == Verb.PUT:
        if given.form is None:
            raise ValueError("a put without a value")
        form, raw = Form(given.form), bytes(given.value)
        data = msgspec.json.decode(raw, type=str) if form is Form.BYTES else raw.decode()
        value = Value(form, data)
        check_nesting(data)
        value.ref() if form is Form.FILE else value.decode()
    elif given.verb == Verb.MOVE:
        if not NOTICE <= given.ttl <= _LATEST or given.prev != 0:
            raise ValueError("a move that comes too soon or too late, or whatever was said before")
    elif given.verb not in {Verb.DELETE, Verb.PURGE, Verb.CHECK, Verb.HELD}:
        raise ValueError(f"unknown operation {given.verb!r}")
    if not 0 <= given.ttl <= TTL_LIMIT or given.prev < ANY:
        raise ValueError("a negative revision, or a time that is none")
    return Operation(verb=given.verb, key=given.key, prev=given.prev, value=value, ttl=given.ttl)


def _doubled(group: Group) -> bool:
    keys = [operation.key for operation in group.operations]
    return len(set(keys)) != len(keys) or not keys
