"""Past: what changed in a store since its beginning, in whatever channels it was, by reading them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.errors import ChannelNotFound
from slackmq.kv.entry import Change, Kind
from slackmq.kv.errors import LogBroken
from slackmq.kv.log import State
from slackmq.kv.reading import record_of
from slackmq.kv.record import GROUPS, Record, micros

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.kv.archive import Archive
    from slackmq.kv.seal import Seal
    from slackmq.slack.api import Slack

__all__ = ["Past"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The log of one store.

    Attributes:
        slack: the workspace.
        seals: of the channels in which it was, the oldest first, and of the one in which it is.
        archive: of the one in which it is.
        authors: user ids of those who may write; None: everybody.
    """

    slack: Slack
    seals: Sequence[Seal]
    archive: Archive
    authors: frozenset[str] | None

    async def changes(self, upto: int, *, after: int | None = None) -> list[Change]:
        """What changed up to a settled moment.

        Args:
            upto: the moment, in microseconds by Slack's clock.
            after: only what came after this revision, but all of that; None: as far back as Slack shows it.

        Raises:
            LogBroken: Slack does not show all of it any more.
        """
        try:
            return await self._all(upto, after or 0)
        except (LogBroken, ChannelNotFound):
            # The beginning is gone; what came after the oldest snapshot may be all that is asked for.
            base = await self.archive.oldest()
            if base is None or (after is not None and base.now > after // GROUPS):
                raise
        # Of what came before nothing is shown but what it came to.
        there = [] if after is not None else sorted(base.items(), key=lambda each: each[1].revision)
        known = [Change(key=key, kind=Kind.PUT, revision=head.revision, entry=head.entry(key)) for key, head in there]
        return known + await self._read(base, self.seals[-1], upto, after or 0)

    async def _all(self, upto: int, after: int) -> list[Change]:
        state, found = State(), list[Change]()
        for seal in self.seals[:-1]:
            found += await self._read(state, seal, upto, after)
            if not state.closed:
                raise LogBroken(f"The channel {seal.channel} does not show any more how the store went on from there.")
            state = state.onward(seal.channel)
        return found + await self._read(state, self.seals[-1], upto, after)

    async def _read(self, state: State, seal: Seal, upto: int, after: int) -> list[Change]:
        """Take in what one channel shows, and tell what came after a revision."""
        found: list[Change] = []
        page = await self.slack.history(seal.channel, oldest=state.now / 1_000_000, latest=upto / 1_000_000)
        for row in page.rows:
            record, at = record_of(row, seal=seal, authors=self.authors), micros(row.ts)
            if isinstance(record, Record) and at > state.now and state.counts(at):
                _, changes = state.apply(at, row.user, record)
                found += changes if at > after // GROUPS else [each for each in changes if each.revision > after]
        changes = state.advance(upto)
        return found + list(changes if state.now > after // GROUPS else ())
