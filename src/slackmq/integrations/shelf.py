"""A store opened as the standard library opens a shelf: `slackmq.integrations.shelf.open("#state")`.

Values are JSON or bytes, and never pickled: whoever may post in the channel could run code here otherwise.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Literal, Self

from slackmq.errors import ConfigurationError
from slackmq.kv.entry import encode
from slackmq.sync import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slackmq.kv.secret import Secret
    from slackmq.policy import Timing
    from slackmq.slack.connect import Settings

__all__ = ["Shelf", "open"]

Flag = Literal["r", "w", "c", "n"]


class Shelf(MutableMapping[str, Any]):
    """A store as `shelve.Shelf` behaves; `open` makes it.

    Args:
        store: a store that is open already; `close` closes it.
        readonly: whether to refuse writes.
        writeback: whether to keep what was read, and write what of it was changed at `sync` and `close`.
    """

    def __init__(self, store: Store, *, readonly: bool = False, writeback: bool = False) -> None:
        self._store = store
        self._readonly = readonly
        self._writeback = writeback
        self._read: dict[str, tuple[Any, object]] = {}

    def __getitem__(self, key: str) -> Any:
        if key in self._read:
            return self._read[key][0]
        value = self._store[key]
        if self._writeback:
            self._read[key] = value, encode(value)
        return value

    def __setitem__(self, key: str, value: object) -> None:
        self._may_write()
        before = encode(value)
        self._store[key] = value
        self._read.pop(key, None)
        if self._writeback:
            self._read[key] = value, before

    def __delitem__(self, key: str) -> None:
        self._may_write()
        self._read.pop(key, None)
        del self._store[key]

    def clear(self) -> None:
        """Let all keys be gone, in as few posts as possible."""
        self._may_write()
        self._read.clear()
        self._store.clear()

    def __contains__(self, key: object) -> bool:
        return key in self._store

    def __iter__(self) -> Iterator[str]:
        return iter(self._store)

    def __len__(self) -> int:
        return len(self._store)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def sync(self) -> None:
        """Write what was read and changed since, with `writeback`; everything else was written at once."""
        for key, (value, before) in list(self._read.items()):
            if encode(value) != before and not self._readonly:
                self._store[key] = value
        self._read.clear()

    def close(self) -> None:
        """Write what is left to write, and close the store."""
        try:
            self.sync()
        finally:
            self._store.__exit__(None, None, None)

    def _may_write(self) -> None:
        if self._readonly:
            raise ConfigurationError("The shelf was opened to be read.", remedy='Open it with flag="c".')


def open(  # noqa: A001  # as in the standard library
    channel: str,
    flag: Flag = "c",
    *,
    writeback: bool = False,
    settings: Settings | None = None,
    timing: Timing | None = None,
    secret: Secret | None = None,
) -> Shelf:
    """A channel as a shelf, open until `close`, or inside `with`.

    Args:
        channel: "#name" or id; it must be there.
        flag: "r" reads, "w" and "c" read and write, "n" empties it first.
        writeback: whether to keep what was read, and write what of it was changed at `sync` and `close`.
        settings: which Slack, and as whom; None: by the environment.
        timing: the time constants; the same in all processes that use the store.
        secret: the store's keys; None: those of the environment.

    Raises:
        ConfigurationError: there is no such flag, or no token.
        ChannelNotFound: there is no such channel.
    """
    if flag not in {"r", "w", "c", "n"}:
        raise ConfigurationError(
            f"A shelf cannot be opened with flag {flag!r}.", remedy='Give it "r", "w", "c" or "n".'
        )
    store = Store(channel, settings=settings, timing=timing, secret=secret).__enter__()
    shelf = Shelf(store, readonly=flag == "r", writeback=writeback)
    if flag == "n":
        shelf.clear()
    return shelf
