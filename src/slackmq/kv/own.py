"""Own: what this process wrote and what is not settled yet, laid over what is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.kv.log import Head
from slackmq.kv.record import GROUPS

if TYPE_CHECKING:
    from slackmq.kv.log import State
    from slackmq.kv.record import Operation

__all__ = ["Own"]


class Own:
    """Writes that certainly count, for they asked for no revision, and stand in the channel.

    What others wrote a moment before or after is not known yet, so a key is shown as it stood when it was written.

    Args:
        author: user id of this bot.
    """

    def __init__(self, author: str) -> None:
        self.author = author
        self._written: dict[str, tuple[int, Head | None]] = {}

    def remember(self, operations: tuple[Operation, ...], made: int, state: State) -> None:
        """Take note of operations that made a revision."""
        self._forget(state)
        if made // GROUPS <= state.now:
            return
        for operation in operations:
            latest = self._written.get(operation.key)
            if latest is None or latest[0] < made:
                old = self.known(operation.key, state)
                self._written.pop(operation.key, None)  # the latest stands last
                self._written[operation.key] = (made, _headed(operation, made, old=old, author=self.author))

    def __len__(self) -> int:
        return len(self._written)

    def _forget(self, state: State) -> None:
        """Let go of what is settled, also where nobody reads it: the oldest stand first, but for a few."""
        settled: list[str] = []
        for key, (made, _) in self._written.items():
            if made // GROUPS > state.now:
                break
            settled.append(key)
        for key in settled:
            del self._written[key]

    def known(self, key: str, state: State) -> Head | None:
        """A key as this process knows it."""
        latest = self._written.get(key)
        if latest is not None and latest[0] // GROUPS > state.now:
            return latest[1]
        self._written.pop(key, None)
        return state.get(key)

    def keys(self, prefix: str, state: State) -> list[str]:
        """The keys that this process knows to be there, in alphabetical order."""
        keys = {*state.keys(prefix), *(key for key in self._written if key.startswith(prefix))}
        return sorted(key for key in keys if self.known(key, state) is not None)


def _headed(operation: Operation, made: int, *, old: Head | None, author: str) -> Head | None:
    """A key as an operation leaves it that made a revision of it."""
    if operation.value is None:
        return None
    expires = made // GROUPS + operation.ttl if operation.ttl else 0
    return Head(operation.value, made, old.first if old else made, author, expires)
