"""Every error of the key-value store on one page.

::

    StoreError                  of a key-value store
    ├── KeyNotFound             a KeyError, too
    ├── RevisionMismatch        the key was changed since it was read
    │   ├── KeyExists           somebody was first
    │   └── LockLapsed          the lock under which something should be written is not held any more
    ├── ValueRejected           too large, or nothing that can be stored; nothing was sent
    ├── KeyRejected             no key; nothing was sent
    ├── RecordRejected          a record of the log that cannot be read; it counts for nobody
    │   ├── RecordTooNew        written by a newer version: here the store stops
    │   ├── SecretMismatch      the store's key is another one than this process has: here the store stops
    │   ├── RecordDamaged       its digest does not fit: it was changed after it was posted
    │   └── RecordForged        posted by somebody who may not, or changed later
    │       └── RecordForeign   signed with a key that is not known here, or not at all
    ├── StoreMoved              the store goes on in another channel
    ├── LogBroken               records of the log were deleted or edited
    ├── FileLost                the file of a large value is gone, or was changed
    ├── SnapshotDamaged         a snapshot that does not verify
    ├── CacheUnusable           a cache file that is damaged, newer, or another store's; the store goes on without
    ├── WriteLost               Slack stored it too late or never: it was not written
    └── LockLost                the lock ran out before it could be renewed
"""

from __future__ import annotations

from slackmq.errors import SlackMQError

__all__ = [
    "CacheUnusable",
    "FileLost",
    "KeyExists",
    "KeyNotFound",
    "KeyRejected",
    "LockLapsed",
    "LockLost",
    "LogBroken",
    "RecordDamaged",
    "RecordForeign",
    "RecordForged",
    "RecordRejected",
    "RecordTooNew",
    "RevisionMismatch",
    "SecretMismatch",
    "SnapshotDamaged",
    "StoreError",
    "StoreMoved",
    "ValueRejected",
    "WriteLost",
]


class StoreError(SlackMQError):
    """Something about a key-value store."""


class KeyNotFound(StoreError, KeyError):
    """There is no such key, or not any more; carries `key`."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no key {key!r}.")
        self.key = key


class RevisionMismatch(StoreError):
    """`key` stands in `revision`, and not in the `expected` one; 0 is none. Nothing was written."""

    def __init__(self, key: str, *, expected: int, revision: int) -> None:
        super().__init__(
            f"The key {key!r} stands in revision {revision}, not in {expected}.", remedy="Read it again, and try again."
        )
        self.key = key
        self.expected = expected
        self.revision = revision


class KeyExists(RevisionMismatch):
    """The key is there already: somebody was first."""


class LockLapsed(RevisionMismatch):
    """The lock `key` is not held under the token `expected` any more, so nothing was written."""

    def __init__(self, key: str, *, expected: int, revision: int) -> None:
        super().__init__(key, expected=expected, revision=revision)
        self.cause = f"The lock {key!r} is not held under the token {expected} any more; nothing was written."
        self.remedy = "Take the lock again, and begin with what stands there now."


class ValueRejected(StoreError):
    """The value is too large, or nothing that can be stored; nothing was sent."""


class KeyRejected(StoreError):
    """This cannot be a key; nothing was sent."""


class RecordRejected(StoreError):
    """A record of the log that cannot be read."""


class RecordTooNew(RecordRejected):
    """The record was written by a newer version of this library, so nobody here can know what it did."""


class RecordDamaged(RecordRejected):
    """The record's digest does not fit its content: it was changed after it was posted."""


class SecretMismatch(RecordRejected):
    """The store has another key than this process, which so cannot know what the store holds."""


class RecordForged(RecordRejected):
    """The record was posted by somebody who may not write here, or changed by somebody who has not the store's key."""


class RecordForeign(RecordForged):
    """The record is signed with a key that is not known here, or with none: a stranger's, or a forgotten process's."""


class LogBroken(StoreError):
    """Records were deleted or edited: what the store holds cannot be told from the channel any more."""


class StoreMoved(StoreError):
    """The store goes on in another channel; carries its id as `channel`. An open store follows by itself."""

    def __init__(self, channel: str) -> None:
        super().__init__(f"The store goes on in the channel {channel}.", remedy="Open that one.")
        self.channel = channel


class FileLost(StoreError):
    """The file that holds a large value is gone, was changed, or is not shown."""


class SnapshotDamaged(StoreError):
    """A snapshot does not verify, so it is not used."""


class CacheUnusable(StoreError):
    """A cache file cannot be used; the store is read from the channel instead, so nothing is lost."""


class WriteLost(StoreError):
    """Slack stored the record too late or never, so it was not written, and never will be."""


class LockLost(StoreError):
    """The lock ran out before it could be renewed; somebody else may hold it now."""
