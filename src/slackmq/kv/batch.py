"""Batch: changes of several keys that happen all together or not at all."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, Self

from slackmq.errors import ConfigurationError
from slackmq.kv.entry import TTL_LIMIT, check_key, encode
from slackmq.kv.errors import LockLapsed
from slackmq.kv.record import ANY, Operation, Verb

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slackmq.kv.entry import Value

__all__ = ["Batch", "Guard"]


class Guard(Protocol):
    """What a write may be bound to: a `Lock`, a `Term`, or whatever else has the key and the fencing token of one."""

    @property
    def key(self) -> str:
        """The key that stands for it."""
        ...

    @property
    def token(self) -> int:
        """The fencing token; 0 while it is not held."""
        ...


class Batch:
    """Changes for `AsyncStore.commit`: `Batch().put("a", 1).update("b", 2, last=revision)`. No key twice.

    Each method adds one and returns the batch. Nothing is sent before it is committed.
    """

    def __init__(self) -> None:
        self._operations: dict[str, Operation] = {}

    @classmethod
    def of(cls, operations: Iterable[Operation]) -> Self:
        """A batch of these operations."""
        batch = cls()
        for operation in operations:
            batch._add(operation)
        return batch

    @property
    def operations(self) -> tuple[Operation, ...]:
        """What it holds."""
        return tuple(self._operations.values())

    @property
    def blind(self) -> bool:
        """Whether it asks for no revision, so that it counts wherever it stands."""
        return all(operation.blind for operation in self._operations.values())

    def put(self, key: str, value: object, *, ttl: timedelta | None = None) -> Self:
        """Whatever stands there.

        Args:
            key: which.
            value: JSON, bytes, or what msgspec makes JSON of.
            ttl: after this time it is gone, by Slack's clock; None: never.

        Raises:
            KeyRejected: the key cannot be one.
            ValueRejected: the value cannot be stored.
        """
        return self._put(key, value, prev=ANY, ttl=ttl)

    def create(self, key: str, value: object, *, ttl: timedelta | None = None) -> Self:
        """Only if there is no such key."""
        return self._put(key, value, prev=0, ttl=ttl)

    def update(self, key: str, value: object, *, last: int, ttl: timedelta | None = None) -> Self:
        """Only if the key stands in the revision `last`; 0 is none."""
        return self._put(key, value, prev=_named(last), ttl=ttl)

    def delete(self, key: str, *, last: int | None = None) -> Self:
        """Let it be gone; with `last` only if it stands in that revision."""
        return self._add(Operation(verb=Verb.DELETE, key=key, prev=ANY if last is None else _named(last)))

    def purge(self, key: str, *, last: int | None = None) -> Self:
        """Let it be gone, and its history begin anew."""
        return self._add(Operation(verb=Verb.PURGE, key=key, prev=ANY if last is None else _named(last)))

    def check(self, key: str, *, last: int) -> Self:
        """Change nothing, but only go on if the key stands in the revision `last`; 0 is none."""
        return self._add(Operation(verb=Verb.CHECK, key=key, prev=_named(last)))

    def held(self, key: str, *, token: int) -> Self:
        """Change nothing, but only go on if the key has been there since the revision `token`: a lock, held still.

        Raises:
            LockLapsed: the token is 0, so it is not held; nothing was sent.
        """
        if not _named(token):
            raise LockLapsed(key, expected=token, revision=0)
        return self._add(Operation(verb=Verb.HELD, key=key, prev=token))

    def under(self, guard: Guard | None) -> Self:
        """As `held`, for a lock or a term; nothing if there is none."""
        return self if guard is None else self.held(guard.key, token=guard.token)

    def _put(self, key: str, value: object, *, prev: int, ttl: timedelta | None) -> Self:
        micros = 0 if ttl is None else ttl // timedelta(microseconds=1)
        if ttl is not None and not 0 < micros <= TTL_LIMIT:
            raise ConfigurationError(f"A key cannot last {ttl}.", remedy="Give it up to a century, or None for ever.")
        return self._write(key, encode(value), prev=prev, ttl=micros)

    def _write(self, key: str, value: Value, *, prev: int, ttl: int) -> Self:
        return self._add(Operation(verb=Verb.PUT, key=key, prev=prev, value=value, ttl=ttl))

    def _add(self, operation: Operation) -> Self:
        if check_key(operation.key) in self._operations:
            raise ConfigurationError(
                f"The key {operation.key!r} is twice in one batch.", remedy="Nobody could tell which comes first."
            )
        self._operations[operation.key] = operation
        return self


def _named(revision: int) -> int:
    """A revision as it may stand in a record: others that share the record count only if it can be read.

    Raises:
        ConfigurationError: it cannot be one.
    """
    if type(revision) is not int or not 0 <= revision < 1 << 63:
        raise ConfigurationError(
            f"{revision!r} is no revision.", remedy="Name the one that was read, or was returned by a write; 0 is none."
        )
    return revision
