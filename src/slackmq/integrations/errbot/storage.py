"""Storage for errbot: STORAGE = "SlackMQ", with the folder of the plug-in in BOT_EXTRA_STORAGE_PLUGINS_DIR."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slackmq.policy import Timing
from slackmq.slack.connect import resolve
from slackmq.sync import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["FOLDER", "ChannelStorage", "Cupboard"]

FOLDER = str(Path(__file__).with_name("storage_plugin"))
"""What BOT_EXTRA_STORAGE_PLUGINS_DIR must be."""


class Cupboard:
    """The store of one errbot, open for as long as one of its namespaces is.

    Args:
        config: errbot's STORAGE_CONFIG: `channel` ("#state" if not set), and `token`, `url` and `skew` (seconds), each
            only if it is another one than the environment's or the one as shipped.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._store: Store | None = None
        self._open = 0

    def open(self, namespace: str) -> ChannelStorage:
        """What a plugin keeps."""
        if self._store is None:
            config = self._config
            settings = resolve(os.environ, token=config.get("token"), url=config.get("url"))
            timing = Timing(skew=timedelta(seconds=float(config.get("skew", 4))))
            self._store = Store(config.get("channel", "#state"), settings=settings, timing=timing).__enter__()
        self._open += 1
        return ChannelStorage(self, self._store, namespace)

    def leave(self) -> None:
        """Close the store with its last namespace."""
        self._open -= 1
        if self._open == 0 and self._store is not None:
            store, self._store = self._store, None
            store.__exit__(None, None, None)


class ChannelStorage:
    """What one plugin keeps; it has the methods of errbot's `StorageBase`. Values are JSON or bytes, never pickled.

    Args:
        cupboard: told when it is closed.
        store: where.
        namespace: errbot's name for who keeps it.
    """

    def __init__(self, cupboard: Cupboard, store: Store, namespace: str) -> None:
        self._cupboard = cupboard
        self._store = store
        self._prefix = f"errbot/{namespace}/"

    def get(self, key: str) -> Any:
        """What is kept there; a KeyError if there is nothing."""
        return self._store[self._prefix + key]

    def set(self, key: str, value: object) -> None:
        """Keep it."""
        self._store[self._prefix + key] = value

    def remove(self, key: str) -> None:
        """Keep it no longer; a KeyError if there is nothing."""
        del self._store[self._prefix + key]

    def len(self) -> int:
        """How much is kept."""
        return len(self._store.find(self._prefix))

    def keys(self) -> Iterator[str]:
        """Where something is kept."""
        return (key.removeprefix(self._prefix) for key in self._store.find(self._prefix))

    def close(self) -> None:
        """Keep nothing more here."""
        self._cupboard.leave()
