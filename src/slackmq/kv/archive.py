"""Archive: posts snapshots of a store into its channel, and finds the newest one that verifies."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from slackmq.errors import Ambiguous, MessageGone, SlackMQError
from slackmq.kv.errors import RecordForeign, RecordRejected, SecretMismatch, SnapshotDamaged
from slackmq.kv.record import micros
from slackmq.kv.snapshot import PART, SNAPSHOT, Manifest, packed, read_manifest, unpacked, written
from slackmq.slack.api import Metadata, Urgency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slackmq.clock import Clock
    from slackmq.kv.follower import Follower
    from slackmq.kv.log import State
    from slackmq.kv.seal import Seal
    from slackmq.slack.api import Row, Slack

__all__ = ["Archive"]

_log = logging.getLogger("slackmq.kv")
_EVERY = 1_000
"""Records after which a snapshot is posted: whoever opens the store reads two pages at most besides it."""
_MONTH = 30 * 86_400 * 1_000_000
"""Microseconds after which one is posted however little was written: Slack's free plan shows 90 days."""
_TURN = 60.0
"""Seconds within which the processes of a store take turns to post one."""
_RECENT = 86_400.0
"""Seconds back from now in which a snapshot is looked for first: a store in which little is written is read quickly."""


class Archive:
    """The snapshots in one channel.

    A snapshot is a message, its parts as replies to it, and, once they all stand, a manifest. Of one that was not
    finished there is no manifest, so nobody reads it. Two of the same moment are the same, and two of different
    moments are both good.

    Args:
        slack: the workspace.
        channel: id of the channel.
        seal: signs manifests, and hides parts if it hides.
        authors: user ids of those whose snapshots count; None: everybody's.

    Attributes:
        foreign: why a snapshot was passed over that was signed with a key that is not known here, if there was one.
    """

    def __init__(self, slack: Slack, *, channel: str, seal: Seal, authors: frozenset[str] | None) -> None:
        self.foreign: RecordForeign | None = None
        self._slack = slack
        self._channel = channel
        self._seal = seal
        self._authors = authors

    async def post(self, state: State) -> Manifest:
        """Post a snapshot of a settled state; returns its manifest.

        Raises:
            SlackError: Slack refuses, or gave no answer: then there may be half a snapshot, which nobody reads.
        """
        upto, count, keys = state.now, state.count, len(state)
        sha256, parts = packed(state, self._seal)
        text = f"A snapshot of {keys} keys, in {len(parts)} parts in this thread."
        thread = await self._slack.post(self._channel, text, urgency=Urgency.SCAN)
        for number, part in enumerate(parts):
            metadata = Metadata(type=PART, payload={"number": number, "part": part})
            await self._slack.post(
                self._channel,
                f"Part {number + 1} of {len(parts)}.",
                metadata=metadata,
                thread=thread,
                urgency=Urgency.SCAN,
            )
        hidden = self._seal.hides
        manifest = Manifest(upto=upto, count=count, thread=thread, parts=len(parts), sha256=sha256, hidden=hidden)
        payload = written(manifest, seal=self._seal)
        text = f"The snapshot of {keys} keys is complete."
        metadata = Metadata(type=SNAPSHOT, payload=payload)
        await self._slack.post(self._channel, text, metadata=metadata, urgency=Urgency.SCAN)
        return manifest

    async def keep(self, follower: Follower, clock: Clock) -> None:
        """Post a snapshot whenever one is due, for as long as the store works."""
        try:
            while True:
                await follower.news()
                if not _due(follower):
                    continue
                # Several processes find it due at the same time, and one snapshot is enough.
                await clock.sleep(clock.random() * _TURN)
                try:
                    if _due(follower):
                        await self.post(follower.state)
                except Ambiguous as error:
                    _log.warning("a snapshot was not finished, and is posted again: %s", error)
                    await clock.sleep(_TURN)
        except SlackMQError as error:
            _log.warning("no snapshots are posted from here any more: %s", error)

    async def newest(self, skew: float, *, after: int = 0) -> State | None:
        """The newest settled snapshot that verifies, None if there is none of a moment later than `after`.

        Raises:
            SecretMismatch: the store has another key, or is encrypted.
        """
        tried: set[Manifest] = set()
        begin = after / 1_000_000
        for oldest in sorted({max(begin, self._slack.now() - _RECENT), begin}, reverse=True):
            page = await self._slack.history(self._channel, oldest=oldest)
            settled = [row for row in page.rows if micros(row.ts) / 1_000_000 <= page.read_at - skew]
            for manifest in self._manifests(settled):
                if manifest in tried or manifest.upto <= after:
                    continue
                tried.add(manifest)
                try:
                    return await self._load(manifest)
                except (SnapshotDamaged, MessageGone) as error:
                    _log.warning("the snapshot %s is not used: %s", manifest.thread, error)
        return None

    def _manifests(self, rows: list[Row]) -> Iterator[Manifest]:
        """The manifests among messages, the newest first."""
        for row in reversed(rows):
            if row.metadata is None or row.metadata.type != SNAPSHOT:
                continue
            if self._authors is not None and row.user not in self._authors:
                continue
            manifest = read_manifest(row.metadata.payload, author=row.user, seal=self._seal)
            match manifest:
                case SecretMismatch():
                    raise manifest
                case RecordForeign():
                    self.foreign = manifest
                case RecordRejected():
                    _log.warning("the snapshot %s is not used: %s", row.ts, manifest)
                case _ if manifest.upto <= micros(row.ts):
                    yield manifest
                case _:
                    _log.warning("the snapshot %s is not used: it names a moment after it", row.ts)

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


def _due(follower: Follower) -> bool:
    """Whether so much was written since the newest snapshot, or so long ago, that another one is needed."""
    state, newest = follower.state, follower.archived
    count, since = (newest.count, newest.upto) if newest else (0, follower.oldest)
    return state.count > count and (state.count - count >= _EVERY or state.now - since > _MONTH)
