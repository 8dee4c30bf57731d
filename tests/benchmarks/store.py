"""The figures of the key-value store, as rows: what was measured, the goal, what came out."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import anyio

from slackmq.kv.cache import Cache, Since
from slackmq.kv.entry import encode
from slackmq.kv.log import State
from slackmq.kv.record import RECORD, Group, Operation, Record, Verb, opened, sealed, shown
from slackmq.kv.seal import Seal
from slackmq.kv.secret import Secret
from slackmq.kv.snapshot import Manifest, packed, unpacked
from slackmq.kv.store import AsyncStore
from slackmq.policy import Timing
from slackmq.simulation.clock import SimClock
from slackmq.simulation.faults import NONE
from slackmq.simulation.loop import run
from slackmq.simulation.wire import SimWire
from slackmq.simulation.world import World
from slackmq.slack import pacing
from slackmq.slack.api import Metadata
from slackmq.slack.client import Client
from slackmq.slack.connect import open_events, open_slack
from slackmq.testing.awaiting import async_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
    from typing import Any

    from slackmq.testing.awaiting import AsyncWorkspace

__all__ = ["rows"]

Row = tuple[str, str, str]
_WARM, _COUNTED = 180.0, 600.0
"""Virtual seconds: bursts are used up in the first ones, and writes are counted in the others."""
_PUTS, _UPDATES = 200, 15
_REST = 1.3
"""Seconds after which one more read is within Slack's limits."""
_RECORDS, _KEYS = 100_000, 1_000
_GETS = 100_000
_T = 1_700_000_000_000_000
_SECRET = Secret("of the benchmark: it opens nothing, and is long enough", encrypt=True)


def rows() -> list[Row]:
    """Figure, goal, what was measured."""
    return [*_writes(), *_latencies(), *_reads(), *_replays(), *_memory()]


# writes under the published limits, in virtual time


def _writes() -> list[Row]:
    single, grouped = per_minute(1), per_minute(200)
    fought = per_minute(8, contended=True)
    return [
        ("acknowledged writes/min within Slack's limits, one after the other", ">= 55", f"{single:.1f}"),
        ("the same, 200 at a time", ">= 3,000", f"{grouped:,.0f}"),
        ("changes/min of one counter for which eight writers compete", "", f"{fought:.1f}"),
    ]


def per_minute(writers: int, *, contended: bool = False) -> float:
    """Acknowledged writes a minute by so many tasks of one process, each as soon as the one before was acknowledged."""
    done = [0]

    async def main() -> float:
        world = World(1, replace(NONE, limits=True), apps=1)
        clock = SimClock(Random("writer"))  # noqa: S311  # a benchmark's dice must be repeatable
        client = Client(SimWire(world, "w1", world.app_of("w1")["bot_token"]), clock=clock)
        async with (
            AsyncStore(client, "#jobs", clock=clock, secret=Secret()) as store,
            anyio.create_task_group() as tasks,
        ):

            async def write(number: int) -> None:
                while True:
                    if contended:
                        await store.transact("n", lambda value: int(str(value)) + 1, default=0)
                    else:
                        await store.put(f"key{number}", done[0])
                    done[0] += 1

            for number in range(writers):
                tasks.start_soon(write, number)
            await anyio.sleep(_WARM)
            done[0] = 0
            await anyio.sleep(_COUNTED)
            done.append(done[0])
            tasks.cancel_scope.cancel()
        return done[1] * 60 / _COUNTED

    return run(main)


# over real HTTP on this machine


@asynccontextmanager
async def _there() -> AsyncGenerator[AsyncWorkspace]:
    async with async_workspace(channels=("general", "state"), apps=("one", "two")) as workspace:
        yield workspace


@asynccontextmanager
async def _store(workspace: AsyncWorkspace, app: int) -> AsyncGenerator[tuple[Client, AsyncStore]]:
    settings = workspace.apps[app].settings
    timing = Timing(scan=timedelta(seconds=3), quiet=timedelta(seconds=6), skew=timedelta(seconds=0.1))
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(open_slack(settings))
        events = open_events(settings)
        store = AsyncStore(slack, "#state", events=events, timing=timing, secret=Secret())
        yield slack, await stack.enter_async_context(store)


