"""A storage backend for slack-machine: STORAGE_BACKEND = "slackmq.integrations.slack_machine.SlackMQStorage"."""

from __future__ import annotations

import os
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from anyio.to_thread import run_sync

from slackmq.errors import ConfigurationError
from slackmq.kv.errors import KeyNotFound
from slackmq.kv.secret import KEY, Secret
from slackmq.policy import Timing
from slackmq.slack.connect import resolve
from slackmq.sync import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SlackMQStorage"]

_PREFIX = "machine/"


class SlackMQStorage:
    """What plugins keep, in a channel; it has the methods of slack-machine's `MachineBaseStorage`.

    slack-machine pickles what plugins keep, and whoever can put a pickle there runs code here. So the store needs a key
    (SLACKMQ_KV_KEY in the environment), without which nothing that stands in the channel counts.

    Args:
        settings: those of slack-machine. SLACK_BOT_TOKEN says as whom, SLACKMQ_CHANNEL where ("#state" if not set),
            SLACKMQ_URL which Slack, if it is another one, and SLACKMQ_SKEW is the skew in seconds.

    Raises:
        ConfigurationError: there is no key, or what nobody signed would count, too.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        here = resolve(os.environ, token=settings.get("SLACK_BOT_TOKEN"), url=settings.get("SLACKMQ_URL"))
        timing = Timing(skew=timedelta(seconds=float(settings.get("SLACKMQ_SKEW", 4))))
        channel = settings.get("SLACKMQ_CHANNEL", "#state")
        self._store = Store(channel, settings=here, timing=timing, secret=_secret(os.environ))

    async def init(self) -> None:
        """Open the store."""
        await run_sync(self._store.__enter__)

    async def get(self, key: str) -> bytes | None:
        """What is kept there, None if there is nothing."""
        try:
            entry = await run_sync(partial(self._store.entry, _PREFIX + key))
        except KeyNotFound:
            return None
        return entry.value if isinstance(entry.value, bytes) else None

    async def set(self, key: str, value: bytes, expires: int | None = None) -> None:
        """Keep it, for so many seconds."""
        ttl = timedelta(seconds=expires) if expires else None
        await run_sync(partial(self._store.put, _PREFIX + key, bytes(value), ttl=ttl))

    async def has(self, key: str) -> bool:
        """Whether something is kept there."""
        return await self.get(key) is not None

    async def delete(self, key: str) -> None:
        """Keep it no longer."""
        await run_sync(partial(self._store.delete, _PREFIX + key))

    async def size(self) -> int:
        """Bytes of all that is kept."""
        keys: list[str] = await run_sync(partial(self._store.find, _PREFIX))
        return sum([len(await self.get(key.removeprefix(_PREFIX)) or b"") for key in keys])

    async def close(self) -> None:
        """Close the store."""
        await run_sync(partial(self._store.__exit__, None, None, None))


def _secret(env: Mapping[str, str]) -> Secret:
    """The store's keys, with which nothing counts that nobody signed."""
    secret = Secret.resolve(env)
    if not secret.keys or secret.unsigned:
        raise ConfigurationError(
            "What slack-machine keeps is pickled, and a pickle from a channel where all can post would run code here.",
            remedy=f"Set {KEY} to a key, without the word unsigned: "
            'python -c "import slackmq; print(slackmq.Secret.new_key())"',
        )
    return secret
