"""What people see of a store: Entry, Change, Status; and values as they are written."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from slackmq.kv.errors import KeyRejected, ValueRejected

if TYPE_CHECKING:
    from slackmq.message import Json

__all__ = [
    "KEY_LIMIT",
    "TTL_LIMIT",
    "Change",
    "Entry",
    "FileRef",
    "Form",
    "Kind",
    "Status",
    "Value",
    "check_key",
    "check_nesting",
    "encode",
    "moment",
]

KEY_LIMIT = 256
"""Bytes of a key as UTF-8."""
TTL_LIMIT = 36_525 * 86_400 * 1_000_000
"""Microseconds for which a key may last: a century. Beyond it a moment would soon be none that a datetime can hold."""
NESTING = 100
"""Lists and objects within each other: how many one can read depends on what runs at that moment, and what stands in
the log must be read by all or by none."""

_T = TypeVar("_T")
_FLAT = re.compile(r'"(?:[^"\\]|\\.)*"|[^][{}"]+')
"""Of JSON, everything but the brackets."""
_INNERMOST = re.compile(r"\[]|{}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Form(Enum):
    """How a value is written down."""

    JSON = "j"
    BYTES = "b"
    FILE = "f"


class FileRef(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value is that is too large for a record.

    Attributes:
        id: of the file.
        size: of the value, in bytes.
        sha256: digest of the file as it was uploaded.
        form: whether the file holds JSON or bytes.
        hidden: whether it is encrypted.
    """

    id: str
    size: int
    sha256: str
    form: Form
    hidden: bool = False


class Value(msgspec.Struct, frozen=True, gc=False):
    """A value as it is kept: `data` is JSON, or bytes in base64, or the JSON of where a file is; by `form`."""

    form: Form
    data: str

    def decode(self) -> Json | bytes:
        """The value itself, made anew, so that whoever changes it changes nobody else's; None if it is in a file."""
        if self.form is Form.FILE:
            return None
        if self.form is Form.BYTES:
            return b64decode(self.data, validate=True)
        value: Json = msgspec.json.decode(self.data)
        return value

    def ref(self) -> FileRef:
        """The file in which it is.

        Raises:
            ValidationError: it is in none.
        """
        return msgspec.json.decode(self.data, type=FileRef)


def encode(value: object) -> Value:
    """Write a value down: JSON, bytes, or whatever msgspec can make JSON of, as dataclasses and datetimes.

    Raises:
        ValueRejected: it can do neither.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        return Value(Form.BYTES, b64encode(cast("bytes", value)).decode())
    try:
        text = msgspec.json.encode(value).decode()
        json.dumps(msgspec.to_builtins(value, str_keys=True), allow_nan=False)  # msgspec would write NaN as null
        msgspec.json.decode(text)
        check_nesting(text)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise ValueRejected(
            f"A value of type {type(value).__name__} cannot be stored: {error}",
            remedy="Store JSON, bytes, or a dataclass of such.",
        ) from error
    return Value(Form.JSON, text)


def check_nesting(text: str) -> None:
    """See to it that JSON can be read wherever it is read.

    Raises:
        ValueError: there are more than `NESTING` lists and objects within each other.
    """
    if text.count("[") + text.count("{") <= NESTING:
        return
    brackets = _FLAT.sub("", text)
    for _ in range(NESTING):
        brackets = _INNERMOST.sub("", brackets)
    if brackets:
        raise ValueError(f"more than {NESTING} lists and objects are within each other")


def check_key(key: str) -> str:
    """The key, if it can be one.

    Raises:
        KeyRejected: it is empty, longer than `KEY_LIMIT`, or holds what cannot be seen.
    """
    try:
        length = len(key.encode())
    except (UnicodeEncodeError, AttributeError):
        length = 0
    if not 0 < length <= KEY_LIMIT or not key.isprintable():
        raise KeyRejected(
            f"{str(key)[:80]!r} cannot be a key.",
            remedy=f"A key has 1 to {KEY_LIMIT} bytes, and no line breaks or other control characters.",
        )
    return key


def moment(micros: int) -> datetime:
    """Microseconds since 1970 as a datetime in UTC, exactly."""
    return _EPOCH + timedelta(microseconds=micros)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A key as it stands.

    Attributes:
        key: which.
        value: its value, as JSON or bytes.
        revision: rises with every change of any key of the store; what `update` names.
        first: the revision since which the key has been there without a gap: the fencing token of a lock.
        created: when that was, by Slack's clock.
        modified: when it was changed last, by Slack's clock.
        author: user id of the bot that changed it last.
        expires: when it will be gone, by Slack's clock; None: never.
        file: where the value is, if it is too large for a record. `get` fetches it; `watch` and `history` do not, so
            there `value` is None.
    """

    key: str
    value: Json | bytes
    revision: int
    first: int
    created: datetime
    modified: datetime
    author: str
    expires: datetime | None = None
    file: FileRef | None = None

    def to(self, kind: type[_T]) -> _T:
        """The value as a dataclass, or whatever else msgspec can make of it.

        Raises:
            ValueRejected: it has another shape.
        """
        try:
            return msgspec.convert(self.value, kind)
        except msgspec.ValidationError as error:
            raise ValueRejected(f"{self.key!r} is no {kind.__name__}: {error}") from error


class Kind(Enum):
    """What happened to a key."""

    PUT = "put"
    DELETE = "delete"
    PURGE = "purge"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something happened to a key. `entry` is None if it is gone.

    Attributes:
        revision: of the record that did it; of the entry that ran out, where time did.
    """

    key: str
    kind: Kind
    revision: int
    entry: Entry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a store is.

    Attributes:
        channel: id of its channel.
        keys: how many keys it has.
        records: how many records its log has had.
        revision: of the latest change.
        settled: up to when everything is known, by Slack's clock.
        skew: how long after a record nobody can have missed it, as far as was seen.
        rejected: how many messages looked like records and count for nobody.
        late: how many records appeared later than `skew` allows.
        signed: whether only who has the store's key can write into it.
        encrypted: whether only who has it can read what is written from here.
    """

    channel: str
    keys: int
    records: int
    revision: int
    settled: datetime
    skew: timedelta
    rejected: int
    late: int
    signed: bool = False
    encrypted: bool = False
