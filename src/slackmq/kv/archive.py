"""Archive: posts snapshots of a store into its channel, and finds the newest one that verifies."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from slackmq.errors import Ambiguous, MessageGone, SlackError, SlackMQError
from slackmq.kv.errors import RecordForeign, RecordRejected, SecretMismatch, SnapshotDamaged, StoreMoved
from slackmq.kv.record import RECORD, micros
from slackmq.kv.signpost import ORIGIN, SUCCESSOR, Signpost, read_signpost, written_signpost
from slackmq.kv.snapshot import PART, SNAPSHOT, Manifest, packed, read_manifest, unpacked, written
from slackmq.slack.api import Metadata, Urgency

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from slackmq.clock import Clock
    from slackmq.kv.follower import Follower
    from slackmq.kv.log import State
    from slackmq.kv.seal import Seal
    from slackmq.slack.api import Row, Slack

__all__ = ["Archive"]

_log = logging.getLogger("slackmq.kv")
_EVERY = 1_000
"""Records after which a snapshot is posted: whoever opens the store reads two pages at most besides it."""
_TURN = 60.0
"""Seconds within which the processes of a store take turns to post one."""
_TRIES = 4
"""So often a snapshot is read back that Slack may not show yet."""
_RECENT = 86_400.0
"""Seconds back from now in which a snapshot is looked for first: a store in which little is written is read quickly."""


class Archive:
    """The snapshots in one channel.

    A snapshot is a message, its parts as replies to it, and, once they all stand, a manifest. Of one that was not
    finished there is no manifest, so nobody reads it. Two of the same moment are the same, and two of different
    moments are both good.

    Args:
        slack: the workspace.
        seal: the channel's: signs manifests, and hides parts if it hides.
        authors: user ids of those whose snapshots count; None: everybody's.
        period: after so long one is posted, however little was written.
        former: those of the channels in which the store was before.

    Attributes:
        foreign: why a snapshot was passed over that was signed with a key that is not known here, if there was one.
    """

    def __init__(
        self,
        slack: Slack,
        *,
        seal: Seal,
        authors: frozenset[str] | None,
        period: timedelta,
        former: Sequence[Archive] = (),
    ) -> None:
        self.foreign: RecordForeign | None = None
        self._slack = slack
        self._channel = seal.channel
        self._seal = seal
        self._authors = authors
        self._period = period // timedelta(microseconds=1)
        self._former = former

    async def post(self, state: State) -> Manifest:
        """Post a snapshot of a settled state; returns its manifest.

        Raises:
            SlackError: Slack refuses, or gave no answer: then there may be half a snapshot, which nobody reads.
        """
        manifest = await self.parts(state)
        payload = written(manifest, seal=self._seal)
        text = f"The snapshot of {len(state)} keys is complete."
        metadata = Metadata(type=SNAPSHOT, payload=payload)
        await self._slack.post(self._channel, text, metadata=metadata, urgency=Urgency.SCAN)
        return manifest

    async def parts(self, state: State) -> Manifest:
        """Post the parts of a snapshot alone; returns its manifest, without which nobody reads them."""
        upto, count, keys = state.now, state.count, len(state)
        sha256, parts = packed(state, self._seal)
        text = f"A snapshot of {keys} keys, in {len(parts)} parts in this thread."
        thread = await self._posted(text, parts)
        hidden = self._seal.hides
        return Manifest(upto=upto, count=count, thread=thread, parts=len(parts), sha256=sha256, hidden=hidden)

    async def _posted(self, text: str, parts: Sequence[str]) -> str:
        """Post the parts into a thread, another one where somebody deletes its head meanwhile; returns its ts."""
        for left in reversed(range(_TRIES)):
            thread = await self._slack.post(self._channel, text, urgency=Urgency.SCAN)
            try:
                await self._reply(thread, parts)
            except MessageGone:
                if not left:
                    raise
            else:
                return thread
        raise AssertionError("unreachable: the last try returns or raises")

    async def _reply(self, thread: str, parts: Sequence[str]) -> None:
        for number, part in enumerate(parts):
            metadata = Metadata(type=PART, payload={"number": number, "part": part})
            await self._slack.post(
                self._channel,
                f"Part {number + 1} of {len(parts)}.",
                metadata=metadata,
                thread=thread,
                urgency=Urgency.SCAN,
            )

    async def verify(self, manifest: Manifest, clock: Clock, skew: float) -> None:
        """See to it that a snapshot can be read back as it was posted.

        Raises:
            SnapshotDamaged: it cannot.
        """
        for left in reversed(range(_TRIES)):
            try:
                await self._load(manifest)
            except (SnapshotDamaged, MessageGone):
                if not left:
                    raise
                await clock.sleep(skew)
            else:
                return

    async def signpost(self, kind: str, signpost: Signpost) -> None:
        """Post a signpost: `ORIGIN` or `SUCCESSOR`."""
        text = "This channel is kept for the store of" if kind == ORIGIN else "The store of this channel goes on in"
        payload = written_signpost(kind, signpost, seal=self._seal)
        metadata = Metadata(type=kind, payload=payload)
        await self._slack.post(self._channel, f"{text} {signpost.channel}.", metadata=metadata, urgency=Urgency.SCAN)

    async def guide(self, state: State) -> None:
        """Say in the channels in which the store was where it is: whoever opens it there comes here."""
        for former, (_, until) in zip(self._former, state.trail, strict=True):
            try:
                await former.signpost(SUCCESSOR, Signpost(channel=self._channel, since=until))
            except SlackError as error:
                _log.warning("a former channel does not lead to %s any more: %s", self._channel, error)

    async def began(self) -> int | None:
        """When the store came into this channel, in microseconds by Slack's clock, as far as Slack shows it.

        None if none was ever here.
        """
        page = await self._slack.history(self._channel, oldest=0.0)
        kinds = {RECORD, SNAPSHOT, SUCCESSOR}
        return next((micros(row.ts) for row in page.rows if row.metadata and row.metadata.type in kinds), None)

    async def keep(self, follower: Follower, clock: Clock) -> None:
        """Post a snapshot whenever one is due, for as long as the store works."""
        try:
            while True:
                await follower.news()
                if not self._due(follower):
                    continue
                # Several processes find it due at the same time, and one snapshot is enough.
                await clock.sleep(clock.random() * _TURN)
                try:
                    if self._due(follower):
                        await self.post(follower.state)
                        await self.guide(follower.state)
                except (Ambiguous, MessageGone) as error:
                    _log.warning("a snapshot was not finished, and is posted again: %s", error)
                    await clock.sleep(_TURN)
        except StoreMoved:
            return
        except SlackMQError as error:
            _log.warning("no snapshots are posted from here any more: %s", error)

    async def newest(self, skew: float, *, after: int = 0) -> State | None:
        """The newest settled snapshot that verifies, None if there is none of a moment later than `after`.

        Raises:
            SecretMismatch: the store has another key, or is encrypted.
            StoreMoved: it is not in this channel any more, or not yet.
        """
        tried: set[Manifest] = set()
        begin = after / 1_000_000
        origin: Signpost | None = None
        for oldest in sorted({max(begin, self._slack.now() - _RECENT), begin}, reverse=True):
            page = await self._slack.history(self._channel, oldest=oldest)
            settled = [row for row in page.rows if micros(row.ts) / 1_000_000 <= page.read_at - skew]
            for row in reversed(settled):
                if successor := self._led(row, SUCCESSOR):
                    raise StoreMoved(successor.channel)
                origin = self._led(row, ORIGIN) or origin
                manifest = self._manifest(row)
                if manifest is None or manifest in tried or manifest.upto <= after:
                    continue
                tried.add(manifest)
                if (state := await self._tried(manifest)) is not None:
                    return state
        if origin is not None and not after:
            raise StoreMoved(origin.channel)
        return None

    async def oldest(self) -> State | None:
        """The oldest snapshot that verifies, None if there is none."""
        page = await self._slack.history(self._channel, oldest=0.0)
        return await self._first(filter(None, map(self._manifest, page.rows)))

    async def _first(self, manifests: Iterable[Manifest]) -> State | None:
        for manifest in manifests:
            if (state := await self._tried(manifest)) is not None:
                return state
        return None

    async def _tried(self, manifest: Manifest) -> State | None:
        try:
            return await self._load(manifest)
        except (SnapshotDamaged, MessageGone) as error:
            _log.warning("the snapshot %s is not used: %s", manifest.thread, error)
            return None

    def _led(self, row: Row, kind: str) -> Signpost | None:
        """The signpost of this kind that a message is, if it is one that counts."""
        if row.metadata is None or row.metadata.type != kind:
            return None
        if self._authors is not None and row.user not in self._authors:
            return None
        found = read_signpost(kind, row.metadata.payload, author=row.user, seal=self._seal)
        return found if isinstance(found, Signpost) else None

    def _manifest(self, row: Row) -> Manifest | None:
        """The manifest that a message is, if it is one that counts."""
        if row.metadata is None or row.metadata.type != SNAPSHOT:
            return None
        if self._authors is not None and row.user not in self._authors:
            return None
        manifest = read_manifest(row.metadata.payload, author=row.user, seal=self._seal)
        match manifest:
            case SecretMismatch():
                raise manifest
            case RecordForeign():
                self.foreign = manifest
            case RecordRejected():
                _log.warning("the snapshot %s is not used: %s", row.ts, manifest)
            case _ if manifest.upto <= micros(row.ts):
                return manifest
            case _:
                _log.warning("the snapshot %s is not used: it names a moment after it", row.ts)
        return None

    async def _load(self, manifest: Manifest) -> State:
        parts: dict[int, str] = {}
        for row in await self._parts(manifest):
            if row.metadata is None:
                continue
            number: object = row.metadata.payload.get("number")
            part: object = row.metadata.payload.get("part")
            if isinstance(number, int) and 0 <= number < manifest.parts and isinstance(part, str):
                parts.setdefault(number, part)
        if len(parts) != manifest.parts:
            raise SnapshotDamaged(f"Of {manifest.parts} parts of a snapshot there are {len(parts)}.")
        return unpacked([parts[number] for number in range(manifest.parts)], manifest, self._seal)

    async def _parts(self, manifest: Manifest) -> list[Row]:
        replies = await self._slack.replies(self._channel, manifest.thread)
        rows = [row for row in replies if row.metadata is not None and row.metadata.type == PART]
        if len({row.user for row in rows}) > 1:
            # Everybody may answer in a thread, but who began a snapshot posted all of it.
            begun = await self._slack.row(self._channel, manifest.thread)
            rows = [row for row in rows if begun is not None and row.user == begun.user]
        return rows

    def _due(self, follower: Follower) -> bool:
        """Whether so much was written since the newest snapshot, or so long ago, that another one is needed."""
        state, newest = follower.state, follower.archived
        count, since = (newest.count, newest.upto) if newest else (0, follower.oldest)
        if state.closes or not state.count:
            return False
        return state.count - count >= _EVERY or state.now - since > self._period
