"""Shelf: values that are too large for a record lie in files, and are kept in memory once they were seen."""

from __future__ import annotations

import hashlib
import logging
from base64 import b64decode
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from slackmq.errors import Ambiguous, MissingScope, SlackMQError
from slackmq.kv.entry import FileRef, Form, Value
from slackmq.kv.errors import FileLost, ValueRejected
from slackmq.kv.record import BODY_LIMIT, FRAME, Group, weight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.clock import Clock
    from slackmq.kv.entry import Entry
    from slackmq.kv.follower import Follower
    from slackmq.kv.log import Head
    from slackmq.kv.record import Operation
    from slackmq.kv.seal import Seal
    from slackmq.message import Json
    from slackmq.slack.filing import Files

__all__ = ["FILE_LIMIT", "Shelf", "written"]

_log = logging.getLogger("slackmq.kv")
FILE_LIMIT = 32 * 1024 * 1024
"""Bytes of a value in a file: it is held in memory several times while it goes to Slack."""
_MEMORY = 64 * 1024 * 1024
"""Bytes of values that are kept, so that they need not be fetched again."""
_TRIES = 4
_NAP = 0.5
"""Seconds before a file is asked for again that is not shown yet; twice as many each time."""
_KEPT = 86_400.0
"""Seconds for which a file is there, whatever became of its key: who watches or reads slowly finds its value still."""
_SWEEP = 3_600.0
"""Seconds between two times that this bot's files are looked through."""
_NAME = "slackmq-value"