def _latencies() -> list[Row]:
    limits, pacing.LIMITS = pacing.LIMITS, dict.fromkeys(pacing.LIMITS, 1_000_000)
    try:
        put, post = anyio.run(_puts)
        settled, beside = anyio.run(_updates)
        heard, skew = anyio.run(_watched)
    finally:
        pacing.LIMITS = limits
    ratio = f"{put / post:.2f} ({put * 1e3:.2f} to {post * 1e3:.2f} ms)"
    return [
        ("put at rest, p50, ratio to one chat.postMessage of the same size", "<= 1.3", ratio),
        (
            "update at rest, p50, at a skew of 0.1 s",
            f"<= 1.3 x + 100 ms = {1_300 * beside + 100:.0f} ms",
            f"{settled * 1e3:.0f} ms ({beside * 1e3:.2f} ms for a chat.postMessage beside it)",
        ),
        ("put to watcher of another app, p50, less the skew", "", f"{(heard - skew) * 1e3:.0f} ms"),
    ]


async def _puts() -> tuple[float, float]:
    """Seconds at the median of a put, and of a bare post; in turns, so that both suffer alike."""
    puts: list[float] = []
    posts: list[float] = []
    async with _there() as workspace, _store(workspace, 0) as (slack, store):
        for number in range(_PUTS):
            posts.append(await _post(slack, store, number))
            begun = time.perf_counter()
            await store.put("key", number)
            puts.append(time.perf_counter() - begun)
    return statistics.median(puts), statistics.median(posts)


async def _updates() -> tuple[float, float]:
    """Seconds at the median of an update in a channel that is at rest, and of a bare post there.

    A minute of the channel is read again with each update, and at rest there is not much in it. Slack takes a post a
    second there, so there are never as many as a benchmark without limits would leave behind.
    """
    updates: list[float] = []
    posts: list[float] = []
    async with _there() as workspace, _store(workspace, 0) as (slack, store):
        made = await store.put("key", 0)
        for number in range(_UPDATES):
            await anyio.sleep(4 * _REST)
            posts.append(await _post(slack, store, number))
            await anyio.sleep(4 * _REST)
            begun = time.perf_counter()
            made = await store.update("key", number, last=made)
            updates.append(time.perf_counter() - begun)
    return statistics.median(updates), statistics.median(posts)


async def _post(slack: Client, store: AsyncStore, number: int) -> float:
    """Seconds that a post takes which is as large as a record."""
    channel, record = store.status().channel, _record(number)
    payload, text = sealed(record, seal=Seal(channel)), shown(record)
    begun = time.perf_counter()
    await slack.post(channel, text, metadata=Metadata(type=f"not_{RECORD}", payload=payload))
    return time.perf_counter() - begun


async def _watched() -> tuple[float, float]:
    """Seconds at the median from a put to a watcher of another app, and the skew that is part of it."""
    delays: list[float] = []
    async with _there() as workspace, _store(workspace, 0) as (_, one), _store(workspace, 1) as (_, two):
        watch = two.watch()
        for number in range(40):
            begun = time.perf_counter()
            await one.put("key", number)
            await anext(watch)
            delays.append(time.perf_counter() - begun)
            await anyio.sleep(_REST)
        await watch.aclose()
        return statistics.median(delays), two.status().skew.total_seconds()


# reads


def _reads() -> list[Row]:
    gets, bare, disk = anyio.run(_gets)
    made = [
        ("local get/s", "", f"{gets:,.0f}"),
        ("the same, ratio to dict", "", f"{gets / bare:.3f} ({gets:,.0f} to {bare:,.0f})"),
    ]
    shown = f"{gets / disk:.1f} ({gets:,.0f} to {disk:,.0f})" if disk else "diskcache is not installed"
    return [*made, ("the same, ratio to diskcache", "", shown)]


async def _gets() -> tuple[float, float, float | None]:
    keys = [f"key{number}" for number in range(_KEYS)]
    order = [keys[number % _KEYS] for number in range(_GETS)]
    async with _there() as workspace, _store(workspace, 0) as (_, store):
        async with anyio.create_task_group() as tasks:
            for key in keys:
                tasks.start_soon(store.put, key, {"on": True, "level": 7})
        await store.get(keys[0], fresh=True)
        begun = time.perf_counter()
        for key in order:
            await store.get(key)
        ours = _GETS / (time.perf_counter() - begun)
    there = {key: {"on": True, "level": 7} for key in keys}
    begun = time.perf_counter()
    for key in order:
        there[key]
    return ours, _GETS / (time.perf_counter() - begun), _diskcache(keys, order)


