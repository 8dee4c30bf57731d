"""Once: a claim on one message for whoever asks first, and nothing for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from slackmq.message import Claim, Message
    from slackmq.queue.lease import Lease
    from slackmq.queue.pick import Pick

__all__ = ["Once"]


class Once:
    """`async with queue.claim_once(ts) as claim:`, where `claim` is a `Lease` or None.

    Leaving ends the claim as leaving a lease does: it acknowledges, an exception fails for good, and being cancelled
    releases.

    Args:
        pick: claims messages by name.
        hold: keeps a claim alive.
        message: what to claim, or its ts.
        key: instead of a message, the name of what shall happen once.
        wait: whether to wait for the end of somebody else's claim.
    """

    def __init__(
        self,
        pick: Callable[[], Pick],
        hold: Callable[[Claim], Lease],
        *,
        message: Message | str | None,
        key: str | None,
        wait: bool,
    ) -> None:
        if (message is None) == (key is None):
            raise ConfigurationError(
                "claim_once takes a message or a key.",
                remedy='Write claim_once(ts), or claim_once(key="backup/2026-11-27").',
            )
        self._pick = pick
        self._hold = hold
        self._message = message
        self._key = key
        self._wait = wait
        self._lease: Lease | None = None

    async def claim(self) -> Claim | None:
        """The claim alone, for whoever keeps it alive without this context; None where somebody else was first."""
        if isinstance(self._message, str):
            return await self._pick().standing(self._message, wait=self._wait)
        if self._message is not None:
            return await self._pick().shown(self._message, wait=self._wait)
        return await self._pick().keyed(self._key or "", wait=self._wait)

    async def tidy(self, claim: Claim) -> None:
        """To be called when such a claim has ended: takes its pin off, if there is one and nobody else does it."""
        await self._pick().tidy(claim)

    async def __aenter__(self) -> Lease | None:
        claim = await self.claim()
        if claim is None:
            return None
        lease = self._hold(claim)
        await lease.__aenter__()
        self._lease = lease
        return lease

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        lease, self._lease = self._lease, None
        if lease is None:
            return False
        swallowed = await lease.__aexit__(kind, error, trace)
        await self.tidy(lease.claim)
        return swallowed