class Shelf:
    """The files of one store.

    Args:
        files: of the workspace.
        author: user id of this bot: its files are swept.
        seal: the channel's: hides them if it hides.
        clock: the time of this process.
        former: the seals of the channels in which the store was: what was put there is read, and not swept.
    """

    def __init__(self, files: Files, *, author: str, seal: Seal, clock: Clock, former: Sequence[Seal] = ()) -> None:
        self._files = files
        self._channel = seal.channel
        self._former = former
        self._author = author
        self._seal = seal
        self._clock = clock
        self._name = f"{_NAME}-{seal.id}" if seal.id else _NAME
        self._room = seal.room(BODY_LIMIT) - FRAME
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0

    async def stowed(self, operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
        """The operations, with the largest values in files, so that the rest fits into a record.

        Raises:
            ValueRejected: a value is larger than `FILE_LIMIT`, or there are too many.
            FileLost: Slack does not show what was put there.
        """
        made = list(operations)
        while weight(Group(number=0, operations=tuple(made))) >= self._room:
            number = _largest(made)
            if number is None:
                raise ValueRejected(
                    f"This takes more than the {self._room:,} characters of a record; nothing was written.",
                    remedy="Write fewer keys at once.",
                )
            made[number] = await self._in_file(made[number])
        return tuple(made)

    async def value(self, head: Head) -> Json | bytes:
        """The value of a key as it stands, fetched if it is in a file.

        Raises:
            FileLost: the file is gone, or was changed.
        """
        if head.value.form is not Form.FILE:
            return head.value.decode()
        ref = head.value.ref()
        content = self._known.get(ref.id)
        if content is None:
            content = await self._fetch(ref)
            self._keep(ref, content)
        else:
            self._known.move_to_end(ref.id)
        if ref.form is Form.BYTES:
            return content
        value: Json = msgspec.json.decode(content)
        return value

    async def entry(self, key: str, head: Head) -> Entry:
        """A key as it stands, with its value."""
        entry = head.entry(key)
        return replace(entry, value=await self.value(head)) if entry.file else entry

    async def sweep(self, follower: Follower) -> None:
        """Delete this bot's files that no key needs, a day after they came, for as long as the store works."""
        try:
            while True:
                await self._clock.sleep(_SWEEP * (0.5 + self._clock.random()))
                await follower.news()
                try:
                    await self.swept(follower, follower.state.now / 1_000_000)
                except Ambiguous as error:
                    _log.warning("files that no key needs are looked for again later: %s", error)
        except MissingScope:
            return  # a bot that may not read files has put none there
        except SlackMQError as error:
            _log.warning("files that no key needs are not deleted from here any more: %s", error)

    async def swept(self, follower: Follower, now: float) -> int:
        """Delete them once; returns how many."""
        rows = await self._files.listed(self._channel, user=self._author)
        states = (follower.state, follower.ledger.base)
        needed = {head.value.ref().id for state in states for _, head in state.items() if head.value.form is Form.FILE}
        old = [row for row in rows if row.name in self._names() and row.created + _KEPT < now]
        count = 0
        for row in old:
            if row.id not in needed:
                count += await self._files.discard(row.id)
        return count

    def _names(self) -> set[str]:
        """Names of files that this store, and no other one in the channel, may have put there."""
        return {f"{_NAME}-{ident}" if ident else _NAME for ident in self._seal.ids}

    async def _in_file(self, operation: Operation) -> Operation:
        """The same operation, its value in a file."""
        key, value = operation.key, operation.value
        if value is None:
            raise AssertionError("unreachable: what is large has a value")
        content = written(value)
        hides = self._seal.hides
        said = f"{'An encrypted value' if hides else f'The value of {key}'}, {len(content):,} bytes."
        posted = self._seal.hide(content, "file") if hides else content
        digest = hashlib.sha256(posted).hexdigest()
        for tried in range(1, _TRIES + 1):
            try:
                ident = await self._files.upload(self._channel, self._name, posted, comment=said)
                ref = FileRef(id=ident, size=len(content), sha256=digest, form=value.form, hidden=hides)
                await self._fetch(ref)
            except (Ambiguous, FileLost) as error:
                # What became of it nobody knows; as long as no record names it, nobody needs to: it is swept.
                if tried == _TRIES:
                    raise
                _log.warning("a file is put there again: %s", error)
            else:
                self._keep(ref, content)
                filed = Value(Form.FILE, msgspec.json.encode(ref).decode())
                return msgspec.structs.replace(operation, value=filed)
        raise AssertionError("unreachable: the last try returns or raises")

    async def _fetch(self, ref: FileRef) -> bytes:
        for tried in range(_TRIES):
            if tried:
                await self._clock.sleep(_NAP * 2**tried)
            posted = await self._files.download(ref.id)
            if posted is None:
                continue
            if hashlib.sha256(posted).hexdigest() != ref.sha256:
                raise FileLost(f"The file {ref.id} is not what was put there.", remedy="Write the value again.")
            try:
                return self._shown(posted) if ref.hidden else posted
            except ValueError as error:
                raise FileLost(f"The file {ref.id} cannot be decrypted: {error}", remedy="Write it again.") from error
        raise FileLost(f"The file {ref.id} is gone, or Slack does not show it.", remedy="Write the value again.")

    def _shown(self, posted: bytes) -> bytes:
        """What was encrypted for this channel, or for one in which the store was."""
        for seal in self._former:
            try:
                return seal.reveal(posted, "file")
            except ValueError:
                continue
        return self._seal.reveal(posted, "file")

    def _keep(self, ref: FileRef, content: bytes) -> None:
        if ref.id in self._known:
            return
        self._known[ref.id] = content
        self._size += len(content)
        while self._size > _MEMORY:
            self._size -= len(self._known.popitem(last=False)[1])


def written(value: Value) -> bytes:
    """A value as it stands in a file.

    Raises:
        ValueRejected: it is larger than `FILE_LIMIT`.
    """
    content = b64decode(value.data) if value.form is Form.BYTES else value.data.encode()
    if len(content) > FILE_LIMIT:
        raise ValueRejected(
            f"A value has {len(content):,} bytes, and a file at most {FILE_LIMIT:,}; nothing was written.",
            remedy="Store a part of it in each of several keys, or where both sides can reach it.",
        )
    return content


_LEAST = 200
"""Characters of a value that a file would not make smaller: what names a file takes about as many."""


def _largest(operations: list[Operation]) -> int | None:
    """The place of the largest value that is in no file; None if none is large."""
    sizes = {
        number: len(each.value.data)
        for number, each in enumerate(operations)
        if each.value is not None and each.value.form is not Form.FILE and len(each.value.data) > _LEAST
    }
    return max(sizes, key=sizes.__getitem__, default=None)