def _diskcache(keys: list[str], order: list[str]) -> float | None:
    try:
        import diskcache  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415  # a rival, not ours
    except ImportError:
        return None
    with tempfile.TemporaryDirectory() as folder, diskcache.Cache(folder) as cache:
        for key in keys:
            cache[key] = {"on": True, "level": 7}
        begun = time.perf_counter()
        for key in order[: _GETS // 10]:
            cache[key]
        return _GETS // 10 / (time.perf_counter() - begun)


# replay


def _record(number: int, state: State | None = None) -> Record:
    value = encode({"on": True, "level": number})
    group = Group(number=number, operations=(Operation(verb=Verb.PUT, key=f"key{number % _KEYS}", value=value),))
    chain = (state or State()).chain()
    return Record(writer="w" * 32, born=_T + number * 1_000_000, groups=(group,), chain=chain)


def _payloads(seal: Seal) -> Iterator[Mapping[str, Any]]:
    """The payloads of a log, each written by who knew all before."""
    state = State()
    for number in range(_RECORDS):
        payload = sealed(_record(number, state), seal=seal)
        record = opened(payload, author="U1", seal=seal)
        if not isinstance(record, Record):
            raise TypeError(record)
        state.apply(_T + number * 1_000_000, "U1", record)
        yield payload


def _seconds(do: Callable[[], State]) -> tuple[float, State]:
    begun = time.perf_counter()
    state = do()
    return time.perf_counter() - begun, state


def _replays() -> list[Row]:
    made: list[Row] = []
    for name, secret in (("plain", Secret()), ("encrypted", _SECRET)):
        clock = SimClock(Random("ids"))  # noqa: S311  # as above
        seal = Seal("C1", author="U1", secret=secret, new_id=clock.new_id)
        payloads = list(_payloads(seal))
        took, state = _seconds(lambda payloads=payloads, seal=seal: _replayed(payloads, seal))  # type: ignore[misc]
        title = f"replay of {_RECORDS:,} records of {_KEYS:,} keys from nothing, {name}"
        made.append((title, "", f"{took:.2f} s, {took / _RECORDS * 1e6:.0f} us each"))
        sha256, parts = packed(state, seal)
        manifest = Manifest(
            upto=state.now, count=state.count, thread="", parts=len(parts), sha256=sha256, hidden=seal.hides
        )
        took, _ = _seconds(lambda parts=parts, manifest=manifest, seal=seal: unpacked(parts, manifest, seal))  # type: ignore[misc]
        made.append((f"the same from a snapshot of {len(parts)} parts", "<= 1 s", f"{took:.3f} s"))
    return [*made, *_large()]


def _replayed(payloads: list[Mapping[str, Any]], seal: Seal) -> State:
    state = State()
    for number, payload in enumerate(payloads):
        record = opened(payload, author="U1", seal=seal)
        if isinstance(record, Record):
            state.apply(_T + number * 1_000_000, "U1", record)
    return state


def _large() -> list[Row]:
    """A hundred thousand keys: from a snapshot, and from a cache file."""
    state, seal = _filled(_RECORDS), Seal("C1")
    sha256, parts = packed(state, seal)
    manifest = Manifest(upto=state.now, count=state.count, thread="", parts=len(parts), sha256=sha256)
    loading, _ = _seconds(lambda: unpacked(parts, manifest, seal))
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder) / "cache.db", "T1 C1", seal)
        begun = time.perf_counter()
        cache.save((state.dump(keys=False), list(state.items())), Since(oldest=0), anew=True)
        saving = time.perf_counter() - begun
        begun = time.perf_counter()
        cache.load()
        took = time.perf_counter() - begun
        cache.close()
    return [
        (f"{_RECORDS:,} keys from a snapshot of {len(parts)} parts", "<= 1 s", f"{loading:.2f} s"),
        (f"{_RECORDS:,} keys from a cache file", "", f"{took:.2f} s; written anew in {saving:.2f} s"),
    ]


def _filled(keys: int) -> State:
    state = State()
    for number in range(keys):
        put = Operation(verb=Verb.PUT, key=f"key{number}", value=encode({"on": True, "level": number}))
        record = Record(
            writer="w" * 32,
            born=_T + number * 1_000_000,
            groups=(Group(number=number, operations=(put,)),),
            chain=state.chain(),
            digest=str(number),
        )
        state.apply(_T + number * 1_000_000, "U1", record)
    return state


# memory

_PROBE = """
import gc, resource
from tests.benchmarks.store import _filled
def resident():
    gc.collect()
    with open("/proc/self/statm") as page:
        return int(page.read().split()[1]) * resource.getpagesize()
before = resident()
state = _filled({keys})
print(resident() - before)
"""


def _memory() -> list[Row]:
    told = subprocess.run(
        [sys.executable, "-c", _PROBE.format(keys=_RECORDS)], check=True, capture_output=True, text=True
    )
    taken = int(told.stdout)
    shown = f"{taken / 2**20:.0f} MiB, {taken / _RECORDS:.0f} bytes each"
    return [(f"memory per {_RECORDS:,} keys with values of 24 bytes, one state", "", shown)]
