"""Stores for code that does not await."""

from __future__ import annotations

import os
from collections.abc import ItemsView, MutableMapping, ValuesView
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from slackmq.errors import ConfigurationError
from slackmq.kv.elect import LEADER, TERM
from slackmq.kv.errors import KeyExists, KeyNotFound
from slackmq.kv.many import clear, fill
from slackmq.kv.opening import RETENTION
from slackmq.kv.store import AsyncStore
from slackmq.kv.terms import Terms
from slackmq.portal import Blocking, blocking, wait_for
from slackmq.slack.connect import open_events, open_slack, resolve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterable, Iterator, Mapping
    from pathlib import Path

    from slackmq.kv.elect import Leader
    from slackmq.kv.entry import Change, Entry, Status
    from slackmq.kv.lock import Lock
    from slackmq.kv.secret import Secret
    from slackmq.message import Json
    from slackmq.policy import Timing
    from slackmq.slack.connect import Settings

__all__ = ["Store"]


class Store(Blocking[AsyncStore], MutableMapping[str, "Json | bytes"]):
    """A channel as a key-value store, for code that does not await: a mapping, inside `with store:`.

    What is read is at most a few seconds old, and shows this process's own writes; `entry(key, fresh=True)` misses
    nothing that was written before it was called, and takes a few seconds. Any number of threads may use one store.
    Where a mapping has a method of the same name it has another here: `entry` is the `get` of `AsyncStore`, `find` its
    `keys`, `replace` its `update`.

    Args:
        channel: "#name" or id; the same channel is the same store.
        settings: which Slack, and as whom; None: by the environment at the moment of entering.
        timing: the time constants; the same in all processes that use the store.
        name: what this process calls itself in locks; drawn at random if None.
        secret: the store's keys; None: those in SLACKMQ_KV_KEY, if that is set at the moment of entering.
        authors: user ids of the bots that may write; None: everybody in the channel.
        cache: a file of this process alone, from which a restart goes on; None: everything is read from the channel.
        retention: for how long Slack keeps messages in the channel: a snapshot is posted after a third of it.
    """

    def __init__(
        self,
        channel: str,
        *,
        settings: Settings | None = None,
        timing: Timing | None = None,
        name: str | None = None,
        secret: Secret | None = None,
        authors: frozenset[str] | None = None,
        cache: Path | str | None = None,
        retention: timedelta = RETENTION,
    ) -> None:
        self._channel = channel
        self._settings = settings
        self._timing = timing
        self._name = name
        self._secret = secret
        self._authors = authors
        self._cache = cache
        self._retention = retention
        super().__init__("store")

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[AsyncStore]:
        settings = self._settings or resolve(os.environ)
        async with (
            open_slack(settings) as slack,
            AsyncStore(
                slack,
                self._channel,
                events=open_events(settings),
                timing=self._timing,
                name=self._name,
                secret=self._secret,
                authors=self._authors,
                cache=self._cache,
                retention=self._retention,
            ) as store,
        ):
            yield store

    def __getitem__(self, key: str) -> Json | bytes:
        found: Entry = self.entry(key)
        return found.value

    def __setitem__(self, key: str, value: object) -> None:
        self.put(key, value)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyNotFound(key)
        self.delete(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self.find())

    def __len__(self) -> int:
        return len(self.find())

    def items(self) -> ItemsView[str, Json | bytes]:
        """Keys and values; what somebody deletes while one iterates is left out."""
        return _Items(self)

    def values(self) -> ValuesView[Json | bytes]:
        """The values, as in `items`."""
        return _Values(self)

    def setdefault(  # type: ignore[override]  # None is a value like others here
        self, key: str, default: Json | bytes = None, /
    ) -> Json | bytes:
        """The value of a key; where there is none, `default` is written: of all who ask at once, all get the same."""
        while key not in self:
            try:
                self.create(key, default)
            except KeyExists:
                self.find(key, fresh=True)  # somebody was faster, or deletes it just now
        return self[key]

    def update(  # type: ignore[override]  # a mapping takes whatever has keys(), and this what says that it is a mapping
        self, other: Mapping[str, object] | Iterable[tuple[str, object]] = (), /, **values: object
    ) -> None:
        """Put many keys, in as few posts as they fit; `commit` lets them appear together."""
        portal, store = self._there
        wait_for(portal, lambda: fill(store, dict(other, **values)))

    @property
    def encrypted(self) -> bool:
        """Whether only who has its key can read it."""
        return self._there[1].encrypted

    def status(self) -> Status:
        """How the store is, as this process knows it."""
        return self._there[0].call(self._there[1].status)

    def watch(self, prefix: str = "", *, from_revision: int | None = None) -> Iterator[Change]:
        """The changes of all keys that begin with `prefix`, each once, in order, for as long as one iterates."""
        portal, store = self._there
        changes = store.watch(prefix, from_revision=from_revision)
        try:
            while (change := wait_for(portal, lambda: anext(changes, None))) is not None:
                yield change
        finally:
            with suppress(ConfigurationError):  # a store that was closed has ended it
                wait_for(portal, changes.aclose)

    @contextmanager
    def lock(self, name: str, *, ttl: timedelta = timedelta(seconds=60)) -> Generator[Lock]:
        """A lock: `with store.lock("x") as held:`. A thread cannot be stopped: if it is lost, leaving says so."""
        portal, store = self._there
        lock = store.lock(name, ttl=ttl)
        wait_for(portal, lock.acquire)  # whoever waits for it can be interrupted
        inside = portal.wrap_async_context_manager(lock)
        held = inside.__enter__()
        try:
            yield held
        finally:
            # What ends it stays on this side: raised on the loop's thread, an interruption would end the loop.
            inside.__exit__(None, None, None)

    def elect(self, name: str, *, ttl: timedelta = TERM) -> Terms:
        """A leadership: `with store.elect("x") as term:`, or `for term in store.elect("x"):` and `with term:`."""
        return Terms(lambda: self.lock(LEADER + name, ttl=ttl))

    def leader(self, name: str, *, fresh: bool = False) -> Leader | None:
        """Who leads, as far as is known here, None if nobody does; `fresh` asks Slack first."""
        return wait_for(self._there[0], lambda: self._there[1].elect(name).leader(fresh=fresh))

    entry = blocking(AsyncStore.get)
    find = blocking(AsyncStore.keys)
    put = blocking(AsyncStore.put)
    create = blocking(AsyncStore.create)
    replace = blocking(AsyncStore.update)
    delete = blocking(AsyncStore.delete)
    purge = blocking(AsyncStore.purge)
    clear = blocking(clear)  # pyright: ignore[reportAssignmentType]  # self is told by its place alone
    roll = blocking(AsyncStore.roll)
    age = blocking(AsyncStore.age)
    transact = blocking(AsyncStore.transact)
    commit = blocking(AsyncStore.commit)
    history = blocking(AsyncStore.history)


class _Items(ItemsView[str, "Json | bytes"]):
    """The items of a store that others change meanwhile."""

    _mapping: Store

    def __iter__(self) -> Iterator[tuple[str, Json | bytes]]:
        for key in self._mapping:
            try:
                yield key, self._mapping[key]
            except KeyNotFound:
                continue


class _Values(ValuesView["Json | bytes"]):
    """The values of a store that others change meanwhile."""

    _mapping: Store

    def __iter__(self) -> Iterator[Json | bytes]:
        for _, value in _Items(self._mapping):
            yield value
