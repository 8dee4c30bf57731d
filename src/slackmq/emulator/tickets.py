"""Tickets that let in one WebSocket each; a restart makes neither the unused ones bad nor the used ones good again."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from typing import TYPE_CHECKING

from slackmq.emulator.identifiers import derived_secret
from slackmq.emulator.receipts import HORIZON

if TYPE_CHECKING:
    from slackmq.emulator.receipts import Receipts

__all__ = ["Tickets"]

_SECOND = 1_000_000


class Tickets:
    """The tickets of one door.

    Args:
        kind: names the door: a ticket for one opens no other.
        secret: what seals them; the workspace's own, so that the next run knows them.
        receipts: where it is noted which ones were used.
        life: seconds in which a ticket must be used; at most as long as receipts are kept.
    """

    def __init__(self, kind: str, *, secret: str, receipts: Receipts, life: int) -> None:
        self._kind = kind
        self._secret = secret
        self._receipts = receipts
        self._life = min(life * _SECOND, HORIZON)
        self._used: dict[str, int] = {}

    def draw(self, owner: str, now: int) -> str:
        """A new ticket for an app or a user; `now` is in microseconds since 1970."""
        name = f"{secrets.token_hex(8)}-{now // _SECOND}"
        return f"{name}-{self._seal(owner, name)}"

    async def redeem(self, owner: str, ticket: str, now: int) -> bool:
        """True if the ticket is the owner's, young enough, and used for the first time.

        That it was used is on the disk before this returns.
        """
        name, _, seal = ticket.rpartition("-")
        if not (owner + ticket).isascii() or not hmac.compare_digest(seal, self._seal(owner, name)):
            return False
        drawn = int(name.rpartition("-")[2]) * _SECOND
        self._used = {used: at for used, at in self._used.items() if now - at <= self._life}
        if now - drawn >= self._life or name in self._used or self._receipts.knows(owner, self._noted(name)):
            return False
        self._used[name] = now
        self._receipts.note(owner, self._noted(name), now)
        if self._receipts.waiting:
            await asyncio.to_thread(self._receipts.flush)
        return True

    def _noted(self, name: str) -> str:
        return f"{self._kind}-ticket/{name}"

    def _seal(self, owner: str, name: str) -> str:
        return derived_secret(self._secret, f"{self._kind}-ticket/{owner}/{name}", 24)
